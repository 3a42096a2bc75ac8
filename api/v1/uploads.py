"""The uploads of the four layouts. All decisions are made behind `ledger.ingestion.door`.

A small contributions body is put into the door's queue from the event loop and committed together with what other
callers sent meanwhile; everything else runs in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, TypeVar

import numpy as np
from fastapi import APIRouter, Query, Security
from starlette.requests import Request
from starlette.responses import Response

from api.access.keys import Caller, api_key
from api.application import ApplicationState, application_of
from api.parameters import CorrectingQuery, IdempotencyKey, OpeningsQuery, WriteQuery
from api.request_body import Body, spooled
from api.route import ShortRoute
from api.v1.guesses import must_not_guess
from api.v1.idempotency import asked, once, writer_of
from api.v1.receipts import WRITE_PROBLEMS, Receipt, receipt_response, receipt_responses, request_id
from api.v1.upload_columns import request_body
from ledger.decisions.remittance import CORRECTION_REASONS
from ledger.errors import Refused
from ledger.ingestion.door import committed_together
from ledger.ingestion.readers.reading import REFUSALS, read
from ledger.ingestion.readers.table import Table
from ledger.members import Acting
from ledger.receipt import Header
from ledger.receipt import Receipt as Decided

SMALL_BODY = 128 << 10
"""Bytes of a body that waits for no turn, however many come at once. One of contributions is read in the event loop,
which is cheaper than handing it to a thread."""
_PROBLEMS = tuple(dict.fromkeys((*WRITE_PROBLEMS, *REFUSALS, "too-many-guesses")))
_ABOUT = (
    "The receipt says what became of every line: posted, already there, suspended, refused, with codes. "
    "The same lines again change nothing."
)

Registrar = Annotated[Caller, Security(api_key, scopes=["register"])]
Poster = Annotated[Caller, Security(api_key, scopes=["post"])]
Write = Annotated[WriteQuery, Query()]
Correcting = Annotated[CorrectingQuery, Query()]
Openings = Annotated[OpeningsQuery, Query()]
router = APIRouter(route_class=ShortRoute, tags=["writing"])


Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Response]])


def upload(layout: str, summary: str, *problems: str) -> Callable[[Endpoint], Endpoint]:
    """The route of a layout's upload: all of them answer, and refuse, the same way; `problems`: its own besides."""
    return router.post(
        f"/v1/{layout}",
        operation_id=layout.replace("-", "_"),
        summary=summary,
        description=_ABOUT,
        response_model=Receipt,
        responses=receipt_responses(*_PROBLEMS, *problems),
        openapi_extra=request_body(layout),
    )


@upload("employers", "Register employers")
async def employers(
    request: Request, caller: Registrar, query: Write, idempotency_key: IdempotencyKey = None
) -> Response:
    """Employers."""
    return await _upload(request, caller, "employers", query, idempotency_key)


@upload("registrations", "Register participants and their cards")
async def registrations(
    request: Request, caller: Registrar, query: Write, idempotency_key: IdempotencyKey = None
) -> Response:
    """Participants."""
    return await _upload(request, caller, "registrations", query, idempotency_key)


@upload("opening-balances", "Record opening balances", "reason-missing")
async def opening_balances(
    request: Request, caller: Registrar, query: Openings, idempotency_key: IdempotencyKey = None
) -> Response:
    """Opening balances."""
    if query.replace and not query.reason:
        raise Refused("reason-missing", known=", ".join(CORRECTION_REASONS))
    return await _upload(request, caller, "opening-balances", query, idempotency_key)


@upload("contributions", "Post received contributions")
async def contributions(
    request: Request, caller: Poster, query: Correcting, idempotency_key: IdempotencyKey = None
) -> Response:
    """Contributions."""
    return await _upload(request, caller, "contributions", query, idempotency_key)


async def _upload(request: Request, caller: Caller, layout: str, query: WriteQuery, key: str | None) -> Response:
    application = application_of(request)
    reason = (query.reason or "") if isinstance(query, CorrectingQuery) else ""
    replace = isinstance(query, OpeningsQuery) and query.replace
    if reason:
        # A correction is a person's decision, as a reversal is.
        caller.must("correct")
    body = await spooled(request, application.settings.max_body)
    try:
        write = asked(application, request, caller, key, body.digest)

        async def do() -> Decided:
            header = Header(
                writer_of(caller), caller.channel, request_id(application, caller, write), reason, wants_rejects=False
            )
            return await _ingest(application, caller, layout, body, header, query.dry_run, replace)

        answered = partial(receipt_response, application)
        # A dry run writes nothing, so it has nothing to be kept under a key.
        return answered(await do()) if query.dry_run else await once(application, request, caller, write, do, answered)
    finally:
        body.close()


async def _ingest(
    application: ApplicationState,
    caller: Caller,
    layout: str,
    body: Body,
    header: Header,
    dry_run: bool,
    replace: bool,
) -> Decided:
    limits = application.door.limits
    if body.size <= SMALL_BODY and not body.is_packed:
        if layout == "contributions":
            table = read(body.source(), layout, limits)
        else:
            table = await application.work(lambda: read(body.source(), layout, limits))
        return await _take(application, caller, table, header, dry_run, replace)
    # What a large body becomes in memory is many times its size: such work waits for its turn, whatever door it uses.
    async with application.turn:
        table = await application.work_large(lambda: read(body.source(), layout, limits))
        return await _take(application, caller, table, header, dry_run, replace, is_large=True)


async def _take(
    application: ApplicationState,
    caller: Caller,
    table: Table,
    header: Header,
    dry_run: bool,
    replace: bool,
    *,
    is_large: bool = False,
) -> Decided:
    work = application.work_large if is_large else application.work
    await _must_cover(application, caller, table)
    backdate = "backdate" in caller.scopes
    if committed_together(table, dry_run=dry_run):
        return await asyncio.wrap_future(application.door.submit(table, header, backdate=backdate))
    take = partial(application.door.take, table, header, backdate=backdate, replace=replace)
    if caller.npps is None:
        return await work(partial(take, dry_run=dry_run))
    if dry_run or table.layout == "registrations":
        # What the answer would tell is counted before it is given, and before anything is written.
        looked = await work(partial(take, dry_run=True))
        await must_not_guess(application, caller, looked)
        if dry_run:
            return looked
    acting = Acting(header.by, header.channel, application.now(), request=header.request)
    joined = application.members.joined(acting) if table.layout == "registrations" else None
    return await work(partial(take, joined=joined))


async def _must_cover(application: ApplicationState, caller: Caller, table: Table) -> None:
    """Refuse a whole upload that speaks of an employer (or, for opening balances, a card) outside the key."""
    if caller.npps is None:
        return
    if table.layout == "opening-balances":
        await application.must_see(caller, np.unique(table.columns["kpj"]).tolist())
        return
    caller.must_cover(npp for npp in np.unique(table.columns["npp"]).tolist() if npp >= 0)
