"""What every answer says, whoever made it."""

from __future__ import annotations

import pytest

from ledger.settings import Settings
from tests.api.conftest import PAID, Api, small_ledger

BALANCE = f"/v1/accounts/{PAID}/balance"


@pytest.mark.parametrize(
    ("address", "stays"), [("http://127.0.0.1:8099", []), ("https://saldo.example", ["max-age=31536000"])]
)
def test_every_answer_is_what_it_says_it_is_and_over_tls_stays_there(
    settings: Settings, address: str, stays: list[str]
) -> None:
    with Api(settings, public_url=address) as api:
        key = api.key()
        api.append(*small_ledger())
        api.follow()
        known = api.client.get(BALANCE, headers=key)
        answers = [
            known,
            api.client.get(BALANCE, headers=key | {"If-None-Match": known.headers["etag"]}),
            api.client.get(BALANCE),
            api.client.post("/v1/contributions", headers=key, content=b"{"),
            api.client.post("/v1/mobile/login", json={}),
            api.client.post("/channels/sms/kannel", content=b"SALDO"),
            *map(api.client.get, ("/", "/saldo", "/tidak-ada", "/v1/nowhere", "/docs", "/docs/docs.css", "/livez")),
        ]
        assert {200, 304, 401, 404, 415} <= {answer.status_code for answer in answers}
        for answer in answers:
            assert answer.headers.get_list("x-content-type-options") == ["nosniff"], answer.url
            assert answer.headers.get_list("strict-transport-security") == stays, answer.url
