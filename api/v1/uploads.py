"""The writes: uploads of the four layouts, and reversals. All decisions are made behind `ledger.ingestion.door`.

A small contributions body is put into the door's queue from the event loop and committed together with what other
callers sent meanwhile; everything else runs in a thread.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import msgspec
import numpy as np
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.access.keys import Caller, caller_of, guarded
from api.application import ApplicationState
from api.parameters import flag_of, parameters
from api.problems import documented
from api.request_body import KINDS, Body, spooled
from api.responses import ready
from api.v1.accounts import COMMON, parameter
from api.v1.idempotency import Asked, asked, once, writer_of
from ledger.acts import reversal
from ledger.decisions.remittance import CORRECTION_REASONS
from ledger.errors import NotAllowed, NotFound, Refused
from ledger.identifiers import clean_kpj
from ledger.ingestion.door import SMALL
from ledger.ingestion.readers.reading import read
from ledger.ingestion.readers.table import Table
from ledger.receipt import Header, Receipt
from ledger.store.account_index import payer_of
from ledger.store.idempotency import digest_of

SMALL_BODY = 256 << 10
"""Bytes that are read in the event loop: cheaper than handing them to a thread."""

LAYOUTS = {
    "employers": ("register", "Register employers"),
    "registrations": ("register", "Register participants and their cards"),
    "contributions": ("post", "Post received contributions"),
    "opening-balances": ("register", "Record opening balances"),
}
_FILE_PROBLEMS = (
    "file-empty", "file-encoding", "file-too-large", "file-expands-too-far", "file-unreadable", "line-too-long",
    "quote-newline", "columns-missing", "column-unknown", "column-twice", "json-unreadable",
)  # fmt: skip
_WRITE_PROBLEMS = (
    "parameter-unreadable", "parameter-unknown", "key-missing", "key-wrong", "scope-missing", "object-foreign",
    "body-too-large", "content-type-unknown", "request-invalid", "idempotency-key-unreadable",
    "idempotency-key-reused", "idempotency-in-progress", "store-failed", "disk-full", "internal",
)  # fmt: skip


class Reversal(msgspec.Struct, forbid_unknown_fields=True):
    """What to take back: exactly one of `receipt` and `remittance`, which `kpj` and `kind` narrow down to lines; or, with
    `kind` opening, the opening balance of `kpj`."""

    reason: str = ""
    receipt: str = ""
    remittance: str = ""
    kpj: str = ""
    kind: str = ""


def routes(application: ApplicationState) -> APIRouter:
    """The routes over what the process holds open."""
    router = APIRouter(route_class=guarded(application.admit), tags=["writing"])

    answered = partial(_answer, application)

    async def upload(request: Request, layout: str) -> Response:
        caller = caller_of(request)
        found = parameters(request, "dry_run", *_MORE_PARAMETERS.get(layout, ()))
        dry_run, reason, replace = flag_of(found, "dry_run"), found.get("reason", ""), flag_of(found, "replace")
        if replace and not reason:
            raise Refused("reason-missing", known=", ".join(CORRECTION_REASONS))
        if reason or replace:
            # Corrections among the lines are a person's decision, as a reversal is.
            caller.must("correct")
            if reason not in CORRECTION_REASONS:
                raise Refused("reason-unknown", known=", ".join(CORRECTION_REASONS))
        body = await spooled(request, application.settings.max_body)
        try:
            write = asked(application, request, caller, body.digest)

            async def do() -> Receipt:
                header = Header(writer_of(caller), caller.channel, request_id(application, caller, write), reason)
                return await _ingest(application, caller, layout, body, header, dry_run, replace)

            # A dry run writes nothing, so it has nothing to be kept under a key.
            return answered(await do()) if dry_run else await once(application, request, caller, write, do, answered)
        finally:
            body.close()

    async def reverse(request: Request) -> Response:
        """Take posted or suspended lines back, by receipt, remittance, or line; the reason is obligatory."""
        caller = caller_of(request)
        dry_run = flag_of(parameters(request, "dry_run"), "dry_run")
        body = await spooled(request, application.settings.max_body, ("application/json",))
        try:
            write = asked(application, request, caller, body.digest)

            async def do() -> Receipt:
                target, reason = _target(caller, body)
                header = Header(writer_of(caller), caller.channel, request_id(application, caller, write), reason)
                return await application.work(partial(application.door.reverse, target, header, dry_run=dry_run))

            return answered(await do()) if dry_run else await once(application, request, caller, write, do, answered)
        finally:
            body.close()

    for layout, (scope, summary) in LAYOUTS.items():
        router.add_api_route(
            f"/v1/{layout}",
            _named(upload, layout),
            methods=["POST"],
            operation_id=layout.replace("-", "_"),
            summary=summary,
            description=UPLOAD_ABOUT,
            responses=_answers(
                *_FILE_PROBLEMS,
                *_WRITE_PROBLEMS,
                *(("reason-missing", "reason-unknown") if layout in _MORE_PARAMETERS else ()),
            ),
            openapi_extra={
                "x-scope": scope,
                "parameters": [
                    DRY_RUN,
                    *(_DESCRIBED[name] for name in _MORE_PARAMETERS.get(layout, ())),
                    IDEMPOTENCY_KEY,
                    *COMMON[:1],
                ],
                "requestBody": _body(layout),
            },
        )
    router.add_api_route(
        "/v1/reversals",
        reverse,
        methods=["POST"],
        operation_id="reversals",
        summary="Take contributions back",
        responses=_answers(
            *_WRITE_PROBLEMS, "json-unreadable", "reason-missing", "reason-unknown", "reversal-unclear",
            "remittance-not-found", "line-not-found", "receipt-not-found", "receipt-without-money",
            "opening-not-found", "kpj-unreadable",
        ),
        openapi_extra={
            "x-scope": "correct",
            "parameters": [DRY_RUN, IDEMPOTENCY_KEY, *COMMON[:1]],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": _REVERSAL_SCHEMA,
                        "example": {
                            "remittance": "remittance-e:10000001:2026-10",
                            "kpj": "26000000017",
                            "reason": "wrong-amount",
                        },
                    }
                },
            },
        },
    )  # fmt: skip
    return router


def request_id(application: ApplicationState, caller: Caller, write: Asked) -> str:
    """The receipt's id: of the Idempotency-Key, or of the body, so that what is sent again has the same receipt."""
    return (write.digest or digest_of(application.log, caller.id, write.route, write.body_hash))[:32]


def _named(upload: Any, layout: str) -> Any:
    async def endpoint(request: Request) -> Response:
        response: Response = await upload(request, layout)
        return response

    return endpoint


async def _ingest(
    application: ApplicationState, caller: Caller, layout: str, body: Body, header: Header, dry_run: bool, replace: bool
) -> Receipt:
    backdate = "backdate" in caller.scopes
    source = body.source()
    if layout == "contributions" and not dry_run and body.size <= SMALL_BODY:
        table = read(source, layout, application.door.limits)
        if len(table) <= SMALL:
            await _must_cover(application, caller, layout, table)
            return await asyncio.wrap_future(application.door.submit(table, header, backdate=backdate))
    if caller.npps is not None:
        table = await application.work(lambda: read(source, layout, application.door.limits))
        await _must_cover(application, caller, layout, table)
    return await application.work(
        partial(application.door.ingest, layout, source, header, dry_run=dry_run, backdate=backdate, replace=replace)
    )


async def _must_cover(application: ApplicationState, caller: Caller, layout: str, table: Table) -> None:
    """Refuse a whole upload that speaks of an employer (or, for opening balances, a card) outside the key."""
    if caller.npps is None:
        return
    if layout == "opening-balances":
        await application.must_see(caller, np.unique(table.columns["kpj"]).tolist())
        return
    caller.must_cover(npp for npp in np.unique(table.columns["npp"]).tolist() if npp >= 0)


def _target(caller: Caller, body: Body) -> tuple[reversal.Target, str]:
    try:
        wanted = msgspec.json.decode(body.bytes(), type=Reversal)
    except msgspec.ValidationError:
        raise Refused("request-invalid", what=", ".join(Reversal.__struct_fields__)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused("json-unreadable") from None
    kpj = clean_kpj(wanted.kpj) if wanted.kpj else ""
    if kpj is None:
        raise Refused("kpj-unreadable")
    target = reversal.Target(wanted.receipt, wanted.remittance, kpj, wanted.kind)
    if target.opening:
        if caller.npps is not None:
            raise NotAllowed("object-foreign")
        return target, wanted.reason
    if bool(wanted.receipt) == bool(wanted.remittance):
        raise Refused("reversal-unclear")
    if wanted.remittance and not wanted.remittance.startswith(("remittance-e:", "remittance-p:")):
        raise NotFound("remittance-not-found")
    if caller.npps is not None:
        # A receipt may hold remittances of several employers, so a bound key names the remittance.
        if wanted.receipt or not wanted.remittance.split(":")[1].isdigit():
            raise NotAllowed("object-foreign")
        caller.must_cover([payer_of(wanted.remittance)])
    return target, wanted.reason


def _answer(application: ApplicationState, receipt: Receipt) -> Response:
    """200 with the receipt, 422 when nothing at all could be used."""
    body = receipt.as_json(application.log.log_id)
    totals = body["totals"]
    used = totals["posted"] + totals["already"] + totals["suspended"]
    return ready(
        body,
        422 if totals["refused"] and not used else 200,
        {"JHT-Position": body["position"]} if body["position"] else None,
    )


def _answers(*codes: str) -> dict[int | str, dict[str, Any]]:
    found = documented(*codes) | {200: schemas.returned("Receipt", "What became of every line", RECEIPT_EXAMPLE)}
    found[422]["description"] += "; or the receipt, when every line was refused"
    found[422]["content"]["application/json"] = {"schema": {"$ref": "#/components/schemas/Receipt"}}
    return found


DRY_RUN = parameter("dry_run", "Decide everything and write nothing", {"type": "string", "enum": ["true", "false"]})
UPLOAD_ABOUT = (
    "The receipt says what became of every line: posted, already there, suspended, refused, with codes. "
    "The same lines again change nothing."
)
REASON = parameter(
    "reason",
    "Why, when lines have the kind `correction` or opening balances are replaced; needs the scope `correct`",
    {"type": "string", "enum": list(CORRECTION_REASONS)},
)
REPLACE = parameter(
    "replace",
    "Opening balances with other content take the place of those recorded; needs a reason and the scope `correct`",
    {"type": "string", "enum": ["true", "false"]},
)
_MORE_PARAMETERS = {"contributions": ("reason",), "opening-balances": ("replace", "reason")}
_REASON_PROBLEMS = ("reason-missing", "reason-unknown")
_DESCRIBED = {"reason": REASON, "replace": REPLACE}
IDEMPOTENCY_KEY = parameter(
    "Idempotency-Key",
    "The same key with the same body is answered the same for ever; with another body it is refused",
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    place="header",
)
_ROWS: dict[str, dict[str, Any]] = {
    "employers": {"npp": "10000001", "name": "PT Contoh Sejahtera", "registered_on": "2025-01-02"},
    "registrations": {
        "kpj": "26000000017",
        "nik": "3174016501900003",
        "name": "Sari Lestari",
        "birth_date": "1990-01-25",
        "sex": "P",
        "segment": "PU",
        "npp": "10000001",
        "email": "",
        "phone": "",
        "registered_on": "2025-01-02",
    },
    "contributions": {
        "npp": "10000001",
        "month": "2026-10",
        "kpj": "26000000017",
        "wage": 5000000,
        "back_pay": 0,
        "employer": 185000,
        "worker": 100000,
        "paid_on": "2026-11-12",
        "reference": "TRX-1",
    },
    "opening-balances": {
        "kpj": "26000000017",
        "as_of": "2024-12-31",
        "employer": 18500000,
        "worker": 10000000,
        "credited_yield": 1500000,
        "months": 100,
    },
}


def _body(layout: str) -> dict[str, Any]:
    row = _ROWS[layout]
    # Bounded on purpose loosely: what is wrong with a row is told in the receipt, not by the schema.
    item = {"type": "object", "properties": {n: {"type": _type(v)} for n, v in row.items()}}
    text = ",".join(row) + "\n" + ",".join(str(value) for value in row.values()) + "\n"
    examples = {
        "application/json": {"schema": {"type": "array", "items": item}, "example": [row]},
        "text/csv": {"schema": {"type": "string"}, "example": text},
        "application/x-ndjson": {
            "schema": {"type": "string"},
            "example": msgspec.json.encode(row).decode() + "\n",
        },
    }
    return {"required": True, "content": {kind: examples[kind] for kind in KINDS}}


def _type(value: str | int) -> str:
    return "integer" if isinstance(value, int) else "string"


_REVERSAL_SCHEMA = {
    "type": "object",
    "required": ["reason"],
    "additionalProperties": False,
    "properties": {
        "reason": {"type": "string", "enum": list(CORRECTION_REASONS)},
        **{name: {"type": "string"} for name in ("receipt", "remittance", "kpj", "kind")},
    },
}
RECEIPT_EXAMPLE = {
    "receipt": "9f86d081884c7d659a2feaa0c55ad015",
    "layout": "contributions",
    "dry_run": False,
    "totals": {"posted": 1, "already": 0, "suspended": 0, "refused": 0, "warnings": 0},
    "codes": [],
    "outcomes_total": 1,
    "outcomes": [
        {
            "name": "remittance-e:10000001:2026-10",
            "first_line": 1,
            "posted": 1,
            "already": 0,
            "suspended": 0,
            "refused": 0,
            "code": "",
        }
    ],
    "problems": [],
    "position": "3f9c2a1b7d04e586-48212",
}
