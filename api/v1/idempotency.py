"""`Idempotency-Key`: a write is done once, and answered the same for ever (`ledger.store.idempotency`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from api.access.keys import Caller
from api.application import ApplicationState
from api.problems import MEDIA_TYPE, TYPE_ROOT, answer, status_of
from ledger.errors import Refused
from ledger.store import idempotency as log_request

_REFUSAL = '{"type":"' + TYPE_ROOT


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
    application: ApplicationState, request: Request, caller: Caller, write: Asked, do: Callable[[], Awaitable[Response]]
) -> Response:
    """Do a write, or answer what its key was answered before.

    Raises Conflict(idempotency-key-reused), Unavailable(idempotency-in-progress).
    """
    if not write.key:
        return await do()
    by, channel = writer_of(caller), caller.channel
    begun = await application.work(
        lambda: log_request.begin(
            application.log, write.digest, write.body_hash, write.route, by=by, channel=channel, now=application.now()
        )
    )
    if isinstance(begun, log_request.Replay):
        kind = MEDIA_TYPE if begun.receipt.startswith(_REFUSAL) else "application/json"
        headers = {"Cache-Control": "no-store", "Idempotency-Replayed": "true"}
        return Response(begun.receipt.encode(), begun.status, headers, kind)
    try:
        try:
            response = await do()
        except Refused as refused:
            if status_of(refused.code) >= 500:
                raise
            # What cannot be used today cannot be used tomorrow: the refusal is the answer of this key.
            response = answer(request, refused.problem)
    except BaseException:
        await asyncio.shield(application.work(lambda: log_request.abandon(application.log, begun)))
        raise
    text = bytes(response.body).decode()
    await application.work(
        lambda: log_request.finish(
            application.log, begun, response.status_code, text, by=by, channel=channel, now=application.now()
        )
    )
    return response


def writer_of(caller: Caller) -> str:
    """Who an event says wrote it."""
    return f"key:{caller.id}"
