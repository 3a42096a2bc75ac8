"""What the read side answers with, and how a row of a query becomes an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from ledger.clock import jakarta_date
from ledger.days import day_text
from ledger.errors import JhtError, NotFound, Unavailable
from ledger.events import Event, MembershipEnded, MembershipStarted
from ledger.identifiers import KINDS, kpj_of, month_of, month_text
from ledger.store.employer_names import SealedName
from ledger.yields import NO_YIELD, Terms, sums
from projections import balances
from projections.event_batch import OPENING, OPENING_REVERSED, TYPES
from projections.scheme import Known

_ACTIVE_MONTHS = 3
STATUSES = ACTIVE, INACTIVE, NEVER = "aktif", "tidak-aktif", "belum-ada-iuran"
OPENINGS = (TYPES[OPENING], TYPES[OPENING_REVERSED])
"""Entries that are no payer's lines."""


class Freshness(NamedTuple):
    """How far the read side is. Times are None before there is one; `position` is that of the slowest projection."""

    log_id: str
    position: int
    head_seen: int
    confirmed_at: datetime | None
    projected_at: datetime | None


class Last(msgspec.Struct, frozen=True):
    """The newest contribution: the month it is for, the day it was paid, the payer (`npp` "" : the holder)."""

    month: str
    paid_on: str
    npp: str


class BalanceRow(msgspec.Struct, frozen=True):
    """What one card has, true at log position `position` (`recorded_at`: that event's moment).

    `total` = employer + worker + credited - paid_out, in rupiah. `credited`: the yield of declared years and what an opening
    balance `brought`; `estimated`: what came on top since, never in the total, None when no provisional rate is in force;
    `terms`: the rates behind both.
    `status`: `aktif` (a contribution for one of the last three closed months or later), `tidak-aktif`,
    `belum-ada-iuran` (nothing ever came). `version` is the newest position that touched the card, `mark` the fingerprint
    of the event there (a number is used again when an older log is put back), `scheme` names what was declared. `grouped`:
    the card is merged with others, whose sum is asked for apart (`Queries.group`).
    """

    card: int
    kpj: str
    person: str
    segment: str
    status: str
    employer: int
    worker: int
    brought: int
    credited: int
    paid_out: int
    months: int
    last: Last | None
    version: int
    position: int
    recorded_at: str
    projected_at: str
    terms: Terms
    estimated: int | None = None
    mark: str = ""
    scheme: str = "0"
    grouped: bool = False

    @property
    def total(self) -> int:
        return self.employer + self.worker + self.credited - self.paid_out

    @property
    def recorded_on(self) -> date:
        """The day, in Jakarta, on which the event of its position was recorded."""
        return jakarta_date(datetime.fromisoformat(self.recorded_at))

    @property
    def tag(self) -> str:
        """What an ETag holds of the row: its version and that of the scheme, each with its event's fingerprint."""
        return f"{self.version}.{self.mark}-{self.scheme}"


class Group(NamedTuple):
    """Cards of one person that are merged: they lead to card `into`; `rows`: each card's balance, in the order of cards;
    `pointers`: card -> the card it points to."""

    into: int
    rows: tuple[BalanceRow, ...]
    pointers: dict[int, int]

    @property
    def total(self) -> int:
        """What the cards have together, in rupiah: yield was computed for each by itself."""
        return sum(row.total for row in self.rows)

    @property
    def tag(self) -> str:
        """What an ETag holds of the group."""
        return "+".join(row.tag for row in self.rows)

    def row(self, card: int) -> BalanceRow:
        """A card's balance, of the same moment as the others'."""
        return next(row for row in self.rows if row.card == card)


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A line of the statement. `key` continues a listing; a reversal's shares are negative."""

    key: tuple[int, int, int]
    type: str
    kind: str
    month: str
    paid_on: str
    npp: str
    wage: int
    back_pay: int
    employer: int
    worker: int
    credited: int
    tambahan: int
    epoch: int
    months: int
    reference: str
    recorded_at: str


def standing_opening(entries: Sequence[Entry]) -> Entry | None:
    """The opening balance among a card's entries that was not taken back: a card has one at most at any time."""
    newest = sorted((entry for entry in entries if entry.type in OPENINGS), key=lambda entry: entry.key[1:])
    return newest[-1] if newest and newest[-1].type == TYPES[OPENING] else None


class EmployerRow(msgspec.Struct, frozen=True):
    """An employer as registered, its name sealed."""

    npp: str
    name: SealedName
    registered_on: str


class PersonRow(msgspec.Struct, frozen=True):
    """A person's sealed data as the events hold them, with the stream versions they were sealed with. `joined`: the person
    whose record stays, "" while this one does."""

    person: str
    identity: str
    identity_version: int
    contact: str
    contact_version: int
    erased: bool
    joined: str


class MembershipRow(msgspec.Struct, frozen=True):
    """From which payer (`npp` "" : the holder) a card may receive money. `since` and `until` are months, `joined_on` and
    `left_on` days, `why` one of LEAVING; `until`, `left_on` and `why` are "" while it lasts."""

    npp: str
    segment: str
    since: str
    until: str
    joined_on: str = ""
    left_on: str = ""
    why: str = ""


@lru_cache(4096)
def npp_text(npp: int) -> str:
    return f"{npp:08d}" if npp else ""


class CardRow(NamedTuple):
    """A card as `sql.one_card` and `sql.many_cards` give it: whose it is, the place that the answer is of, sums in rupiah.

    `packed`: the newest contribution (`balances.unpack_last`), which counts while there are no `reversals`; then the one
    that still stands does: `last_month`, `last_paid_on`, `last_npp`. `version`: of the newest line, `card_version` of the
    card's own stream, `scheme` of the scheme's. `years`: what yields are worked out from, as the store hands it over.
    `person` is None for a card that is not there, sums are None for one without lines.
    """

    card: int
    person: str | None
    segment: str
    card_version: int | None
    position: int
    recorded_at: str
    projected_at: str
    stamp: int
    employer: int | None
    worker: int | None
    credited: int | None
    paid_out: int | None
    months: int | None
    packed: int | None
    reversals: int | None
    version: int | None
    incomplete: int | None
    scheme: int
    years: Any
    grouped: object
    last_month: int = 0
    last_paid_on: int = 0
    last_npp: int = 0

    @property
    def newest(self) -> int:
        """The newest position that touched the card; 0 for a card that is not there."""
        return max(self.version or 0, self.card_version or 0)

    @property
    def last(self) -> tuple[int, int, int]:
        """The newest contribution that stands: month number, paid day number, NPP; zeros for none."""
        if self.reversals:
            return self.last_month, self.last_paid_on, self.last_npp
        return balances.unpack_last(self.packed or 0)


def balance_of(
    row: CardRow, day: date, years: Iterable[Sequence[int]], known: Known, mark: str
) -> BalanceRow | JhtError:
    """The answer in a row: `years` and the scheme as it is `known` at the row's version of it make the yield."""
    if row.incomplete is not None:
        return Unavailable("account-incomplete", position=row.incomplete)
    if row.person is None:
        return NotFound("account-not-found")
    terms = known.terms(day)
    earned = sums(years, terms) if terms.first_year <= day.year else NO_YIELD
    month, paid_on, npp = row.last
    employer, worker, brought, months = row.employer or 0, row.worker or 0, row.credited or 0, row.months or 0
    if month:
        status = ACTIVE if month >= month_of(day) - _ACTIVE_MONTHS else INACTIVE
    else:
        status = INACTIVE if months or employer or worker or brought else NEVER
    return BalanceRow(
        row.card, kpj_of(row.card), row.person, row.segment, status, employer, worker, brought, brought + earned.credited,
        row.paid_out or 0, months, Last(month_text(month), day_text(paid_on), npp_text(npp)) if month else None,
        row.newest, row.position, row.recorded_at, row.projected_at, terms, earned.estimated, mark, known.tag,
        bool(row.grouped),
    )  # fmt: skip


def entry_of(row: Sequence[Any]) -> Entry:
    (month, position, line, type_, kind, paid_on, npp, wage, back_pay, employer, worker, credited, tambahan, epoch,
     months, reference, recorded) = row  # fmt: skip
    return Entry(
        (month, position, line), TYPES[type_], KINDS[kind], month_text(month), day_text(paid_on), npp_text(npp),
        wage, back_pay, employer, worker, credited, tambahan, epoch, months, reference,
        recorded_text(recorded),
    )  # fmt: skip


@lru_cache(4096)
def recorded_text(microseconds: int) -> str:
    """The ISO text of a moment in microseconds since 1970; a file of a month has one for all its lines."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def membership_of(row: Sequence[Any]) -> MembershipRow:
    npp, segment, since, until, joined_on, left_on, why = row
    return MembershipRow(
        npp_text(npp), segment, month_text(since), month_text(until) if until else "", day_text(joined_on),
        day_text(left_on) if until else "", why,
    )  # fmt: skip


def memberships_after(events: Iterable[Event]) -> list[MembershipRow]:
    """The memberships after some events of a card's stream from its beginning, oldest first: as the directory has them."""
    found: list[MembershipRow] = []
    for event in events:
        fact = event.fact
        if isinstance(fact, MembershipStarted):
            found.append(MembershipRow(fact.npp or "", fact.segment, fact.since, "", fact.joined_on))
        elif isinstance(fact, MembershipEnded):
            named = (fact.npp or "", fact.segment, fact.since)
            found = [
                msgspec.structs.replace(one, until=fact.until, left_on=fact.left_on, why=fact.why)
                if (one.npp, one.segment, one.since) == named
                else one
                for one in found
            ]
    return found


AHEAD = timedelta(seconds=5)


def confirmed_before(text: str, now: datetime) -> datetime | None:
    """When the follower confirmed the head; None when it never did, or says that it will: such a sign counts as none."""
    found = moment_of(text)
    return found if found is not None and found <= now + AHEAD else None


def moment_of(text: str) -> datetime | None:
    """The moment in an ISO text, None for an empty one."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def told(answer: BalanceRow | JhtError) -> BalanceRow:
    """The answer, or its error raised."""
    if isinstance(answer, JhtError):
        raise answer
    return answer
