"""Registrations: a card, its holder and the membership it starts -> person, account and membership events.

One NIK is one person with any number of cards. Rows are decided in file order, each by itself, only a card's own rows
by date; the log gets a batch's events sorted by stream, because keys written in order cost a fraction of keys written
at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np
from msgspec import Struct

from ledger.acts.person import Joined
from ledger.days import day_number, day_of, day_text, years_after
from ledger.decisions.account import Registration, check_registration, decide_register
from ledger.decisions.card import Card, after_fact
from ledger.decisions.person import OLDEST_YEARS, Contact, Identity, nik_warnings, provinces
from ledger.errors import BrokenLog, Conflict, Problem
from ledger.events import Event, Fact, PersonRegistered
from ledger.fields import SEXES
from ledger.identifiers import SEGMENTS, account_stream, kpj_of, month_of, person_stream, zeros_lost
from ledger.ingestion.batches import ROWS, Decided, Progress, Writer, begin, finish
from ledger.ingestion.contributions.identity_match import words
from ledger.ingestion.readers.table import Table
from ledger.receipt import Header, Receipt
from ledger.store import account_index
from ledger.store.database import Transaction
from ledger.store.log import Log, VersionTaken
from ledger.store.vault import NewPerson, Vault, new_ids

_FIRST_LEGACY = 10**11
_LARGE, _LARGER = 10, 3


class _Holder(Struct, gc=False):
    """The person behind a NIK."""

    person: str
    identity: Identity


class _Account(Struct, gc=False):
    """A card with what the batch adds to it, which is only worked out when the batch has the card again."""

    card: Card | None
    version: int
    facts: list[Fact] = []

    def now(self) -> Card | None:
        for fact in self.facts:
            self.card = after_fact(self.card, fact)
        self.version, self.facts = self.version + len(self.facts), []
        return self.card


def ingest(
    log: Log,
    vault: Vault,
    table: Table,
    header: Header,
    today: date,
    now: datetime,
    *,
    dry_run: bool = False,
    old_cards: bool = False,
    joined: Joined | None = None,
    on_progress: Progress | None = None,
) -> Receipt:
    """Register cards and their holders; each row stands for itself. `on_progress` gets the number of rows just done.

    `old_cards`: new cards that are not eleven digits are meant so; without it each must say so in `old_card`.
    `joined`: hears of each row that adds something, in the transaction that adds it.

    Raises StoreFailed, Unavailable(vault-rotating); the same upload again finishes the rest.
    """
    receipt = begin(table, header, dry_run)
    decider = _Decider(log, vault, header, today, dry_run)
    decider.joined = joined
    decider.old_lines = None if old_cards else set(table.lines[table.columns["old_card"] == 1].tolist())
    if dry_run:
        decider.remember_repeated(table)
    writer = Writer(log, receipt, now, decider.decide, lambda row: (row.nik, row.card))
    writer.run(_batches(table, _rows_at_once(log, table)), on_progress)
    return finish(table, receipt, writer.counts)


class _Batch(Struct):
    """A batch while it is decided. `ids`: for new persons, in the order in which they appear."""

    decided: Decided[Registration]
    holders: dict[str, _Holder]
    accounts: dict[int, _Account]
    ids: Iterator[str]
    fresh: list[tuple[Identity, Contact]] = []
    fresh_ids: list[str] = []
    # (stream, version before, facts)
    changes: list[tuple[str, int, list[Fact]]] = []
    # (person, contact of one who is new, KPJ, facts), for `joined`
    joined: list[tuple[str, Contact | None, str, list[Fact]]] = []


class _Decider:
    """Decides batches. In a dry run it remembers what became of the NIKs and cards that the file has twice."""

    def __init__(self, log: Log, vault: Vault, header: Header, today: date, dry_run: bool) -> None:
        self.log, self.vault, self.header, self.today, self.dry_run = log, vault, header, today, dry_run
        self.today_number = day_number(today)
        self.oldest_birth = day_number(years_after(today, -OLDEST_YEARS))
        self.old_lines: set[int] | None = set()
        """Lines that say that their card is an old one; None: all do."""
        self.joined: Joined | None = None
        self.kept_niks: dict[str, _Holder | None] = {}
        self.kept_cards: dict[int, _Account | None] = {}

    def remember_repeated(self, table: Table) -> None:
        self.kept_niks = {nik: None for nik, count in Counter(table.columns["nik"]).items() if count > 1}
        counts = Counter(table.columns["kpj"].tolist())
        self.kept_cards = {card: None for card, count in counts.items() if count > 1}

    def decide(self, rows: Sequence[Registration]) -> Decided[Registration]:
        decided: Decided[Registration] = Decided(rows)
        sound = self._sound(rows, decided)
        hashes = self.vault.nik_hashes({row.nik for row in sound})
        with self.log.database.read() as tx:
            holders, accounts, broken = self._look_up(tx, sound, hashes)
        there = {nik: holder.person for nik, holder in holders.items() if nik not in self.kept_niks}
        batch = _Batch(decided, holders, accounts, iter(new_ids(len(hashes) - len(holders))))
        for row in sound:
            error = broken.get(row.nik) or broken.get(row.card)
            if error is not None:
                decided.refuse(error.problem, row.line)
                continue
            self._decide_row(row, batch)
        self._keep(holders, accounts)
        if not self.dry_run:
            new = self.vault.new_people(batch.fresh, batch.fresh_ids, hashes)
            self._events(decided, new, batch.changes)
            self._writes(decided, new, {nik: hashes[nik] for nik in there}, there, batch)
        return decided

    def _sound(self, rows: Sequence[Registration], decided: Decided[Registration]) -> list[Registration]:
        """The rows that nothing but the register can refuse; the others are told."""
        with self.log.database.read() as tx:
            employers = account_index.employers(tx, {row.npp for row in rows if row.npp})
        sound = []
        for row in rows:
            problem = check_registration(
                row,
                employer_known=not row.npp or row.npp in employers,
                today=self.today_number,
                oldest_birth=self.oldest_birth,
            )
            if problem is None:
                sound.append(row)
            else:
                decided.refuse(problem)
        return sound

    def _look_up(
        self, tx: Transaction, rows: Sequence[Registration], hashes: dict[str, bytes]
    ) -> tuple[dict[str, _Holder], dict[int, _Account], dict[str | int, BrokenLog]]:
        """(NIK -> its holder, card -> its account, what cannot be read of a NIK's holder or of a card)."""
        people = self.vault.people_by_hash(tx, hashes)
        data = self.vault.data_of(tx, people.values())
        holders = {nik: _Holder(person, data.data[person][0]) for nik, person in people.items() if person in data.data}
        broken: dict[str | int, BrokenLog] = {
            nik: data.broken[person] for nik, person in people.items() if person in data.broken
        }
        cards = account_index.cards(
            tx, {card for row in rows for card in (row.card, zeros_lost(row.card)) if card is not None}
        )
        accounts: dict[int, _Account] = {}
        streams = {account_stream(kpj_of(number)): number for number in cards}
        found = self.log.streams_in(tx, list(streams))
        for stream, number in streams.items():
            if stream in found.broken:
                broken[number] = found.broken[stream]
            else:
                accounts[number] = _Account(cards[number], found.events[stream][-1].version)
        for nik in self.kept_niks.keys() & hashes.keys():
            if (holder := self.kept_niks[nik]) is not None:
                holders.setdefault(nik, holder)
        if self.kept_cards:
            for row in rows:
                if (account := self.kept_cards.get(row.card)) is not None:
                    accounts[row.card] = account
        return holders, accounts, broken

    def _decide_row(self, row: Registration, batch: _Batch) -> None:
        identity = Identity(row.nik, row.name, _day_text(row.birth_date), row.sex)
        holder, decided = batch.holders.get(row.nik), batch.decided
        person = holder.person if holder is not None else next(batch.ids)
        account = batch.accounts.get(row.card)
        altered = self._altered(row, holder, identity, batch)
        if altered is not None:
            decided.refuse(altered)
            if holder is None:
                batch.ids = chain((person,), batch.ids)
            return
        try:
            facts = decide_register(account.now() if account is not None else None, person, row)
        except Conflict as conflict:
            decided.refuse(conflict.problem)
            if holder is None:
                batch.ids = chain((person,), batch.ids)
            return
        if holder is None:
            batch.holders[row.nik] = _Holder(person, identity)
            batch.fresh_ids.append(person)
            batch.fresh.append((identity, Contact(row.email, row.phone)))
        elif holder.identity != identity:
            decided.problems.append((Problem("identity-differs", row.line, "nik"), "warning"))
        if not facts:
            decided.already += 1
            return
        decided.posted += 1
        stream = account_stream(kpj_of(row.card))
        if row.nik[6:12] != _nik_digits(row.birth_date, row.sex) or row.nik[:2] not in provinces():
            for code in nik_warnings(row.nik, _day(row.birth_date), row.sex, self.today):
                decided.problems.append((Problem(code, row.line, "nik"), "warning"))
        if row.card >= _FIRST_LEGACY:
            decided.problems.append((Problem("kpj-legacy", row.line, "kpj"), "warning"))
        if account is None:
            account = batch.accounts[row.card] = _Account(None, 0)
        batch.changes.append((stream, account.version, facts))
        if self.joined is not None:
            given = Contact(row.email, row.phone) if holder is None else None
            batch.joined.append((person, given, kpj_of(row.card), facts))
        account.facts = facts

    def _altered(self, row: Registration, holder: _Holder | None, identity: Identity, batch: _Batch) -> Problem | None:
        """What a spreadsheet seems to have made of a card's or a person's number, so that it would be another's."""
        if row.card >= _FIRST_LEGACY and row.card not in batch.accounts:
            other, kpj = zeros_lost(row.card), kpj_of(row.card)
            if other is not None and holder is not None and (known := batch.accounts.get(other)) is not None:
                known_card = known.now()
                if known_card is not None and known_card.person == holder.person:
                    return Problem("kpj-of-own-card", row.line, "kpj", {"kpj": kpj, "candidate": kpj_of(other)})
            if self.old_lines is not None and row.line not in self.old_lines:
                if other is None:
                    return Problem("kpj-old-unsaid", row.line, "kpj")
                return Problem("kpj-zeros-lost", row.line, "kpj", {"kpj": kpj, "candidate": kpj_of(other)})
        if holder is not None and row.nik.endswith("0") and _is_another(holder.identity, identity):
            return Problem("nik-may-be-cut", row.line, "nik")
        return None

    def _keep(self, holders: dict[str, _Holder], accounts: dict[int, _Account]) -> None:
        for nik in self.kept_niks.keys() & holders.keys():
            self.kept_niks[nik] = holders[nik]
        for number in self.kept_cards.keys() & accounts.keys():
            self.kept_cards[number] = accounts[number]

    def _events(
        self, decided: Decided[Registration], new: list[NewPerson], changes: list[tuple[str, int, list[Fact]]]
    ) -> None:
        header = self.header
        by, channel, reason, request = header.by, header.channel, header.reason, header.request
        events = [
            Event(
                stream=person_stream(one.person), version=1, fact=PersonRegistered(one.identity, one.contact),
                by=by, channel=channel, reason=reason, request=request,
            )
            for one in new
        ]  # fmt: skip
        # A card that a batch has twice keeps the order of its changes: the sort is stable.
        events += [
            Event(
                stream=stream, version=place, fact=fact, by=by, channel=channel, reason=reason, request=request,
            )
            for stream, version, facts in sorted(changes, key=itemgetter(0))
            for place, fact in enumerate(facts, version + 1)
        ]  # fmt: skip
        decided.events = events

    def _writes(
        self,
        decided: Decided[Registration],
        new: list[NewPerson],
        hashes: dict[str, bytes],
        there: dict[str, str],
        batch: _Batch,
    ) -> None:
        vault, joined = self.vault, self.joined

        def write(tx: Transaction) -> None:
            # A holder may have been erased, or got another NIK, since he was looked up.
            if vault.people_by_hash(tx, hashes) != there:
                raise VersionTaken
            vault.insert(tx, new)
            if joined is not None:
                for one in batch.joined:
                    joined(tx, *one)

        decided.writes = [write]


def _is_another(held: Identity, sent: Identity) -> bool:
    """Whether two identities under one NIK differ in more than how a name is spelled."""
    return (held.birth_date, held.sex) != (sent.birth_date, sent.sex) or words(held.name) != words(sent.name)


@cache
def _day(number: int) -> date:
    return day_of(number)


@cache
def _day_text(number: int) -> str:
    return day_text(number)


@cache
def _nik_digits(birth_date: int, sex: str) -> str:
    """The digits a NIK has for a birth date and sex."""
    day = _day(birth_date)
    return f"{day.day + (40 if sex == 'P' else 0):02d}{day.month:02d}{day.year % 100:02d}"


@cache
def _month(number: int) -> int:
    return month_of(_day(number))


def _order(table: Table) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The readable rows in file order, but a card's rows together where its first stands, by joining and leaving date.

    So each end meets the membership it ends, whatever the file's order, and the file sent again says nothing new.
    """
    good = (~table.bad).nonzero()[0]
    cards = table.columns["kpj"][good]
    _, first, which = np.unique(cards, return_index=True, return_inverse=True)
    if len(first) == len(good):
        return good
    joined, left = table.columns["registered_on"][good], table.columns["left_on"][good]
    return good[np.lexsort((left, joined, first[which]))]


def _rows_at_once(log: Log, table: Table) -> int:
    """A large file takes larger batches where each writes nearly every page of the hashes' indexes anew."""
    large = len(table) >= _LARGE * ROWS and log.database.dialect.rewrites_indexes
    return ROWS * _LARGER if large else ROWS


def _batches(table: Table, size: int) -> Iterator[list[Registration]]:
    good = _order(table)
    columns = table.columns
    for at in range(0, len(good), size):
        some = good[at : at + size]
        rows = some.tolist()
        numbers = {
            name: columns[name][some].tolist()
            for name in ("kpj", "birth_date", "sex", "segment", "npp", "registered_on", "left_on")
        }
        texts = {name: [columns[name][i] for i in rows] for name in ("nik", "name", "email", "phone", "left_why")}
        yield [
            Registration(
                line, card, nik, name, birth, SEXES[sex], SEGMENTS[segment], npp, email, phone, joined, _month(joined),
                left if left >= 0 else None, _month(left) if left >= 0 else 0, why,
            )
            for line, card, nik, name, birth, sex, segment, npp, email, phone, joined, left, why in zip(
                table.lines[some].tolist(), numbers["kpj"], texts["nik"], texts["name"], numbers["birth_date"],
                numbers["sex"], numbers["segment"], numbers["npp"], texts["email"], texts["phone"],
                numbers["registered_on"], numbers["left_on"], texts["left_why"], strict=True,
            )
        ]  # fmt: skip
