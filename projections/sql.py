"""The SQL of the queries, on the tables of given generations.

`?1` stands on SQLite only; the many-cards query with `%s` on PostgreSQL only; everything else is the same on both.
"""

from __future__ import annotations

from functools import lru_cache

from projections.event_batch import OPENING, OPENING_REVERSED
from projections.generations import Generation

_SUMMED = "employer", "worker", "credited", "paid_out", "months"


@lru_cache(8)
def one_card(*live: Generation) -> str:
    """One row for `balance_of`, also for a card that is not there (SQLite)."""
    by = {generation.name: generation.table for generation in live}
    return _ONE.format(**by)


_ONE = (
    "select ?1, c.person, c.segment, c.version, p.position, p.recorded_at, p.projected_at, s.stamp, "
    + ", ".join(f"sum(b.{name})" for name in _SUMMED)
    + ", max(b.last), sum(b.reversals), max(b.version), "
    "coalesce((select since from {balances}_incomplete where card = ?1), "
    "(select since from {directory}_incomplete where card = ?1)) "
    "from state s cross join {balances}_position p left join {directory}_cards c on c.card = ?1 "
    "left join {balances} b on b.card = ?1"
)


@lru_cache(8)
def many_cards(*live: Generation) -> str:
    """A row for `balance_of` and the last contribution (month, paid day, npp), for each card given (PostgreSQL)."""
    by = {generation.name: generation.table for generation in live}
    return _SET.format(**by, last=_last_of(by["entries"], "q.card", "p.position", "b.reversals > 0"))


_SET = (
    "select q.card, c.person, c.segment, c.version, p.position, p.recorded_at, p.projected_at, s.stamp, "
    + ", ".join(f"b.{name}" for name in _SUMMED)
    + ", b.last, b.reversals, b.version, coalesce(i.since, j.since), "
    "coalesce(l.month, 0), coalesce(l.paid_on, 0), coalesce(l.npp, 0) "
    "from unnest(%s::bigint[]) q(card) cross join projections.state s cross join {balances}_position p "
    "left join {directory}_cards c on c.card = q.card "
    "left join lateral (select "
    + ", ".join(f"sum({name})::bigint as {name}" for name in (*_SUMMED, "reversals"))
    + ", max(last) as last, max(version) as version from {balances} where card = q.card) b on true "
    "left join lateral ({last}) l on true "
    "left join {balances}_incomplete i on i.card = q.card left join {directory}_incomplete j on j.card = q.card"
)


def _last_of(entries: str, card: str, position: str, when: str) -> str:
    """The newest contribution that still stands: a reversal repeats month, paid day and payer, so they net out."""
    return (
        f"select e.month, v.paid_on, v.npp from {entries} e join {entries}_events v on v.position = e.position "
        f"where e.card = {card} and e.position <= {position} and v.type < {OPENING} and {when} "
        "group by e.month, v.paid_on, v.npp having sum(e.employer + e.worker) > 0 "
        "order by e.month desc, v.paid_on desc, v.npp desc limit 1"
    )


@lru_cache(8)
def last_contribution(entries: Generation, card: str) -> str:
    """The newest contribution of a card that still stands at position `?2` (SQLite)."""
    return _last_of(entries.table, card, "?2", "1 = 1")


def card(live: dict[str, Generation]) -> str:
    """One row: person, segment, card version, incomplete since, position, recorded_at, projected_at, one."""
    entries, directory = live["entries"].table, live["directory"].table
    return (
        "select c.person, c.segment, c.version, coalesce("
        f"(select since from {entries}_incomplete where card = ?), "
        f"(select since from {directory}_incomplete where card = ?)), "
        f"p.position, p.recorded_at, p.projected_at, p.one "
        f"from {entries}_position p left join {directory}_cards c on c.card = ?"
    )


def history(entries: Generation) -> str:
    """Month, is opening, paid day, npp, employer, worker, credited, months, newest position, openings that stand."""
    return (
        f"select e.month, case when v.type >= {OPENING} then 1 else 0 end, v.paid_on, v.npp, sum(e.employer), "
        "sum(e.worker), sum(v.credited), sum(e.months), max(e.position), "
        f"sum(case v.type when {OPENING} then 1 when {OPENING_REVERSED} then -1 else 0 end) from {entries.table} e "
        f"join {entries.table}_events v on v.position = e.position where e.card = ? "
        f"group by e.month, case when v.type >= {OPENING} then 1 else 0 end, v.paid_on, v.npp"
    )


def statement(entries: Generation, continued: bool, *, upto: bool = False, payers: int = 0) -> str:
    """Rows for `entry_of`, newest month first; `continued`: after a key; `upto`: not beyond a position; `payers`: only
    of so many. Parameters in that order, the card first."""
    after = "and (e.month, e.position, e.line) < (?, ?, ?) " if continued else ""
    after += "and e.position <= ? " if upto else ""
    after += f"and v.npp in ({', '.join('?' * payers)}) " if payers else ""
    return (
        "select e.month, e.position, e.line, v.type, v.kind, v.paid_on, v.npp, e.wage, e.back_pay, e.employer, "
        "e.worker, v.credited, e.tambahan, e.epoch, e.months, v.reference, v.recorded "
        f"from {entries.table} e join {entries.table}_events v on v.position = e.position "
        f"where e.card = ? {after}order by e.month desc, e.position desc, e.line desc limit ?"
    )


def memberships(directory: Generation) -> str:
    """Rows for `membership_of` of a card, oldest first."""
    return f"select npp, segment, since, until from {directory.table}_memberships where card = ? order by version"


def payers(directory: Generation, entries: Generation) -> str:
    """NPP and name of the employers in a card's memberships and lines."""
    return (
        f"select npp, name from {directory.table}_employers where npp in ("
        f"select npp from {directory.table}_memberships where card = ? "
        f"union select v.npp from {entries.table} e join {entries.table}_events v on v.position = e.position "
        "where e.card = ?)"
    )
