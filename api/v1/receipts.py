"""What every write answers: a receipt."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from starlette.responses import Response

from api.access.keys import KEY_PROBLEMS, Caller
from api.application import ApplicationState
from api.problems import refusals
from api.responses import described, json_response
from api.schemas import Answer, Code, OneOf, Position, Sentence, shaped
from api.v1.idempotency import Asked
from ledger import receipt as decided
from ledger.layouts import LAYOUTS
from ledger.store.idempotency import digest_of

WRITE_PROBLEMS = (
    "parameter-unreadable", "parameter-unknown", *KEY_PROBLEMS, "object-foreign", "body-too-large",
    "content-type-unknown", "json-unreadable", "request-invalid", "reason-unknown", "idempotency-key-unreadable",
    "idempotency-key-reused", "idempotency-in-progress", "vault-rotating", "master-key-wrong", "store-failed",
    "disk-full", "internal",
)  # fmt: skip


Lines = Annotated[int, Field(description="How many lines", ge=0, examples=[1])]


class ReceiptTotals(Answer):
    """Lines by what became of them."""

    posted: Lines
    already: Lines
    suspended: Lines
    refused: Lines
    warnings: Lines


class ReceiptCode(Answer):
    """How many lines a code concerns."""

    verdict: decided.Verdict
    code: Code
    lines: Lines
    cells: Annotated[int, Field(ge=0, description="Cells, where the code is told of cells", examples=[0])]
    columns: Annotated[list[str], Field(description="The columns of those cells", examples=[[]])]


class ReceiptOutcome(Answer):
    """What became of one remittance or registration; `code` is empty unless it was refused whole."""

    name: Annotated[str, Field(examples=["remittance-e:10000001:2026-10"])]
    first_line: Annotated[int, Field(examples=[1])]
    posted: Lines
    already: Lines
    suspended: Lines
    refused: Lines
    code: Annotated[Code | Literal[""], Field(examples=[""])]


class ReceiptProblem(Answer):
    """One thing wrong at one place, in both languages; a refused value is never repeated."""

    verdict: decided.Verdict
    code: Code
    line: Annotated[int, Field(description="Counts from 1 with a file's header line", examples=[2])]
    column: Annotated[str, Field(examples=["kpj"])]
    details: Annotated[dict[str, str | int], Field(examples=[{"npp": "10000001"}])]
    id: Sentence
    en: Annotated[str, Field(examples=["This KPJ is not registered."])]


class Receipt(Answer):
    """What became of every line of a write. `position` is null when nothing was written."""

    receipt: Annotated[str, shaped("^[0-9a-f]{32}$"), Field(examples=["9f86d081884c7d659a2feaa0c55ad015"])]
    layout: Annotated[str, OneOf((*LAYOUTS, "reversals"))]
    dry_run: bool
    totals: ReceiptTotals
    codes: list[ReceiptCode]
    outcomes_total: Annotated[int, Field(examples=[1])]
    outcomes: list[ReceiptOutcome]
    problems: list[ReceiptProblem]
    position: Position | None


def request_id(application: ApplicationState, caller: Caller, write: Asked) -> str:
    """The receipt's id: of the Idempotency-Key, or of the body, so that what is sent again has the same receipt."""
    return (write.digest or digest_of(application.log, caller.id, write.route, write.body_hash))[:32]


def receipt_response(application: ApplicationState, receipt: decided.Receipt) -> Response:
    """200 with the receipt, 422 when nothing at all could be used."""
    body = receipt.as_json(application.log.log_id)
    totals = body["totals"]
    used = totals["posted"] + totals["already"] + totals["suspended"]
    return json_response(
        body,
        422 if totals["refused"] and not used else 200,
        {"JHT-Position": body["position"]} if body["position"] else None,
    )


def receipt_responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` of a write that is refused with these codes."""
    found = refusals(*codes) | {200: {"headers": described("JHT-Position", "Idempotency-Replayed")}}
    found[422]["description"] += "; or the receipt, when every line was refused"
    # Only the problem is in a language.
    found[422]["headers"] = described("JHT-Position", "Idempotency-Replayed")
    found[422]["content"]["application/json"] = {"schema": {"$ref": "#/components/schemas/Receipt"}}
    return found
