"""A ledger with one member who may be told, and its notice follower, on each store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from ledger.acts.reversal import Target
from ledger.members import Phone
from ledger.members.state import NOTICES, Notices
from ledger.receipt import Header
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.outbox import Due
from projections.generations import Store
from projections.notices import NoticeFollower
from projections.projector import Projector
from tests.conftest import NOW
from tests.ledger.members.conftest import CARD, PHONE, Counter
from tests.office import line, nik


class Town(Counter):
    """`Counter` with a clock that everybody shares; it begins at NOW, ten in the morning in Jakarta."""

    def __init__(self, log: Log) -> None:
        super().__init__(log)
        self.active()
        self.members.ask_phone(Phone(PHONE, nik(1), CARD), self.acting("sms"))
        self.letters()
        self.store = Store.open(log.settings)
        self.follower = NoticeFollower(log, self.store, self.office.vault, lambda: self.office.now)
        self.follow()

    @property
    def now(self) -> datetime:
        return self.office.now

    def move(self, **by: float) -> None:
        """The clock goes on."""
        self.office.now += timedelta(**by)
        self.later = self.office.now - NOW

    def choose(self, mail: tuple[str, ...] = NOTICES, sms: tuple[str, ...] = (), language: str = "id") -> None:
        self.members.choose_notices(self.person, Notices(mail, sms), self.acting()._replace(language=language))
        self.letters()

    def pay(self, *rows: dict[str, object], **how: Any) -> None:
        """A contributions file; every call is an upload of its own."""
        receipt = self.office.contribute(*rows, request=f"r{self.log.head()}", **how)
        assert receipt.totals["refused"] == 0, receipt.problems

    def take_back(self, kpj: str) -> None:
        """The card's line of October is reversed."""
        target = Target(stream="remittance-e:10000001:2026-10", kpj=kpj)
        self.office.door.reverse(target, Header("o", "office", "back", "wrong-amount"))

    def follow(self) -> None:
        """Read side and notices at the head."""
        self.read()
        self.follower.run_once()

    def due(self) -> list[Due]:
        """The notices that would be sent now, as they would be sent; they are sent."""
        found = []
        for one in self.members.outbox.due(self.office.now, 100):
            letter = self.follower.teller.as_it_is(one, self.office.now)
            if letter is not None:
                found.append(one._replace(letter=letter))
            self.members.outbox.done(one.id)
        return found

    def read(self) -> None:
        """Only the read side at the head: nobody looks for what is to be told."""
        Projector(self.log, self.store, now=lambda: self.office.now).run_once()

    def told(self) -> list[Due]:
        """Follow, then what is sent."""
        self.follow()
        return self.due()

    def close(self) -> None:
        self.follower.close()
        self.store.close()
        self.office.close()


def paid(kpj: str = CARD, month: str = "2026-10", paid_on: str = "2026-11-14", **changes: object) -> dict[str, object]:
    return line(kpj, month=month, paid_on=paid_on, **changes)


@pytest.fixture
def quiet() -> str:
    """JHT_QUIET_HOURS."""
    return "20-7"


@pytest.fixture
def town(settings: Settings, quiet: str) -> Iterator[Town]:
    log = Log.open(settings.model_copy(update={"quiet_hours": quiet}))
    log.clock = "caller"
    made = Town(log)
    yield made
    made.close()
    log.close()


__all__ = ["CARD", "Town", "paid"]
