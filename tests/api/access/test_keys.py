"""Keys, scopes, objects; and that no route was forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from api.access.keys import SCOPES, Keys
from api.app import create_app
from ledger.errors import NotFound, Refused
from ledger.settings import Settings
from tests.api.conftest import PAID, Api
from tests.api.described import scopes
from tests.conftest import NOW

BALANCE = f"/v1/accounts/{PAID}/balance"


OPEN = {"GET /livez", "GET /readyz", "POST /v1/mobile/login", "POST /v1/mobile/refresh"}
"""The described routes that answer anybody."""


def test_no_route_for_programs_is_open_except_the_named_ones(tmp_path: object) -> None:
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path}/none.db"))
    wanted = scopes(app)
    assert {route for route, security in wanted.items() if not security} == OPEN
    keyed = {route: security["key"] for route, security in wanted.items() if "key" in security}
    assert len(keyed) == 17
    assert all(len(named) == 1 and named[0] in SCOPES for named in keyed.values())
    # Not started: nothing is open behind the routes, so an answer can only come from the check of the key.
    client = TestClient(app, raise_server_exceptions=False)
    for route in keyed:
        method, path = route.split(" ")
        answer = client.request(method, path.format(kpj=PAID, person="a" * 32, code="x"))
        assert (answer.status_code, answer.json()["code"]) == (401, "key-missing"), path


def test_each_route_needs_its_own_scope(api: Api) -> None:
    for route, security in scopes(api.app).items():
        if "key" not in security:
            continue
        method, path = route.split(" ")
        others = [scope for scope in SCOPES if scope not in security["key"]]
        for sent in ({}, {"content": b"[{", "headers": {"Content-Type": "application/json"}}):
            headers = api.key(*others) | sent.get("headers", {})  # type: ignore[operator]
            answer = api.client.request(
                method, path.format(kpj=PAID, person="a" * 32, code="x"), headers=headers, content=sent.get("content")
            )
            assert (answer.status_code, answer.json()["code"]) == (403, "scope-missing"), path


def test_a_revoked_and_an_expired_key_are_worth_nothing(api: Api) -> None:
    revoked = api.key("read")
    assert api.client.get(BALANCE, headers=revoked).status_code == 200
    key_id = revoked["Authorization"].split("_")[1]
    api.keys.revoke(key_id, now=NOW)
    api.keys.revoke(key_id, now=NOW + timedelta(days=1))
    api.app.state.application.keys._read_at = float("-inf")
    assert api.client.get(BALANCE, headers=revoked).json()["code"] == "key-wrong"
    (listed,) = api.keys.list()
    assert listed.revoked_at == NOW.isoformat()
    expiring = api.key("read", expires_at=NOW + timedelta(seconds=30))
    assert api.client.get(BALANCE, headers=expiring).status_code == 200
    api.clock = NOW + timedelta(seconds=30)
    assert api.client.get(BALANCE, headers=expiring).json()["code"] == "key-wrong"


def test_a_key_with_one_letter_wrong_is_wrong(api: Api) -> None:
    headers = api.key("read")
    key = headers["Authorization"]
    for wrong in (
        key[:-1] + ("A" if key[-1] != "A" else "B"),
        key + "x",
        key.replace("jht_", "JHT_"),
        key + "\xe9",
    ):
        answer = api.client.get(BALANCE, headers=[("Authorization", wrong.encode("latin-1"))])
        assert (answer.status_code, answer.json()["code"]) == (401, "key-wrong")


def test_only_the_hash_of_a_key_is_kept(api: Api) -> None:
    secret = api.key("read")["Authorization"].removeprefix("Bearer ")
    table = "access.keys" if api.access.dialect == "postgres" else "keys"
    with api.access.read() as tx:
        rows = str(tx.rows(f"select * from {table}"))
    assert secret not in rows
    assert secret.split("_", 2)[2] not in rows


def test_keys_are_made_listed_and_revoked_by_name(api: Api) -> None:
    keys = Keys(api.access)
    key, made = keys.create("bank", ["post", "read"], now=NOW, npps=[10000001, 7], channel="partner")
    assert key.startswith(f"jht_{made.id}_")
    (listed,) = keys.list()
    assert (listed.name, listed.scopes, listed.npps, listed.channel) == (
        "bank", {"post", "read"}, {7, 10000001}, "partner",
    )  # fmt: skip
    with pytest.raises(Refused, match="Unknown scope"):
        keys.create("bank", ["all"], now=NOW)
    with pytest.raises(NotFound):
        keys.revoke("nobody", now=NOW)


def test_a_store_of_keys_that_fails_lets_nobody_in(api: Api) -> None:
    headers = api.key("read")
    assert api.client.get(BALANCE, headers=headers).status_code == 200
    table = "access.keys" if api.access.dialect == "postgres" else "keys"
    with api.access.write() as tx:
        tx.run(f"alter table {table} rename to gone")
    api.app.state.application.keys._read_at = float("-inf")
    for _ in range(2):
        answer = api.client.get(BALANCE, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "store-failed")
    with api.access.write() as tx:
        tx.run("alter table access.gone rename to keys" if "." in table else "alter table gone rename to keys")
    api.app.state.application.keys._failed_at = float("-inf")
    assert api.client.get(BALANCE, headers=headers).status_code == 200
