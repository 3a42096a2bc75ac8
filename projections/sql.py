"""The SQL of the queries, on the tables of given generations.

`?1` stands on SQLite only; the many-cards query with `%s` on PostgreSQL only; everything else is the same on both.
"""

from __future__ import annotations

from functools import lru_cache

from projections import scheme
from projections.event_batch import OPENING
from projections.generations import Generation

_SUMMED = "employer", "worker", "credited", "paid_out", "months"
_AMOUNT = "employer + worker + credited - paid_out"


_GROUPED = (
    "(exists (select 1 from {{directory}}_merges where card = {card} and until = 0) "
    "or exists (select 1 from {{directory}}_merges where into_card = {card} and until = 0))"
)
"""Whether a card is merged with another: two looks into a table that is nearly always empty."""


@lru_cache(8)
def one_card(*live: Generation) -> str:
    """A `CardRow`, its `years` as JSON, also for a card that is not there (SQLite)."""
    by = {generation.name: generation for generation in live}
    return _ONE.format(**_tables(by), scheme=scheme.version(by["balances"]))


def _tables(by: dict[str, Generation]) -> dict[str, str]:
    return {name: generation.table for name, generation in by.items()}


_ONE = (
    "select ?1, c.person, c.segment, c.version, p.position, p.recorded_at, p.projected_at, s.stamp, "
    + ", ".join(f"sum(b.{name})" for name in _SUMMED)
    + ", max(b.last), sum(b.reversals), max(b.version), "
    "coalesce((select since from {balances}_incomplete where card = ?1), "
    "(select since from {directory}_incomplete where card = ?1)), {scheme}, "
    f"json_group_array(json_array(b.epoch * 2 + b.sub, b.year, {_AMOUNT}, b.weighted)) filter (where b.card is not null), "
    + _GROUPED.format(card="?1")
    + " from state s cross join {balances}_position p left join {directory}_cards c on c.card = ?1 "
    "left join {balances} b on b.card = ?1"
)


@lru_cache(8)
def many_cards(*live: Generation) -> str:
    """A `CardRow` for each card given, its `years` as numbers of eight bytes each (PostgreSQL)."""
    by = {generation.name: generation for generation in live}
    last = _last_of(by["entries"].table, "q.card", "p.position", "b.reversals > 0")
    return _SET.format(**_tables(by), scheme=scheme.version(by["balances"]), last=last)


_SET = (
    "select q.card, c.person, c.segment, c.version, p.position, p.recorded_at, p.projected_at, s.stamp, "
    + ", ".join(f"b.{name}" for name in _SUMMED)
    + ", b.last, b.reversals, b.version, coalesce(i.since, j.since), {scheme}, b.years, "
    + _GROUPED.format(card="q.card")
    + ", coalesce(l.month, 0), coalesce(l.paid_on, 0), coalesce(l.npp, 0) "
    "from unnest(%s::bigint[]) q(card) cross join projections.state s cross join {balances}_position p "
    "left join {directory}_cards c on c.card = q.card "
    "left join lateral (select "
    + ", ".join(f"sum({name})::bigint as {name}" for name in (*_SUMMED, "reversals"))
    + ", max(last) as last, max(version) as version, "
    "string_agg(int8send(epoch::bigint * 2 + sub) || int8send(year) || int8send("
    + _AMOUNT
    + ") || int8send(weighted), "
    "''::bytea) as years from {balances} where card = q.card) b on true "
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
def years(balances: Generation) -> str:
    """What a card's yields are worked out from: account (2 x epoch + sub-account), year, amount, weighted."""
    return f"select epoch * 2 + sub, year, {_AMOUNT}, weighted from {balances.table} where card = ?"


def every_year(balances: Generation) -> str:
    """Card and what `years` gives, of so many rows after a key (card, epoch, sub-account, year), in its order."""
    return (
        f"select card, epoch * 2 + sub, year, {_AMOUNT}, weighted from {balances.table} "
        "where (card, epoch, sub, year) > (?, ?, ?, ?) order by card, epoch, sub, year limit ?"
    )


@lru_cache(8)
def last_contribution(entries: Generation, card: str) -> str:
    """The newest contribution of a card that still stands at position `?2` (SQLite)."""
    return _last_of(entries.table, card, "?2", "1 = 1")


def card(live: dict[str, Generation]) -> str:
    """One row: person, segment, card version, incomplete since, position, recorded_at, projected_at, one, grouped."""
    entries, directory = live["entries"].table, live["directory"].table
    grouped = _GROUPED.format(card="c.card").format(directory=directory)
    return (
        "select c.person, c.segment, c.version, coalesce("
        f"(select since from {entries}_incomplete where card = ?), "
        f"(select since from {directory}_incomplete where card = ?)), "
        f"p.position, p.recorded_at, p.projected_at, p.one, {grouped} "
        f"from {entries}_position p left join {directory}_cards c on c.card = ?"
    )


def reached(live: dict[str, Generation]) -> str:
    """Position, recorded_at and projected_at of what a card's past is told from, the one that is furthest behind first."""
    columns = "position, recorded_at, projected_at"
    every = (f"select {columns} from {live[name].table}_position" for name in ("entries", "balances"))
    return f"{' union all '.join(every)} order by position"


def lines(entries: Generation) -> str:
    """Rows for `card_lines.of`: every line of a card."""
    return (
        "select e.position, e.line, v.type, e.month, v.paid_on, v.npp, e.employer, e.worker, e.tambahan, e.epoch, e.months, "
        f"v.credited, v.credited_tambahan from {entries.table} e join {entries.table}_events v on v.position = e.position "
        "where e.card = ? order by e.month, e.position, e.line"
    )


def bases(entries: Generation) -> str:
    """Rows for `card_lines.of`: every base that an opening balance of the card brought."""
    return (
        f"select b.position, b.year, v.paid_on, b.base, b.base_tambahan from {entries.table}_bases b "
        f"join {entries.table}_events v on v.position = b.position where b.card = ? order by b.position, b.year"
    )


def early_bases(entries: Generation) -> str:
    """How many cards have a base of a year before the one asked for, that still stands."""
    return (
        f"select count(distinct card) from (select card from {entries.table}_bases where year < ? group by card, year "
        "having sum(base) <> 0 or sum(base_tambahan) <> 0) as standing"
    )


def sums(entries: Generation, *, of_payer: bool) -> str:
    """One row for each of openings, payers' and participants' own lines (the first two columns tell) up to a position and a
    day, optionally of one payer: employer, worker, months, yield brought."""
    return (
        f"select case when v.type >= {OPENING} then 1 else 0 end as opening, case when v.npp > 0 then 1 else 0 end as paid, "
        "sum(e.employer), sum(e.worker), sum(e.months), sum(v.credited) "
        f"from {entries.table} e join {entries.table}_events v on v.position = e.position "
        f"where e.position <= ? and v.paid_on <= ? {'and v.npp = ? ' if of_payer else ''}group by 1, 2"
    )


def lines_after(entries: Generation) -> str:
    """Rows of `lines` with the card before them, of the cards after one, up to a position and a day, at most so many."""
    return (
        "select e.card, e.position, e.line, v.type, e.month, v.paid_on, v.npp, e.employer, e.worker, e.tambahan, e.epoch, "
        f"e.months, v.credited, v.credited_tambahan from {entries.table} e "
        f"join {entries.table}_events v on v.position = e.position "
        "where e.card > ? and e.position <= ? and v.paid_on <= ? order by e.card limit ?"
    )


def bases_between(entries: Generation) -> str:
    """Rows of `bases` with the card before them, of the cards after one up to another, up to a position and a day."""
    return (
        f"select b.card, b.position, b.year, v.paid_on, b.base, b.base_tambahan from {entries.table}_bases b "
        f"join {entries.table}_events v on v.position = b.position "
        "where b.card > ? and b.card <= ? and b.position <= ? and v.paid_on <= ? order by b.card, b.position, b.year"
    )


def statement(
    entries: Generation, continued: bool, *, upto: bool = False, paid_by: bool = False, payers: int = 0
) -> str:
    """Rows for `entry_of`, newest month first; `continued`: after a key; `upto`: not beyond a position; `paid_by`: not
    paid after a day; `payers`: only of so many. Parameters in that order, the card first."""
    after = "and (e.month, e.position, e.line) < (?, ?, ?) " if continued else ""
    after += "and e.position <= ? " if upto else ""
    after += "and v.paid_on <= ? " if paid_by else ""
    after += f"and v.npp in ({', '.join('?' * payers)}) " if payers else ""
    return (
        "select e.month, e.position, e.line, v.type, v.kind, v.paid_on, v.npp, e.wage, e.back_pay, e.employer, "
        "e.worker, v.credited, e.tambahan, e.epoch, e.months, v.reference, v.recorded "
        f"from {entries.table} e join {entries.table}_events v on v.position = e.position "
        f"where e.card = ? {after}order by e.month desc, e.position desc, e.line desc limit ?"
    )


def memberships(directory: Generation) -> str:
    """Rows for `membership_of` of a card, oldest first."""
    return (
        "select npp, segment, since, until, joined_on, left_on, why "
        f"from {directory.table}_memberships where card = ? order by version"
    )


def workers(directory: Generation) -> str:
    """First and last month (0: it lasts) of an employer's memberships, and how many there are of each."""
    return f"select since, until, count(*) from {directory.table}_memberships where npp = ? group by since, until"


def payers(directory: Generation, entries: Generation) -> str:
    """NPP, sealed name and its version of the employers in a card's memberships and lines."""
    return (
        f"select npp, name, name_version from {directory.table}_employers where npp in ("
        f"select npp from {directory.table}_memberships where card = ? "
        f"union select v.npp from {entries.table} e join {entries.table}_events v on v.position = e.position "
        "where e.card = ?)"
    )


def pointers(directory: Generation) -> str:
    """Card, the card it points to, since which position and until which (0: it stands), of all the cards that a card was
    ever merged with, over any others, whoever holds them now."""
    merges = f"{directory.table}_merges"
    return (
        "with recursive ever (card) as (select cast(? as bigint) union select case when m.card = e.card then m.into_card "
        f"else m.card end from ever e join {merges} m on m.card = e.card or m.into_card = e.card) "
        f"select m.card, m.into_card, m.since, m.until from {merges} m join ever e on e.card = m.card order by m.since"
    )
