"""A card's statement over HTTP: JSON and files say the same, and what cannot be told has a code."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
import python_calamine
from httpx2 import Response

from api.statement.answer import GAP_REASONS
from api.statement.texts import texts
from ledger.acts import scheme as acts
from ledger.events import Rates
from ledger.receipt import Header
from projections.month_grid import FOREIGN
from projections.statement import Gap
from tests.api.conftest import EMPTY, PAID, PERSON, Api, event, opened_card, posting
from tests.facts import opening

STATEMENT = f"/v1/accounts/{PAID}/statement"
NO_GAPS = {
    "not-due", "no-due-day", "in-opening-balance", "no-rule", "before-start", "outside-membership", "before-membership",
}  # fmt: skip
BEGUN = "26000000058"


def declared(api: Api) -> None:
    """The year 2025 began the scheme and is declared; the card got money in it."""
    header = Header("test", "test")
    api.append(posting("10000001", "2025-02", "2025-03-10", PAID))
    acts.start(api.log, 2025, header, lambda: api.clock)
    acts.complete(api.log, date(2026, 11, 20), header, lambda: api.clock)
    acts.declare(api.log, 2025, Rates(54_000, 54_000), "b", header, lambda: api.clock)
    api.follow()


def cells(answer: Response) -> list[list[str]]:
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


def test_a_year_adds_up_and_the_next_one_goes_on(api: Api) -> None:
    declared(api)
    headers = api.key("read")
    past, present = (api.client.get(f"{STATEMENT}?year={year}", headers=headers).json() for year in (2025, 2026))
    assert (past["opening"], past["contributed"]["total"], past["yield_credited"]) == (0, 285_000, 11_543)
    assert past["closing"] == present["opening"] == 296_543
    assert (past["from"], past["to"], past["year"]) == ("2025-01-01", "2025-12-31", 2025)
    assert (present["to"], present["closing"]) == ("2026-11-21", 296_543 + 570_000)
    balance = api.client.get(f"/v1/accounts/{PAID}/balance", headers=headers).json()
    assert (balance["balance"], balance["as_of"]) == (present["closing"], present["as_of"])
    (line,) = past["lines"]
    assert line | {"reference": ""} == {
        "type": "posted", "kind": "regular", "month": "2025-02", "paid_on": "2025-03-10", "posted_on": "2026-11-21",
        "npp": "10000001", "employer_name": None, "wage": 5_000_000, "back_pay": 0, "employer": 185_000,
        "worker": 100_000, "yield_brought": 0, "total": 285_000, "reference": "",
    }  # fmt: skip
    assert [gap["month"] for gap in past["gaps"]] == [f"2025-{n:02d}" for n in (1, *range(3, 13))]
    months = api.client.get(f"/v1/accounts/{PAID}/months?year=2025", headers=headers).json()["months"]
    told = {month["month"]: month["reason"] for month in months if month["reason"]}
    assert {gap["month"]: gap["reason"] for gap in past["gaps"]} == told


def test_any_days_can_be_asked_for(api: Api) -> None:
    headers = api.key("read")
    body = api.client.get(f"{STATEMENT}?from=2026-10-13&to=2026-11-12", headers=headers).json()
    assert (body["opening"], body["closing"], body["year"]) == (285_000, 570_000, None)
    assert [line["month"] for line in body["lines"]] == ["2026-10"]
    none = api.client.get(f"/v1/accounts/{EMPTY}/statement?from=2026-11-21&to=2026-11-21", headers=headers).json()
    assert (none["opening"], none["closing"], none["lines"]) == (0, 0, [])


def test_files_hold_the_same_rows(api: Api) -> None:
    declared(api)
    headers = api.key("read")
    asked = f"{STATEMENT}?year=2025&format="
    answer = api.client.get(f"{asked}csv&lang=en", headers=headers)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="jht-statement-2025.csv"'
    assert PAID not in str(answer.headers)
    head, *rows = cells(answer)
    amount = head.index("Amount")
    amounts = [int(row[amount]) for row in rows if row[amount]]
    assert [row[0] for row in rows[:4]] == ["opening", "contribution", "yield", "closing"]
    assert sum(amounts[:-1]) == amounts[-1] == 296_543
    assert {row[0] for row in rows[4:]} == {"gap"}
    assert rows[4][-1] == "Not arrived, was due on 17 February 2025"
    book = api.client.get(f"{asked}xlsx&lang=en", headers=headers)
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    assert sheet[0] == head
    assert [row[amount] for row in sheet[1:5]] == [0, 285_000, 11_543, 296_543]
    assert sheet[2][head.index("NPP")] == "10000001"
    indonesian = cells(api.client.get(f"{asked}csv", headers=headers))
    assert [row[0] for row in indonesian[:3]] == ["Baris", "saldo awal", "iuran"]
    asked_english = api.client.get(f"{asked}csv", headers=headers | {"Accept-Language": "en"})
    assert cells(asked_english)[0] == head


def test_a_paper_is_a_tagged_pdf(api: Api) -> None:
    answer = api.client.get(f"{STATEMENT}?year=2026&format=pdf&lang=en", headers=api.key("read"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == 'attachment; filename="jht-statement-2026.pdf"'
    assert answer.content.startswith(b"%PDF-")
    assert b"/Lang(en)" in answer.content.replace(b" ", b"")


def test_an_answer_that_is_there_already_is_not_made_again(api: Api) -> None:
    headers = api.key("read")
    for form in ("json", "csv", "xlsx", "pdf"):
        address = f"{STATEMENT}?year=2026&format={form}"
        tag = api.client.get(address, headers=headers).headers["etag"]
        again = api.client.get(address, headers=headers | {"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
        other = api.client.get(f"{address}&lang=en", headers=headers | {"If-None-Match": tag})
        assert other.status_code == 200


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ("", 400, "statement-period-unclear"),
        ("?year=2025&from=2025-01-01&to=2025-02-01", 400, "statement-period-unclear"),
        ("?from=2025-01-01", 400, "statement-period-unclear"),
        ("?year=2027", 400, "statement-year-ahead"),
        ("?from=2025-02-01&to=2025-01-01", 400, "statement-ends-early"),
        ("?from=2025-02-01&to=2027-01-01", 400, "statement-ahead"),
        ("?from=2025-02-30&to=2025-03-01", 400, "parameter-unreadable"),
        ("?year=12", 400, "parameter-unreadable"),
        ("?year=2025&format=docx", 400, "parameter-unreadable"),
        ("?year=2025&lang=fr", 400, "parameter-unreadable"),
        ("?year=2025&years=2026", 400, "parameter-unknown"),
    ],
)
def test_what_cannot_be_told_has_a_code(api: Api, asked: str, status: int, code: str) -> None:
    answer = api.client.get(f"{STATEMENT}{asked}", headers=api.key("read"))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_only_readers_of_balances_see_it_and_every_look_is_recorded(api: Api) -> None:
    for headers, code in (
        ({}, "key-missing"), (api.key("post"), "scope-missing"), (api.key("read", npps=[10000001]), "key-bound"),
    ):  # fmt: skip
        assert api.client.get(f"{STATEMENT}?year=2026", headers=headers).json()["code"] == code
    headers = api.key("read") | {"X-Reason": "counter-visit"}
    assert api.client.get(f"{STATEMENT}?year=2026&format=csv", headers=headers).status_code == 200
    what, position, _, why, route = api.records()[-1]
    assert (what, position, why, route) == (PAID, api.log.head(), "counter-visit", "/v1/accounts/{kpj}/statement")
    unknown = api.client.get("/v1/accounts/26999999990/statement?year=2026", headers=headers)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "account-not-found")


def test_before_an_opening_balance_nothing_is_known(api: Api) -> None:
    api.append(
        *opened_card(BEGUN, PERSON, "10000001"), event(f"account:{BEGUN}", 3, opening("2025-12-31", 700, 300, 50, 1))
    )
    api.follow()
    headers, address = api.key("read"), f"/v1/accounts/{BEGUN}/statement"
    refused = api.client.get(f"{address}?year=2025", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "statement-before-opening")
    assert "2026-01-01" in refused.json()["detail"]
    assert api.client.get(f"{address}?year=2026", headers=headers).json()["opening"] == 1_050


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_reason_of_a_gap_is_a_sentence(language: str) -> None:
    for reason in GAP_REASONS:
        if reason in NO_GAPS:
            continue
        told = texts(language).why(Gap("2025-01", reason, "10000001", 0, 0, "2025-02-17", "2025-02-10"))
        assert "{" not in told
        assert "2025" in told or reason == "taken-back"
    assert set(GAP_REASONS) > FOREIGN
