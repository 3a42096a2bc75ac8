"""`/v1/reversals`: posted or suspended lines taken back."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Security
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import Response

from api.access.keys import Caller, api_key
from api.application import application_of
from api.parameters import CorrectionReason, IdempotencyKey, Kpj, WriteQuery
from api.route import Route
from api.schemas import Kind
from api.v1.idempotency import asked, once, writer_of
from api.v1.receipts import WRITE_PROBLEMS, Receipt, receipt_response, receipt_responses, request_id
from ledger.acts.reversal import Target
from ledger.decisions.remittance import CORRECTION_REASONS
from ledger.errors import NotAllowed, NotFound
from ledger.identifiers import KINDS, payer_of
from ledger.receipt import Header
from ledger.receipt import Receipt as Decided

router = APIRouter(route_class=Route, tags=["writing"])


class Reversal(BaseModel):
    """What to take back: exactly one of `receipt` and `remittance`, which `kpj` and `kind` narrow down to lines; or, with
    `kind` opening, the opening balance of `kpj`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: CorrectionReason
    receipt: Annotated[str, Field(description="Everything that one receipt posted", max_length=64)] = ""
    remittance: Annotated[str, Field(max_length=64, examples=["remittance-e:10000001:2026-10"])] = ""
    kpj: Annotated[Kpj | None, Field(examples=["26000000017"])] = None
    kind: Kind | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if isinstance(given, dict):
            opening = given.get("kind") == "opening" and given.get("kpj")
            if bool(given.get("receipt")) == bool(given.get("remittance")) and (given.get("receipt") or not opening):
                raise PydanticCustomError("reversal-unclear", "")
            if not given.get("reason"):
                known = ", ".join(CORRECTION_REASONS)
                raise PydanticCustomError("reason-missing", "", {"known": known})
            if given.get("kind") and given["kind"] not in KINDS:
                raise PydanticCustomError("kind-unknown", "")
        return given


@router.post(
    "/v1/reversals",
    operation_id="reversals",
    summary="Take contributions back",
    response_model=Receipt,
    responses=receipt_responses(
        *WRITE_PROBLEMS, "reason-missing", "reversal-unclear", "remittance-not-found", "line-not-found",
        "receipt-not-found", "receipt-without-money", "opening-not-found", "kpj-unreadable", "kind-unknown",
        "paid-year-declared",
    ),
)  # fmt: skip
async def reverse(
    request: Request,
    caller: Annotated[Caller, Security(api_key, scopes=["correct"])],
    query: Annotated[WriteQuery, Query()],
    body: Reversal,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take posted or suspended lines back, by receipt, remittance, or line; the reason is obligatory. What was paid in a
    year whose yield is declared needs the scope `backdate` as well, and the receipt says how much yield goes with it."""
    application = application_of(request)
    write = asked(application, request, caller, idempotency_key, hashlib.sha256(await request.body()).hexdigest())

    async def do() -> Decided:
        target = _target(caller, body)
        header = Header(writer_of(caller), caller.channel, request_id(application, caller, write), body.reason)
        backdate = "backdate" in caller.scopes
        take = partial(application.door.reverse, target, header, dry_run=query.dry_run, backdate=backdate)
        return await application.work(take)

    answered = partial(receipt_response, application)
    return answered(await do()) if query.dry_run else await once(application, request, caller, write, do, answered)


def _target(caller: Caller, wanted: Reversal) -> Target:
    target = Target(wanted.receipt, wanted.remittance, wanted.kpj or "", wanted.kind or "")
    if target.opening:
        if caller.npps is not None:
            raise NotAllowed("object-foreign")
        return target
    if wanted.remittance and not wanted.remittance.startswith(("remittance-e:", "remittance-p:")):
        raise NotFound("remittance-not-found")
    if caller.npps is not None:
        # A receipt may hold remittances of several employers, so a bound key names the remittance.
        if wanted.receipt or not wanted.remittance.split(":")[1].isdigit():
            raise NotAllowed("object-foreign")
        caller.must_cover([payer_of(wanted.remittance)])
    return target
