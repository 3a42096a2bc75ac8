"""The waiting lines: the part of the account index that says which suspended lines still wait, and for what.

Written with the index (`account_index.record`), in the append's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Any, NamedTuple

from ledger.days import day_number
from ledger.events import ContributionsReversed, LinesSuspended, SuspenseReleased
from ledger.identifiers import KINDS, card_number, month_number, payer_of
from ledger.store.codec import NewEvent
from ledger.store.database import Transaction


class Case(NamedTuple):
    """A suspended line that still waits: where it is, whose it may be, why."""

    stream: str
    version: int
    line: int
    card: int
    npp: int
    month: int
    kind: int
    paid_on: int
    employer: int
    worker: int
    reason: str
    position: int
    recorded_at: str


CASE_COLUMNS = ", ".join(Case._fields)
CASE_TYPES = "text bigint bigint bigint bigint bigint bigint bigint bigint bigint text bigint text"


def suspense_of(tx: Transaction, numbers: Iterable[int]) -> list[Case]:
    """The waiting lines of the given cards, oldest first."""
    given, params = tx.relation(card=("bigint", sorted(set(numbers))))
    return [
        Case(*row)
        for row in tx.rows(
            f"select {', '.join('s.' + c for c in Case._fields)} from {given} q "
            "join account_index_suspense s on s.card = q.card order by s.position, s.line",
            params,
        )
    ]


def streams(tx: Transaction, numbers: Iterable[int], reasons: Sequence[str]) -> list[str]:
    """The streams, sorted, in which lines of the given cards wait for one of the reasons."""
    given, params = tx.relation(card=("bigint", sorted(set(numbers))))
    marks = ", ".join("?" * len(reasons))
    return [
        row[0]
        for row in tx.rows(
            f"select distinct s.stream from {given} q join account_index_suspense s on s.card = q.card "
            f"where s.reason in ({marks}) order by s.stream",
            [*params, *reasons],
        )
    ]


def streams_of_known_cards(tx: Transaction, reasons: Sequence[str]) -> list[str]:
    """The streams, sorted, in which lines of any registered card wait for one of the reasons."""
    marks = ", ".join("?" * len(reasons))
    query = (
        "select distinct s.stream from account_index_suspense s join account_index_cards r on r.card = s.card "
        f"where s.reason in ({marks}) order by s.stream"
    )
    return [row[0] for row in tx.rows(query, reasons)]


def suspense_page(
    tx: Transaction, after: tuple[int, int] = (0, -1), limit: int = 100, npps: Sequence[int] | None = None
) -> list[Case]:
    """A keyset page of all waiting lines, oldest first, optionally of some payers only."""
    where = ""
    params: list[Any] = []
    if npps is not None:
        given, params = tx.relation(npp=("bigint", list(npps)))
        where = f"and npp in (select npp from {given} q) "
    return [
        Case(*row)
        for row in tx.rows(
            f"select {CASE_COLUMNS} from account_index_suspense where (position, line) > (?, ?) {where}"
            "order by position, line limit ?",
            [*after, *params, limit],
        )
    ]


def cards_after(tx: Transaction, position: int) -> list[int]:
    """Cards that have waiting lines and changed after the position: candidates for a release."""
    return [
        row[0]
        for row in tx.rows(
            "select distinct s.card from account_index_suspense s join account_index_cards r on r.card = s.card "
            "where r.changed_at > ? order by s.card",
            [position],
        )
    ]


FACTS = (LinesSuspended, SuspenseReleased, ContributionsReversed)


_CASES_AT_ONCE = 20_000
"""Waiting lines that are written together: a million may begin to wait in one transaction."""


def record(tx: Transaction, placed: Iterable[tuple[NewEvent, int, str]]) -> None:
    waiting: list[Case] = []
    gone: dict[tuple[str, int], list[int]] = {}
    for event, position, recorded_at in placed:
        if event.kind not in FACTS:
            continue
        fact = event.fact
        if isinstance(fact, LinesSuspended):
            waiting.extend(
                Case(
                    event.stream, event.version, i, card_number(line.kpj), payer_of(event.stream),
                    month_number(fact.month) or 0, KINDS.index(fact.kind), day_number(fact.paid_on),
                    line.employer, line.worker, line.reason, position, recorded_at,
                )
                for i, line in enumerate(fact.lines)
            )  # fmt: skip
            if len(waiting) >= _CASES_AT_ONCE:
                _insert(tx, waiting)
                waiting = []
        elif isinstance(fact, SuspenseReleased):
            _gather(gone, event.stream, fact.lines.column("event"), fact.lines.column("line"))
        elif isinstance(fact, ContributionsReversed):
            places = (compress(fact.lines.column(name), fact.lines.column("suspended")) for name in ("event", "line"))
            _gather(gone, event.stream, *places)
    if waiting:
        _insert(tx, waiting)
    # One statement for each event: SQLite looks 1,000 lines of one up twice as fast as 1,000 (stream, event, line).
    for (stream, version), lines in gone.items():
        given, params = tx.relation(line=("bigint", lines))
        tx.run(
            "delete from account_index_suspense where stream = ? and version = ? "
            f"and line in (select line from {given} q)",
            [stream, version, *params],
        )


def _insert(tx: Transaction, waiting: Sequence[Case]) -> None:
    columns: dict[str, Sequence[Any]] = dict(zip(Case._fields, zip(*waiting, strict=True), strict=True))
    tx.insert("account_index_suspense", columns, CASE_TYPES)


def _gather(gone: dict[tuple[str, int], list[int]], stream: str, versions: Iterable[int], lines: Iterable[int]) -> None:
    for version, line in zip(versions, lines, strict=True):
        gone.setdefault((stream, version), []).append(line)
