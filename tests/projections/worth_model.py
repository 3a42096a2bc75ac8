"""What cards are worth by a plain model: every fact with the place at which it was recorded, and nothing folded. Yield comes
from the oracle, month by month in exact fractions; the model shares no code with the product."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from tests.ledger.yield_oracle import Declared, Payment, yields


class Paid(NamedTuple):
    """Money of a card's epoch in each sub-account, negative where it was taken back; an opening balance is no payer's."""

    place: int
    card: int
    on: date
    epoch: int
    utama: int
    tambahan: int
    npp: str = ""
    opening: bool = False

    @property
    def amount(self) -> int:
        return self.utama + self.tambahan


class Base(NamedTuple):
    """What an opening balance of a day says that a year earns from; negative where it was taken back."""

    place: int
    card: int
    on: date
    year: int
    utama: int
    tambahan: int


class Rate(NamedTuple):
    """The rates of a year, or (`year` 0) the provisional rate from a day on."""

    place: int
    year: int
    utama: int
    tambahan: int
    since: date = date.min


class Pointer(NamedTuple):
    """Card `old` points to card `new` from a place on; to 0 where the pointer was taken away."""

    place: int
    old: int
    new: int


class Holder(NamedTuple):
    """Who holds a card from a place on."""

    place: int
    card: int
    person: str


class Worth(NamedTuple):
    """At the end of a day, as it was known: money with what openings brought, the yield of declared years, the estimate."""

    money: int
    credited: int
    estimated: int | None

    @property
    def total(self) -> int:
        return self.money + self.credited


class Model:
    """Facts in the order of the log, from the scheme's first year on."""

    def __init__(self, first_year: int) -> None:
        self.first_year = first_year
        self.paid: list[Paid] = []
        self.bases: list[Base] = []
        self.rates: list[Rate] = []
        self.pointers: list[Pointer] = []
        self.holders: list[Holder] = []

    def known(self, card: int, day: date, place: int) -> list[Paid]:
        """A card's money that had been paid at the end of a day and recorded at a place."""
        return [one for one in self.paid if one.card == card and one.place <= place and one.on <= day]

    def hides(self, card: int, day: date, place: int) -> bool:
        """Whether an opening balance that stood there is of a later day: nobody knows what was before."""
        standing: dict[date, int] = {}
        for one in self.paid:
            if one.card == card and one.opening and one.place <= place:
                standing[one.on] = standing.get(one.on, 0) + (1 if one.amount >= 0 else -1)
        return any(on > day and count > 0 for on, count in standing.items())

    def declared(self, day: date, place: int) -> list[Rate]:
        """The years that had ended on a day and whose rates were known at a place, without a hole."""
        known = {one.year: one for one in self.rates if one.year and one.place <= place}
        found, year = [], self.first_year
        while year in known and date(year, 12, 31) <= day:
            found.append(known[year])
            year += 1
        return found

    def provisional(self, day: date, place: int) -> int | None:
        """The provisional rate that was known at a place and is in force on a day."""
        known = {one.since: one.utama for one in self.rates if not one.year and one.place <= place}
        since = max((one for one in known if one <= day), default=None)
        return None if since is None else known[since]

    def worth(self, card: int, day: date, place: int) -> Worth:
        """What a card had at the end of a day, as it was known at a place."""
        known = self.known(card, day, place)
        money = sum(one.amount for one in known)
        if day.year < self.first_year:
            return Worth(money, 0, None)
        rates, provisional = self.declared(day, place), self.provisional(day, place)
        credited = estimated = 0
        bases = [one for one in self.bases if one.card == card and one.place <= place and one.on <= day]
        for epoch in {0} | {one.epoch for one in known}:
            for sub in ("utama", "tambahan"):
                payments = [
                    Payment(one.on.year, one.on.month, getattr(one, sub)) for one in known if one.epoch == epoch
                ]
                based: dict[int, int] = {}
                for one in bases if epoch == 0 else ():
                    based[one.year] = based.get(one.year, 0) + getattr(one, sub)
                declared = Declared(self.first_year, [getattr(one, sub) for one in rates], provisional)
                more, left = yields(payments, based, declared, day.year, day.month)
                credited, estimated = credited + more, estimated + (left or 0)
        return Worth(money, credited, None if provisional is None else estimated)

    def standing(self, place: int) -> dict[int, int]:
        """Card -> the card it pointed to at a place."""
        found: dict[int, int] = {}
        for one in self.pointers:
            if one.place <= place:
                found[one.old] = one.new
        return {old: new for old, new in found.items() if new}

    def group(self, card: int, place: int) -> set[int]:
        """The cards that led to the same card at a place."""
        pointers = self.standing(place)

        def end(one: int) -> int:
            while one in pointers:
                one = pointers[one]
            return one

        return {one for one in {card, *pointers, *pointers.values()} if end(one) == end(card)}

    def held_by(self, person: str, place: int) -> set[int]:
        """The cards that a person held at a place."""
        now = {one.card: one.person for one in self.holders if one.place <= place}
        return {card for card, holder in now.items() if holder == person}
