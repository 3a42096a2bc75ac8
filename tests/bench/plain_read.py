"""The balance query without the key and the record of the read: the API's own route, reading, freshness, answer.

Only the benchmark serves it, to show what access control costs.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from api.application import ApplicationState
from api.parameters import KpjPath
from api.responses import versioned
from api.route import ShortRoute
from api.schemas import Balance, balance_fields
from ledger.clock import jakarta_date
from ledger.identifiers import card_number
from ledger.settings import load

opened = ApplicationState(load())


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await opened.start()
    gc.collect()
    gc.freeze()  # as the API does
    yield
    await opened.stop()


app = FastAPI(lifespan=lifespan)


router = APIRouter(route_class=ShortRoute)


@router.get("/v1/accounts/{kpj}/balance", response_model=Balance)
async def balance(request: Request, kpj: KpjPath) -> Response:
    """What one card holds now."""
    now = opened.now()
    # The API's outermost layer does this for every request.
    request.scope["given"] = dict(request.scope["headers"])
    row = await opened.balance(card_number(kpj), now, None)
    body = balance_fields(opened.log.log_id, row, jakarta_date(now))
    as_of = body["as_of"]
    return versioned(request, body, as_of["position"], f"{row.version}-0-{as_of['date']}", "id")


app.router.routes.extend(router.routes)
