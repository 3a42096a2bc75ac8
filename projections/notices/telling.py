"""What waits to be told becomes letters in the outbox: one a person, way and day, named by these three.

The letter and the end of what it tells stand in one transaction, so nothing is lost and nothing is queued twice; a letter
that is sent again after a crash has the same name. What comes later on the same day is told with the next day's letter.
Whether it is still so is asked twice: as the letter is written, and by its sender (`as_it_is`), who may come days later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import groupby

from msgspec.structs import replace

from ledger.clock import jakarta_date
from ledger.days import day_number
from ledger.due_days import due_day
from ledger.errors import BrokenLog, NotFound, Unavailable
from ledger.identifiers import kpj_of, month_text
from ledger.members import rows as member_rows
from ledger.members.access import Members
from ledger.members.state import MISSING, POSTED, told_at
from ledger.store import notices
from ledger.store.notices import Waiting
from ledger.store.outbox import Due, Letter
from ledger.store.transaction import Transaction
from projections.card_months import employer_names
from projections.notices.truth import Claim, Found, Looked, Truth, claim_of
from projections.queries import Queries

AT_ONCE = 100
"""People a transaction: on SQLite nobody else appends meanwhile."""
MOST_LINES = 60
"""Lines that a letter lists; what else waits comes with the next day's."""
_KINDS = {POSTED: "contribution-posted", MISSING: "month-missing"}
"""Chosen kind -> the letter's."""


class Teller:
    """Writes the letters of a ledger's notices."""

    def __init__(self, members: Members, reader: Queries) -> None:
        self._members, self._reader = members, reader
        self._log, self._vault = members.log, members.vault
        self.truth = Truth(self._log, self._vault, reader)
        self._done_on = -1

    def wake(self) -> None:
        """Something more waits."""
        self._done_on = -1

    def tell_some(self, now: datetime, looked: Looked | None = None) -> int:
        """Letters for some of those who were told nothing today; how many people were looked at, 0 when nobody is left.
        `looked`: what a look found just now, which need not be asked again while the log has not grown.

        Raises Unavailable while the read side cannot name employers.
        """
        day = day_number(jakarta_date(now))
        if self._done_on == day:
            return 0
        with self._log.database.read() as tx:
            people = notices.waiting_people(tx, day, AT_ONCE)
            waits = notices.waiting_of(tx, people) if people else []
        if not people:
            self._done_on = day
            return 0
        found = self.truth.ask(map(claim_of, waits), now, looked)
        payers = {row.npp for row in waits if row.npp}
        names = employer_names(self._reader, self._vault, payers) if payers else {}
        with self._log.database.write() as tx:
            languages = notices.languages_of(tx, people)
            for (person, way), group in groupby(notices.waiting_of(tx, people), key=lambda row: (row.person, row.way)):
                self._tell(tx, list(group), found, languages.get((person, way), ""), names, now)
        return len(people)

    def _tell(
        self, tx: Transaction, waits: Sequence[Waiting], found: Found, language: str, names: Mapping[int, str],
        now: datetime,
    ) -> None:  # fmt: skip
        """What is still so becomes a letter; what is not so any more waits no longer."""
        so = [row for row in waits if claim_of(row) in found.so]
        over = [row for row in waits if claim_of(row) not in found.so | found.unknown]
        notices.drop_waiting(tx, over)
        # Who can be told nothing now is asked again tomorrow, not at once for ever.
        if (
            len(over) < len(waits)
            and notices.take(tx, waits[0].person, waits[0].way, day_number(jakarta_date(now)))
            and so
        ):
            self._write(tx, so, language, names, now)

    def _write(
        self, tx: Transaction, so: Sequence[Waiting], language: str, names: Mapping[int, str], now: datetime
    ) -> None:
        """One letter: what was posted first, what is missing on the day after."""
        kind = POSTED if any(row.kind == POSTED for row in so) else so[0].kind
        told = [row for row in so if row.kind == kind][:MOST_LINES]
        person, way = told[0].person, told[0].way
        to = self._address(tx, person, way) if language else ""
        if to:
            letter = Letter(
                _KINDS[kind], to, language, rows=tuple(_row(row, names) for row in told),
                about=tuple(claim_of(row)[1:] for row in told),
            )  # fmt: skip
            name = sha256(f"notice|{person}|{way}|{day_number(jakarta_date(now))}".encode()).hexdigest()[:32]
            self._members.outbox.put(tx, letter, now, way, person, notice=name)
        # Who has no address any more is told nothing, now or later.
        notices.drop_waiting(tx, told)

    def as_it_is(self, due: Due, now: datetime) -> Letter | None:
        """A letter as it is to be sent now: a notice without what is not so any more, to where its person is told today;
        None when nothing is left of it, or the person does not want it any more. Any other letter as it stands.

        Raises Unavailable (try again): the read side is behind, or a record that it speaks of cannot be read.
        """
        if not due.letter.about:
            return due.letter
        claims = [Claim(due.person, *numbers) for numbers in due.letter.about]
        kind = next(chosen for chosen, letter in _KINDS.items() if letter == due.letter.kind)
        with self._log.database.read() as tx:
            wanted = due.way in notices.ways_of(tx, due.person, kind)
            to = self._address(tx, due.person, due.way) if wanted else ""
        if not to:
            return None
        found = self.truth.ask(claims, now)
        if found.unknown:
            raise Unavailable("account-incomplete", position=self._log.head())
        left = [place for place, claim in enumerate(claims) if claim in found.so]
        rows = tuple(due.letter.rows[place] for place in left)
        return replace(due.letter, to=to, rows=rows) if rows else None

    def _address(self, tx: Transaction, person: str, way: str) -> str:
        """Where a person's notices go: the address of the open access, else the one on file; the phone that is bound."""
        try:
            state, key = self._members.state_of(tx, person)
            if way == "sms":
                phone = key.open("phone", state.phone)
                is_bound = phone and member_rows.owner_of(tx, self._vault.phone_hash(tx, phone)) == person
                return phone if is_bound else ""
            data = self._vault.data_of(tx, [person]).of(person)
        except (NotFound, BrokenLog):
            return ""
        return told_at(state.state, key.address(state).email, data[1].email if data else "")


def _row(row: Waiting, names: Mapping[int, str]) -> tuple[str, ...]:
    """A line of a letter: month; by mail also payer, card's end, wage, or the day it was due. An SMS carries month and
    amount alone."""
    month, amount = month_text(row.month), str(row.employer + row.worker)
    if row.way == "sms":
        return (month, amount)
    payer = names.get(row.npp, f"NPP {row.npp:08d}") if row.npp else ""
    if row.kind == POSTED:
        return (month, amount, payer, kpj_of(row.card)[-4:], str(row.wage))
    due = due_day("PU" if row.npp else "BPU", row.month)
    return (month, amount, payer, kpj_of(row.card)[-4:], due.isoformat() if due else "")
