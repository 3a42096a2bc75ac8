"""Two registered people with cards, and the members of their ledger, on each store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ledger.members import Acting, Claim, Members
from ledger.store.log import Log
from ledger.store.outbox import Letter
from tests.conftest import NOW
from tests.office import Office, nik, person

CARD, SECOND, OTHERS = "26000000017", "26000000025", "26000000033"
ON_FILE, PHONE = "budi1@contoh.id", "+628123456" + "0001"
HASH = "$argon2id$1"


class Counter:
    """Members with the letters they sent in hand; `ON_FILE` and `PHONE` are on file for the holder of CARD, SECOND."""

    def __init__(self, log: Log) -> None:
        self.office = Office(log)
        self.office.employers("10000001")
        self.office.register(person(CARD), person(SECOND), person(OTHERS, 2))
        self.members = Members.open(log, self.office.vault)
        self.log = log
        self.later = timedelta()
        found = self.members.find_person(kpj=CARD)
        other = self.members.find_person(kpj=OTHERS)
        assert found is not None
        assert other is not None
        self.person, self.other = found, other

    def acting(self, by: str = "member") -> Acting:
        return Acting(by, "website", NOW + self.later)

    def claim(self, email: str = ON_FILE, **changes: Any) -> Claim:
        return msgspec.structs.replace(Claim(nik(1), "1990-05-17", CARD, "PU", email), **changes)

    def letters(self) -> list[tuple[str, Letter]]:
        """(way, letter) of everything that was sent since the last call, as a sender would take it."""
        found = []
        for due in self.members.outbox.due(NOW + self.later, 100):
            found.append((due.way, due.letter))
            self.members.outbox.done(due.id)
        return found

    def letter(self) -> Letter:
        """The one letter that was sent."""
        ((_, letter),) = self.letters()
        return letter

    def active(self, email: str = ON_FILE) -> str:
        """The person, registered and verified."""
        self.members.register(self.claim(email), HASH, self.acting())
        self.members.use_link(self.letter().details["token"], self.acting())
        self.letters()
        return self.person

    def state(self) -> str:
        return self.members.about(self.person).state

    def number(self, letters: list[tuple[str, Letter]], phone: str = PHONE) -> str:
        """The one-time number that a phone was told."""
        (told,) = [letter.details["number"] for way, letter in letters if way == "sms" and letter.to == phone]
        return told

    def waiting(self) -> int:
        """The one registration that waits."""
        ((registered, _),) = self.members.about(self.person).waiting
        return registered


@pytest.fixture
def counter(log: Log) -> Iterator[Counter]:
    made = Counter(log)
    yield made
    made.office.close()
