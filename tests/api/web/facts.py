"""Entries, memberships and waiting lines as the read side gives them, for pure tests."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from ledger.days import day_number
from ledger.identifiers import month_number
from ledger.store.suspense import Case
from projections.month_grid import Facts
from projections.results import Entry, MembershipRow
from tests.conftest import TODAY
from tests.office import NPP

CARD = 26000000017
COMPLETE = TODAY - timedelta(days=1)


def entry(month: str, **changes: Any) -> Entry:
    """Rp285.000 of employer NPP for a month, posted."""
    number = month_number(month) or 0
    made = {
        "key": (number, 1, 0), "type": "posted", "kind": "regular", "month": month, "paid_on": f"{month}-28",
        "npp": NPP, "wage": 5_000_000, "back_pay": 0, "employer": 185_000, "worker": 100_000, "credited": 0,
        "tambahan": 0, "epoch": 0, "months": 1, "reference": "", "recorded_at": "2026-11-20T03:00:00.000000Z",
    }  # fmt: skip
    return Entry(**made | changes)


def reversal(month: str, **changes: Any) -> Entry:
    """The taking back of `entry`."""
    return entry(month, type="reversed", employer=-185_000, worker=-100_000, months=-1, **changes)


def case(month: str, reason: str = "amounts-disagree", npp: str = NPP, paid_on: str = "2026-10-10") -> Case:
    """Rp285.000 that wait."""
    return Case(
        "remittance-e", 1, 0, CARD, int(npp or 0), month_number(month) or 0, 0, day_number(paid_on), 185_000, 100_000,
        reason, 1, "2026-11-20T03:00:00.000000Z",
    )  # fmt: skip


def facts(
    *lines: Entry, since: str = "2026-06", until: str = "", segment: str = "PU", npp: str = NPP,
    cases: tuple[Case, ...] = (), more: tuple[MembershipRow, ...] = (), bases: dict[Case, int] | None = None,
    complete: date | None = COMPLETE, start: int = 0,
) -> Facts:  # fmt: skip
    """A card with one membership; all payments up to yesterday were handed over."""
    memberships = (MembershipRow(npp, segment, since, until), *more)
    names = {NPP: "PT Satu", "10000002": "PT Dua"}
    return Facts(CARD, lines, memberships, names, cases, bases or {}, complete=complete, start=start)
