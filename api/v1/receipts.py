"""What every write answers: a receipt."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from api.access.keys import KEY_PROBLEMS, Caller
from api.application import ApplicationState
from api.problems import refusals
from api.responses import described, json_response
from api.v1.idempotency import Asked
from ledger.receipt import Receipt
from ledger.store.idempotency import digest_of

WRITE_PROBLEMS = (
    "parameter-unreadable", "parameter-unknown", *KEY_PROBLEMS, "object-foreign", "body-too-large",
    "content-type-unknown", "json-unreadable", "request-invalid", "reason-unknown", "idempotency-key-unreadable",
    "idempotency-key-reused", "idempotency-in-progress", "store-failed", "disk-full", "internal",
)  # fmt: skip


def request_id(caller: Caller, write: Asked) -> str:
    """The receipt's id: of the Idempotency-Key, or of the body, so that what is sent again has the same receipt."""
    return (write.digest or digest_of(caller.id, write.route, write.body_hash))[:32]


def receipt_response(application: ApplicationState, receipt: Receipt) -> Response:
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
    found[422]["content"]["application/json"] = {"schema": {"$ref": "#/components/schemas/Receipt"}}
    return found
