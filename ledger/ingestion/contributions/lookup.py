"""A chunk of contributions: whole remittances that are looked up, decided and committed together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import polars as pl

from ledger.events import LINES_AN_EVENT, Event, Line
from ledger.identifiers import KINDS, kpj_of
from ledger.ingestion.contributions import zeros
from ledger.ingestion.contributions.check import Ints, Upload, distinct
from ledger.ingestion.contributions.identity_match import Holders
from ledger.ingestion.readers.typed import FAST_FROM
from ledger.store import account_index
from ledger.store.account_index import Card, day_text
from ledger.store.codec import lines_as_json
from ledger.store.database import Transaction
from ledger.store.log import Log

LINES_A_COMMIT = 20_000


class Rows(NamedTuple):
    """The rows of a part as plain lists, which a decision reads several times quicker than arrays."""

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
    reason: list[int]
    rounded: list[bool]


class Head(NamedTuple):
    """A remittance's first row. `plain`: every row may be posted, as far as the upload itself tells, and all have the
    first one's kind, paid date and reference."""

    plain: bool
    line: int
    month: int
    kind: str
    paid_on: str
    reference: str


class Part:
    """Some remittances of one upload; `streams`, `heads` and `spans` (into `rows`) go with `groups`."""

    def __init__(self, upload: Upload, groups: list[int]) -> None:
        self.upload, self.groups = upload, groups
        self.streams = [upload.stream(group) for group in groups]

    @cached_property
    def at(self) -> Ints:
        """The upload's rows that belong to this part."""
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
        """Where each remittance's rows are in `rows`."""
        ends = np.cumsum(self._extent[1]).tolist()
        return list(zip([0, *ends[:-1]], ends, strict=True))

    @property
    def lines(self) -> int:
        return len(self.at)

    @cached_property
    def card(self) -> Ints:
        """The card numbers of `rows`."""
        return self.upload.card[self.at]

    @cached_property
    def heads(self) -> list[Head]:
        u, at, (first, sizes) = self.upload, self.at, self._extent
        plain = (u.reason[at] == 0) & ~u.rounded[at]
        for column in (u.kind, u.paid_on, u.reference):
            plain &= column[at] == np.repeat(column[first], sizes)
        days = {day: day_text(day) for day in distinct(u.paid_on[first])}
        return [
            Head(good, line, month, KINDS[kind], days[day], u.references[code])
            for good, line, month, kind, day, code in zip(
                np.logical_and.reduceat(plain, np.cumsum(sizes) - sizes).tolist(), u.line[first].tolist(),
                u.month[first].tolist(), u.kind[first].tolist(), u.paid_on[first].tolist(),
                u.reference[first].tolist(), strict=True,
            )
        ]  # fmt: skip

    def lines_of(self, number: int) -> list[Line]:
        """A plain remittance's lines."""
        rows, here = self.rows, slice(*self.spans[number])
        amounts = (rows.wage[here], rows.back_pay[here], rows.employer[here], rows.worker[here])
        return list(map(Line, rows.kpj[here], *amounts))

    def batches(self, number: int) -> list[list[Line]]:
        """A plain remittance's lines, as many as an event carries in each, ready to be encoded."""
        first, end = self.spans[number]
        if self.lines < FAST_FROM:
            lines = self.lines_of(number)
            return [lines[at : at + LINES_AN_EVENT] for at in range(0, len(lines), LINES_AN_EVENT)]
        return [
            lines_as_json(self._texts[at : min(at + LINES_AN_EVENT, end)]) for at in range(first, end, LINES_AN_EVENT)
        ]

    @cached_property
    def _texts(self) -> list[str]:
        """`rows` as the JSON of their lines, made a column at a time, which is many times quicker than line by line."""
        u, at = self.upload, self.at
        kpj = pl.Series(self.card).cast(pl.String).str.zfill(11)
        if self.card.max() >= 10**11:
            kpj = pl.Series(list(map(kpj_of, self.card.tolist())))
        amounts = {name: pl.Series(getattr(u, name)[at]) for name in ("wage", "back_pay", "employer", "worker")}
        # An absent key is the default.
        given = (
            pl.when(pl.col(name) != 0).then(pl.concat_str(pl.lit(f',"{name}":'), name)).otherwise(pl.lit(""))
            for name in amounts
        )
        line = pl.concat_str(pl.lit('{"kpj":"'), "kpj", pl.lit('"'), *given, pl.lit("}"))
        texts: list[str] = pl.DataFrame({"kpj": kpj, **amounts}).select(line).to_series().to_list()
        return texts

    @cached_property
    def rows(self) -> Rows:
        u, at = self.upload, self.at
        cards = u.card[at].tolist()
        canonical = max(cards) < 10**11
        days = {day: day_text(day) for day in distinct(u.paid_on[at])}
        paid_on = u.paid_on[at].tolist()
        return Rows(
            at.tolist(), u.line[at].tolist(), u.npp[at].tolist(), u.month[at].tolist(), cards,
            [f"{card:011d}" for card in cards] if canonical else list(map(kpj_of, cards)),
            [KINDS[kind] for kind in u.kind[at].tolist()],
            u.wage[at].tolist(), u.back_pay[at].tolist(), u.employer[at].tolist(), u.worker[at].tolist(),
            paid_on, [days[day] for day in paid_on], [u.references[code] for code in u.reference[at].tolist()],
            u.reason[at].tolist(), u.rounded[at].tolist(),
        )  # fmt: skip


@dataclass
class LookedUp:
    """What the store knew about a chunk at `position`. `odd`: per part, the places in its rows of those lines that are
    not simply postable."""

    position: int
    odd: list[set[int]]
    cards: dict[int, Card]
    streams: dict[str, list[Event]]
    holders: Holders | None


def chunks(upload: Upload) -> Iterator[list[Part]]:
    """The upload's remittances in transactions of about LINES_A_COMMIT lines; one remittance is never cut."""
    groups: list[int] = []
    lines = 0
    sizes = np.diff(upload.starts).tolist()
    for group in upload.groups.tolist():
        groups.append(group)
        lines += sizes[group]
        if lines >= LINES_A_COMMIT:
            yield [Part(upload, groups)]
            groups, lines = [], 0
    if groups:
        yield [Part(upload, groups)]


def look_up(log: Log, parts: Sequence[Part], holders: Callable[..., Holders] | None = None) -> LookedUp:
    """Everything a chunk's decision needs from the store, in a handful of set queries in one snapshot."""
    with log.database.read(pipelined=True) as tx:
        tx.look_up_by_index()
        position = log.head_in(tx)
        odd, wanted = _not_plain(tx, parts), list[int]()
        for part, strange in zip(parts, odd, strict=True):
            u = part.upload
            if not u.npp[part.at].all():
                strange.update(np.flatnonzero(u.npp[part.at] == 0).tolist())
            if u.nik or u.name:
                strange.update(
                    i for i, row in enumerate(part.at.tolist()) if (u.nik and u.nik[row]) or (u.name and u.name[row])
                )
            strange.update(zeros.doubtful(part.card))
            cards_here = u.card[part.at[sorted(strange)]].tolist() if strange else []
            wanted.extend((*cards_here, *zeros.others_of(cards_here)))
        cards = account_index.cards(tx, wanted)
        streams = log.streams_in(tx, [stream for part in parts for stream in part.streams])
        compared = holders is not None and any(part.upload.nik or part.upload.name for part in parts)
        known = holders(tx, parts, cards) if holders and compared else None
    return LookedUp(position, odd, cards, streams, known)


def _not_plain(tx: Transaction, parts: Sequence[Part]) -> list[set[int]]:
    """Per part, the places of those employers' lines that the register does not simply let post."""

    def column(name: str) -> Ints:
        joined: Ints = np.concatenate([getattr(part.upload, name)[part.at] for part in parts])
        return joined

    card, npp, month, paid_on = (column(name) for name in ("card", "npp", "month", "paid_on"))
    odd: list[set[int]] = [set() for _ in parts]
    places = np.flatnonzero(npp > 0)
    if not len(places):
        return odd
    payments = [values[places] for values in (npp, month, paid_on)]
    begins = np.logical_or.reduce([np.diff(values, prepend=-1) != 0 for values in payments])
    group = np.cumsum(begins) - 1
    groups = list(zip(*(values[begins].tolist() for values in payments), strict=True))
    # In card order the register's index is read once, from left to right.
    order = np.argsort(card[places], kind="stable")
    places, group = places[order], group[order]
    found = account_index.not_plain(tx, card[places], group, groups)
    if not found:
        return odd
    ends = np.cumsum([part.lines for part in parts]).tolist()
    for place, line in zip(places.tolist(), zip(card[places].tolist(), group.tolist(), strict=True), strict=True):
        if line in found:
            number = bisect_right(ends, place)
            odd[number].add(place - (ends[number - 1] if number else 0))
    return odd
