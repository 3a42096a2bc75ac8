"""A small agency for tests: a door over a fresh ledger, and files written as a clerk would."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from ledger.acts import scheme
from ledger.clock import jakarta_date
from ledger.errors import Problem
from ledger.events import Event
from ledger.ingestion.door import Door
from ledger.ingestion.readers.reading import Source
from ledger.receipt import Header, Receipt
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.conftest import NOW

NPP = "10000001"
OTHER_NPP = "10000002"
CONTRIBUTION = ("npp", "month", "kpj", "wage", "back_pay", "employer", "worker", "paid_on", "reference")
OPENING = ("kpj", "as_of", "employer", "worker", "credited_yield", "months")
REGISTRATION = (
    "kpj", "nik", "name", "birth_date", "sex", "segment", "npp", "email", "phone", "registered_on",
)  # fmt: skip


def csv_of(names: Iterable[str], rows: Iterable[dict[str, object]]) -> bytes:
    """Rows as a CSV file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(names), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def line(kpj: str, wage: int | str = 5_000_000, **changes: object) -> dict[str, object]:
    """A contribution of employer NPP for October 2026, paid on 14 November."""
    return {
        "npp": NPP, "month": "2026-10", "kpj": kpj, "wage": wage, "paid_on": "2026-11-14", "reference": "TRX-1",
    } | changes  # fmt: skip


def opening(kpj: str, **changes: object) -> dict[str, object]:
    """An opening balance of 1,000,000 + 500,000 with a yield of 90,000 as of the end of 2025."""
    return {
        "kpj": kpj, "as_of": "2025-12-31", "employer": 1_000_000, "worker": 500_000, "credited_yield": 90_000, "months": 12,
    } | changes  # fmt: skip


def nik(number: int, born: str = "1990-05-17", sex: str = "L") -> str:
    """A structurally right NIK."""
    day = int(born[8:10]) + (40 if sex == "P" else 0)
    return f"317101{day:02d}{born[5:7]}{born[2:4]}{number:04d}"


def person(kpj: str, number: int = 1, **changes: object) -> dict[str, object]:
    """A registration with employer NPP since January 2025."""
    return {
        "kpj": kpj, "nik": nik(number), "name": f"Budi Santoso {number}", "birth_date": "1990-05-17", "sex": "L",
        "segment": "PU", "npp": NPP, "email": f"budi{number}@contoh.id", "phone": f"08123456{number:04d}",
        "registered_on": "2025-01-06",
    } | changes  # fmt: skip


def names_of(vault: Vault, persons: Iterable[str]) -> dict[str, str]:
    """Person id -> name, of those that are not erased."""
    with vault.log.database.read() as tx:
        return {person: identity.name for person, (identity, _) in vault.data_of(tx, persons).data.items()}


class Office:
    """A door with two employers; `now` can be moved."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.now: datetime = NOW
        self.vault = Vault.open(log)
        self.door = Door(log, self.vault, lambda: self.now)

    def employers(self, *npps: str) -> Receipt:
        rows = [{"npp": npp, "name": f"PT {npp}", "registered_on": "2024-01-02"} for npp in npps]
        return self.ingest("employers", csv_of(("npp", "name", "registered_on"), rows))

    def register(self, *rows: dict[str, object], old_cards: bool = False, request: str = "r1") -> Receipt:
        names = [*REGISTRATION, *(["left_on"] if any("left_on" in row for row in rows) else [])]
        return self.ingest("registrations", csv_of(names, rows), old_cards=old_cards, request=request)

    def workers(self, *kpjs: str) -> Receipt:
        """Register persons 1, 2, ... with these cards at employer NPP."""
        return self.register(*(person(kpj, number) for number, kpj in enumerate(kpjs, 1)))

    def contribute(self, *rows: dict[str, object], **how: object) -> Receipt:
        extra = [name for name in ("kind", "division", "nik", "name", "segment") if any(name in row for row in rows)]
        return self.ingest("contributions", csv_of([*CONTRIBUTION, *extra], rows), **how)

    def openings(self, *rows: dict[str, object], **how: object) -> Receipt:
        """Record opening balances; a row's columns are those that some row names."""
        names = [*OPENING, *sorted({name for row in rows for name in row} - set(OPENING))]
        return self.ingest("opening-balances", csv_of(names, rows), **how)  # type: ignore[arg-type]

    def ingest(self, layout: str, body: bytes, *, request: str = "r1", reason: str = "", **how: object) -> Receipt:
        header = Header("test", "test", request, reason)
        return self.door.ingest(layout, Source.of(body), header, **how)  # type: ignore[arg-type]

    def complete(self, until: str = "") -> None:
        """Say that all payments up to a day, or up to yesterday, were handed over."""
        day = date.fromisoformat(until) if until else jakarta_date(self.now) - timedelta(days=1)
        scheme.complete(self.log, day, Header("test", "test"), lambda: self.now)

    def remittance(self, month: str = "2026-10", npp: str = NPP) -> list[Event]:
        """The events of an employer's remittance."""
        return self.log.events(f"remittance-e:{npp}:{month}")

    def close(self) -> None:
        self.door.close()


def problems(receipt: Receipt) -> list[tuple[str, str, int, str]]:
    """(verdict, code, line, column) of everything a receipt tells."""
    return [(t.verdict, t.problem.code, t.problem.line, t.problem.column) for t in receipt.problems]


def only(receipt: Receipt) -> Problem:
    """The one problem of a receipt."""
    (told,) = receipt.problems
    return told.problem


@contextmanager
def staffed(log: Log, *kpjs: str) -> Iterator[Office]:
    """An office where NPP is registered and has workers with these cards."""
    made = Office(log)
    made.employers(NPP)
    made.workers(*kpjs)
    yield made
    made.close()
