"""The queries: what is answered, and what is refused instead of being answered with a zero."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta

import psycopg
import pytest

from ledger.errors import JhtError, NotFound, Refused, Unavailable
from ledger.events import EmployerRegistered, Line, OpeningBalanceReversed
from ledger.identifiers import card_number
from ledger.store.employer_names import SealedName
from projections.rebuild import rebuild
from projections.results import CardRow, Last, standing_opening
from tests.conftest import NOW, TODAY
from tests.facts import opening, posted
from tests.projections.conftest import Ledger
from tests.projections.history import KPJS, NPPS, PERSON, RULES, event

CARDS = [card_number(kpj) for kpj in KPJS]


def code_of(ask: Callable[[], object]) -> str:
    with pytest.raises(JhtError) as raised:
        ask()
    return raised.value.code


def test_a_card_without_money_has_zero_no_months_and_no_last_contribution(ledger: Ledger) -> None:
    found = ledger.balance()
    assert (found.total, found.months, found.last, found.status) == (0, 0, None, "belum-ada-iuran")
    assert (found.kpj, found.person, found.segment) == (KPJS[0], PERSON.format(0), "PU")


def test_an_unknown_card_is_not_found(ledger: Ledger) -> None:
    asked = (
        lambda: ledger.reader.balance(5, TODAY, NOW),
        lambda: ledger.reader.balance(5, TODAY, NOW, date(2020, 1, 1)),
        lambda: ledger.reader.entries(5, NOW),
        lambda: ledger.reader.story(5, NOW, 10),
        lambda: ledger.reader.person_of_card(5),
    )
    assert [code_of(ask) for ask in asked] == ["account-not-found"] * 5


def test_a_balance_adds_up_over_years_and_payers(ledger: Ledger) -> None:
    ledger.pay("2024-12", "2025-01-14", Line(KPJS[0], 5_000_000, 0, 185_000, 100_000), Line(KPJS[1], 0, 0, 1, 1))
    last = ledger.pay("2026-10", "2026-11-14", Line(KPJS[0], 6_000_000, 0, 222_000, 120_000), npp=NPPS[1])
    found = ledger.balance()
    assert (found.employer, found.worker, found.credited, found.total) == (407_000, 220_000, 0, 627_000)
    assert (found.months, found.last) == (2, Last("2026-10", "2026-11-14", NPPS[1]))
    assert (found.version, found.position) == (last, last)
    assert found.recorded_at == "2026-11-21T03:00:00.000000Z"


@pytest.mark.parametrize(("month", "status"), [("2026-11", "aktif"), ("2026-08", "aktif"), ("2026-07", "tidak-aktif")])
def test_a_status_follows_the_last_three_closed_months(ledger: Ledger, month: str, status: str) -> None:
    ledger.pay(month, f"{month}-14", Line(KPJS[0], 0, 0, 5, 5))
    assert ledger.balance().status == status


def test_an_opening_balance_counts_with_its_yield_and_is_no_contribution(ledger: Ledger) -> None:
    first = opening("2024-12-31", 1_000, 2_000, 300, 24, source="old system")
    ledger.add(event(f"account:{KPJS[0]}", 50, first))
    found = ledger.balance()
    assert (found.employer, found.worker, found.credited, found.total) == (1_000, 2_000, 300, 3_300)
    assert (found.months, found.last, found.status) == (24, None, "tidak-aktif")
    (entry,) = ledger.reader.entries(CARDS[0], NOW)
    assert (entry.type, entry.month, entry.paid_on, entry.credited, entry.reference) == (
        "opening", "2024-12", "2024-12-31", 300, "old system",
    )  # fmt: skip
    assert code_of(lambda: ledger.balance(as_of=date(2024, 12, 30))) == "as-of-before-opening"
    assert ledger.balance(as_of=date(2024, 12, 31)).total == 3_300


def test_an_opening_balance_that_was_taken_back_is_nothing_now_and_in_the_past(ledger: Ledger) -> None:
    writer = ledger.writer
    ledger.add(writer.opening(KPJS[0], 2025, 1_000, 2_000, 300))
    ledger.add(writer.take_opening_back(KPJS[0]))
    found = ledger.balance()
    assert (found.total, found.credited, found.months, found.last, found.status) == (0, 0, 0, None, "belum-ada-iuran")
    assert ledger.balance(as_of=date(2025, 6, 30)).total == 0
    assert ledger.balance(as_of=TODAY - timedelta(days=1)).total == 0
    ledger.add(writer.opening(KPJS[0], 2024, 10, 20, 3))
    assert (ledger.balance().total, ledger.balance(as_of=date(2025, 6, 30)).total) == (33, 33)
    assert code_of(lambda: ledger.balance(as_of=date(2024, 12, 30))) == "as-of-before-opening"
    types = [entry.type for entry in ledger.reader.entries(CARDS[0], NOW)]
    assert types == ["opening-reversed", "opening", "opening"]


def test_after_a_reversal_the_last_contribution_is_the_one_that_still_stands(ledger: Ledger) -> None:
    ledger.pay("2026-09", "2026-10-14", Line(KPJS[0], 0, 0, 5, 5))
    ledger.pay("2026-10", "2026-11-14", Line(KPJS[0], 0, 0, 7, 7))
    back = ledger.writer.reverse(1)
    ledger.add(back)
    found = ledger.balance()
    assert (found.total, found.months, found.last) == (10, 1, Last("2026-09", "2026-10-14", NPPS[0]))
    ledger.add(ledger.writer.reverse(0))
    found = ledger.balance()
    assert (found.total, found.months, found.last, found.status) == (0, 0, None, "belum-ada-iuran")


def test_a_past_balance_counts_what_was_paid_until_that_day(ledger: Ledger) -> None:
    ledger.pay("2026-08", "2026-09-14", Line(KPJS[0], 0, 0, 5, 5))
    last = ledger.pay("2026-09", "2026-10-14", Line(KPJS[0], 0, 0, 7, 7))
    at = [date(2026, 9, 13), date(2026, 9, 14), date(2026, 10, 13), date(2026, 10, 14), TODAY]
    found = [ledger.balance(as_of=day) for day in at]
    assert [(one.total, one.months) for one in found] == [(0, 0), (10, 1), (10, 1), (24, 2), (24, 2)]
    assert [one.last and one.last.month for one in found] == [None, "2026-08", "2026-08", "2026-09", "2026-09"]
    assert {one.position for one in found} == {last}
    assert code_of(lambda: ledger.balance(as_of=TODAY + timedelta(days=1))) == "as-of-in-future"


def test_a_reversal_is_neutral_in_the_past_too(ledger: Ledger) -> None:
    ledger.pay("2026-08", "2026-09-14", Line(KPJS[0], 0, 0, 5, 5))
    ledger.add(ledger.writer.reverse(0))
    assert ledger.balance(as_of=date(2026, 9, 20)).total == 0


def test_out_of_date_is_an_error_for_every_question_about_money(ledger: Ledger) -> None:
    ledger.pay("2026-08", "2026-09-14", Line(KPJS[0], 0, 0, 5, 5))
    reader, limit = ledger.reader, timedelta(seconds=ledger.store.settings.max_staleness)
    assert reader.balance(CARDS[0], TODAY, NOW + limit).total == 10
    late = NOW + limit + timedelta(seconds=1)
    asked: list[Callable[[], object]] = [
        lambda: reader.balance(CARDS[0], TODAY, late),
        lambda: reader.balance(CARDS[0], TODAY, late, date(2026, 9, 20)),
        lambda: reader.balances(CARDS, TODAY, late),
        lambda: reader.entries(CARDS[0], late),
        lambda: reader.story(CARDS[0], late, 10),
        lambda: reader.balance(5, TODAY, late),
    ]
    assert [code_of(ask) for ask in asked] == ["read-side-stale"] * 6


def test_many_cards_are_answered_at_one_moment_each_as_alone(ledger: Ledger) -> None:
    ledger.pay("2026-08", "2026-09-14", *[Line(kpj, 0, 0, 5 + i, 5) for i, kpj in enumerate(KPJS)])
    ledger.pay("2026-09", "2026-10-14", Line(KPJS[2], 0, 0, 9, 9))
    ledger.add(ledger.writer.reverse(6))
    found = ledger.reader.balances([*CARDS, 5], TODAY, NOW)
    assert isinstance(found.pop(5), NotFound)
    assert found == {card: ledger.balance(i) for i, card in enumerate(CARDS)}


@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
def test_the_set_query_runs_on_any_connection(ledger: Ledger) -> None:
    ledger.pay("2026-08", "2026-09-14", Line(KPJS[0], 0, 0, 5, 5))
    with psycopg.connect(ledger.store.settings.database_url) as connection:
        found = connection.execute(ledger.reader.set_query().encode(), [CARDS[:2]]).fetchall()
        rows = [CardRow(*row) for row in found]
        assert ledger.reader.is_current(rows)
        assert ledger.reader.of_rows(rows, TODAY) == {CARDS[0]: ledger.balance(0), CARDS[1]: ledger.balance(1)}
        rebuild(ledger.log, ledger.store, ["balances"])
        ledger.reader.refresh()
        assert not ledger.reader.is_current(rows)


def test_a_statement_goes_on_from_where_a_page_ended(ledger: Ledger) -> None:
    for month in range(1, 8):
        ledger.pay(f"2026-{month:02d}", "2026-08-01", Line(KPJS[0], 0, 0, month, 0), Line(KPJS[0], 0, 0, 0, month))
    whole = ledger.reader.entries(CARDS[0], NOW, limit=500)
    assert [entry.month for entry in whole] == [f"2026-{m:02d}" for m in range(7, 0, -1) for _ in range(2)]
    pages, after = [], None
    while page := ledger.reader.entries(CARDS[0], NOW, after, limit=3):
        pages += page
        after = page[-1].key
    assert pages == whole
    assert (whole[0].npp, whole[0].reference, whole[0].recorded_at) == (
        NPPS[0], "R2026-07", "2026-11-21T03:00:00.000000Z",
    )  # fmt: skip


def test_a_story_is_the_statement_with_its_memberships_and_the_names_of_every_payer(ledger: Ledger) -> None:
    reader, card = ledger.reader, CARDS[0]
    for month in range(1, 4):
        ledger.pay(f"2026-{month:02d}", "2026-08-01", Line(KPJS[0], 0, 0, month, 0))
    third = "10000003"
    ledger.add(event(f"employer:{third}", 1, EmployerRegistered(third, f"PT {third}", "2015-01-02")))
    ledger.pay("2026-04", "2026-08-01", Line(KPJS[0], 0, 0, 9, 0), npp=third)
    story = reader.story(card, NOW, 500)
    assert story.entries == reader.entries(card, NOW)
    assert story.memberships == reader.memberships(card)
    assert {membership.npp for membership in story.memberships} == set(NPPS)
    named = {int(npp): SealedName(f"PT {npp}", 1) for npp in (*NPPS, third)}
    assert story.employers == named, "who pays without a membership is named too"
    assert reader.story(card, NOW, 2).entries == story.entries[:2]


def test_a_participant_who_pays_for_himself_has_no_payer(ledger: Ledger) -> None:
    own = posted([Line(KPJS[4], 0, 0, 0, 20_000)], rules=RULES, segment="BPU")
    ledger.add(event(f"remittance-p:{KPJS[4]}:2026-10", 1, own))
    assert ledger.balance(4).last == Last("2026-10", "2026-11-14", "")
    assert ledger.reader.entries(CARDS[4], NOW)[0].npp == ""


def test_a_day_before_an_opening_balance_is_known_once_the_balance_was_taken_back(ledger: Ledger) -> None:
    account = f"account:{KPJS[0]}"
    version = len(ledger.log.events(account))
    ledger.pay("2016-01", "2016-02-10", Line(KPJS[0], 0, 0, 5, 5))
    recorded = opening("2015-12-31", 100, 50, 7, 12)
    ledger.add(event(account, version + 1, recorded))
    assert code_of(lambda: ledger.balance(as_of=date(2015, 6, 30))) == "as-of-before-opening"
    assert ledger.balance(as_of=date(2015, 12, 31)).total == 157
    back = OpeningBalanceReversed(
        as_of="2015-12-31", employer=100, worker=50, credited_yield=7, months=12, yield_through=2015, event=version + 1
    )
    ledger.add(event(account, version + 2, back))
    assert ledger.balance(as_of=date(2015, 6, 30)).total == 0
    assert ledger.balance(as_of=date(2015, 12, 31)).total == 0
    # Another day takes its place: that one counts, not the one that was taken back.
    ledger.add(event(account, version + 3, opening("2014-12-31", 30)))
    assert ledger.balance(as_of=date(2015, 6, 30)).total == 30
    assert code_of(lambda: ledger.balance(as_of=date(2014, 6, 30))) == "as-of-before-opening"
    assert ledger.balance().total == 40
    entries = ledger.reader.entries(CARDS[0], NOW)
    assert standing_opening(entries) == next(one for one in entries if one.paid_on == "2014-12-31")


def test_the_directory_follows_persons_cards_and_memberships(ledger: Ledger) -> None:
    reader, person = ledger.reader, PERSON.format(0)
    assert reader.person_of_card(CARDS[0]) == person
    assert reader.person_cards(person) == sorted(CARDS[:2])
    assert reader.person(person).identity == "sealed identity 0"
    assert reader.employer(int(NPPS[0])).name == SealedName(f"PT {NPPS[0]}", 1)
    for which in (0, 3, 4, 5):
        ledger.add(ledger.writer.people(which, KPJS[0]))
    found = reader.person(person)
    assert (found.identity, found.identity_version, found.contact_version) == ("corrected 0", 2, 1)
    # Months of the first employer end and another membership follows; the newest segment is the card's.
    assert [(m.npp, m.segment, m.since, m.until) for m in reader.memberships(CARDS[0])] == [
        (NPPS[0], "PU", "2015-01", ""),
        (NPPS[1], "PU", "2015-01", "2020-06"),
        (NPPS[0], "PU", "2020-07", ""),
    ]
    assert ledger.balance().segment == "BPU"
    ledger.add(ledger.writer.people(2, KPJS[0]))
    assert reader.person(person).erased
    assert reader.person(person).identity == ""
    assert reader.person_cards(person) == sorted(CARDS[:2])
    assert code_of(lambda: reader.person("0" * 31 + "9")) == "person-unknown"
    assert code_of(lambda: reader.person_cards("0" * 31 + "9")) == "person-unknown"
    assert code_of(lambda: reader.employer(1)) == "employer-unknown"


def test_a_card_changed_in_the_directory_has_a_new_version(ledger: Ledger) -> None:
    before = ledger.balance().version
    last = ledger.add(ledger.writer.people(5, KPJS[0]))
    assert before < ledger.balance().version == last


def test_how_far_the_read_side_is_can_be_asked(ledger: Ledger) -> None:
    found = ledger.reader.freshness()
    assert (found.log_id, found.position, found.head_seen) == (ledger.log.log_id, ledger.log.head(), ledger.log.head())
    assert (found.confirmed_at, found.projected_at) == (NOW, NOW)
    assert ledger.reader.has_reached(found.position)
    assert not ledger.reader.has_reached(found.position + 1)


def test_a_reader_may_be_used_from_many_threads(ledger: Ledger) -> None:
    ledger.pay("2026-08", "2026-09-14", Line(KPJS[0], 0, 0, 5, 5))
    totals: list[int] = []
    threads = [
        threading.Thread(target=lambda: totals.extend(ledger.balance().total for _ in range(20))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert totals == [10] * 80


def test_a_store_that_is_gone_is_an_error_with_a_code(ledger: Ledger) -> None:
    live = ledger.store.pointers().live["balances"]
    with ledger.store.database(live).write() as tx:
        tx.run(f"drop table {live.table}")
    for ask in (ledger.balance, lambda: ledger.reader.balances(CARDS, TODAY, NOW)):
        with pytest.raises(Unavailable) as failed:
            ask()
        assert failed.value.code == "read-side-damaged"
        assert failed.value.problem.details == {"name": "balances", "why": "missing"}


def test_only_moments_with_a_zone_are_compared(ledger: Ledger) -> None:
    with pytest.raises(TypeError):
        ledger.reader.balance(CARDS[0], TODAY, datetime(2026, 11, 21))


def test_refusals_are_not_unavailable(ledger: Ledger) -> None:
    for ask, kind in (
        (lambda: ledger.balance(as_of=TODAY + timedelta(days=1)), Refused),
        (lambda: ledger.reader.wait_for(ledger.log.head() + 1, 0), Unavailable),
    ):
        with pytest.raises(kind):
            ask()


def test_balances_of_one_moment_share_a_snapshot_and_the_next_moment_sees_what_came(ledger: Ledger) -> None:
    ledger.pay("2026-09", "2026-10-12", Line(KPJS[0], 5_000_000, 0, 185_000, 100_000))
    ends: list[Callable[[], None]] = []

    def later(end: Callable[..., None], connection: object) -> None:
        ends.append(lambda: end(connection))

    def total(card: int = CARDS[0]) -> int:
        return ledger.reader.balance(card, TODAY, NOW, later=later).total

    assert (total(), total(CARDS[1])) == (285_000, 0)
    ledger.pay("2026-10", "2026-11-12", Line(KPJS[0], 5_000_000, 0, 185_000, 100_000))
    if ledger.store.postgres:
        assert (total(), ends) == (570_000, [])
        return
    assert len(ends) == 1
    assert total() == 285_000
    # The statement is of another file, whose snapshot begins now; it neither fails nor ends the shared one.
    assert len(ledger.reader.entries(CARDS[0], NOW)) == 2
    assert total() == 285_000
    ends.pop()()
    assert (total(), len(ends)) == (570_000, 1)


def test_a_generation_swapped_in_while_a_snapshot_is_shared_is_served(ledger: Ledger) -> None:
    ledger.pay("2026-10", "2026-11-12", Line(KPJS[0], 5_000_000, 0, 185_000, 100_000))
    ends: list[Callable[[], None]] = []

    def later(end: Callable[..., None], connection: object) -> None:
        ends.append(lambda: end(connection))

    assert ledger.reader.balance(CARDS[0], TODAY, NOW, later=later).total == 285_000
    rebuild(ledger.log, ledger.store)
    ledger.reader.refresh()
    assert ledger.reader.balance(CARDS[0], TODAY, NOW, later=later).total == 285_000
    for end in ends:  # the first one's connection has been closed
        end()
    assert ledger.balance().total == 285_000
