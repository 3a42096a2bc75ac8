"""A batch: whole remittances of one upload that are looked up, decided and committed together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ledger.days import day_text
from ledger.decisions.amounts import Ints
from ledger.decisions.remittance import Under
from ledger.events import LINES_AN_EVENT, Lines
from ledger.identifiers import KINDS, kpj_of
from ledger.ingestion.contributions.upload import Upload, distinct

LINES_A_COMMIT = 20_000
_KEPT_ROWS = 2 * LINES_A_COMMIT
"""Rows of a batch up to which their texts and numbers are made once for all its remittances: of a larger one, for the rows
of an event."""
_MANY = 1_000
NONE: Mapping[int, int] = {}
_AMOUNTS = ("wage", "back_pay", "employer", "worker")


class Rows(NamedTuple):
    """Rows of a batch as plain lists, which a line's decision reads several times quicker than arrays."""

    at: list[int]
    line: list[int]
    npp: list[int]
    month: list[int]
    card: list[int]
    kpj: list[str]
    kind: list[str]
    wage: list[int]
    back_pay: list[int]
    employer: list[int]
    worker: list[int]
    paid_on: list[int]
    paid_text: list[str]
    reference: list[str]
    division: list[str]
    segment: list[int]
    reason: list[int]
    rounded: list[bool]


class RemittanceBatch:
    """Some remittances of one upload; `streams` and `spans` (into the batch's rows) go with `groups`."""

    def __init__(self, upload: Upload, groups: list[int]) -> None:
        self.upload, self.groups = upload, groups
        self.streams = [upload.stream(group) for group in groups]

    @cached_property
    def at(self) -> Ints:
        """The upload's rows that belong to this batch."""
        starts, sizes = self._extent
        ends = np.cumsum(sizes)
        rows: Ints = np.arange(ends[-1]) + np.repeat(starts - (ends - sizes), sizes)
        return rows

    @cached_property
    def _extent(self) -> tuple[Ints, Ints]:
        """Each remittance's first row in the upload, and how many it has."""
        starts, groups = self.upload.starts, np.array(self.groups)
        return starts[groups], starts[groups + 1] - starts[groups]

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Where each remittance's rows are in the batch."""
        ends = np.cumsum(self._extent[1]).tolist()
        return list(zip([0, *ends[:-1]], ends, strict=True))

    @property
    def lines(self) -> int:
        return len(self.at)

    @cached_property
    def card(self) -> Ints:
        """The card numbers of the rows."""
        return self.upload.card[self.at]

    @cached_property
    def first(self) -> list[tuple[int, int, int]]:
        """(file line, payer, month number) of each remittance's first row; the payer is 0 for own payments."""
        u, (first, _) = self.upload, self._extent
        return list(zip(u.line[first].tolist(), u.npp[first].tolist(), u.month[first].tolist(), strict=True))

    @cached_property
    def plain(self) -> NDArray[np.bool_]:
        """Which rows may be posted as they stand, as far as the upload itself tells."""
        u, at = self.upload, self.at
        good: NDArray[np.bool_] = (u.reason[at] == 0) & ~u.rounded[at] & (u.npp[at] > 0)
        return good

    @cached_property
    def _under(self) -> Ints:
        """A number for each row's (kind, paid day, reference, division), the same where all four are."""
        u, at = self.upload, self.at
        span_paid = int(u.paid_on.max(initial=0)) + 2
        kind = u.kind[at].astype(np.int64)
        payment = (kind * len(u.divisions) + u.division[at]) * len(u.references) + u.reference[at]
        under: Ints = payment * span_paid + u.paid_on[at]
        return under

    @cached_property
    def alike(self) -> list[bool]:
        """Whether all rows of a remittance may be posted as they stand, under one (kind, paid day, reference, division)."""
        if not self.spans:
            return []
        under, starts = self._under, [start for start, _ in self.spans]
        one = np.minimum.reduceat(under, starts) == np.maximum.reduceat(under, starts)
        found: list[bool] = (one & np.logical_and.reduceat(self.plain, starts)).tolist()
        return found

    def gathered(self, rows: Ints) -> Iterator[tuple[Under, Ints]]:
        """Rows of one employer's remittance gathered under what an event's lines have in common, in file order."""
        under = self._under[rows]
        if (under == under[0]).all():
            yield self.under_of(int(rows[0])), rows
            return
        order = np.argsort(under, kind="stable")
        cuts = np.flatnonzero(np.diff(under[order])) + 1
        found = [(self.under_of(int(some[0])), some) for some in np.split(rows[order], cuts)]
        yield from sorted(found, key=lambda one: one[0])

    def under_of(self, row: int) -> Under:
        """What an event says of all its lines, as this row has it."""
        u, at = self.upload, int(self.at[row])
        return Under(
            KINDS[int(u.kind[at])], day_text(int(u.paid_on[at])), u.references[int(u.reference[at])],
            u.divisions[int(u.division[at])],
        )  # fmt: skip

    def columns(self, rows: Ints, months: Mapping[int, int] = NONE) -> Iterator[Lines]:
        """Rows as the columns of posted lines, as many as an event carries in each. `months`: of rows that do not count
        one month, how many."""
        first, last = int(rows[0]), int(rows[-1])
        if len(rows) == last - first + 1 and not months:
            yield from self.columns_between(first, last + 1)
            return
        for start in range(0, len(rows), LINES_AN_EVENT):
            places = rows[start : start + LINES_AN_EVENT]
            kpj, amounts = self._values(places)
            yield Lines.made(kpj=kpj, **amounts, months=[months.get(i, 1) for i in places.tolist()])

    def columns_between(self, first: int, end: int) -> Iterator[Lines]:
        """The same of the rows from one to before another."""
        for start in range(first, end, LINES_AN_EVENT):
            here = slice(start, min(start + LINES_AN_EVENT, end))
            if self.lines > _KEPT_ROWS:
                kpj, amounts = self._values(here)
                yield Lines.made(kpj=kpj, **amounts)
            else:
                kpj, amounts = self._all_values
                yield Lines.made(kpj=kpj[here], **{name: values[here] for name, values in amounts.items()})

    def kpj_of(self, rows: Ints) -> list[str]:
        """The KPJ of rows."""
        return _texts(self.card[rows])

    @cached_property
    def _all_values(self) -> tuple[list[str], dict[str, list[int]]]:
        return self._values(slice(None))

    def _values(self, places: Ints | slice) -> tuple[list[str], dict[str, list[int]]]:
        """KPJ and amounts of rows."""
        at = self.at[places]
        return _texts(self.card[places]), {name: getattr(self.upload, name)[at].tolist() for name in _AMOUNTS}

    def rows(self, places: Ints) -> Rows:
        """Some rows. A row takes a kilobyte, so only as many as are looked at together."""
        u, at = self.upload, self.at[places]
        days = {day: day_text(day) for day in distinct(u.paid_on[at])}
        paid_on = u.paid_on[at].tolist()
        kpj, amounts = self._values(places)
        return Rows(
            at.tolist(), u.line[at].tolist(), u.npp[at].tolist(), u.month[at].tolist(), self.card[places].tolist(), kpj,
            [KINDS[kind] for kind in u.kind[at].tolist()],
            amounts["wage"], amounts["back_pay"], amounts["employer"], amounts["worker"],
            paid_on, [days[day] for day in paid_on], [u.references[code] for code in u.reference[at].tolist()],
            [u.divisions[code] for code in u.division[at].tolist()], u.segment[at].tolist(),
            u.reason[at].tolist(), u.rounded[at].tolist(),
        )  # fmt: skip


def _texts(cards: Ints) -> list[str]:
    """The KPJ of card numbers. A few are written sooner one by one than an expression over them is set up."""
    if len(cards) >= _MANY and int(cards.max()) < 10**11:
        texts: list[str] = pl.Series(cards).cast(pl.String).str.zfill(11).to_list()
        return texts
    return list(map(kpj_of, cards.tolist()))


def chunks(upload: Upload) -> Iterator[list[RemittanceBatch]]:
    """The upload's remittances in transactions of about LINES_A_COMMIT lines; one remittance is never cut."""
    groups: list[int] = []
    lines = 0
    sizes = np.diff(upload.starts).tolist()
    for group in upload.groups.tolist():
        groups.append(group)
        lines += sizes[group]
        if lines >= LINES_A_COMMIT:
            yield [RemittanceBatch(upload, groups)]
            groups, lines = [], 0
    if groups:
        yield [RemittanceBatch(upload, groups)]
