"""What is not so any more is not told: whatever happens between being found and being sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.members.state import MISSING, POSTED, Notices
from projections.rebuild import rebuild
from tests.ledger.members.conftest import CARD, SECOND
from tests.office import person
from tests.projections.notices.conftest import Town, paid

THIRD = "26000000041"
SEPTEMBER: dict[str, str] = {"month": "2026-09", "paid_on": "2026-10-14"}


def quiet(town: Town) -> None:
    """Found, and not told: it is night for members."""
    town.follower._quiet = town.follower._quiet._replace(start=0, end=23)
    town.follow()
    town.follower._quiet = town.follower._quiet._replace(start=20, end=7)


def queued(town: Town) -> None:
    """Its letter is written, and the mail server is away."""
    town.follow()
    town.move(hours=6)


def nothing(town: Town) -> None:
    """Found, written and sent at once."""


def taken_back(town: Town) -> None:
    town.take_back(CARD)


def taken_back_and_again(town: Town) -> None:
    taken_back(town)
    town.pay(paid(wage=6_000_000, reference="TRX-2"))


def arrives(town: Town) -> None:
    town.pay(paid())


def both_arrive(town: Town) -> None:
    town.pay(paid(), paid(SECOND))


def arrives_and_waits(town: Town) -> None:
    town.pay(paid(employer=1, worker=1))


def left(town: Town) -> None:
    town.office.register(person(CARD, left_on="2026-09-30"))


def stopped(town: Town) -> None:
    town.choose(mail=())


def only_the_other_kind(town: Town) -> None:
    chosen = town.members.about(town.person).notices.mail
    town.choose(mail=tuple({POSTED, MISSING} - set(chosen)))


def passed_on(town: Town) -> None:
    """The card is another person's now, as after `account-reassigned`."""
    with town.log.database.write() as tx:
        tx.run("update account_index_cards set person = ? where card = ?", [town.other, int(CARD)])


# Of two lines or months, how many are told: (found in quiet hours, written before it happens).
POSTED_TABLE: dict[Callable[[Town], None], tuple[int, int]] = {
    nothing: (2, 2), taken_back: (1, 1), taken_back_and_again: (2, 1), stopped: (0, 0), only_the_other_kind: (0, 0),
    passed_on: (1, 1), left: (2, 2),
}  # fmt: skip
MISSING_TABLE: dict[Callable[[Town], None], tuple[int, int]] = {
    nothing: (2, 2), arrives: (1, 1), both_arrive: (0, 0), arrives_and_waits: (1, 1), left: (1, 1), stopped: (0, 0),
    only_the_other_kind: (0, 0), passed_on: (1, 1),
}  # fmt: skip


def begin_to_look(town: Town) -> None:
    """The follower knows that all payments up to 13 November are here; October is due on the 16th."""
    town.office.complete("2026-11-13")
    with town.log.database.write() as tx:
        tx.run("delete from notice_place")
    town.follow()


def told_of(town: Town, kind: str) -> int:
    """How many rows of that kind a member is told of now, by a follower that reads all and a sender."""
    letter = "contribution-posted" if kind == POSTED else "month-missing"
    return sum(len(due.letter.rows) for due in town.told() if due.letter.kind == letter)


@pytest.mark.parametrize("moment", [quiet, queued], ids=lambda moment: moment.__name__)
@pytest.mark.parametrize("happens", POSTED_TABLE, ids=lambda happens: happens.__name__)
def test_a_posted_line_is_told_only_while_it_stands(
    town: Town, happens: Callable[[Town], None], moment: Callable[[Town], None]
) -> None:
    town.choose(mail=(POSTED,))
    town.pay(paid(), paid(SECOND))
    moment(town)
    happens(town)
    assert told_of(town, POSTED) == POSTED_TABLE[happens][moment is queued]
    assert_nothing_waits(town)


@pytest.mark.parametrize("moment", [quiet, queued], ids=lambda moment: moment.__name__)
@pytest.mark.parametrize("happens", MISSING_TABLE, ids=lambda happens: happens.__name__)
def test_a_month_is_told_missing_only_while_it_is(
    town: Town, happens: Callable[[Town], None], moment: Callable[[Town], None]
) -> None:
    begin_to_look(town)
    town.pay(paid(**SEPTEMBER), paid(SECOND, **SEPTEMBER))
    town.choose(mail=(MISSING,))
    town.office.complete("2026-11-16")
    moment(town)
    happens(town)
    assert told_of(town, MISSING) == MISSING_TABLE[happens][moment is queued]
    assert_nothing_waits(town)


def assert_nothing_waits(town: Town) -> None:
    """All of it was told or is over, but for what came after the day's letter."""
    town.move(days=1)
    town.told()
    with town.log.database.read() as tx:
        for table in ("notice_waiting", "outbox"):
            assert tx.rows(f"select count(*) from {table}") == [(0,)]


def test_a_letter_goes_where_its_person_is_told_when_it_is_sent(town: Town) -> None:
    town.choose(mail=(), sms=(POSTED,))
    town.pay(paid())
    queued(town)
    with town.log.database.write() as tx:
        tx.run("update member_phones set person = ?", [town.other])
    assert town.due() == []


@pytest.mark.parametrize("kind", [POSTED, MISSING])
def test_what_cannot_be_known_waits_and_keeps_nobody_else_from_being_told(town: Town, kind: str) -> None:
    """A record of one employer cannot be read: its workers' notices wait for it, everybody else is told."""
    town.office.employers("10000002")
    town.office.register(person(THIRD, 3, npp="10000002"))
    begin_to_look(town)
    third = town.members.find_person(kpj=THIRD)
    assert third is not None
    for who in (town.person, third):
        town.members.choose_notices(who, Notices((kind,)), town.acting())
    town.letters()
    if kind == POSTED:
        town.pay(paid(), paid(THIRD, npp="10000002"))
    town.office.complete("2026-11-16")
    quiet(town)
    if kind == POSTED:
        taken_back(town)
        stream, version = "remittance-e:10000001:2026-10", 2
    else:
        town.pay(paid(month="2026-07", paid_on="2026-08-10"))
        stream, version = "remittance-e:10000001:2026-07", 1
    state = stored(town, stream, version)
    store(town, stream, version, state[:60])
    town.office.employers("10000003")  # so that the read side does not stand at a record that is put back below
    assert [due.letter.to for due in town.told()] == ["budi3@contoh.id"]
    town.move(days=1)
    assert town.told() == []
    store(town, stream, version, state)
    rebuild(town.log, town.store)
    town.move(days=1)
    assert [len(due.letter.rows) for due in town.told()] == ([] if kind == POSTED else [2])


def stored(town: Town, stream: str, version: int) -> bytes:
    """A record as the log has it."""
    with town.log.database.read() as tx:
        ((state,),) = tx.rows(
            f"select state from {town.log.table} where originator_id = ? and originator_version = ?", [stream, version]
        )
    return bytes(state)


def store(town: Town, stream: str, version: int, state: bytes) -> None:
    """Leave that in a record's place."""
    with town.log.database.write() as tx:
        tx.run(
            f"update {town.log.table} set state = ? where originator_id = ? and originator_version = ?",
            [state, stream, version],
        )
