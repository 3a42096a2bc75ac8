"""An account: one card of one person and its memberships. Pure.

The state is a `Card`; `card.evolve` brings it forward. Days are days since 1970-01-01, months numbers.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

from ledger.days import day_text
from ledger.decisions.card import Card, Membership
from ledger.errors import Conflict, Problem
from ledger.events import (
    AccountOpened,
    Fact,
    MembershipEnded,
    MembershipStarted,
    SegmentChanged,
)
from ledger.identifiers import is_legacy, kpj_of, month_text


class Registration(Struct, frozen=True, gc=False):
    """One row of a registrations upload. `npp` 0: the holder pays for themselves. `left_on` None: still a member.

    `since` and `until` are the months of `registered_on` and `left_on`; `why` is one of LEAVING, "" when nothing is said.
    """

    line: int
    card: int
    nik: str
    name: str
    birth_date: int
    sex: str
    segment: str
    npp: int
    email: str
    phone: str
    registered_on: int
    since: int
    left_on: int | None = None
    until: int = 0
    why: str = ""


def check_registration(row: Registration, *, employer_known: bool, today: int, oldest_birth: int) -> Problem | None:
    """What refuses a row whatever is registered already, the first by precedence, or None."""
    if not oldest_birth <= row.birth_date <= today:
        return Problem("birth-date-impossible", row.line, "birth_date")
    if row.registered_on < row.birth_date:
        return Problem("joined-before-birth", row.line, "registered_on")
    if row.registered_on > today:
        return Problem("date-in-future", row.line, "registered_on")
    if not employer_known:
        return Problem("employer-unknown", row.line, "npp", {"npp": f"{row.npp:08d}"})
    if row.segment == "PU" and not row.npp:
        return Problem("npp-missing", row.line, "npp")
    if row.segment != "PU" and row.npp:
        return Problem("npp-not-for-segment", row.line, "npp")
    if row.left_on is not None and row.left_on < row.registered_on:
        return Problem("left-before-joined", row.line, "left_on")
    if row.why and row.left_on is None:
        return Problem("cell-empty", row.line, "left_on")
    return None


def decide_register(card: Card | None, person: str, row: Registration) -> list[Fact]:
    """The facts that a (checked) registration of `person`'s card adds; none when they are there already.

    Payer, segment and joining month name a membership: a leaving date ends the one that they name, and a recorded end
    stays. Another membership of that payer and segment must not overlap it by more than one month, in which somebody
    may leave and come back. So a row that was taken once adds nothing when it is sent again, whatever came between.
    Raises Conflict: kpj-of-another-person, membership-conflict.
    """
    facts: list[Fact] = []
    if card is None:
        kpj = kpj_of(row.card)
        facts.append(AccountOpened(kpj, person, row.segment, day_text(row.registered_on), is_legacy(kpj)))
    elif card.person != person:
        raise Conflict("kpj-of-another-person", line=row.line, column="kpj")
    else:
        same = [m for m in card.memberships if m.npp == row.npp and m.segment == row.segment]
        for held in same:
            if held.since == row.since:
                return _ending(held, row)
        for held in same:
            if _overlaps(held, row):
                raise _conflict(held, row)
        if card.segment != row.segment:
            facts.append(SegmentChanged(row.segment, month_text(row.since)))
    facts.append(_started(row.segment, row.registered_on, row.npp))
    if row.until:
        facts.append(_ended(row, row.since))
    return facts


def _ending(held: Membership, row: Registration) -> list[Fact]:
    """What a row adds to the membership it names."""
    if not row.until or row.until == held.until:
        return []
    if held.until:
        raise _conflict(held, row)
    return [_ended(row, held.since)]


def _overlaps(held: Membership, row: Registration) -> bool:
    earlier, later = sorted(((held.since, held.until), (row.since, row.until)))
    return not earlier[1] or earlier[1] > later[0]


def _conflict(held: Membership, row: Registration) -> Conflict:
    return Conflict(
        "membership-conflict", line=row.line, column="left_on" if held.since == row.since else "registered_on",
        held=_span(held.since, held.until), sent=_span(row.since, row.until),
    )  # fmt: skip


def _span(since: int, until: int) -> str:
    return f"{month_text(since)} - {month_text(until) if until else '...'}"


@lru_cache(100_000)
def _started(segment: str, joined_on: int, npp: int) -> MembershipStarted:
    day = day_text(joined_on)
    return MembershipStarted(npp=f"{npp:08d}" if npp else "", segment=segment, joined_on=day, since=day[:7])


def _ended(row: Registration, since: int) -> MembershipEnded:
    return MembershipEnded(
        npp=f"{row.npp:08d}" if row.npp else "", segment=row.segment, since=month_text(since),
        left_on=day_text(row.left_on or 0), until=month_text(row.until), why=row.why or "unknown",
    )  # fmt: skip
