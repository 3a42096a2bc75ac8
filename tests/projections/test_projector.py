"""The follower on both stores: what is live is what the log says, whatever happened on the way."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.days import day_number, day_text
from ledger.errors import Refused, Unavailable
from ledger.events import Line
from ledger.identifiers import card_number, kpj_of
from ledger.settings import Settings
from ledger.store.codec import StoredRow
from ledger.store.dialect import Dialect
from ledger.store.log import Log
from projections import balances
from projections.condition import indexes, tables
from projections.generations import NAMES, Overtaken, Position, Store, advance
from projections.projector import Projector
from projections.queries import Queries
from projections.rebuild import rebuild
from tests.conftest import NOW, TODAY
from tests.projections.history import KPJS, NPPS, Model, Writer, operations, registered, written

CARDS = [card_number(kpj) for kpj in KPJS]


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = Store.open(settings)
    yield opened
    opened.close()


@pytest.fixture
def follower(log: Log, store: Store) -> Projector:
    return Projector(log, store, now=lambda: NOW)


@pytest.fixture
def reader(log: Log, store: Store) -> Iterator[Queries]:
    opened = Queries(log, store)
    yield opened
    opened.close()


def live_rows(store: Store, name: str = "balances") -> list[tuple[int, ...]]:
    generation = store.pointers().live[name]
    with store.database(generation).read() as tx:
        return sorted(tx.rows(f"select {', '.join(balances.COLUMNS)} from {generation.table}"))


def poison(log: Log, position: int) -> None:
    """Make one stored event unreadable, as a damaged file would."""
    with log.database.write() as tx:
        assert tx.run(f"update {log.table} set state = ? where {log.key} = ?", [b'{"broken', position]) == 1


@given(drawn=operations, cuts=st.lists(st.integers(1, 12), max_size=3), page=st.integers(1, 7))
def test_live_rows_are_rebuilt_rows_and_the_models_after_any_cut(
    log: Log, store: Store, reader: Queries, drawn, cuts: list[int], page: int
) -> None:
    # One ledger for all examples: each begins by emptying it, which a log never allows otherwise.
    _empty(log, store)
    follower = Projector(log, store, now=lambda: NOW, page=page)
    events = [*registered(), *written(drawn)]
    edges = [0, *sorted(cuts), len(events)]
    positions: list[int] = []
    for a, b in itertools.pairwise(edges):
        if events[a:b]:
            positions += log.append(events[a:b], NOW).positions
            follower.run_once()
    model = Model()
    for made, position in zip(events, positions, strict=True):
        model.take(made, position)
    reader.refresh()
    assert store.heartbeat().error == ""
    for kpj, card in zip(KPJS, CARDS, strict=True):
        amount, months, count = model.total(kpj)
        found = reader.balance(card, TODAY, NOW)
        assert (found.employer + found.worker, found.months) == (amount, months)
        assert found.position == positions[-1]
        last = model.last(kpj)
        assert (found.last and (found.last.month, found.last.paid_on, found.last.npp)) == last
        entries = reader.entries(card, NOW, limit=500)
        assert sorted(
            (kpj, e.type, e.kind, e.month, e.paid_on, e.npp, e.employer, e.worker, e.months) for e in entries
        ) == sorted(e for e in model.entries if e[0] == kpj)
        assert len(entries) == count
        assert [e.key for e in entries] == sorted((e.key for e in entries), reverse=True)
    report = rebuild(log, store)
    assert [(p.compared and p.compared.differing, p.switched) for p in report.projections] == [(0, True)] * 3


def _empty(log: Log, store: Store) -> None:
    log._highest = 0
    with log.database.write() as tx:
        tx.run(f"delete from {log.table}")
        for name in (
            "account_index_employers",
            "account_index_cards",
            "account_index_suspense",
            "account_index_requests",
        ):
            tx.run(f"delete from {name}")
    with store.pointers_database.write() as tx:
        tx.run(f"delete from {store.at}live")
        tx.run(f"update {store.at}state set stamp = stamp + 1, confirmed_at = '', beat_at = '', error = ''")
    for name in NAMES:
        for generation in store.generations(name):
            store.drop(generation)


def test_a_page_is_applied_once_and_an_idle_log_is_confirmed(log: Log, store: Store, follower: Projector) -> None:
    log.append([*registered(), Writer().post(NPPS[0], "2026-10", "2026-11-14", [Line(KPJS[0], 0, 0, 5, 7)])], NOW)
    assert follower.run_once() == len(registered()) + 1
    rows = live_rows(store)
    assert follower.run_once() == 0
    assert live_rows(store) == rows
    assert store.heartbeat().head_seen == log.head()
    later = Projector(log, store, now=lambda: NOW + timedelta(seconds=30))
    later.run_once()
    assert store.heartbeat().confirmed_at == "2026-11-21T03:00:30.000000Z"


def test_a_second_follower_is_refused_while_the_first_runs(log: Log, settings: Settings, store: Store) -> None:
    stop, first = threading.Event(), Projector(log, store, now=lambda: NOW)
    thread = threading.Thread(target=first.run, args=(stop,))
    thread.start()
    other = Store.open(settings)
    try:
        _until(lambda: len(store.pointers().live) == 3)
        with pytest.raises(Refused) as refused:
            Projector(log, other).run_once()
        assert refused.value.code == "follower-elsewhere"
    finally:
        stop.set()
        thread.join()
    assert Projector(log, other, now=lambda: NOW).run_once() == 0
    other.close()


def test_what_is_appended_becomes_visible_while_the_follower_runs(log: Log, store: Store, reader: Queries) -> None:
    log.append(registered(), NOW)
    stop, writer = threading.Event(), Writer()
    follower = Projector(log, store, now=lambda: NOW)
    thread = threading.Thread(target=follower.run, args=(stop,))
    thread.start()
    try:
        _until(lambda: len(store.pointers().live) == 3 and store.heartbeat().confirmed_at)
        for i in range(1, 6):
            posted = writer.post(NPPS[0], f"2026-0{i}", "2026-07-14", [Line(KPJS[0], 0, 0, 5, 7)])
            reader.wait_for(log.append([posted], NOW).positions[-1], 10)
            assert reader.balance(CARDS[0], TODAY, NOW).total == 12 * i
    finally:
        stop.set()
        follower.wake()
        thread.join()


def test_a_position_that_does_not_come_is_an_error_after_the_wait(
    log: Log, follower: Projector, reader: Queries
) -> None:
    log.append(registered(), NOW)
    follower.run_once()
    with pytest.raises(Unavailable) as unavailable:
        reader.wait_for(log.head() + 1, 0.02)
    assert unavailable.value.code == "position-not-reached"
    reader.wait_for(log.head(), 0)


def test_rows_do_not_move_without_their_position(log: Log, store: Store, follower: Projector) -> None:
    log.append(registered(), NOW)
    follower.run_once()
    generation = store.pointers().live["balances"]
    before = store.position(generation)

    def write_late() -> None:
        with store.database(generation).write() as tx:
            tx.run(f"insert into {generation.table}_incomplete values (1, 1)")
            advance(tx, generation, before.position - 1, Position(99, "", "", "", log.log_id, ""))

    with pytest.raises(Overtaken):
        write_late()
    assert store.position(generation) == before
    with store.database(generation).read() as tx:
        assert tx.rows(f"select * from {generation.table}_incomplete") == []


def test_an_unreadable_remittance_marks_everybody_of_that_employer_and_nobody_else(
    log: Log, store: Store, follower: Projector, reader: Queries
) -> None:
    log.append(registered(KPJS[:1], NPPS[:1]), NOW)
    others = [e for e in registered(KPJS[1:3], NPPS[1:]) if "person" not in e.stream]
    log.append(others, NOW)
    writer = Writer()
    bad = log.append([writer.post(NPPS[0], "2026-09", "2026-10-14", [Line(KPJS[0], 0, 0, 5, 7)])], NOW).positions[0]
    log.append([writer.post(NPPS[1], "2026-09", "2026-10-14", [Line(KPJS[1], 0, 0, 5, 7)])], NOW)
    poison(log, bad)
    follower.run_once()
    with pytest.raises(Unavailable) as unavailable:
        reader.balance(CARDS[0], TODAY, NOW)
    assert unavailable.value.code == "account-incomplete"
    assert unavailable.value.problem.details == {"position": bad}
    assert reader.balance(CARDS[1], TODAY, NOW).total == 12
    assert reader.balance(CARDS[2], TODAY, NOW).total == 0
    answers = reader.balances(CARDS[:2], TODAY, NOW)
    assert [getattr(answers[card], "code", "") for card in CARDS[:2]] == ["account-incomplete", ""]
    for ask in (
        lambda: reader.entries(CARDS[0], NOW),
        lambda: reader.balance(CARDS[0], TODAY, NOW, TODAY - timedelta(days=1)),
    ):
        with pytest.raises(Unavailable) as unavailable:
            ask()
        assert unavailable.value.code == "account-incomplete"
    assert store.heartbeat().error == f"DecodeError in contributions-posted.v1 at {bad}"


def test_a_rebuild_that_can_read_the_event_clears_the_mark(
    log: Log, follower: Projector, store: Store, reader: Queries
) -> None:
    log.append(registered(), NOW)
    bad = log.append([Writer().post(NPPS[0], "2026-09", "2026-10-14", [Line(KPJS[0], 0, 0, 5, 7)])], NOW).positions[0]
    log.append([Writer().post(NPPS[1], "2026-09", "2026-10-14", [Line(KPJS[1], 0, 0, 5, 7)])], NOW)
    with log.database.read() as tx:
        state = tx.rows(f"select state from {log.table} where {log.key} = ?", [bad])[0][0]
    poison(log, bad)
    follower.run_once()
    assert rebuild(log, store).broken == [f"DecodeError in contributions-posted.v1 at {bad}"]
    reader.refresh()
    with pytest.raises(Unavailable):
        reader.balance(CARDS[0], TODAY, NOW)
    with log.database.write() as tx:
        tx.run(f"update {log.table} set state = ? where {log.key} = ?", [state, bad])
    report = rebuild(log, store)
    assert sum(p.compared.repaired for p in report.projections if p.compared) == 3  # balance, entry, its event
    reader.refresh()
    assert reader.balance(CARDS[0], TODAY, NOW).total == 12


def test_an_event_of_a_later_version_marks_its_account_and_is_not_skipped(
    log: Log, follower: Projector, reader: Queries
) -> None:
    positions = log.append([*registered()], NOW).positions
    with log.database.write() as tx:
        given = ["card-merged.v9", f"account:{KPJS[4]}"]
        tx.run(f"update {log.table} set topic = ? where originator_id = ? and originator_version = 3", given)
    follower.run_once()
    assert reader.position() == positions[-1]
    with pytest.raises(Unavailable, match="under review"):
        reader.balance(CARDS[4], TODAY, NOW)
    assert reader.balance(CARDS[5], TODAY, NOW).total == 0


def test_an_unreadable_account_opening_is_under_review_not_unknown(
    log: Log, follower: Projector, reader: Queries
) -> None:
    log.append(registered(), NOW)
    with log.database.read() as tx:
        where = f"select {log.key} from {log.table} where originator_id = ? and originator_version = 1"
        position = tx.rows(where, [f"account:{KPJS[0]}"])[0][0]
    poison(log, position)
    follower.run_once()
    with pytest.raises(Unavailable) as unavailable:
        reader.balance(CARDS[0], TODAY, NOW)
    assert unavailable.value.code == "account-incomplete"


def test_reactions_see_every_page_after_it_was_written(log: Log, store: Store) -> None:
    log.append(registered(), NOW)
    seen: list[StoredRow] = []
    positions: list[int] = []

    def react(rows: list[StoredRow]) -> None:
        seen.extend(rows)
        positions.append(store.position(store.pointers().live["balances"]).position)

    Projector(log, store, now=lambda: NOW, page=5, reactions=[react]).run_once()
    assert [row.position for row in seen] == [row.position for row in log.read(0, 1000)]
    assert positions[0] == seen[4].position
    assert positions[-1] == log.head()


def test_a_reaction_that_fails_is_told_and_called_again_and_stops_nothing(log: Log, store: Store) -> None:
    seen: list[int] = []

    def react(rows: list[StoredRow]) -> None:
        if not seen:
            seen.append(0)
            raise RuntimeError
        seen.extend(row.position for row in rows)

    log.append(registered(), NOW)
    follower = Projector(log, store, now=lambda: NOW, reactions=[react])
    follower.run_once()
    assert store.heartbeat().error == f"RuntimeError in a reaction at {log.head()}"
    log.append([Writer().post(NPPS[0], "2026-10", "2026-11-14", [Line(KPJS[0], 0, 0, 5, 7)])], NOW)
    follower.run_once()
    assert seen[1:] == [row.position for row in log.read(0, 1000)]
    assert store.heartbeat().error == ""


def test_a_log_with_another_id_is_refused_until_a_rebuild(
    log: Log, store: Store, follower: Projector, reader: Queries
) -> None:
    log.append(registered(), NOW)
    follower.run_once()
    log.renew_log_id()
    for ask in (lambda: Projector(log, store).run_once(), reader.refresh):
        with pytest.raises(Unavailable) as unavailable:
            ask()
        assert unavailable.value.code == "log-restored"
    report = rebuild(log, store)
    assert [p.compared for p in report.projections] == [None, None, None]
    assert reader.balance(CARDS[0], TODAY, NOW).total == 0


def test_a_log_shorter_than_its_projections_is_refused(log: Log, store: Store, follower: Projector) -> None:
    log.append(registered(), NOW)
    follower.run_once()
    head = log.head()
    with log.database.write() as tx:
        tx.run(f"delete from {log.table} where {log.key} = ?", [head])
    with pytest.raises(Unavailable) as unavailable:
        Projector(log, store).run_once()
    assert unavailable.value.code == "log-restored"


def test_the_tables_of_a_generation_carry_its_number(store: Store) -> None:
    for name in NAMES:
        generation = store.generation(name, 7)
        for dialect in Dialect:
            made = f"{tables(generation, dialect)};{indexes(generation, dialect)}"
            for statement in filter(None, (part.strip() for part in made.split(";"))):
                assert f"{name}_g7" in statement.split("(")[0]


def _until(holds, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_day_numbers_and_cards_are_one_to_one() -> None:
    assert [kpj_of(card) for card in CARDS] == list(KPJS)
    assert day_text(day_number("2026-11-14")) == "2026-11-14"


def test_one_run_over_a_stale_read_side_leaves_it_fresh(log: Log, store: Store) -> None:
    log.append(registered(), NOW)
    Projector(log, store, now=lambda: NOW).run_once()
    later = NOW + timedelta(hours=1)
    log.append(
        [Writer().post(NPPS[0], "2026-10", "2026-11-14", [Line(KPJS[0], 5_000_000, 0, 185_000, 100_000)])], later
    )
    Projector(log, store, now=lambda: later).run_once()
    reader = Queries(log, store)
    assert reader.check_fresh(later).confirmed_at == later
    reader.close()
