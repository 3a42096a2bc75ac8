"""`jht suspense` as a clerk types it: what waits is listed with its place, one line is posted by that place."""

from __future__ import annotations

from pathlib import Path

from ledger.settings import Settings
from tests.office import CONTRIBUTION, NPP, csv_of, line
from tests.system.conftest import CARD
from tests.system.running import jht


def test_a_second_payment_is_listed_and_posted_by_its_place(filled: Settings, tmp_path: Path) -> None:
    again = tmp_path / "again.csv"
    again.write_bytes(csv_of(CONTRIBUTION, [line(CARD, reference="T2")]))
    jht(filled, "ingest", "contributions", again)
    (case,) = jht(filled, "suspense", "list", "--json").json
    assert (case["kpj"], case["reason"], case["employer"]) == (CARD, "second-payment", 185_000)
    assert case["place"] in jht(filled, "suspense", "list", "--npp", NPP).stdout
    unknown = jht(filled, "suspense", "list", "--npp", NPP, "--npp", "99999999", code=2)
    assert ("employer-not-found" in unknown.stderr, unknown.stdout) == (True, "")
    missing = jht(filled, "suspense", "release", case["place"], code=2)
    assert "reason-missing" in missing.stderr
    unclear = jht(filled, "suspense", "release", "somewhere", "--reason", "further-payment", code=2)
    assert "place-unreadable" in unclear.stderr
    done = jht(filled, "suspense", "release", case["place"], "--reason", "further-payment", "--json").json
    assert done["released"] == 1
    assert "Nothing waits" in jht(filled, "suspense", "list").stdout
    balance = jht(filled, "balance", CARD, "--json").json
    assert (balance["balance"], balance["months_contributed"]) == (570_000, 1)
