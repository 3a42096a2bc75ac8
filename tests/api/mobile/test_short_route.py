"""The short route answers as FastAPI's own route does: same declaration, same bytes, whatever is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute
from httpx2 import Response

from api import schemas
from api.route import Route, ShortRoute
from tests.api.mobile.conftest import CARD, MobileApi

SHORT = ("/v1/accounts/{kpj}/balance", "/v1/accounts/{kpj}/entries", "/v1/mobile/cards/{handle}/balance")
UPLOADS = ("/v1/employers", "/v1/registrations", "/v1/opening-balances", "/v1/contributions")
QUERIES = (
    "", "as_of=2026-11-12", "as_of=2026-11-21", "as_of=2026-11-22", "as_of=2026-2-3", "as_of=", "limit=1", "limit=0",
    "limit=501", "limit=x", "limit=1&limit=2", "cursor=abc", "min_position=abc", "min_position=0000000000000000-1",
    "as_off=1", "Budi+S=1", "%ff=1", "as_of=Budi&limit=x",
)  # fmt: skip
HEADERS: tuple[dict[str, str], ...] = (
    {}, {"Accept-Language": "en"}, {"X-Reason": "counter-visit"}, {"X-Reason": "Budi bertanya"},
    {"If-None-Match": "*"}, {"If-None-Match": '"x"'}, {"Authorization": ""}, {"Authorization": "Bearer x"},
)  # fmt: skip


@pytest.fixture
def pair(mobile: MobileApi) -> Iterator[MobileApi]:
    """The API, which also serves each short route the ordinary way, below /ordinary."""
    routes = mobile.app.router.routes
    short = [route for route in routes if isinstance(route, ShortRoute)]
    assert sorted(route.path for route in short) == sorted((*SHORT, *UPLOADS))
    for route in short:
        routes.append(
            Route(
                f"/v1/ordinary{route.path}",
                route.endpoint,
                methods=list(route.methods),
                response_model=route.response_model,
            )
        )
    yield mobile
    del routes[-len(short) :]


def bare(answer: Response) -> tuple[int, bytes, dict[str, str]]:
    """All of an answer but the number of the request, in header and body."""
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "content-length"}}
    return answer.status_code, answer.content.partition(b'"request_id"')[0], headers


def unnamed(answer: Response) -> tuple[int, bytes, dict[str, str]]:
    """The same of a receipt, whose own number and time taken are left out too."""
    status, content, headers = bare(answer)
    return status, re.sub(rb'"(receipt|seconds)":("[0-9a-f]*"|[0-9.]+)', b"", content), headers


def test_short_and_ordinary_routes_answer_alike(pair: MobileApi) -> None:
    app, seen = pair.login(), set[int]()
    key, bound = pair.key("read"), pair.key("read", npps=[1])
    addresses = [
        *((SHORT[0].format(kpj=kpj), key) for kpj in (CARD, "2600.0000.017", "26000099999", "!!")),
        *((SHORT[1].format(kpj=kpj), key) for kpj in (CARD, "26000099999")),
        (SHORT[0].format(kpj=CARD), bound), (SHORT[1].format(kpj=CARD), bound), (SHORT[0].format(kpj=CARD), {}),
        *((SHORT[2].format(handle=handle), app.headers()) for handle in (app.handle(), app.handle(1), "x")),
    ]  # fmt: skip
    asked = 0
    for path, who in addresses:
        for query in QUERIES:
            for more in HEADERS if query in {"", "limit=1"} else HEADERS[:2]:
                headers = who | more
                short, ordinary = (
                    pair.client.get(f"{start}{path}?{query}", headers=headers) for start in ("", "/v1/ordinary")
                )
                assert bare(short) == bare(ordinary), (path, query, more)
                assert "Budi" not in short.text
                seen.add(short.status_code)
                asked += 1
    assert seen == {200, 304, 400, 401, 403, 404, 422}
    assert asked > 300


def test_short_and_ordinary_uploads_answer_alike(pair: MobileApi) -> None:
    line = b'[{"npp":"10000001","month":"2026-10","kpj":"26000000017","wage":5000000,"paid_on":"2026-11-12"}]'
    key, bound, reader = pair.key("post", "register"), pair.key("post", npps=[10000001]), pair.key("read")
    seen = set[int]()
    for path in UPLOADS:
        for query in (
            "dry_run=true",
            "dry_run=maybe",
            "dry_run=true&dry_run=true",
            "x=1",
            "reason=Budi",
            "replace=true",
        ):
            for who in (key, bound, reader, {}, key | {"Idempotency-Key": "one"}, key | {"Idempotency-Key": "n" * 300}):
                for body, kind in ((line, "application/json"), (b"[", "application/json"), (b"npp;x\n", "text/csv")):
                    headers = who | {"Content-Type": kind}
                    short, ordinary = (
                        pair.client.post(f"{start}{path}?{query}", headers=headers, content=body)
                        for start in ("", "/v1/ordinary")
                    )
                    assert unnamed(short) == unnamed(ordinary), (path, query, who, body)
                    assert "Budi" not in short.text
                    seen.add(short.status_code)
    assert seen >= {200, 400, 401, 403, 422}


def test_what_a_short_route_sends_is_its_model(pair: MobileApi) -> None:
    app, key = pair.login(), pair.key("read")
    for path, headers, model in (
        (SHORT[0].format(kpj=CARD), key, schemas.Balance),
        (SHORT[1].format(kpj=CARD), key, schemas.Entries),
        (SHORT[2].format(handle=app.handle(1)), app.headers(), schemas.Balance),
    ):
        content = pair.client.get(path, headers=headers).content
        assert model.model_validate_json(content).model_dump_json().encode() == content


def test_a_short_route_refuses_a_declaration_that_it_cannot_solve() -> None:
    async def takes_a_body(body: schemas.AsOf) -> None:
        """Not a read."""

    with pytest.raises(AssertionError):
        ShortRoute("/x", takes_a_body, methods=["POST"])
    assert issubclass(ShortRoute, APIRoute)
