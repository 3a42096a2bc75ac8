"""Registrations, on both stores."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.ingestion import batches, registrations
from ledger.ingestion.readers.table import Table
from ledger.receipt import Receipt
from ledger.settings import Settings
from ledger.store import account_index
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.conftest import MASTER_KEY, NOW, TODAY
from tests.ledger.ingestion.registered import HEADER, facts, registration, registrations_table, with_employer
from tests.office import names_of


@pytest.fixture
def vault(log: Log) -> Vault:
    with_employer(log)
    return Vault.open(log)


def ingest(log: Log, vault: Vault, *rows: dict[str, Any], bad: tuple[int, ...] = (), dry_run: bool = False) -> Receipt:
    return registrations.ingest(log, vault, registrations_table(*rows, bad=bad), HEADER, TODAY, NOW, dry_run=dry_run)


def counts(receipt: Receipt) -> tuple[int, int, int]:
    return receipt.totals["posted"], receipt.totals["already"], receipt.totals["refused"]


def codes(receipt: Receipt) -> list[tuple[str, str, int]]:
    return [(told.verdict, told.problem.code, told.problem.line) for told in receipt.problems]


def other(number: int, **changes: Any) -> dict[str, Any]:
    own = {"kpj": f"2600000{number:04d}", "nik": f"317401520390{number:04d}", "name": f"Orang {number}"}
    return registration(**own | changes)


def test_a_new_nik_becomes_a_person_with_a_card_and_a_membership(log: Log, vault: Vault) -> None:
    receipt = ingest(log, vault, registration())
    assert (counts(receipt), codes(receipt)) == ((1, 0, 0), [])
    assert [event.name for event in log.read(1, 10)] == [
        "person-registered.v1",
        "account-opened.v1",
        "membership-started.v1",
    ]
    with log.database.read() as tx:
        (person,) = vault.people_by_nik(tx, ["3174015203900001", "3174015203900002"]).values()
        card = account_index.cards(tx, [26000000001])[26000000001]
        identity, contact = vault.data_of(tx, [person]).data[person]
    assert card.person == person
    assert (identity.name, identity.birth_date, contact.phone) == ("Siti Aminah", "1990-03-12", "+6281200000001")


def test_one_nik_is_one_person_with_any_number_of_cards(log: Log, vault: Vault) -> None:
    ingest(log, vault, registration(), registration(kpj="26000000002", segment="BPU", npp=0))
    ingest(log, vault, registration(kpj="A1B2C3"))
    with log.database.read() as tx:
        held = tx.rows("select distinct person from account_index_cards")
    assert len(held) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"npp": 99999999}, "employer-unknown"),
        ({"npp": 0}, "npp-missing"),
        ({"segment": "PMI"}, "npp-not-for-segment"),
        ({"registered_on": "2026-11-22"}, "date-in-future"),
        ({"birth_date": "2026-11-22"}, "birth-date-impossible"),
        ({"left_on": "2025-01-01"}, "left-before-joined"),
    ],
)
def test_a_wrong_row_is_refused_alone(log: Log, vault: Vault, changes: dict[str, Any], code: str) -> None:
    receipt = ingest(log, vault, other(1), other(2, **changes), other(3))
    assert (counts(receipt), codes(receipt)) == ((2, 0, 1), [("refused", code, 3)])


def test_an_unreadable_row_is_refused_alone(log: Log, vault: Vault) -> None:
    receipt = ingest(log, vault, other(1), other(2), bad=(0,))
    assert (counts(receipt), codes(receipt)) == ((1, 0, 1), [("refused", "nik-unreadable", 2)])


def test_the_card_of_another_person_is_refused_and_registers_nobody(log: Log, vault: Vault) -> None:
    receipt = ingest(log, vault, registration(), registration(nik="3174015203900099"))
    assert codes(receipt) == [("refused", "kpj-of-another-person", 3)]
    with log.database.read() as tx:
        assert vault.people_by_nik(tx, ["3174015203900099"]) == {}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kpj": "A1B2C3D4", "old_card": 1}, "kpj-legacy"),
        ({"nik": "9974015203900001"}, "nik-structure"),
        ({"nik": "3523418097870002"}, "nik-structure"),
        ({"birth_date": "1990-03-13"}, "nik-birth-date-differs"),
        ({"sex": "L"}, "nik-sex-differs"),
    ],
)
def test_what_is_odd_is_a_warning_and_is_taken(log: Log, vault: Vault, changes: dict[str, Any], code: str) -> None:
    receipt = ingest(log, vault, registration(**changes))
    assert (counts(receipt), codes(receipt)) == ((1, 0, 0), [("warning", code, 2)])


def test_other_personal_data_for_a_known_nik_is_a_warning_and_the_old_stay(log: Log, vault: Vault) -> None:
    ingest(log, vault, registration())
    receipt = ingest(log, vault, registration(kpj="26000000002", name="Orang Lain"))
    assert codes(receipt) == [("warning", "identity-differs", 2)]
    with log.database.read() as tx:
        (person,) = vault.people_by_nik(tx, ["3174015203900001"]).values()
    assert names_of(vault, [person]) == {person: "Siti Aminah"}


def test_a_dry_run_tells_the_same_and_writes_nothing(log: Log, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "ROWS", 2)
    monkeypatch.setattr(registrations, "ROWS", 2)
    rows = [
        other(1),
        other(2),
        other(1),
        other(2, npp=0),
        other(1, name="Lain"),
        other(2, nik=other(1)["nik"]),
        other(3),
    ]
    head = log.head()
    dry = ingest(log, vault, *rows, dry_run=True)
    assert log.head() == head
    real = ingest(log, vault, *rows)
    assert (counts(dry), codes(dry)) == (counts(real), codes(real))
    assert real.last_position > head


person_rows = st.builds(
    lambda card, holder, segment, name: other(
        # One joining month for each membership: which of two that overlap is refused depends on the order.
        holder, segment=segment, npp=10000001 if segment == "PU" else 0, registered_on=f"2025-{card:02d}-03"
    )
    | {"kpj": f"2600000{card:04d}"}
    | ({"name": "Lain"} if name else {}),
    st.integers(1, 4), st.integers(1, 4), st.sampled_from(["PU", "BPU", "PMI"]), st.booleans(),
)  # fmt: skip


@pytest.fixture
def two(log: Log, settings: Settings, tmp_path: Path) -> Any:
    """A function that gives the facts of a fresh SQLite ledger after some uploads."""
    made = iter(range(10_000))

    def uploads(*tables: Table) -> Any:
        path = tmp_path / f"fresh{next(made)}.db"
        fresh = Log.open(Settings(database_url=f"sqlite:///{path}", master_key=MASTER_KEY), create=True)
        try:
            with_employer(fresh)
            fresh_vault = Vault.open(fresh)
            for one in tables:
                registrations.ingest(fresh, fresh_vault, one, HEADER, TODAY, NOW)
            return facts(fresh, fresh_vault)
        finally:
            fresh.close()

    return uploads


@given(st.lists(person_rows, min_size=1, max_size=12), st.integers(0, 12))
def test_a_file_twice_or_in_halves_gives_the_same_facts(two: Any, rows: list[dict[str, Any]], cut: int) -> None:
    cut = min(cut, len(rows))
    halves = [registrations_table(*part) for part in (rows[:cut], rows[cut:]) if part]
    whole = registrations_table(*rows)
    once = two(whole)
    assert two(whole, whole) == once
    assert two(*halves) == once
    assert two(*halves, whole) == once


period_rows = st.builds(
    lambda card, holder, joined, stayed: other(
        holder,
        registered_on=f"2025-{joined:02d}-03",
        left_on=f"2025-{joined + stayed:02d}-20" if stayed is not None else "",
    )
    | {"kpj": f"2600000{card:04d}"},
    st.integers(1, 2), st.sampled_from([1, 1, 1, 2]), st.integers(1, 6), st.none() | st.integers(0, 5),
)  # fmt: skip


@given(st.lists(period_rows, min_size=1, max_size=10))
def test_joining_and_leaving_dates_in_any_order_say_nothing_new_when_sent_again(
    two: Any, rows: list[dict[str, Any]]
) -> None:
    whole = registrations_table(*rows)
    assert two(whole, whole) == two(whole)


@pytest.mark.parametrize("rows_at_once", [1, 20_000])
@pytest.mark.parametrize(
    ("periods", "posted", "refused"),
    [
        ([("01", ""), ("08", ""), ("03", "06")], 1, 2),
        ([("01", ""), ("08", ""), ("01", "06")], 3, 0),
        ([("01", ""), ("06", ""), ("01", "06")], 3, 0),
        ([("08", ""), ("01", "06"), ("01", "07")], 2, 1),
    ],
)
def test_a_cards_periods_sent_twice_are_recorded_once(
    log: Log, vault: Vault, monkeypatch: pytest.MonkeyPatch, rows_at_once: int, periods: Any, posted: int, refused: int
) -> None:
    monkeypatch.setattr(registrations, "ROWS", rows_at_once)
    rows = [
        registration(registered_on=f"2025-{joined}-02", left_on=f"2025-{left}-20" if left else "")
        for joined, left in periods
    ]
    first, head = ingest(log, vault, *rows), log.head()
    again = ingest(log, vault, *rows)
    assert counts(first) == (posted, 0, refused)
    assert counts(again) == (0, posted, refused)
    assert {code for _, code, _ in codes(first)} <= {"membership-conflict"}
    assert (log.head(), codes(again)) == (head, codes(first))


def test_both_stores_hold_the_same_facts(log: Log, vault: Vault, two: Any) -> None:
    rows = [other(n, left_on="2025-03-01" if n % 3 == 0 else "") for n in range(40)]
    ingest(log, vault, *rows[:25])
    ingest(log, vault, *rows)
    assert facts(log, vault) == two(registrations_table(*rows))


def test_two_uploads_of_one_file_at_once_write_it_once(
    log: Log, vault: Vault, settings: Settings, two: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registrations, "ROWS", 7)
    rows = [other(n // 2 + 1) | {"kpj": f"2600000{n:04d}"} for n in range(60)]
    second = Log.open(settings)
    receipts: list[Receipt] = []
    start = threading.Barrier(2)

    def run(one: Log, its_vault: Vault) -> None:
        start.wait()
        receipts.append(ingest(one, its_vault, *rows))

    threads = [threading.Thread(target=run, args=pair) for pair in ((log, vault), (second, Vault.open(second)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second.close()
    assert sum(receipt.totals["posted"] for receipt in receipts) == 60
    assert sum(receipt.totals["already"] for receipt in receipts) == 60
    assert facts(log, vault) == two(registrations_table(*rows))


MARKERS = ["Zxqvmarkername", "3174015203900777", "zxqvmail", "6281299997777"]


def test_no_personal_data_stands_in_the_store(log: Log, vault: Vault, settings: Settings, tmp_path: Path) -> None:
    row = registration(nik=MARKERS[1], name=MARKERS[0], email="zxqvmail@contoh.id", phone="+6281299997777")
    receipt = ingest(log, vault, row)
    assert counts(receipt) == (1, 0, 0)
    if settings.sqlite_path is not None:
        files = [path for path in tmp_path.iterdir() if path.is_file()]
        assert any(path.name.endswith("-wal") for path in files)
        stored = b"".join(path.read_bytes() for path in files)
        assert b"26000000001" in stored
        assert not [marker for marker in MARKERS if marker.encode() in stored]
        return
    with psycopg.connect(settings.database_url) as connection:
        tables = connection.execute(
            "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"
        )
        text = ""
        for (name,) in tables.fetchall():
            for (whole,) in connection.execute(f"select t::text from {name} t".encode()).fetchall():
                text += whole
        states = connection.execute("select convert_from(state, 'utf8') from ledger_events").fetchall()
        text += "".join(state for (state,) in states)
    assert "26000000001" in text
    assert not [marker for marker in MARKERS if marker in text or marker.encode().hex() in text]
