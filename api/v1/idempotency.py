"""`Idempotency-Key`: a write is done once, and answered the same for ever (`ledger.store.idempotency`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from api.access.keys import Caller
from api.application import ApplicationState
from api.problems import answer, status_of
from ledger.errors import Problem, Refused
from ledger.events import RequestFinished
from ledger.receipt import Receipt, kept_problem
from ledger.store import account_index
from ledger.store import idempotency as log_request


class Asked(NamedTuple):
    """A write as it came: `key` is empty without an Idempotency-Key, `digest` names the request in the log."""

    route: str
    key: str
    digest: str
    body_hash: str


def asked(application: ApplicationState, request: Request, caller: Caller, key: str | None, body_hash: str) -> Asked:
    """A write under its Idempotency-Key, if it has one."""
    route = request.scope["route"].path
    if key is None:
        return Asked(route, "", "", body_hash)
    return Asked(route, key, log_request.digest_of(application.log, caller.id, route, key), body_hash)


async def once(
    application: ApplicationState,
    request: Request,
    caller: Caller,
    write: Asked,
    do: Callable[[], Awaitable[Receipt]],
    answered: Callable[[Receipt], Response],
) -> Response:
    """Do a write and answer with its receipt, or answer what its key was answered before.

    The log keeps numbers and codes; sentences and the position are made anew for every answer.
    Raises Conflict(idempotency-key-reused), Unavailable(idempotency-in-progress).
    """
    if not write.key:
        return answered(await do())
    by, channel = writer_of(caller), caller.channel
    begun = await application.work(
        lambda: log_request.begin(
            application.log, write.digest, write.body_hash, write.route, by=by, channel=channel, now=application.now()
        )
    )
    if isinstance(begun, log_request.Replay):
        response = await _again(application, request, begun.answer, answered)
        response.headers["Idempotency-Replayed"] = "true"
        return response
    try:
        try:
            receipt = await do()
        except Refused as refused:
            if status_of(refused.code) >= 500:
                raise
            # What cannot be used today cannot be used tomorrow: the refusal is the answer of this key.
            response = answer(request, refused.problem)
            kept = RequestFinished(
                hash=begun.body_hash, status=response.status_code, problems=(kept_problem(refused.problem),)
            )
        else:
            response = answered(receipt)
            kept = receipt.kept(begun.body_hash, response.status_code)
    except BaseException:
        await asyncio.shield(application.work(lambda: log_request.abandon(application.log, begun)))
        raise
    await application.work(
        lambda: log_request.finish(application.log, begun, kept, by=by, channel=channel, now=application.now())
    )
    return response


async def _again(
    application: ApplicationState, request: Request, kept: RequestFinished, answered: Callable[[Receipt], Response]
) -> Response:
    if not kept.layout:
        (one,) = kept.problems
        return answer(request, Problem(one.code, one.line, one.column, one.details))

    def last_position() -> int:
        with application.log.database.read() as tx:
            # The head tells which log this is now: a restored one has another id.
            application.log.head_in(tx)
            span = account_index.receipt(tx, kept.receipt)
        return span[1] if span is not None else 0

    return answered(Receipt.again(kept, await application.work(last_position)))


def writer_of(caller: Caller) -> str:
    """Who an event says wrote it."""
    return f"key:{caller.id}"
