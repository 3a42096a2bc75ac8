"""The writes over HTTP: who may, what comes back, once and only once, and what is too much."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import xlsxwriter

from api.request_body import XLSX
from ledger.settings import Settings
from ledger.store.codec import state_json
from ledger.store.log import Log
from tests.api.conftest import PAID, SECOND, STRANGER, Api

CONTRIBUTIONS, REVERSALS = "/v1/contributions", "/v1/reversals"
REMITTANCE = "remittance-e:10000001:2026-10"


def row(kpj: str = SECOND, npp: str = "10000001", month: str = "2026-10", **changes: Any) -> dict[str, Any]:
    return {
        "npp": npp, "month": month, "kpj": kpj, "wage": 5_000_000, "employer": 185_000, "worker": 100_000,
        "paid_on": "2026-11-12",
    } | changes  # fmt: skip


def csv_of(*rows: dict[str, Any]) -> bytes:
    return "\n".join([",".join(rows[0]), *(",".join(str(v) for v in r.values()) for r in rows), ""]).encode()


def xlsx_of(*rows: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate((list(rows[0]), *(list(r.values()) for r in rows))):
            sheet.write_row(number, 0, cells)
    return file.getvalue()


def test_each_write_is_refused_to_strangers(api: Api) -> None:
    for path, scope in (
        ("/v1/employers", "register"), ("/v1/registrations", "register"), ("/v1/opening-balances", "register"),
        (CONTRIBUTIONS, "post"), (REVERSALS, "correct"),
    ):  # fmt: skip
        head = api.log.head()
        for headers, status, code in (
            ({}, 401, "key-missing"),
            (api.key(*({"read", "post", "correct", "register"} - {scope})), 403, "scope-missing"),
        ):
            answer = api.client.post(path, headers=headers, json=[row()])
            assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert api.log.head() == head


def test_a_bound_key_posts_for_its_employers_only(api: Api) -> None:
    bound = api.key("post", "register", "correct", npps=[10000001])
    head = api.log.head()
    for path, body in (
        (CONTRIBUTIONS, [row(), row(STRANGER, "10000002")]),
        (CONTRIBUTIONS, [row(npp="")]),
        ("/v1/employers", [{"npp": "10000009", "name": "PT Baru", "registered_on": "2026-01-02"}]),
        (REVERSALS, {"remittance": "remittance-e:10000002:2026-10", "reason": "wrong-amount"}),
        (REVERSALS, {"remittance": f"remittance-p:{PAID}:2026-10", "reason": "wrong-amount"}),
        (REVERSALS, {"receipt": "x", "reason": "wrong-amount"}),
        (
            "/v1/opening-balances",
            [{"kpj": STRANGER, "as_of": "2024-12-31", "employer": 1, "worker": 1, "credited_yield": 0, "months": 1}],
        ),
    ):
        answer = api.client.post(path, headers=bound, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "object-foreign"), path
    assert api.log.head() == head
    assert api.client.post(CONTRIBUTIONS, headers=bound, json=[row()]).json()["totals"]["posted"] == 1


@pytest.mark.parametrize("kind", ["application/json", "wrapped", "text/csv", "application/x-ndjson", XLSX])
def test_a_posted_line_is_in_the_balance_at_the_position_of_its_receipt(api: Api, kind: str) -> None:
    body = {
        "application/json": json.dumps([row()]).encode(),
        "wrapped": json.dumps({"rows": [row()]}).encode(),
        "text/csv": csv_of(row()),
        "application/x-ndjson": json.dumps(row()).encode() + b"\n",
        XLSX: xlsx_of(row()),
    }[kind]
    headers = api.key() | {"Content-Type": "application/json" if kind == "wrapped" else kind}
    answer = api.client.post(CONTRIBUTIONS, headers=headers, content=body)
    receipt = answer.json()
    assert answer.status_code == 200, receipt
    assert receipt["totals"] == {"posted": 1, "already": 0, "suspended": 0, "refused": 0, "warnings": 0}
    assert receipt["outcomes"][0]["name"] == REMITTANCE
    assert answer.headers["jht-position"] == receipt["position"]
    api.follow()
    balance = api.client.get(
        f"/v1/accounts/{SECOND}/balance", headers=headers, params={"min_position": receipt["position"]}
    )
    assert balance.json()["balance"] == 570_000
    again = api.client.post(CONTRIBUTIONS, headers=headers, content=body).json()
    assert (again["totals"]["already"], again["totals"]["posted"], again["position"]) == (1, 0, None)


def test_a_dry_run_decides_and_writes_nothing(api: Api) -> None:
    head = api.log.head()
    headers = api.key("post", "correct") | {"Idempotency-Key": "dry"}
    receipt = api.client.post(f"{CONTRIBUTIONS}?dry_run=true", headers=headers, json=[row()]).json()
    assert (receipt["dry_run"], receipt["totals"]["posted"], receipt["position"]) == (True, 1, None)
    answer = api.client.post(
        f"{REVERSALS}?dry_run=true", headers=headers, json={"remittance": REMITTANCE, "reason": "wrong-amount"}
    )
    assert (answer.json()["dry_run"], answer.json()["totals"]["posted"]) == (True, 1)
    assert api.log.head() == head
    assert api.client.post(f"{CONTRIBUTIONS}?dry_run=yes", headers=headers, json=[row()]).status_code == 400
    assert api.client.post(f"{CONTRIBUTIONS}?dryrun=true", headers=headers, json=[row()]).status_code == 400


def test_what_is_held_and_what_is_refused_is_told_in_both_languages(api: Api) -> None:
    rows = [row(), row("26999999991"), row(PAID, "77777777")]
    answer = api.client.post(CONTRIBUTIONS, headers=api.key("post"), json=rows)
    receipt = answer.json()
    assert answer.status_code == 200
    assert (receipt["totals"]["posted"], receipt["totals"]["suspended"], receipt["totals"]["refused"]) == (1, 1, 1)
    told = {problem["code"]: problem for problem in receipt["problems"]}
    assert told["account-unknown"]["verdict"] == "suspended"
    assert told["employer-unknown"]["id"].startswith("NPP 77777777 belum terdaftar")
    assert told["employer-unknown"]["en"].startswith("NPP 77777777 is not registered")
    nothing = api.client.post(CONTRIBUTIONS, headers=api.key("post"), json=[row(PAID, "77777777")])
    assert (nothing.status_code, nothing.json()["totals"]["refused"]) == (422, 1)


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("text/plain", b"x", 415, "content-type-unknown"),
        ("", b"x", 415, "content-type-unknown"),
        ("application/json", b"", 422, "file-empty"),
        ("application/json", b"[{", 400, "json-unreadable"),
        ("application/json", b'{"rows": [', 400, "json-unreadable"),
        ("application/json", b'{"rows":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "json-unreadable"),
        ("application/json", b'{"lines": []}', 422, "request-invalid"),
        ("text/csv", b"npp,month\n", 422, "columns-missing"),
        ("text/csv", b"npp,month,kpj,worker,paid_on,salary\n1,2,3,4,5,6\n", 422, "column-unknown"),
        ("text/csv", b"\xff\xfe\x00", 400, "file-encoding"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_whole(api: Api, kind: str, body: bytes, status: int, code: str) -> None:
    headers = api.key("post") | ({"Content-Type": kind} if kind else {})
    answer = api.client.post(CONTRIBUTIONS, headers=headers, content=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_beyond_the_limit_is_refused_announced_or_not(settings: Settings) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 1_000

    with Api(settings, max_body=10_000) as api:
        headers = api.key("post") | {"Content-Type": "text/csv"}
        for content in (b"x" * 20_000, pieces()):
            answer = api.client.post(CONTRIBUTIONS, headers=headers, content=content)  # type: ignore[arg-type]
            assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


def test_a_body_too_large_for_memory_is_read_from_its_file(api: Api) -> None:
    lines = [row(f"{26500000000 + n}", month="2026-09") for n in range(20_000)]
    body = csv_of(row(), *lines)
    assert len(body) > 1 << 20
    for keyed in ({}, {"Idempotency-Key": "large"}):
        headers = api.key("post") | {"Content-Type": "text/csv"} | keyed
        receipt = api.client.post(f"{CONTRIBUTIONS}?dry_run=true", headers=headers, content=body).json()
        assert (receipt["totals"]["posted"], receipt["totals"]["suspended"]) == (1, 20_000)
    bound = api.key("post", npps=[10000002]) | {"Content-Type": "text/csv"}
    assert api.client.post(CONTRIBUTIONS, headers=bound, content=body).json()["code"] == "object-foreign"
    wrapped = json.dumps({"rows": [row(), *lines]}).encode()
    headers = api.key("post") | {"Content-Type": "application/json"}
    receipt = api.client.post(f"{CONTRIBUTIONS}?dry_run=true", headers=headers, content=wrapped).json()
    assert receipt["totals"]["suspended"] == 20_000


def test_the_same_key_and_body_are_answered_the_same_for_ever(api: Api) -> None:
    headers = api.key("post") | {"Idempotency-Key": "oct-1"}
    first = api.client.post(CONTRIBUTIONS, headers=headers, json=[row()])
    head = api.log.head()
    again = api.client.post(CONTRIBUTIONS, headers=headers, json=[row()])
    assert again.content == first.content
    assert (again.status_code, again.headers["idempotency-replayed"]) == (200, "true")
    assert api.log.head() == head
    other = api.client.post(CONTRIBUTIONS, headers=headers, json=[row(PAID)])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert api.log.head() == head
    # Another client's key of that name is another request.
    mine = api.client.post(CONTRIBUTIONS, headers=api.key("post") | {"Idempotency-Key": "oct-1"}, json=[row()])
    assert mine.json()["totals"]["already"] == 1
    for bad in ("", "a b", "x" * 201):
        answer = api.client.post(CONTRIBUTIONS, headers=headers | {"Idempotency-Key": bad}, json=[row()])
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-unreadable")


def test_a_large_answer_is_kept_as_numbers_and_codes(api: Api) -> None:
    headers = api.key("post") | {"Idempotency-Key": "large-answer"}
    rows = [row(kpj="x", month="2026-10", npp=f"{90_000_000 + n}") for n in range(12_000)]
    first = api.client.post(CONTRIBUTIONS, headers=headers, json=rows)
    assert (first.status_code, len(first.content) > 2_500_000) == (422, True)
    finished = api.log.read(api.log.head() - 1, 1)[0]
    assert finished.name == "request-finished.v1"
    assert len(finished.state) < 30_000
    assert len(state_json(finished.state)) < 200_000
    again = api.client.post(CONTRIBUTIONS, headers=headers, json=rows)
    told, same = first.json(), again.json()
    assert again.status_code == 422
    assert [same[name] for name in ("receipt", "totals", "codes", "outcomes_total", "position")] == [
        told[name] for name in ("receipt", "totals", "codes", "outcomes_total", "position")
    ]
    assert same["problems"] == told["problems"][:1000]
    assert same["outcomes"] == told["outcomes"][:100]


def test_what_is_answered_again_after_a_restore_carries_no_position_of_before(api: Api) -> None:
    headers = api.key("post") | {"Idempotency-Key": "restored"}
    first = api.client.post(CONTRIBUTIONS, headers=headers, json=[row()]).json()["position"]
    with closing(Log.open(api.settings)) as elsewhere:
        made = elsewhere.renew_log_id()
    again = api.client.post(CONTRIBUTIONS, headers=headers, json=[row()])
    assert again.json()["position"] == f"{made}-{first.partition('-')[2]}"
    assert again.headers["jht-position"] == again.json()["position"]


def test_a_refusal_is_kept_under_its_key_too(api: Api) -> None:
    headers = api.key("correct") | {"Idempotency-Key": "r-1"}
    body = {"remittance": "remittance-e:10000001:1999-01", "reason": "wrong-amount"}
    first = api.client.post(REVERSALS, headers=headers, json=body)
    again = api.client.post(REVERSALS, headers=headers, json=body)
    assert (first.status_code, first.json()["code"]) == (404, "remittance-not-found")
    assert again.status_code == 404
    assert again.json() | {"request_id": ""} == first.json() | {"request_id": ""}
    english = api.client.post(REVERSALS, headers=headers | {"Accept-Language": "en"}, json=body)
    assert english.json()["detail"] == first.json()["detail_en"]
    assert again.headers["content-type"] == "application/problem+json"


def test_many_callers_at_once_post_each_line_once(api: Api) -> None:
    headers = api.key("post")
    receipts: list[dict[str, Any]] = []

    def send(n: int) -> None:
        # Half of them send the same remittance, half one of their own.
        month = "2026-10" if n % 2 else f"2026-0{n // 2 + 1}"
        receipts.append(api.client.post(CONTRIBUTIONS, headers=headers, json=[row(month=month)]).json())

    threads = [threading.Thread(target=send, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    posted = sum(receipt["totals"]["posted"] for receipt in receipts)
    already = sum(receipt["totals"]["already"] for receipt in receipts)
    assert (posted, already) == (7, 5)
    api.follow()
    body = api.client.get(f"/v1/accounts/{SECOND}/balance", headers=api.key("read")).json()
    assert body["balance"] == 285_000 * (1 + 7)


def test_a_reversal_takes_a_line_a_remittance_or_a_receipt_back(api: Api) -> None:
    headers = api.key()

    def balance() -> int:
        api.follow()
        found: int = api.client.get(f"/v1/accounts/{PAID}/balance", headers=headers).json()["balance"]
        return found

    line = {"remittance": "remittance-e:10000001:2026-09", "kpj": PAID, "reason": "wrong-person"}
    assert api.client.post(REVERSALS, headers=headers, json=line).json()["totals"]["posted"] == 1
    assert balance() == 285_000
    whole = {"remittance": REMITTANCE, "reason": "payment-returned"}
    assert api.client.post(REVERSALS, headers=headers, json=whole).json()["totals"]["posted"] == 1
    assert balance() == 0
    assert api.client.post(REVERSALS, headers=headers, json=whole).json()["totals"]["already"] == 1
    receipt = api.client.post(CONTRIBUTIONS, headers=headers, json=[row(PAID, month="2026-07")]).json()
    assert balance() == 285_000
    back = {"receipt": receipt["receipt"], "reason": "paid-twice"}
    assert api.client.post(REVERSALS, headers=headers, json=back).json()["totals"]["posted"] == 1
    assert balance() == 0
    last = api.client.get(f"/v1/accounts/{PAID}/balance", headers=headers).json()
    assert last["last_contribution"] is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"remittance": REMITTANCE}, 422, "reason-missing"),
        ({"remittance": REMITTANCE, "reason": "mood"}, 422, "reason-unknown"),
        ({"reason": "wrong-amount"}, 422, "reversal-unclear"),
        ({"remittance": REMITTANCE, "receipt": "x", "reason": "wrong-amount"}, 422, "reversal-unclear"),
        ({"remittance": f"account:{PAID}", "reason": "wrong-amount"}, 404, "remittance-not-found"),
        ({"remittance": REMITTANCE, "kpj": STRANGER, "reason": "wrong-amount"}, 404, "line-not-found"),
        ({"remittance": REMITTANCE, "kpj": "!", "reason": "wrong-amount"}, 422, "kpj-unreadable"),
        ({"receipt": "x", "reason": "wrong-amount"}, 404, "receipt-not-found"),
        ({"remittance": REMITTANCE, "note": "Budi", "reason": "wrong-amount"}, 422, "request-invalid"),
        ([], 422, "request-invalid"),
    ],
)
def test_a_reversal_that_names_nothing_is_refused(api: Api, body: Any, status: int, code: str) -> None:
    head = api.log.head()
    answer = api.client.post(REVERSALS, headers=api.key("correct"), json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "Budi" not in answer.text
    assert api.log.head() == head


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("text/plain", b"{}", 415, "content-type-unknown"),
        ("application/json", b"", 400, "json-unreadable"),
        ("application/json", b"{", 400, "json-unreadable"),
        ("application/json", b'{"reason": "Budi", "remittance": "x"}', 422, "reason-unknown"),
        ("application/json", b'{"reason": "paid-twice", "receipt": ["Budi"]}', 422, "request-invalid"),
        ("application/json", b'{"receipt": "' + b"x" * 5_000 + b'"}', 413, "body-too-large"),
        ("application/json", b"[" * 2_000 + b"]" * 2_000, 400, "json-unreadable"),
    ],
)
def test_a_body_that_is_no_reversal_is_refused_without_its_values(
    api: Api, kind: str, body: bytes, status: int, code: str
) -> None:
    for headers, wanted in ((api.key("correct"), (status, code)), ({}, (401, "key-missing"))):
        answer = api.client.post(REVERSALS, headers=headers | {"Content-Type": kind}, content=body)
        assert (answer.status_code, answer.json()["code"]) == wanted
        assert "Budi" not in answer.text


def test_a_correction_needs_the_scope_and_a_known_reason(api: Api) -> None:
    lines = [row(PAID, kind="correction")]
    for headers, query, status, code in (
        (api.key("post"), "?reason=wrong-amount", 403, "scope-missing"),
        (api.key("post", "correct"), "?reason=mood", 422, "reason-unknown"),
    ):
        answer = api.client.post(CONTRIBUTIONS + query, headers=headers, json=lines)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    without = api.client.post(CONTRIBUTIONS, headers=api.key("post", "correct"), json=lines)
    assert without.json()["problems"][0]["code"] == "reason-missing"


def test_a_registration_over_http_releases_the_money_that_waited(api: Api) -> None:
    headers = api.key()
    body = {
        "kpj": "26999999999", "nik": "3174016501900003", "name": "Sari Lestari", "birth_date": "1990-01-25",
        "sex": "P", "segment": "PU", "npp": "10000001", "email": "", "phone": "", "registered_on": "2025-01-02",
    }  # fmt: skip
    receipt = api.client.post("/v1/registrations", headers=headers, json=[body]).json()
    assert receipt["totals"]["posted"] == 1, receipt
    api.follow()
    told = api.client.get("/v1/accounts/26999999999/balance", headers=headers).json()
    assert (told["balance"], told["last_contribution"]["paid_on"]) == (285_000, "2026-09-10")
    again = api.client.post("/v1/registrations", headers=headers, json=[body]).json()
    assert again["totals"]["already"] == 1


def test_employers_and_opening_balances_come_in_over_http(api: Api) -> None:
    headers = api.key()
    employer = {"npp": "10000009", "name": "PT Baru", "registered_on": "2026-01-02"}
    assert api.client.post("/v1/employers", headers=headers, json=[employer]).json()["totals"]["posted"] == 1
    opening = {
        "kpj": SECOND, "as_of": "2024-12-31", "employer": 1_000, "worker": 2_000, "credited_yield": 300, "months": 9,
    }  # fmt: skip
    assert api.client.post("/v1/opening-balances", headers=headers, json=[opening]).json()["totals"]["posted"] == 1
    api.follow()
    told = api.client.get(f"/v1/accounts/{SECOND}/balance", headers=headers).json()
    assert (told["balance"], told["yield"]["brought"], told["months_contributed"]) == (288_300, 300, 10)


OPENINGS = "/v1/opening-balances"


def opening(**changes: Any) -> dict[str, Any]:
    return {
        "kpj": STRANGER, "as_of": "2025-12-31", "employer": 100, "worker": 50, "credited_yield": 7, "months": 12,
    } | changes  # fmt: skip


def test_an_opening_balance_is_replaced_and_taken_back_over_http(api: Api) -> None:
    headers = api.key("register", "correct")
    first = api.client.post(OPENINGS, headers=headers, json=[opening()])
    assert (first.status_code, first.json()["totals"]["posted"]) == (200, 1)
    other = api.client.post(OPENINGS, headers=headers, json=[opening(employer=90)])
    assert (other.status_code, other.json()["codes"][0]["code"]) == (422, "opening-conflict")
    for query, status, code in (
        ("replace=true", 422, "reason-missing"), ("replace=true&reason=because", 422, "reason-unknown"),
    ):  # fmt: skip
        refused = api.client.post(f"{OPENINGS}?{query}", headers=headers, json=[opening(employer=90)])
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    query = "?replace=true&reason=wrong-amount"
    narrow = api.client.post(OPENINGS + query, headers=api.key("register"), json=[opening(employer=90)])
    assert (narrow.status_code, narrow.json()["code"]) == (403, "scope-missing")
    replaced = api.client.post(OPENINGS + query, headers=headers, json=[opening(employer=90)])
    assert replaced.json()["totals"]["posted"] == 1

    body = {"kind": "opening", "kpj": STRANGER, "reason": "wrong-amount"}
    bound = api.client.post(REVERSALS, headers=api.key("correct", npps=[10000002]), json=body)
    assert (bound.status_code, bound.json()["code"]) == (403, "object-foreign")
    taken = api.client.post(REVERSALS, headers=headers, json=body)
    assert (taken.status_code, taken.json()["totals"]["posted"]) == (200, 1)
    never = api.client.post(REVERSALS, headers=headers, json=body | {"kpj": SECOND})
    assert (never.status_code, never.json()["code"]) == (404, "opening-not-found")
    receipt = api.client.post(OPENINGS, headers=headers, json=[opening(worker=51)]).json()["receipt"]
    by_receipt = api.client.post(REVERSALS, headers=headers, json={"receipt": receipt, "reason": "wrong-amount"})
    assert by_receipt.json()["totals"]["posted"] == 1
