"""`jht yield` and `jht explain` as they are typed: told first, typed again, one event, the same working everywhere."""

from __future__ import annotations

from pathlib import Path

from ledger.settings import Settings
from tests.office import CONTRIBUTION, OPENING, csv_of, line, opening
from tests.system.conftest import CARD, SECOND
from tests.system.running import jht

DECLARE = ("yield", "declare", "2025", "--rate", "5.63", "--basis", "Perdir 2/2026")


def test_a_year_is_told_confirmed_declared_and_explained(filled: Settings, tmp_path: Path) -> None:
    late = tmp_path / "late.csv"
    late.write_bytes(csv_of(CONTRIBUTION, [line(CARD, month="2025-03", paid_on="2025-04-14")]))
    jht(filled, "ingest", "contributions", late)
    assert "Nothing yet" in jht(filled, "yield", "list").stdout
    assert "scheme-not-started" in jht(filled, *DECLARE, "--yes", code=2).stderr
    assert "position" in jht(filled, "yield", "start", "2025").stdout
    assert (
        "yield-rate-out-of-range" in jht(filled, "yield", "declare", "2025", "--rate", "56.3", "--yes", code=2).stderr
    )
    assert "yield-rate-unreadable" in jht(filled, "yield", "declare", "2025", "--rate", "five", code=2).stderr
    assert "basis-missing" in jht(filled, "yield", "declare", "2025", "--rate", "5.63", "--yes", code=2).stderr
    # 285,000 for eight months at 5.63 %.
    told = jht(filled, "yield", "declare", "2025", "--rate", "5.63", "--what-if", "--json").json
    assert told == {
        "cards": 1, "gaining": 1, "losing": 0, "total": 10_697, "largest": [{"kpj": CARD, "change": 10_697}],
    }  # fmt: skip
    assert "yield-total-differs" in jht(filled, *DECLARE, stdin=b"Rp10.698\n", code=2).stderr
    assert jht(filled, "balance", CARD, "--json").json["yield"]["credited"] == 0
    assert "Declared 2025: 5.63 %" in jht(filled, *DECLARE, stdin=b"Rp10.697\n").stdout
    assert "recorded already" in jht(filled, *DECLARE, "--yes").stdout
    assert "yield-declared" in jht(filled, "yield", "declare", "2025", "--rate", "6", "--basis", "x", code=2).stderr
    jht(filled, "yield", "provisional", "--rate", "5", "--from", "2026-01-01", "--basis", "Perdir 3/2026")
    assert (
        "parameter-unreadable"
        in jht(filled, "yield", "provisional", "--rate", "5", "--from", "soon", "--basis", "x", code=2).stderr
    )
    listed = jht(filled, "yield", "list", "--json").json
    assert (listed["first_year"], listed["declared"][0]["utama"]) == (2025, 56_300)
    assert listed["provisional"] == [{"from": "2026-01-01", "rate": 50_000}]
    assert "Perdir 2/2026" in jht(filled, "yield", "list").stdout

    balance = jht(filled, "balance", CARD, "--json").json
    assert (balance["balance"], balance["yield"]["credited"]) == (580_697, 10_697)
    explained = jht(filled, "explain", CARD, "--json").json
    assert {**explained["balance"], "as_of": 0} == {**balance, "as_of": 0}
    (account,) = explained["accounts"]
    first = account["years"][0]
    assert (first["year"], first["earned"]) == (2025, 10_697)
    working = jht(filled, "explain", CARD).stdout
    assert "5.63 % x (12 x Rp0 + Rp2.280.000) / 12 = yield Rp10.697; closing Rp295.697" in working
    assert "balance Rp580.697" in working
    assert "does not publish" in working
    ahead = jht(filled, "simulate", CARD, "--years", "10", "--json").json
    assert (ahead["balance_now"], ahead["assumptions"]["rate"], ahead["estimate"]) == (580_697, 50_000, True)
    told = jht(filled, "simulate", CARD, "--years", "10").stdout
    assert f"{ahead['balance']:,}".replace(",", ".") in told
    assert "Nobody knows these rates." in told
    assert "simulation-out-of-range" in jht(filled, "simulate", CARD, "--years", "61", code=2).stderr
    assert jht(filled, "explain", SECOND, "--json").json["accounts"] == []
    assert "account-not-found" in jht(filled, "explain", "26000099999", code=2).stderr
    past = jht(filled, "explain", CARD, "--as-of", "2025-12-30", "--json").json
    assert (past["balance"]["balance"], past["balance"]["yield"]["rates"]) == (285_000, [])


def test_a_first_year_after_what_opening_balances_bring_is_warned_of(filled: Settings, tmp_path: Path) -> None:
    brought = tmp_path / "openings.csv"
    row = opening(SECOND) | {"yield_through": 2023, "bases": "2024:17000000;2025:18000000"}
    brought.write_bytes(csv_of((*OPENING, "yield_through", "bases"), [row]))
    jht(filled, "ingest", "opening-balances", brought)
    late = jht(filled, "yield", "start", "2025")
    assert "opening balances of 1 cards bring bases of years before 2025" in " ".join(late.stderr.split())
    assert "bases" not in jht(filled, "yield", "start", "2024").stderr


def test_what_was_said_then_is_said_again(filled: Settings, tmp_path: Path) -> None:
    before = jht(filled, "balance", CARD, "--entries", "--json").json
    here = before["balance"]["as_of"]["position"]
    late = tmp_path / "late.csv"
    late.write_bytes(csv_of(CONTRIBUTION, [line(CARD, month="2025-03", paid_on="2025-04-14")]))
    jht(filled, "ingest", "contributions", late)
    assert jht(filled, "balance", CARD, "--json").json["balance"] != before["balance"]["balance"]
    again = jht(filled, "balance", CARD, "--known-at", here, "--entries", "--json").json
    assert again["entries"] == before["entries"]
    assert {**again["balance"], "as_of": 0} == {**before["balance"], "as_of": 0}
    assert again["balance"]["as_of"]["position"] == here
    explained = jht(filled, "explain", CARD, "--known-at", here, "--json").json
    assert explained["balance"]["balance"] == before["balance"]["balance"]
    for text, code in (("2026-02-10", "known-at-without-zone"), ("soon", "known-at-unreadable")):
        assert code in jht(filled, "balance", CARD, "--known-at", text, code=2).stderr
        assert code in jht(filled, "explain", CARD, "--known-at", text, code=2).stderr
