"""A scheme with a declared year and a provisional rate, over any of the test ledgers."""

from __future__ import annotations

from datetime import date

from ledger.acts import scheme
from ledger.events import Rates
from ledger.receipt import Header
from tests.api.conftest import Api
from tests.conftest import NOW

WHO = Header("cli:1000", "cli")


def declare(api: Api, year: int = 2025, rates: Rates = Rates(57_000, 60_000)) -> None:  # noqa: B008 - frozen
    """`year` is the first one, declared; from the next on 5 % is estimated."""
    scheme.start(api.log, year, WHO, lambda: NOW)
    scheme.declare(api.log, year, rates, "Perdir 1/2026", WHO, lambda: NOW)
    scheme.set_provisional(api.log, date(year + 1, 1, 1), 50_000, "Perdir 2/2026", WHO, lambda: NOW)
    api.follow()
