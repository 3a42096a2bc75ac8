"""`directory`: who holds which card, who pays for whom, and what is known of employers and persons.

Personal data and employers' names stay sealed as the events hold them; nothing here can read them. `identity_version`,
`contact_version` and `name_version` are the stream versions they were sealed with, which the vault needs to open them.
`version` of a card is the newest position of its account stream. `since` and `until` of a membership are month numbers,
`joined_on` and `left_on` day numbers; `until` and `left_on` are 0 while it lasts. A status (aktif, overdue) depends on the
day of asking and is never stored. `joined` of a person who was registered twice is the person whose record
stays. A row of `merges` is a pointer of a card to another: `since` is the position that set it, `until` the one that took it
away, 0 while it stands.

Unlike balances, this fold must run in log order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ledger.days import day_number
from ledger.events import (
    AccountOpened,
    AccountReassigned,
    CardsMerged,
    CardsUnmerged,
    EmployerRegistered,
    Event,
    MembershipEnded,
    MembershipStarted,
    PersonCorrected,
    PersonErased,
    PersonRegistered,
    PersonsJoined,
    PersonsParted,
    SegmentChanged,
)
from ledger.identifiers import card_number, month_number
from ledger.store.codec import StoredRow
from ledger.store.database import Transaction
from ledger.store.dialect import Dialect
from projections.event_batch import Broken, EventBatch, decoded
from projections.generations import Generation

_SCHEMA = """
create table {table}_employers (
    npp bigint primary key, name text not null, name_version bigint not null, registered_on bigint not null){clustered};
create table {table}_persons (
    person {text} not null, identity text not null, identity_version bigint not null, contact text not null,
    contact_version bigint not null, erased smallint not null, joined {text} not null);
create table {table}_cards (
    card bigint {key}, person {text} not null, segment text not null, opened_on bigint not null,
    legacy smallint not null, version bigint not null){clustered};
create table {table}_memberships (
    card bigint not null, version bigint not null, npp bigint not null, segment text not null, joined_on bigint not null,
    since bigint not null, left_on bigint not null, until bigint not null, why text not null{keys}){clustered};
create table {table}_merges (
    card bigint not null, since bigint not null, into_card bigint not null, until bigint not null,
    primary key (card, since)){clustered}
"""
_PERSONS = "text text bigint text bigint smallint text"


def tables(generation: Generation, dialect: Dialect) -> str:
    """Those whose rows come in any order get their keys after the rows were loaded: a person's id is random."""
    return _SCHEMA.format(
        table=generation.table,
        text=f"text{dialect.bytewise}",
        key="primary key" if dialect.clustered else "not null",
        keys=", primary key (card, version)" if dialect.clustered else "",
        clustered=dialect.clustered,
    )


def indexes(generation: Generation, dialect: Dialect) -> str:
    """What is added after the rows were loaded."""
    table, stem = generation.table, generation.table.rpartition(".")[2]
    keys = (("persons", "person"), ("cards", "card"), ("memberships", "card, version"))
    added = [later for part, key in keys if (later := dialect.key_later(f"{table}_{part}", key))]
    added = added or [f"create unique index {stem}_persons_key on {table}_persons (person)"]
    added += [
        f"create index {stem}_cards_person on {table}_cards (person)",
        f"create index {stem}_memberships_npp on {table}_memberships (npp)",
        f"create index {stem}_merges_into on {table}_merges (into_card)",
    ]
    return ";".join(added)


def apply(tx: Transaction, generation: Generation, page: EventBatch) -> list[Broken]:
    """Add a page to a generation's rows; what could not be read comes back."""
    return write(tx, generation, page.people)


def write(tx: Transaction, generation: Generation, rows: Sequence[StoredRow]) -> list[Broken]:
    """Add rows of the log, in order."""
    events, broken = decoded(rows)
    _write(tx, generation.table, events, begun=False)
    return broken


def load(tx: Transaction, generation: Generation, rows: Sequence[StoredRow]) -> tuple[list[StoredRow], list[Broken]]:
    """Add rows of the log, in order, to tables that have no `indexes` yet: streams that begin in these rows.

    The other rows come back, to be written once the tables have their keys.
    """
    begun = {row.stream for row in rows if row.version == 1}
    events, broken = decoded([row for row in rows if row.stream in begun])
    _write(tx, generation.table, events, begun=True)
    return [row for row in rows if row.stream not in begun], broken


def _write(tx: Transaction, table: str, events: Sequence[Event], *, begun: bool) -> None:
    """`begun`: of the streams of these events there are no rows yet."""
    _employers(tx, table, [event for event in events if isinstance(event.fact, EmployerRegistered)])
    _persons(tx, table, [event for event in events if event.stream.startswith("person:")], begun=begun)
    _accounts(tx, table, [event for event in events if event.stream.startswith("account:")], begun=begun)
    _merges(tx, table, events)


def _insert(
    tx: Transaction, table: str, names: str, types: str, rows: Sequence[tuple[Any, ...]], conflict: str
) -> None:
    if rows:
        # Sorted: the keys are visited in order.
        columns = zip(*sorted(rows, key=lambda row: row[:2]), strict=True)
        tx.insert(table, dict(zip(names.split(), columns, strict=True)), types, conflict)


def _employers(tx: Transaction, table: str, events: Sequence[Event]) -> None:
    rows = {}
    for event in events:
        assert isinstance(event.fact, EmployerRegistered)
        fact = event.fact
        rows[int(fact.npp)] = (int(fact.npp), fact.name, event.version, day_number(fact.registered_on))
    _insert(
        tx, f"{table}_employers", "npp name name_version registered_on", "bigint text bigint bigint", list(rows.values()),
        "on conflict (npp) do update set name = excluded.name, name_version = excluded.name_version, "
        "registered_on = excluded.registered_on",
    )  # fmt: skip


def _persons(tx: Transaction, table: str, events: Sequence[Event], *, begun: bool) -> None:
    new: dict[str, tuple[Any, ...]] = {}
    old: dict[str, tuple[Any, ...]] = {}
    changed = {event.stream.partition(":")[2] for event in events if not isinstance(event.fact, PersonRegistered)}
    if changed and not begun:
        given, params = tx.relation(person=("text", sorted(changed)))
        names = "p.person, p.identity, p.identity_version, p.contact, p.contact_version, p.erased, p.joined"
        found = tx.rows(f"select {names} from {given} q join {table}_persons p on p.person = q.person", params)
        old = {row[0]: row for row in found}
    for event in events:
        person, fact = event.stream.partition(":")[2], event.fact
        if isinstance(fact, PersonErased):
            new[person] = (person, "", 0, "", 0, 1, "")
        elif isinstance(fact, PersonRegistered | PersonCorrected | PersonsJoined | PersonsParted):
            was = new.get(person) or old.get(person) or (person, "", 0, "", 0, 0, "")
            if isinstance(fact, PersonsJoined | PersonsParted):
                new[person] = (*was[:6], fact.into if isinstance(fact, PersonsJoined) else "")
                continue
            identity = (fact.identity, event.version) if fact.identity else was[1:3]
            contact = (fact.contact, event.version) if fact.contact else was[3:5]
            new[person] = (person, *identity, *contact, 0, "")
    names = "person identity identity_version contact contact_version erased joined"
    changes = ", ".join(f"{name} = excluded.{name}" for name in names.split()[1:])
    conflict = "" if begun else f"on conflict (person) do update set {changes}"
    _insert(tx, f"{table}_persons", names, _PERSONS, list(new.values()), conflict)


def _accounts(tx: Transaction, table: str, events: Sequence[Event], *, begun: bool) -> None:
    """Cards and memberships: what is new first, then the changes to what was there, in log order."""
    cards: dict[int, list[Any]] = {}
    changed: dict[int, tuple[str, str, int]] = {}
    started: dict[int, list[list[Any]]] = {}
    ended: list[tuple[Any, ...]] = []
    number = {stream: card_number(stream.partition(":")[2]) for stream in {event.stream for event in events}}
    for event in events:
        card, fact = number[event.stream], event.fact
        segment = person = ""
        if isinstance(fact, AccountOpened):
            day = day_number(fact.opened_on)
            cards[card] = [card, fact.person, fact.segment, day, int(fact.legacy), event.position]
            continue
        if isinstance(fact, MembershipStarted):
            segment = fact.segment
            since = month_number(fact.since) or 0
            joined_on = day_number(fact.joined_on)
            membership = [card, event.version, int(fact.npp or 0), segment, joined_on, since, 0, 0, ""]
            started.setdefault(card, []).append(membership)
        elif isinstance(fact, MembershipEnded):
            npp, since = int(fact.npp or 0), month_number(fact.since) or 0
            end = (month_number(fact.until) or 0, day_number(fact.left_on), fact.why)
            for membership in started.get(card, ()):
                if (membership[2], membership[3], membership[5]) == (npp, fact.segment, since):
                    membership[7], membership[6], membership[8] = end
            ended.append((*end, card, npp, fact.segment, since, event.version))
        elif isinstance(fact, SegmentChanged):
            segment = fact.segment
        elif isinstance(fact, AccountReassigned):
            person = fact.person
        if card in cards:
            cards[card][1:3] = person or cards[card][1], segment or cards[card][2]
            cards[card][5] = event.position
        else:
            before = changed.get(card, ("", "", 0))
            changed[card] = (segment or before[0], person or before[1], event.position)
    _insert(
        tx, f"{table}_cards", "card person segment opened_on legacy version", "bigint text text bigint smallint bigint",
        [tuple(row) for row in cards.values()], "" if begun else "on conflict (card) do nothing",
    )  # fmt: skip
    _insert(
        tx, f"{table}_memberships", "card version npp segment joined_on since left_on until why",
        "bigint bigint bigint text bigint bigint bigint bigint text",
        [tuple(row) for of_card in started.values() for row in of_card],
        "" if begun else "on conflict (card, version) do nothing",
    )  # fmt: skip
    if begun:
        return
    for card, (segment, person, position) in changed.items():
        named = "".join(f", {name} = ?" for name, value in (("segment", segment), ("person", person)) if value)
        values = [value for value in (segment, person) if value]
        tx.run(f"update {table}_cards set version = ?{named} where card = ?", [position, *values, card])
    for ending in ended:
        tx.run(
            f"update {table}_memberships set until = ?, left_on = ?, why = ? "
            "where card = ? and npp = ? and segment = ? and since = ? and version < ?",
            list(ending),
        )


def _merges(tx: Transaction, table: str, events: Sequence[Event]) -> None:
    """Pointers set and taken away; few, and in the order of their streams: one by one."""
    for event in events:
        card = event.stream.partition(":")[2]
        if isinstance(event.fact, CardsMerged):
            row = (card_number(card), event.position, card_number(event.fact.into))
            tx.run(f"insert into {table}_merges values (?, ?, ?, 0) on conflict (card, since) do nothing", row)
        elif isinstance(event.fact, CardsUnmerged):
            given = [event.position, card_number(card), event.position]
            tx.run(f"update {table}_merges set until = ? where card = ? and until = 0 and since < ?", given)


def group_of(pointers: Mapping[int, int], card: int) -> tuple[int, list[int]]:
    """The card that a card's pointers lead to, and all the cards that lead there, in rising order. `pointers`: card ->
    card it points to, of all cards that may belong together."""

    def end(one: int) -> int:
        while one in pointers:
            one = pointers[one]
        return one

    into = end(card)
    return into, sorted({one for one in (card, into, *pointers) if end(one) == into})
