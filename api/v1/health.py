"""`/livez`, `/readyz` (open, and saying nothing but codes) and `/metrics` (scope `metrics`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Annotated, TypeVar

from fastapi import APIRouter, Security
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api import schemas
from api.access.keys import KEY_PROBLEMS, Caller, api_key
from api.application import application_of
from api.metrics import Known, Metrics
from api.parameters import NoParameters
from api.problems import RETRY_SECONDS, refusals
from api.responses import described
from api.route import Route
from api.v1.accounts import PARAMETER_PROBLEMS
from ledger.errors import JhtError
from projections.status import complete_until

Answer = TypeVar("Answer")
router = APIRouter(route_class=Route, tags=["health"])


@router.get("/livez", operation_id="livez", summary="Alive", responses=refusals(*PARAMETER_PROBLEMS))
async def livez(query: NoParameters) -> schemas.Health:
    """Whether the process answers at all."""
    return schemas.Health(status="ok", checks={})


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Ready",
    responses=refusals(*PARAMETER_PROBLEMS)
    | {503: {"model": schemas.Health, "description": "It cannot", "headers": described("Retry-After")}},
)
async def readyz(request: Request, response: Response, query: NoParameters) -> schemas.Health:
    """Whether balances can be told truthfully here: the stores answer and the read side is fresh."""
    application = application_of(request)
    checks = {
        "log": await _check(application.log.head),
        "access": await _check(application.keys.list),
        "read-side": await _check(lambda: application.reader.check_fresh(application.now())),
    }
    if all(found == "ok" for found in checks.values()):
        return schemas.Health(status="ok", checks=checks)
    response.status_code = 503
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return schemas.Health(status="unavailable", checks=checks)


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Counters for Prometheus",
    response_class=PlainTextResponse,
    responses=refusals(*PARAMETER_PROBLEMS, *KEY_PROBLEMS, "store-failed", "internal"),
)
async def show_metrics(
    request: Request,
    caller: Annotated[Caller, Security(api_key, scopes=["metrics"])],
    query: NoParameters,
) -> Response:
    """The counters for Prometheus, and what is known of the stores: a part that does not answer is told as such."""
    application = application_of(request)
    metrics: Metrics = request.app.state.metrics
    (head, log), (seen, read_side), (until, _) = await asyncio.gather(
        _asked(application.log.head), _asked(application.reader.freshness),
        _asked(lambda: complete_until(application.log)),
    )  # fmt: skip
    confirmed = seen.confirmed_at if seen else None
    known = Known(
        parts={"log": log, "read-side": read_side},
        head=head,
        read=seen.position if seen else None,
        age=(application.now() - confirmed).total_seconds() if confirmed else None,
        complete=date.fromisoformat(until) if until else None,
    )
    return Response(await asyncio.to_thread(metrics.shown, known), media_type=CONTENT_TYPE_LATEST)


async def _check(function: Callable[[], object]) -> str:
    return (await _asked(function))[1]


async def _asked(function: Callable[[], Answer]) -> tuple[Answer | None, str]:
    """What a part answers, and `ok`; else None and the code of why it does not."""
    try:
        async with asyncio.timeout(3):
            return await asyncio.to_thread(function), "ok"
    except JhtError as error:
        return None, error.code
    except TimeoutError:
        return None, "store-failed"
