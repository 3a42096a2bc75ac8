"""The whole way: files -> command line -> HTTP -> rebuild, with real processes, and the same truth at every stop."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ledger.settings import Settings
from tests.system.running import jht, receipt
from tests.system.sample import Part, Row, amount, rows_of, small_sample
from tests.system.serving import Server, serving

ALL = ("read", "suspense", "persons", "register", "post", "backdate", "correct", "metrics")


def test_files_http_and_rebuild_tell_one_truth(settings: Settings, tmp_path: Path) -> None:
    part = small_sample(tmp_path / "files")
    *earlier, last = [path for path in part.contributions if path.stem != "contributions-own"]
    earlier.append(part.files / "contributions-own.csv")
    jht(settings, "init")
    for layout, how in (("employers", []), ("registrations", ["--old-cards"])):
        assert receipt(settings, layout, part.files / f"{layout}.csv", *how)["refused"] == 0
    rejects = tmp_path / "held.csv"
    _ingested_from_files(settings, earlier, part, rejects)
    jht(settings, "follow", "--once")
    told = [kpj for kpj in part.cards if kpj not in part.late]
    asked = told[:: len(told) // 4]
    by_command = {kpj: jht(settings, "balance", kpj, "--json").json for kpj in asked}
    key = jht(settings, "keys", "create", "journey", *ALL, "--json").json["key"]
    with serving(settings, key, tmp_path / "served") as server:
        for kpj in asked:
            assert _timeless(_balance(server, kpj)) == _timeless(by_command[kpj])
        _the_last_month_comes_over_http(server, last, part)
        _a_late_registration_releases_its_money(server, part)
        before = {kpj: _balance(server, kpj) for kpj in part.cards}
        assert {kpj: answer["balance"] for kpj, answer in before.items()} == dict(part.owed)
        _a_reversal_takes_a_line_back_once(server, before, last, part)
        before = {kpj: _balance(server, kpj) for kpj in part.cards}
    _the_log_is_structured(tmp_path / "served")
    report = jht(settings, "rebuild", "balances", "entries", "directory", "--json").json
    assert [one["compared"]["differing"] for one in report["projections"]] == [0, 0, 0]
    assert all(one["switched"] for one in report["projections"])
    with serving(settings, key, tmp_path / "served again") as server:
        for kpj in part.cards:
            assert _timeless(_balance(server, kpj)) == _timeless(before[kpj])
    for kpj in asked:
        assert _timeless(jht(settings, "balance", kpj, "--json").json) == _timeless(before[kpj])
    again = jht(settings, "ingest", "contributions", *earlier, "--json").json
    assert {one["totals"]["posted"] + one["totals"]["suspended"] for one in again} == {0}
    assert {one["position"] for one in again} == {None}


def _ingested_from_files(settings: Settings, files: list[Path], part: Part, rejects: Path) -> None:
    receipts = jht(settings, "ingest", "contributions", *files, "--rejects", rejects, "--json").json
    totals = sum((Counter(one["totals"]) for one in receipts), Counter[str]())
    held = [row for path in files for row in rows_of(path) if _waits(row, part)]
    assert totals["suspended"] == len(held)
    assert totals["posted"] == sum(len(rows_of(path)) for path in files) - len(held)
    assert sorted((row["kpj"], row["month"]) for row in rows_of(rejects)) == sorted(
        (row["kpj"], row["month"]) for row in held
    )
    assert {row["reason"] for row in rows_of(rejects)} == {"account-unknown", "amounts-disagree"}


def _the_log_is_structured(log: Path) -> None:
    """Every line is JSON: a program reads it, and nothing slips in that was not meant to be there."""
    first, *lines = log.read_text().splitlines()
    assert first.startswith("Docs: ")
    told = [json.loads(line) for line in lines]
    asked = [one for one in told if one["event"] == "request"]
    assert {one["route"] for one in asked} >= {"/v1/contributions", "/v1/accounts/{kpj}/balance"}
    assert {one["level"] for one in told} == {"info"}


def _waits(row: Row, part: Part) -> bool:
    return (row["kpj"], row["month"]) in part.held


def _the_last_month_comes_over_http(server: Server, last: Path, part: Part) -> None:
    rows = [row for row in rows_of(last) if not _waits(row, part)]
    row = next(row for row in rows if row["kpj"] not in part.late)
    kpj, more = row["kpj"], sum(amount(one) for one in rows if one["kpj"] == row["kpj"])
    before = _balance(server, kpj)
    first = server.post("/v1/contributions", last.read_bytes(), "text/csv", idempotency_key="october")
    assert first.status == 200
    assert first.json["totals"]["posted"] == len(rows)
    assert first.headers["JHT-Position"] == first.json["position"]
    # Nobody has to poll: a read that names the write's position waits for it.
    after = _balance(server, kpj, first.json["position"])
    assert after["balance"] == before["balance"] + more
    assert _number(after["as_of"]["position"]) >= _number(first.json["position"])
    again = server.post("/v1/contributions", last.read_bytes(), "text/csv", idempotency_key="october")
    assert (again.status, again.body) == (first.status, first.body)
    other = server.post("/v1/contributions", last.read_bytes() + b"\n", "text/csv", idempotency_key="october")
    assert (other.status, other.json["code"]) == (422, "idempotency-key-reused")
    unnamed = server.post("/v1/contributions", last.read_bytes(), "text/csv").json
    assert unnamed["totals"]["already"] == len(rows_of(last))
    assert unnamed["position"] is None


def _a_late_registration_releases_its_money(server: Server, part: Part) -> None:
    assert {server.ask(f"/v1/accounts/{kpj}/balance").json["code"] for kpj in part.late} == {"account-not-found"}
    waiting = {line["kpj"] for line in _suspense(server)}
    assert set(part.late) < waiting
    body = (part.files / "registrations-late.csv").read_bytes()
    answer = server.post("/v1/registrations", body, "text/csv")
    assert answer.json["totals"]["posted"] == len(part.late)
    end = time.monotonic() + 20
    while {line["kpj"] for line in _suspense(server)} & set(part.late):
        assert time.monotonic() < end
        time.sleep(0.02)
    # The receipt's position is the registration's; what it set free follows at once.
    position = answer.json["position"]
    while any(_balance(server, kpj, position)["balance"] != part.owed[kpj] for kpj in part.late):
        assert time.monotonic() < end
        time.sleep(0.02)
    entries = server.ask(f"/v1/accounts/{part.late[0]}/entries?limit=500").json["entries"]
    paid = {(entry["month"], entry["paid_on"]) for entry in entries}
    rows = [row for path in part.contributions for row in rows_of(path) if row["kpj"] == part.late[0]]
    assert paid == {(row["month"], row["paid_on"]) for row in rows}


def _a_reversal_takes_a_line_back_once(server: Server, before: dict[str, Any], last: Path, part: Part) -> None:
    row = next(row for row in rows_of(last) if not _waits(row, part) and row["kind"] != "supplement")
    body = (
        f'{{"remittance":"remittance-e:{row["npp"]}:{row["month"]}","kpj":"{row["kpj"]}","reason":"wrong-amount"}}'
    ).encode()
    first = server.post("/v1/reversals", body)
    assert (first.status, first.json["totals"]["posted"]) == (200, 1)
    after = _balance(server, row["kpj"], first.json["position"])
    assert after["balance"] == before[row["kpj"]]["balance"] - amount(row)
    assert after["months_contributed"] == before[row["kpj"]]["months_contributed"] - 1
    second = server.post("/v1/reversals", body)
    assert (second.json["totals"]["posted"], second.json["totals"]["already"]) == (0, 1)
    assert second.json["position"] is None


def _balance(server: Server, kpj: str, position: str = "") -> dict[str, Any]:
    answer = server.ask(f"/v1/accounts/{kpj}/balance" + (f"?min_position={position}" if position else ""))
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def _suspense(server: Server) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = server.ask("/v1/suspense?limit=500").json["lines"]
    return lines


def _timeless(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without the moment its row was written by the read side, which a rebuild sets anew."""
    return answer | {"as_of": {k: v for k, v in answer["as_of"].items() if k != "projected_at"}}


def _number(position: str) -> int:
    return int(position.rpartition("-")[2])
