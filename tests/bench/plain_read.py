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

from api.access.keys import Caller, guarded
from api.application import ApplicationState
from api.parameters import card_of
from api.schemas import balance_of
from api.v1.accounts import SCHEME_VERSION, tagged
from ledger.clock import jakarta_date
from ledger.settings import load

ANYBODY = Caller("", "", frozenset({"read"}), None, "")
opened = ApplicationState(load())


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await opened.start()
    gc.collect()
    gc.freeze()  # as the API does
    yield
    await opened.stop()


app = FastAPI(lifespan=lifespan)


async def balance(request: Request) -> Response:
    """What one card holds now."""
    now = opened.now()
    # The API's outermost layer does this for every request.
    request.scope["given"] = dict(request.scope["headers"])
    row = await opened.balance(card_of(request.path_params["kpj"]), now, None)
    shown = balance_of(opened.log.log_id, row, jakarta_date(now))
    return tagged(request, shown, shown.as_of.position, f"{row.version}-{SCHEME_VERSION}-{shown.as_of.date}")


async def admit(_: Request) -> Caller:
    """Anybody comes in."""
    return ANYBODY


router = APIRouter(route_class=guarded(admit))
router.add_api_route("/v1/accounts/{kpj}/balance", balance, openapi_extra={"x-scope": "read"})
app.router.routes.extend(router.routes)
