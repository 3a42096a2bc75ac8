"""Opening balances' uploads, on both stores."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.events import (
    ContributionsPosted,
    Event,
    Fact,
    Line,
    ReleasedLine,
    ReversedLine,
    RuleIds,
)
from ledger.ingestion import openings, registrations
from ledger.ingestion.readers.table import Table
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests import facts
from tests.conftest import NOW, TODAY
from tests.ledger.ingestion.registered import (
    HEADER,
    opening,
    openings_table,
    registration,
    registrations_table,
    with_employer,
)


def test_an_opening_balance_is_recorded_once_and_others_are_refused_alone(log: Log) -> None:
    with_employer(log)
    registrations.ingest(log, Vault.open(log), registrations_table(registration()), HEADER, TODAY, NOW)
    rows = [
        opening(),
        opening(),
        opening(worker=1),
        opening(kpj="26000000099"),
        opening(as_of="2024-06-30"),
        opening(as_of="2026-12-31"),
    ]
    dry = openings.ingest(log, openings_table(*rows), HEADER, TODAY, NOW, dry_run=True)
    receipt = openings.ingest(log, openings_table(*rows), HEADER, TODAY, NOW)
    assert dry.totals == receipt.totals
    assert [told.problem.code for told in receipt.problems] == [
        "opening-conflict",
        "account-unknown",
        "opening-not-year-end",
        "date-in-future",
    ]
    assert (receipt.totals["posted"], receipt.totals["already"], receipt.totals["refused"]) == (1, 1, 4)
    assert log.events("account:26000000001")[-1].fact == facts.opening(
        "2024-12-31", 3_700_000, 2_000_000, 120_000, 20, "2023-05-01", "old-system"
    )
    again = openings.ingest(log, openings_table(opening(source="elsewhere")), HEADER, TODAY, NOW)
    assert (again.totals["already"], again.last_position) == (1, 0)


KPJ, OTHER = "26000000001", "26000000002"
RULES = RuleIds("pu")


def paid(stream: str, *some: Fact) -> list[Event]:
    return [Event(stream=stream, version=i, fact=fact, by="t", channel="t") for i, fact in enumerate(some, 1)]


def posted(day: str, *kpjs: str) -> ContributionsPosted:
    return facts.posted([Line(kpj, 5_000_000, 0, 185_000, 100_000) for kpj in kpjs], day[:7], day)


@pytest.fixture
def two_cards(log: Log) -> Log:
    with_employer(log)
    own = registration(kpj=OTHER, segment="BPU", npp=0)
    registrations.ingest(log, Vault.open(log), registrations_table(registration(), own), HEADER, TODAY, NOW)
    return log


def codes(log: Log, table: Table) -> list[str]:
    return [told.problem.code for told in openings.ingest(log, table, HEADER, TODAY, NOW).problems]


@pytest.mark.parametrize("stream", ["remittance-e:10000001:2024-12", f"remittance-p:{OTHER}:2024-12"])
def test_money_paid_before_an_opening_balance_is_not_counted_twice(two_cards: Log, stream: str) -> None:
    kpj = OTHER if "-p:" in stream else KPJ
    two_cards.append(paid(stream, posted("2025-01-01", kpj), posted("2024-12-31", kpj)), NOW)
    assert codes(two_cards, openings_table(opening(kpj=kpj))) == ["opening-after-payments"]
    assert codes(two_cards, openings_table(opening(kpj=kpj, as_of="2023-12-31"))) == []


def test_released_money_counts_and_reversed_money_does_not(two_cards: Log) -> None:
    stream = "remittance-e:10000001:2024-11"
    released = facts.released([ReleasedLine(KPJ, event=1)], "2024-11", "2024-12-14")
    taken = [ReversedLine(KPJ, event=1, months=-1)]
    gone = facts.taken_back(taken, "2024-11", "2024-12-14")
    history = paid(stream, released, gone)
    two_cards.append(history[:1], NOW)
    assert codes(two_cards, openings_table(opening())) == ["opening-after-payments"]
    two_cards.append(history[1:], NOW)
    assert codes(two_cards, openings_table(opening())) == []


def test_money_paid_while_balances_are_being_recorded_is_seen(two_cards: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    append = Log.append

    def late(log: Log, events: Sequence[Event], *args: object, **named: object) -> object:
        monkeypatch.setattr(Log, "append", append)
        append(log, paid("remittance-e:10000001:2024-12", posted("2024-12-31", KPJ)), NOW)
        return append(log, events, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Log, "append", late)
    assert codes(two_cards, openings_table(opening(), opening(kpj=OTHER))) == ["opening-after-payments"]
