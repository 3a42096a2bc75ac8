"""`jht payments-complete` and `jht months` as they are typed: nothing is missing before somebody says that all is in."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from ledger.clock import jakarta_date, read_now
from ledger.settings import Settings
from tests.system.conftest import CARD
from tests.system.running import jht


def _day(back: int) -> str:
    return (jakarta_date(read_now()) - timedelta(days=back)).isoformat()


def test_a_month_is_missing_once_payments_are_said_to_be_complete(filled: Settings) -> None:
    assert "Nothing yet" in jht(filled, "payments-complete").stdout
    assert jht(filled, "status", "--json").json["complete_until"] == ""
    assert "no day is recorded up to which payments are complete" in jht(filled, "status").stdout
    assert jht(filled, "payments-complete", "--json").json == {"until": None, "recorded": []}
    before = jht(filled, "months", CARD, "--json").json
    assert (before["missing"], before["awaited"] > 0, before["complete_until"]) == (0, True, None)
    told = jht(filled, "months", CARD).stdout
    assert "No day was recorded up to which payments are complete" in told
    assert "Not received from" not in told
    assert told.count("It is past its due day") == 1, "one line for all such months"

    for day in (_day(0), _day(-1)):
        assert "complete-day-not-over" in jht(filled, "payments-complete", day, code=2).stderr
    assert "date-unreadable" in jht(filled, "payments-complete", "yesterday", code=2).stderr
    assert f"complete up to {_day(1)}, at position" in jht(filled, "payments-complete", _day(1)).stdout
    assert jht(filled, "status", "--json").json["complete_until"] == _day(1)
    assert f"payments are complete up to {_day(1)}" in jht(filled, "status").stdout
    assert "recorded already" in jht(filled, "payments-complete", _day(1)).stdout
    assert "complete-goes-back" in jht(filled, "payments-complete", _day(400), code=2).stderr
    after = jht(filled, "months", CARD, "--json").json
    assert (after["missing"], after["awaited"]) == (before["awaited"], 0)
    told = jht(filled, "months", CARD).stdout
    assert f"Payments are complete up to {_day(1)}." in told
    assert told.count("Not received from PT 10000001 (NPP 10000001), and past their due dates") == 1
    assert told.count("Not received") == 1, "one line for all such months"

    assert "reason-unknown" in jht(filled, "payments-complete", _day(400), "--reason", "oops", code=2).stderr
    jht(filled, "payments-complete", _day(400), "--reason", "feed-incomplete")
    assert jht(filled, "months", CARD, "--json").json["missing"] < after["missing"]
    listed = jht(filled, "payments-complete", "--json").json
    assert listed["until"] == _day(400)
    assert [(one["until"], one["reason"]) for one in listed["recorded"]] == [
        (_day(1), ""),
        (_day(400), "feed-incomplete"),
    ]
    assert "feed-incomplete" in jht(filled, "payments-complete").stdout
    assert date.fromisoformat(after["complete_until"]) == date.fromisoformat(_day(1))


def test_months_and_a_statement_are_told_as_they_were_known(filled: Settings, tmp_path: Path) -> None:
    year = str(jakarta_date(read_now()).year)
    ask = ("statement", CARD, "--year", year)
    before, stated = (jht(filled, *words, "--json").json for words in (("months", CARD), ask))
    jht(filled, "payments-complete", _day(1))
    assert jht(filled, "months", CARD, "--json").json["missing"] == before["awaited"] > 0
    for was, words in ((before, ("months", CARD)), (stated, ask)):
        place = ("--known-at", was["as_of"]["position"], "--as-of", was["as_of"]["date"])
        again = jht(filled, *words, *place, "--json").json
        assert again | {"as_of": None} == was | {"as_of": None}
    assert {gap["reason"] for gap in stated["gaps"]} == {"payments-incomplete"}
    assert {gap["reason"] for gap in jht(filled, *ask, "--json").json["gaps"]} == {"not-received"}
    told = jht(filled, *ask).stdout
    assert all(said in told for said in ("opening", "closing", "answer code", f"{year}-01"))
    for name, begins in (("a.pdf", b"%PDF"), ("b.xlsx", b"PK"), ("c.csv", b"\xef\xbb\xbf")):
        jht(filled, *ask, "--out", tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begins)
    for wrong, code in (
        ((), "statement-period-unclear"), (("--from", "x", "--to", "y"), "parameter-unreadable"),
        (("--year", year, "--out", tmp_path / "a.doc"), "value-not-offered"), (("--year", "2200"), "statement-year-ahead"),
        (("--year", year, "--known-at", "then"), "known-at-unreadable"),
    ):  # fmt: skip
        assert code in jht(filled, "statement", CARD, *wrong, code=2).stderr
