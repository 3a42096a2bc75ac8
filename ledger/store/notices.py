"""The tables of notices, beside the log: who chose what, how far the follower is, what waits to be told, what was told.

Derived from no event alone, and part of no rebuild: a position that went back would tell people again what they know. All
of it is written in the log's own database, so that a choice stands in the transaction of its fact, and a letter in that
of the rows it came from. Whatever is about a person goes with the person's row in the vault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ledger.store.transaction import Transaction

WAYS = ("mail", "sms")


class Choice(NamedTuple):
    """The log position at which something was chosen, and the language of the notices."""

    since: int
    language: str


class Place(NamedTuple):
    """How far the follower is: the log position with the event's fingerprint, as the read models keep it.

    `looked`: months that were due up to this day (number) have been looked at; `looking`: the day of a look that is under
    way, `person` the last one it has done.
    """

    position: int
    fingerprint: str
    looked: int
    looking: int
    person: str


class Waiting(NamedTuple):
    """One thing that a person is to be told: a posted line (amounts in rupiah) or a missing month (`position` 0).

    `card`, `month` as numbers; `npp` 0: paid by the holder.
    """

    person: str
    way: str
    kind: str
    card: int
    month: int
    npp: int
    position: int
    line: int
    wage: int
    employer: int
    worker: int


class Silent(NamedTuple):
    """A month that has not come: whose, for which card, from which payer (0: the holder)."""

    person: str
    card: int
    month: int
    npp: int


_TYPES = "text text text bigint bigint bigint bigint bigint bigint bigint bigint"


def choose(tx: Transaction, person: str, chosen: Mapping[str, Sequence[str]], choice: Choice) -> None:
    """Put a choice in the place of the one before. What stays chosen counts from when it was first chosen."""
    pairs = [(way, kind) for way in WAYS for kind in chosen.get(way, ())]
    for way, kind in tx.rows("select way, kind from notice_choices where person = ?", [person]):
        if (way, kind) not in pairs:
            for table in ("notice_choices", "notice_waiting"):
                tx.run(f"delete from {table} where person = ? and way = ? and kind = ?", [person, way, kind])
    tx.insert(
        "notice_choices",
        {
            "person": [person] * len(pairs), "way": [way for way, _ in pairs], "kind": [kind for _, kind in pairs],
            "since": [choice.since] * len(pairs), "language": [choice.language] * len(pairs),
        },
        "text text text bigint text",
        "on conflict (person, way, kind) do update set language = excluded.language",
    )  # fmt: skip


def stop(tx: Transaction, person: str, way: str) -> None:
    """Nothing more goes that way."""
    for table in ("notice_choices", "notice_waiting"):
        tx.run(f"delete from {table} where person = ? and way = ?", [person, way])


def is_any(tx: Transaction, kind: str) -> bool:
    """Whether anybody chose to be told of it."""
    return bool(tx.rows("select 1 from notice_choices where kind = ? limit 1", [kind]))


def place(tx: Transaction) -> Place | None:
    """How far the follower is, None before it ran for the first time."""
    rows = tx.rows(f"select {', '.join(Place._fields)} from notice_place")
    return Place(*rows[0]) if rows else None


def move(tx: Transaction, was: Place | None, now: Place) -> bool:
    """Compare and set; False when somebody else moved it."""
    if was is None:
        return bool(tx.run("insert into notice_place values (1, ?, ?, ?, ?, ?) on conflict do nothing", list(now)))
    return bool(
        tx.run(
            "update notice_place set position = ?, fingerprint = ?, looked = ?, looking = ?, person = ? "
            "where position = ? and fingerprint = ? and looked = ? and looking = ? and person = ?",
            [*now, *was],
        )
    )


def put_waiting(tx: Transaction, rows: Sequence[Waiting]) -> None:
    """Have this told; what waits already, waits once."""
    if rows:
        columns: dict[str, Sequence[Any]] = dict(zip(Waiting._fields, zip(*rows, strict=True), strict=True))
        tx.insert("notice_waiting", columns, _TYPES, "on conflict do nothing")


def choosers(tx: Transaction, kind: str, after: str, limit: int) -> list[str]:
    """The next people, in order of their ids, who chose to be told of it by any way."""
    rows = tx.rows(
        "select distinct person from notice_choices where kind = ? and person > ? order by person limit ?",
        [kind, after, limit],
    )
    return [row[0] for row in rows]


def ways_of(tx: Transaction, person: str, kind: str) -> list[str]:
    """The ways by which a person chose to be told of it."""
    rows = tx.rows("select way from notice_choices where person = ? and kind = ? order by way", [person, kind])
    return [row[0] for row in rows]


def hand_over(tx: Transaction, person: str, into: str, cards: Sequence[int]) -> None:
    """What a person was told to be missing of some cards counts as told to who holds them from now on."""
    for card in cards:
        tx.run("update notice_missing set person = ? where person = ? and card = ?", [into, person, card])


def remember_missing(tx: Transaction, silent: Sequence[Silent]) -> list[Silent]:
    """Those that were never told; from now on they were."""
    return [
        one
        for one in silent
        if tx.run(
            "insert into notice_missing (person, card, month, npp) values (?, ?, ?, ?) on conflict do nothing",
            list(one),
        )
    ]


def waiting_people(tx: Transaction, day: int, limit: int) -> list[tuple[str, str]]:
    """(person, way) for whom something waits and who were told nothing that way on that day or later."""
    return [
        (row[0], row[1])
        for row in tx.rows(
            "select distinct w.person, w.way from notice_waiting w where not exists (select 1 from notice_told t "
            "where t.person = w.person and t.way = w.way and t.day >= ?) order by w.person, w.way limit ?",
            [day, limit],
        )
    ]


def waiting_of(tx: Transaction, people: Sequence[tuple[str, str]]) -> list[Waiting]:
    """What waits for them, by person and way, then by kind, month and card."""
    given, params = tx.relation(
        person=("text", [person for person, _ in people]), way=("text", [way for _, way in people])
    )
    return [
        Waiting(*row)
        for row in tx.rows(
            f"select {', '.join('w.' + name for name in Waiting._fields)} from {given} q "
            "join notice_waiting w on w.person = q.person and w.way = q.way "
            "order by w.person, w.way, w.kind, w.month, w.card, w.position, w.line",
            params,
        )
    ]


def languages_of(tx: Transaction, people: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """(person, way) -> language, of those who still want something told that way."""
    given, params = tx.relation(
        person=("text", [person for person, _ in people]), way=("text", [way for _, way in people])
    )
    rows = tx.rows(
        f"select c.person, c.way, c.language from {given} q "
        "join notice_choices c on c.person = q.person and c.way = q.way",
        params,
    )
    return {(row[0], row[1]): row[2] for row in rows}


def take(tx: Transaction, person: str, way: str, day: int) -> bool:
    """Have the one notice of a day for a person; False when it was had."""
    return bool(
        tx.run(
            "insert into notice_told as t values (?, ?, ?) on conflict (person, way) do update set day = excluded.day "
            "where t.day < excluded.day",
            [person, way, day],
        )
    )


def drop_waiting(tx: Transaction, told: Sequence[Waiting]) -> None:
    """It was told, or came after all."""
    if not told:
        return
    names = ("person", "way", "kind", "card", "month", "npp", "position", "line")
    types = dict(zip(Waiting._fields, _TYPES.split(), strict=True))
    given, params = tx.relation(**{name: (types[name], [getattr(row, name) for row in told]) for name in names})
    tx.run(
        f"delete from notice_waiting where ({', '.join(names)}) in (select {', '.join(names)} from {given} q)", params
    )


class NoticeState(NamedTuple):
    """How far notices are. `position` None: nobody followed yet; `behind`: events; `waiting`: lines and months to tell."""

    position: int | None
    behind: int
    waiting: int


def state(tx: Transaction, head: int) -> NoticeState:
    """For `jht status`; `head`: the log's last position."""
    found = place(tx)
    behind = max(head - found.position, 0) if found else head
    return NoticeState(found.position if found else None, behind, tx.rows("select count(*) from notice_waiting")[0][0])
