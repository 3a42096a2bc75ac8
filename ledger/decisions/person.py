"""A person: registered once per NIK, corrected, erased, joined into the record that stays. Pure.

Identity (NIK, name, birth date, sex) and contact (e-mail, phone) are each one sealed JSON text; see `store/vault.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cache

import msgspec
from msgspec import Struct

from ledger.days import years_after
from ledger.errors import NotFound, Refused
from ledger.events import Event, PersonCorrected, PersonErased, PersonRegistered, PersonsJoined, PersonsParted
from ledger.identifiers import nik_birth
from ledger.rules import rules

OLDEST_YEARS = 120
_ORDER = re.compile(r"[A-Za-z0-9./-]{1,40}")


class Identity(Struct, frozen=True):
    """Who a person is; `birth_date` as yyyy-mm-dd, `sex` L or P."""

    nik: str
    name: str
    birth_date: str
    sex: str


class Contact(Struct, frozen=True):
    """How a person can be reached; both may be empty."""

    email: str = ""
    phone: str = ""


_encoder = msgspec.json.Encoder()
identity_bytes = _encoder.encode
contact_bytes = _encoder.encode


class Person(Struct):
    """The state of a person stream: the sealed texts that hold now, and the versions they were sealed with."""

    person: str
    version: int = 0
    identity: str = ""
    identity_version: int = 0
    contact: str = ""
    contact_version: int = 0
    erased: bool = False
    joined: str = ""
    """The person whose record stays, "" while this one stands; `brought`: the cards that came along."""
    brought: tuple[str, ...] = ()

    @classmethod
    def of(cls, person: str, events: Iterable[Event]) -> Person:
        """The state after the stream's events."""
        state = cls(person)
        for event in events:
            state.evolve(event)
        return state

    def evolve(self, event: Event) -> None:
        """Take one more event of the stream."""
        self.version = event.version
        fact = event.fact
        if isinstance(fact, PersonRegistered | PersonCorrected):
            if fact.identity:
                self.identity, self.identity_version = fact.identity, event.version
            if fact.contact:
                self.contact, self.contact_version = fact.contact, event.version
        elif isinstance(fact, PersonErased):
            self.erased = True
        elif isinstance(fact, PersonsJoined):
            self.joined, self.brought = fact.into, fact.cards
        elif isinstance(fact, PersonsParted):
            self.joined, self.brought = "", ()


@cache
def provinces() -> frozenset[str]:
    """The province codes a NIK may begin with."""
    return frozenset(row[0] for row in rules().table["nik"]["provinces"])


def nik_warnings(nik: str, birth_date: date, sex: str, today: date) -> list[str]:
    """Codes of what is odd in a NIK; its birth date and sex can be legally corrected, so nothing here refuses."""
    day = birth_date.day + (40 if sex == "P" else 0)
    if nik[6:12] == f"{day:02d}{birth_date.month:02d}{birth_date.year % 100:02d}":
        return [] if nik[:2] in provinces() else ["nik-structure"]
    stated = nik_birth(nik, today)
    if stated is None:
        return ["nik-structure"]
    born, stated_sex = stated
    found = [] if nik[:2] in provinces() else ["nik-structure"]
    # The NIK has two digits of the year, so the century cannot differ.
    if (born.day, born.month, born.year % 100) != (birth_date.day, birth_date.month, birth_date.year % 100):
        found.append("nik-birth-date-differs")
    if stated_sex != sex:
        found.append("nik-sex-differs")
    return found


def check_birth(birth_date: date, today: date) -> None:
    """Raises Refused(birth-date-impossible)."""
    if birth_date > today or birth_date < years_after(today, -OLDEST_YEARS):
        raise Refused("birth-date-impossible", column="birth_date")


def decide_erase(state: Person, *, has_money: bool, last_activity: date, order: str, today: date) -> PersonErased:
    """The fact of an erasure. `order`: the number of a legal order, which outweighs money and retention.

    Raises NotFound: person-unknown, person-erased, person-joined; Refused: erase-has-money, erase-retention,
    parameter-unreadable.
    """
    must_be_there(state)
    if order and not _ORDER.fullmatch(order):
        raise Refused("parameter-unreadable", name="order", expected="A-Z a-z 0-9 . / -, 1-40")
    if not order:
        if has_money:
            raise Refused("erase-has-money")
        until = years_after(last_activity, rules().retention_years)
        if today < until:
            raise Refused("erase-retention", until=until.isoformat())
    return PersonErased(order)


def must_be_there(state: Person) -> None:
    """Raises NotFound: person-unknown, person-erased, person-joined."""
    if not state.version:
        raise NotFound("person-unknown")
    if state.erased:
        raise NotFound("person-erased")
    if state.joined:
        raise NotFound("person-joined", into=state.joined)
