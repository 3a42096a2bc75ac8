"""What all cards together hold, or what one employer has paid: of any day, as it was known at any place in the log.

Contributions are one sum over the entries. Yield is rounded card by card, so its sum is worked out card by card, from slices
of the entries in the order of cards: memory does not grow with them, time does. Entries are only ever added, so the slices,
each read for itself, are of one moment: that of the position they go up to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from ledger.clock import jakarta_date
from ledger.days import day_number
from ledger.errors import NotFound, Refused, Unavailable
from ledger.identifiers import employer_stream
from ledger.store.database import Transaction
from ledger.store.known_at import KnownAt
from ledger.yields import Terms, sums
from projections import balances, card_lines, sql
from projections.event_batch import Lines
from projections.generations import Generation, Store
from projections.queries import Queries
from projections.results import npp_text

SLICE = 20_000
"""Entries read at once."""


class Shares(NamedTuple):
    """Contributions in rupiah, and months contributed."""

    employer: int
    worker: int
    months: int

    @property
    def total(self) -> int:
        return self.employer + self.worker


class Totals(NamedTuple):
    """Sums at the end of a day, up to a log position. Of the scheme: from `employers`, from `participants` for themselves,
    inside `openings`, and the yield `credited`, with what openings brought. Of an employer: `employers` alone, and no yield
    (None), for yield belongs to no employer."""

    reached: tuple[int, str, str]
    employers: Shares
    participants: Shares
    openings: Shares
    credited: int | None

    @property
    def contributed(self) -> Shares:
        return Shares(*map(sum, zip(self.employers, self.participants, self.openings, strict=True)))


def totals(
    reader: Queries, store: Store, now: datetime, day: date, known_at: KnownAt | None, npp: int | None = None
) -> Totals:
    """The totals of the scheme, or of employer `npp`, at the end of a day, as known now or at a place in the log. Blocking.

    Raises Refused(as-of-in-future), NotFound(employer-not-found), Unavailable: totals-incomplete, read-side-stale,
    read-side-empty, log-restored, scheme-unreadable, position-not-reached.
    """
    if day > jakarta_date(now):
        raise Refused("as-of-in-future")
    reader.check_fresh(now)
    reached, known = reader.place(known_at)
    upto = reached[0]
    if npp is not None and not _was_registered(reader, npp, upto):
        raise NotFound("employer-not-found", npp=npp_text(npp))
    live = store.pointers().live["entries"]
    terms = known.terms(day)
    with store.database(live).read() as tx:
        broken = tx.rows(f"select min(position) from {live.table}_broken where position <= ?", [upto])[0][0]
        if broken is not None:
            raise Unavailable("totals-incomplete", position=broken)
        found = _contributed(tx, live, upto, day, npp)
        if npp is not None:
            return Totals(reached, *found[:3], None)
        credited = found[3]
        if terms.declared:
            credited += sum(_credited(lines, terms) for lines in _slices(tx, live, upto, day))
    return Totals(reached, *found[:3], credited)


def _was_registered(reader: Queries, npp: int, upto: int) -> bool:
    stream, log = employer_stream(npp_text(npp)), reader.log
    with log.database.read() as tx:
        return any(row.position <= upto for row in log.stored_in(tx, [stream]).get(stream, ()))


def _contributed(
    tx: Transaction, live: Generation, upto: int, day: date, npp: int | None
) -> tuple[Shares, Shares, Shares, int]:
    """From employers, from participants, inside openings; the yield that openings brought."""
    rows = tx.rows(
        sql.sums(live, of_payer=npp is not None), [upto, day_number(day), *([npp] if npp is not None else [])]
    )
    parts = {"employers": (0, 0, 0), "participants": (0, 0, 0), "openings": (0, 0, 0)}
    brought = 0
    for is_opening, has_payer, employer, worker, months, credited in rows:
        part = "openings" if is_opening else "employers" if has_payer else "participants"
        parts[part] = (int(employer), int(worker), int(months))
        brought += int(credited)
    return (*(Shares(*one) for one in parts.values()), brought)  # type: ignore[return-value]


def _slices(tx: Transaction, live: Generation, upto: int, day: date) -> Iterator[Lines]:
    """The lines of all cards, whole cards together, in the order of cards."""
    last, size = -1, SLICE
    while True:
        rows = tx.rows(sql.lines_after(live), [last, upto, day_number(day), size])
        if not rows:
            return
        kept: Sequence[Any] = rows
        if len(rows) == size:
            # The last card may go on in what was not read.
            kept = [row for row in rows if row[0] != rows[-1][0]]
            if not kept:
                size *= 2
                continue
        after, last, size = last, kept[-1][0], SLICE
        bases = tx.rows(sql.bases_between(live), [after, last, upto, day_number(day)])
        yield card_lines.of_many(kept, bases)


def _credited(lines: Lines, terms: Terms) -> int:
    """The yield of declared years of some cards."""
    rows = balances.merge([balances.fold(lines)])
    years = zip(rows["card"].tolist(), card_lines.years(rows), strict=True)
    return sum(sums((row for _, row in found), terms).credited for _, found in groupby(years, itemgetter(0)))
