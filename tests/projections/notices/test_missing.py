"""When a month that has not come is told, to whom, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from api.mail.texts import said, short
from ledger.days import day_number
from ledger.members.state import MISSING, NOTICES, POSTED, Notices
from projections.notices.missing import Looker, candidates
from projections.notices.truth import Looked, Truth
from projections.rebuild import rebuild
from tests.conftest import TODAY
from tests.ledger.members.conftest import CARD, ON_FILE, PHONE, SECOND
from tests.office import opening, person
from tests.projections.notices.conftest import Town, paid

SEPTEMBER = {"month": "2026-09", "paid_on": "2026-10-14"}


def complete(town: Town, until: str) -> None:
    town.office.complete(until)
    town.follow()


@pytest.fixture
def town(town: Town) -> Town:
    """Two cards at one employer, September paid; the day is 21 November, October was due on the 16th."""
    town.office.complete("2026-11-13")
    town.pay(paid(**SEPTEMBER), paid(SECOND, **SEPTEMBER))
    with town.log.database.write() as tx:
        tx.run("delete from notice_place")
    town.follow()
    return town


def test_a_month_is_told_once_the_payments_up_to_its_due_day_are_complete(town: Town) -> None:
    town.choose(mail=(MISSING,), sms=(MISSING,))
    town.pay(paid(SECOND))
    assert town.told() == [], "due, but nobody knows yet"
    complete(town, "2026-11-15")
    assert town.told() == [], "complete up to the day before"
    complete(town, "2026-11-16")
    mail, sms = sorted(town.told(), key=lambda due: due.way)
    words = said(mail.letter, "https://saldo.example")
    assert (mail.letter.to, words.rows) == (
        ON_FILE, (("Oktober 2026, PT 10000001, kartu ***0017", "Jatuh tempo 16 November 2026"),),
    )  # fmt: skip
    assert sms.letter.to == PHONE
    assert sms.letter.rows == (("2026-10", "0"),), "month alone"
    assert short(sms.letter).startswith("JHT: iuran Okt-26 belum masuk. ")
    for day in ("2026-11-17", "2026-11-18", "2026-11-19"):
        town.move(days=1)
        complete(town, day)
        assert town.told() == []


def both_silent(town: Town) -> None:
    town.choose()


def one_paid(town: Town) -> None:
    town.choose(mail=(MISSING,))
    town.pay(paid())


def both_paid(town: Town) -> None:
    town.choose(mail=(MISSING,))
    town.pay(paid(), paid(SECOND))


def only_posted(town: Town) -> None:
    town.choose(mail=(POSTED,))


def chosen_too_late(town: Town) -> None:
    complete(town, "2026-11-16")
    town.choose()


def waits(town: Town) -> None:
    """Money that waits in suspense has come."""
    town.choose()
    town.pay(paid(employer=1, worker=1), paid(SECOND, employer=1, worker=1))


def left(town: Town) -> None:
    town.choose()
    town.office.register(person(CARD, left_on="2026-09-30"), person(SECOND, left_on="2026-09-30"))


def inside_the_opening(town: Town) -> None:
    """What came before the ledger is nobody's fault; it still says October."""
    town.choose()
    town.office.openings(opening("26000000033"))


TABLE: dict[Callable[[Town], None], int] = {
    both_silent: 2, one_paid: 1, both_paid: 0, only_posted: 0, chosen_too_late: 0, waits: 0, left: 0, inside_the_opening: 2,
}  # fmt: skip


@pytest.mark.parametrize("happens", TABLE, ids=lambda happens: happens.__name__)
def test_the_table_of_conditions(town: Town, happens: Callable[[Town], None]) -> None:
    happens(town)
    town.due()
    town.move(days=1)
    complete(town, "2026-11-16")
    told = [row for due in town.due() for row in due.letter.rows]
    assert len(told) == TABLE[happens]
    rebuild(town.log, town.store)
    town.move(days=1)
    assert town.told() == []


def test_posted_first_and_missing_the_day_after(town: Town) -> None:
    town.choose(mail=NOTICES)
    town.pay(paid())
    complete(town, "2026-11-16")
    assert [due.letter.kind for due in town.due()] == ["contribution-posted"]
    town.move(days=1)
    assert [due.letter.kind for due in town.told()] == ["month-missing"]


def test_a_look_goes_through_everybody_and_on_where_it_was(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.notices.missing.AT_ONCE", 1)
    town.choose()
    town.members.choose_notices(town.other, Notices((MISSING,)), town.acting())
    town.letters()
    town.office.complete("2026-11-16")
    town.follow()
    assert len(town.due()) == 2


def test_the_first_run_tells_no_month_that_was_missing_before(town: Town) -> None:
    town.choose()
    complete(town, "2026-11-16")
    town.due()
    with town.log.database.write() as tx:
        for table in ("notice_place", "notice_missing", "notice_told"):
            tx.run(f"delete from {table}")
    town.move(days=1)
    assert town.told() == []


def test_only_months_due_between_two_days_and_not_long_ago_are_looked_at() -> None:
    def found(after: str, until: str) -> dict[str, set[int]]:
        return candidates(day_number(after), day_number(until), TODAY)

    october = 2026 * 12 + 9
    assert found("2026-11-15", "2026-11-16") == {"PU": {october}, "BPU": {october + 1}}, (
        "who pays for themselves pays in the month"
    )
    assert found("2026-11-16", "2026-11-20") == {}
    assert found("2000-01-01", "2026-11-20")["PU"] == {october, october - 1}


def test_the_months_are_read_once_when_they_are_found_and_written_at_once_and_again_when_sent(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the log has not grown in between; else what was found is asked again before it is written."""
    read: list[object] = []
    ask = Truth.absent

    def counted(*given: Any) -> Any:
        read.append(given)
        return ask(*given)

    monkeypatch.setattr(Truth, "absent", counted)
    town.choose(mail=(MISSING,))
    town.office.complete("2026-11-16")
    town.follow()
    assert len(read) == 1
    assert len(town.due()) == 1
    assert len(read) == 2, "a sender asks for itself"


def test_what_was_found_is_asked_again_when_the_log_grows_before_it_is_written(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.choose(mail=(MISSING,))
    town.office.complete("2026-11-16")
    town.read()
    step = Looker.step

    def paid_meanwhile(*given: Any) -> Looked | None:
        found = step(*given)
        if found is not None:
            town.pay(paid())
            town.read()
        return found

    monkeypatch.setattr(Looker, "step", paid_meanwhile)
    town.follower.run_once()
    assert [len(due.letter.rows) for due in town.due()] == [1]
