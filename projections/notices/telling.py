"""What waits to be told becomes letters in the outbox: one a person, way and day, named by these three.

The letter and the end of what it tells stand in one transaction, so nothing is lost and nothing is queued twice; a letter
that is sent again after a crash has the same name. What comes later on the same day is told with the next day's letter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import groupby

from ledger.clock import jakarta_date
from ledger.days import day_number
from ledger.due_days import due_day
from ledger.errors import BrokenLog, NotFound
from ledger.identifiers import kpj_of, month_text
from ledger.members import rows as member_rows
from ledger.members.access import Members
from ledger.members.state import POSTED, told_at
from ledger.store import notices
from ledger.store.notices import Waiting
from ledger.store.outbox import Letter
from ledger.store.transaction import Transaction
from projections.card_months import employer_names
from projections.queries import Queries

AT_ONCE = 100
"""People a transaction: on SQLite nobody else appends meanwhile."""
MOST_LINES = 60
"""Lines that a letter lists; what else waits comes with the next day's."""


class Teller:
    """Writes the letters of a ledger's notices."""

    def __init__(self, members: Members, reader: Queries) -> None:
        self._members, self._reader = members, reader
        self._log, self._vault = members.log, members.vault
        self._done_on = -1

    def wake(self) -> None:
        """Something more waits."""
        self._done_on = -1

    def tell_some(self, now: datetime) -> int:
        """Letters for some of those who were told nothing today; how many people were looked at, 0 when nobody is left.

        Raises Unavailable while the read side cannot name employers.
        """
        day = day_number(jakarta_date(now))
        if self._done_on == day:
            return 0
        with self._log.database.read() as tx:
            people = notices.waiting_people(tx, day, AT_ONCE)
            payers = {row.npp for row in notices.waiting_of(tx, people) if row.npp} if people else set[int]()
        if not people:
            self._done_on = day
            return 0
        names = employer_names(self._reader, self._vault, payers) if payers else {}
        with self._log.database.write() as tx:
            languages = notices.languages_of(tx, people)
            for (person, way), group in groupby(notices.waiting_of(tx, people), key=lambda row: (row.person, row.way)):
                if notices.take(tx, person, way, day):
                    self._write(tx, list(group), languages.get((person, way), ""), names, now)
        return len(people)

    def _write(
        self, tx: Transaction, waits: Sequence[Waiting], language: str, names: Mapping[int, str], now: datetime
    ) -> None:
        """One letter: what was posted first, what is missing on the day after."""
        kind = POSTED if any(row.kind == POSTED for row in waits) else waits[0].kind
        told = [row for row in waits if row.kind == kind][:MOST_LINES]
        person, way = told[0].person, told[0].way
        to = self._address(tx, person, way) if language else ""
        if to:
            letter = Letter(
                "contribution-posted" if kind == POSTED else "month-missing", to, language,
                rows=tuple(_row(row, names) for row in told),
            )  # fmt: skip
            name = sha256(f"notice|{person}|{way}|{day_number(jakarta_date(now))}".encode()).hexdigest()[:32]
            self._members.outbox.put(tx, letter, now, way, person, notice=name)
        # Who has no address any more is told nothing, now or later.
        notices.drop_waiting(tx, told)

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
