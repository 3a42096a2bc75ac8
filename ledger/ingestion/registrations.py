"""Registrations: a card, its holder and the membership it starts -> person, account and membership events.

One NIK is one person with any number of cards. Rows are decided in file order, each by itself; the log gets a batch's
events sorted by stream, because keys written in order cost a fraction of keys written at random.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import cache

from msgspec import Struct

from ledger import register
from ledger.account import Registration, check_registration, decide_register
from ledger.database import Transaction
from ledger.errors import Conflict, Problem
from ledger.events import AccountOpened, Event, Fact, PersonRegistered
from ledger.identifiers import SEGMENTS, account_stream, is_legacy, kpj_of, month_of, person_stream
from ledger.ingestion.batches import ROWS, Decided, Progress, Writer, begin, finish
from ledger.ingestion.cells import SEXES
from ledger.ingestion.receipts import Header, Receipt
from ledger.ingestion.table import Table
from ledger.log import Log, VersionTaken
from ledger.person import OLDEST_YEARS, Contact, Identity, nik_warnings, years_after
from ledger.register import Card, day_number, day_text, evolve
from ledger.vault import NewPerson, Vault


class _Holder(Struct):
    """The person behind a NIK: `number` counts the batch's new persons, whose ids are drawn at the end."""

    person: str
    identity: Identity
    number: int = -1


class _Account(Struct):
    card: Card | None = None
    version: int = 0


def ingest(
    log: Log,
    vault: Vault,
    table: Table,
    header: Header,
    today: date,
    now: datetime,
    *,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> Receipt:
    """Register cards and their holders; each row stands for itself. `on_progress` gets the number of rows just done.

    Raises StoreFailed, Unavailable(vault-rotating); the same upload again finishes the rest.
    """
    receipt = begin(table, header, dry_run)
    decider = _Decider(log, vault, header, today)
    if dry_run:
        decider.remember_repeated(table)
    writer = Writer(log, receipt, now, decider.decide, lambda row: (row.nik, row.card))
    writer.run(_batches(table), on_progress)
    return finish(table, receipt, writer.counts)


class _Decider:
    """Decides batches. In a dry run it remembers what became of the NIKs and cards that the file has twice."""

    def __init__(self, log: Log, vault: Vault, header: Header, today: date) -> None:
        self.log, self.vault, self.header, self.today = log, vault, header, today
        self.today_number = day_number(today)
        self.oldest_birth = day_number(years_after(today, -OLDEST_YEARS))
        self.kept_niks: dict[str, _Holder | None] = {}
        self.kept_cards: dict[int, _Account | None] = {}

    def remember_repeated(self, table: Table) -> None:
        self.kept_niks = {nik: None for nik, count in Counter(table.columns["nik"]).items() if count > 1}
        counts = Counter(table.columns["kpj"].tolist())
        self.kept_cards = {card: None for card, count in counts.items() if count > 1}

    def decide(self, rows: Sequence[Registration]) -> Decided[Registration]:
        decided: Decided[Registration] = Decided(rows)
        sound = self._sound(rows, decided)
        with self.log.database.read() as tx:
            holders, accounts = self._look_up(tx, sound)
        known = {nik: holder.person for nik, holder in holders.items()}
        fresh: list[tuple[Identity, Contact]] = []
        # person placeholder -> facts wait for their ids: (card, account before, facts)
        changes: list[tuple[str, int, list[Fact]]] = []
        for row in sound:
            self._decide_row(row, decided, holders, accounts, fresh, changes)
        self._keep(holders, accounts)
        new = self.vault.new_people(fresh)
        self._events(decided, new, changes)
        self._writes(decided, new, known, {row.nik for row in sound})
        return decided

    def _sound(self, rows: Sequence[Registration], decided: Decided[Registration]) -> list[Registration]:
        """The rows that nothing but the register can refuse; the others are told."""
        with self.log.database.read() as tx:
            employers = register.employers(tx, {row.npp for row in rows if row.npp})
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
                decided.refused += 1
                decided.problems.append((problem, "refused"))
        return sound

    def _look_up(self, tx: Transaction, rows: Sequence[Registration]) -> tuple[dict[str, _Holder], dict[int, _Account]]:
        people = self.vault.people_by_nik(tx, list({row.nik for row in rows}))
        data = self.vault.data_of(tx, people.values())
        holders = {nik: _Holder(person, data[person][0]) for nik, person in people.items()}
        cards = register.cards(tx, {row.card for row in rows})
        streams = self.log.streams_in(tx, [account_stream(kpj_of(card)) for card in cards]) if cards else {}
        accounts = {
            number: _Account(card, streams[account_stream(kpj_of(number))][-1].version)
            for number, card in cards.items()
        }
        for row in rows:
            if (holder := self.kept_niks.get(row.nik)) is not None:
                holders.setdefault(row.nik, holder)
            if (account := self.kept_cards.get(row.card)) is not None:
                accounts[row.card] = account
        return holders, accounts

    def _decide_row(
        self,
        row: Registration,
        decided: Decided[Registration],
        holders: dict[str, _Holder],
        accounts: dict[int, _Account],
        fresh: list[tuple[Identity, Contact]],
        changes: list[tuple[str, int, list[Fact]]],
    ) -> None:
        identity = Identity(row.nik, row.name, _day_text(row.birth_date), row.sex)
        holder = holders.get(row.nik)
        is_new = holder is None
        if holder is None:
            # A placeholder of an id's shape: the card of the same batch is compared with it.
            holder = _Holder(f"new:{len(fresh)}", identity, len(fresh))
        account = accounts.get(row.card) or _Account()
        try:
            facts = decide_register(account.card, holder.person, row)
        except Conflict as conflict:
            decided.refused += 1
            decided.problems.append((conflict.problem, "refused"))
            return
        if is_new:
            holders[row.nik] = holder
            fresh.append((identity, Contact(row.email, row.phone)))
        elif holder.identity != identity:
            decided.problems.append((Problem("identity-differs", row.line, "nik"), "warning"))
        if not facts:
            decided.already += 1
            return
        decided.posted += 1
        self._warn(row, decided)
        stream, version, card = account_stream(kpj_of(row.card)), account.version, account.card
        for fact in facts:
            version += 1
            card = evolve(card, Event(stream=stream, version=version, fact=fact, by="", channel=""))
        accounts[row.card] = _Account(card, version)
        changes.append((stream, account.version, facts))

    def _warn(self, row: Registration, decided: Decided[Registration]) -> None:
        for code in nik_warnings(row.nik, _day(row.birth_date), row.sex, self.today):
            decided.problems.append((Problem(code, row.line, "nik"), "warning"))
        if is_legacy(kpj_of(row.card)):
            decided.problems.append((Problem("kpj-legacy", row.line, "kpj"), "warning"))

    def _keep(self, holders: dict[str, _Holder], accounts: dict[int, _Account]) -> None:
        for nik in self.kept_niks.keys() & holders.keys():
            holder = holders[nik]
            # A placeholder counts within its batch only.
            name = holder.person if holder.number < 0 else f"kept:{nik}"
            self.kept_niks[nik] = _Holder(name, holder.identity)
        names = {holder.person: f"kept:{nik}" for nik, holder in holders.items() if holder.number >= 0}
        for number in self.kept_cards.keys() & accounts.keys():
            account = accounts[number]
            if account.card is not None and account.card.person in names:
                card = _with_person(account.card, names[account.card.person])
                account = _Account(card, account.version)
            self.kept_cards[number] = account

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
            for one in sorted(new)
        ]  # fmt: skip
        ids = {f"new:{number}": one.person for number, one in enumerate(new)}
        # A card that a batch has twice keeps the order of its changes: the sort is stable.
        for stream, version, facts in sorted(changes, key=lambda change: change[0]):
            for place, fact in enumerate(facts, version + 1):
                events.append(
                    Event(
                        stream=stream, version=place, fact=_with_id(fact, ids), by=by, channel=channel,
                        reason=reason, request=request,
                    )
                )  # fmt: skip
        decided.events = events

    def _writes(
        self, decided: Decided[Registration], new: list[NewPerson], known: dict[str, str], niks: set[str]
    ) -> None:
        vault = self.vault
        there = {nik: person for nik, person in known.items() if nik in niks}

        def write(tx: Transaction) -> None:
            # A holder may have been erased, or got another NIK, since he was looked up.
            if vault.people_by_nik(tx, list(there)) != there:
                raise VersionTaken
            vault.insert(tx, new)

        decided.writes = [write]


def _with_id(fact: Fact, ids: dict[str, str]) -> Fact:
    if not isinstance(fact, AccountOpened) or fact.person not in ids:
        return fact
    return AccountOpened(fact.kpj, ids[fact.person], fact.segment, fact.opened_on, fact.legacy)


def _with_person(card: Card, person: str) -> Card:
    return Card(card.card, person, card.segment, card.memberships, card.plain, card.epoch, card.opening)


@cache
def _day(number: int) -> date:
    return date.fromordinal(register.EPOCH_DAY.toordinal() + number)


@cache
def _day_text(number: int) -> str:
    return day_text(number)


@cache
def _month(number: int) -> int:
    return month_of(_day(number))


def _batches(table: Table) -> Iterator[list[Registration]]:
    good = (~table.bad).nonzero()[0]
    columns = table.columns
    for at in range(0, len(good), ROWS):
        some = good[at : at + ROWS]
        rows = some.tolist()
        numbers = {
            name: columns[name][some].tolist()
            for name in ("kpj", "birth_date", "sex", "segment", "npp", "registered_on", "left_on")
        }
        texts = {name: [columns[name][i] for i in rows] for name in ("nik", "name", "email", "phone")}
        yield [
            Registration(
                line, card, nik, name, birth, SEXES[sex], SEGMENTS[segment], npp, email, phone, joined, _month(joined),
                left if left >= 0 else None, _month(left) if left >= 0 else 0,
            )
            for line, card, nik, name, birth, sex, segment, npp, email, phone, joined, left in zip(
                table.lines[some].tolist(), numbers["kpj"], texts["nik"], texts["name"], numbers["birth_date"],
                numbers["sex"], numbers["segment"], numbers["npp"], texts["email"], texts["phone"],
                numbers["registered_on"], numbers["left_on"], strict=True,
            )
        ]  # fmt: skip
