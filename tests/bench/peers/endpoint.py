"""The bare FastAPI endpoint that balance queries are measured against: `async def -> Model`, no store.

`/plain-sql/...` is the same answer read by primary key from the plain SQL peer's table through a psycopg pool
of 8, when BENCH_PLAIN_SQL names its database; a POST there is one checked insert, a transaction a request.
`/v1/mobile/...` verifies a JWT (HS256, key in BENCH_JWT_KEY) first.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

from tests.bench.peers.plain_sql import SMALL


class Contributed(BaseModel):
    """What came in."""

    employer: int
    worker: int
    total: int


class LastContribution(BaseModel):
    """The newest month."""

    month: str
    paid_on: str
    npp: str


class AsOf(BaseModel):
    """How true the answer is."""

    date: str
    position: str
    recorded_at: str
    projected_at: str


class Balance(BaseModel):
    """The fields the ledger's balance answer has at least."""

    kpj: str
    segment: str
    status: str
    balance: int
    contributed: Contributed
    months_contributed: int
    last_contribution: LastContribution
    as_of: AsOf


SUMS = "select sum(employer)::bigint, sum(worker)::bigint, sum(months)::int from balances where kpj = %s"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    url = os.environ.get("BENCH_PLAIN_SQL")
    if not url:
        yield
        return
    async with AsyncConnectionPool(url, min_size=8, max_size=8, kwargs={"autocommit": True}) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


def answer(kpj: str, employer: int, worker: int, months: int) -> Balance:
    return Balance(
        kpj=kpj,
        segment="PU",
        status="active",
        balance=employer + worker,
        contributed=Contributed(employer=employer, worker=worker, total=employer + worker),
        months_contributed=months,
        last_contribution=LastContribution(month="2026-10", paid_on="2026-11-10", npp="10000000"),
        as_of=AsOf(
            date="2026-11-21",
            position="0123456789abcdef-1000",
            recorded_at="2026-11-21T03:00:00.000000Z",
            projected_at="2026-11-21T03:00:00.100000Z",
        ),
    )


@app.get("/v1/accounts/{kpj}/balance")
async def bare(kpj: str) -> Balance:
    return answer(kpj, 22_200_000, 12_000_000, 120)


@app.get("/plain-sql/v1/accounts/{kpj}/balance")
async def plain_sql(kpj: str) -> Balance:
    async with app.state.pool.connection() as connection:
        cursor = await connection.execute(
            SUMS,
            (int(kpj),),
        )
        employer, worker, months = await cursor.fetchone()
    if employer is None:
        raise HTTPException(404)
    return answer(kpj, employer, worker, months)


class Line(BaseModel):
    """A line of a contribution as the ledger takes it."""

    npp: int
    month: str
    kpj: int
    wage: int
    employer: int
    worker: int
    paid_on: date
    reference: str = ""


class Posted(BaseModel):
    """What became of the lines."""

    posted: int
    refused: int


@app.post("/plain-sql/v1/contributions")
async def post(lines: list[Line]) -> Posted:
    columns = ("npp", "month", "kpj", "wage", "employer", "worker", "paid_on")
    async with app.state.pool.connection() as connection:
        cursor = await connection.execute(SMALL, tuple([getattr(line, name) for line in lines] for name in columns))
    return Posted(posted=cursor.rowcount, refused=len(lines) - cursor.rowcount)


class MobileBalance(BaseModel):
    """The fields the app's balance answer has at least."""

    kpj: str
    segment: str
    status: str
    balance: int
    employer: int
    worker: int
    yield_credited: int
    months: int
    last: LastContribution
    as_of: AsOf


KEY = OctKey.import_key(bytes.fromhex(os.environ.get("BENCH_JWT_KEY", "00" * 32)))
CLAIMS = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": "jht-ledger"}, aud={"essential": True, "value": "jht-mobile"},
    exp={"essential": True}, sub={"essential": True},
)  # fmt: skip


async def member(authorization: Annotated[str, Header()]) -> str:
    try:
        token = jwt.decode(authorization.removeprefix("Bearer "), KEY, algorithms=["HS256"])
        CLAIMS.validate(token.claims)
    except JoseError:
        raise HTTPException(401) from None
    return str(token.claims["sub"])


@app.get("/v1/mobile/cards/{handle}/balance")
async def mobile(handle: str, person: Annotated[str, Depends(member)]) -> MobileBalance:
    known = answer(handle, 22_200_000, 12_000_000, 120)
    return MobileBalance(
        kpj="***" + handle[-4:],
        segment=known.segment,
        status=known.status,
        balance=known.balance,
        employer=known.contributed.employer,
        worker=known.contributed.worker,
        yield_credited=0,
        months=known.months_contributed,
        last=known.last_contribution,
        as_of=known.as_of,
    )
