"""Every mobile route as everybody who must not come in: one look, one refusal, nothing told."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from api.access.tokens import AUDIENCE, ISSUER, KIND, LEEWAY_SECONDS
from api.problems import STATUS
from tests.api.declared import declare
from tests.api.mobile.conftest import OTHERS, App, MobileApi, code
from tests.conftest import NOW


def guarded(mobile: MobileApi) -> list[tuple[str, str]]:
    """(method, path below /v1/mobile/) of every route that wants a member."""
    return [
        (method.upper(), path.removeprefix("/v1/mobile/"))
        for path, methods in mobile.app.openapi()["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/v1/mobile/") and operation.get("security") == [{"member": []}]
    ]


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def forged(
    mobile: MobileApi, token: str, *, key: bytes = b"", header: dict[str, Any] | None = None, **claims: Any
) -> str:
    """A token like this one with some claims changed, signed with the service's key unless another is given."""
    said = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    signing = OctKey.import_key(key or mobile.application.members.vault.derived(b"mobile access"))
    head = header or {"alg": "HS256", "typ": KIND}
    changed = {name: value for name, value in (said | claims).items() if value is not None}
    return jwt.encode(head, changed, signing, algorithms=[head["alg"]], default_type=None)


def test_every_route_wants_a_member_but_the_two_where_tokens_are_asked_for(mobile: MobileApi) -> None:
    below = [path for path in mobile.app.openapi()["paths"] if path.startswith("/v1/mobile/")]
    assert {path.removeprefix("/v1/mobile/") for path in below} - {path for _, path in guarded(mobile)} == {
        "login", "refresh",
    }  # fmt: skip
    assert len(guarded(mobile)) == 17


def test_nobody_comes_in_without_a_good_token(mobile: MobileApi, app: App) -> None:
    good = app.tokens["access_token"]
    head, body, signature = good.split(".")
    key = mobile.key("read", "persons")["Authorization"]
    said = json.loads(base64.urlsafe_b64decode(body + "=="))
    said["sub"] = mobile.ani
    wrong = {
        "an API key": key,
        "garbage": "Bearer x",
        "two dots": "Bearer ..",
        "not ASCII": "Bearer \xe9.\xe9.\xe9",
        "huge": "Bearer " + "a" * 5_000,
        "the refresh token": f"Bearer {app.tokens['refresh_token']}",
        "one sign less": f"Bearer {good[:-1]}",
        "another's name under the signature": f"Bearer {head}.{segment(said)}.{signature}",
        "alg none": f"Bearer {segment({'alg': 'none', 'typ': KIND})}.{body}.",
        "alg none with the signature": f"Bearer {segment({'alg': 'none', 'typ': KIND})}.{body}.{signature}",
        "HS512": "Bearer " + forged(mobile, good, header={"alg": "HS512", "typ": KIND}),
        "another key": "Bearer " + forged(mobile, good, key=b"k" * 32),
        "another kind": "Bearer " + forged(mobile, good, header={"alg": "HS256", "typ": "JWT"}),
        "wrong audience": "Bearer " + forged(mobile, good, aud="jht-website"),
        "no audience": "Bearer " + forged(mobile, good, aud=None),
        "wrong issuer": "Bearer " + forged(mobile, good, iss="elsewhere"),
        "no issuer": "Bearer " + forged(mobile, good, iss=None),
        "no end": "Bearer " + forged(mobile, good, exp=None),
        "over": "Bearer " + forged(mobile, good, exp=int(NOW.timestamp()) - LEEWAY_SECONDS),
        "from the future": "Bearer " + forged(mobile, good, iat=int(NOW.timestamp()) + 3_600),
        "another epoch": "Bearer " + forged(mobile, good, epoch=7),
        "another member": "Bearer " + forged(mobile, good, sub=mobile.ani),
        "an unknown device": "Bearer " + forged(mobile, good, sid="0" * 32),
    }  # fmt: skip
    for method, path in guarded(mobile):
        address = "/v1/mobile/" + path.format(handle=app.handle())
        mobile.forget()
        for headers in ({}, {"Authorization": "Basic abc"}, {"Authorization": "Bearer "}):
            assert code(mobile.client.request(method, address, headers=headers)) == (401, "login-missing"), path
        for what, value in wrong.items():
            mobile.forget()
            given = [("Authorization", value.encode("latin-1"))]
            answer = mobile.client.request(method, address, headers=given)
            assert code(answer) == (401, "login-over"), (path, what)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "855000" not in answer.text
    assert app.ask("cards").status_code == 200


def test_a_forged_token_is_refused_also_where_the_device_is_remembered(mobile: MobileApi, app: App) -> None:
    assert app.ask("cards").status_code == 200
    for claims in ({"epoch": 7}, {"sub": mobile.ani}):
        app.tokens["access_token"] = forged(mobile, app.tokens["access_token"], **claims)
        assert code(app.ask("cards")) == (401, "login-over"), claims


def test_the_forger_makes_good_tokens_when_nothing_is_changed(mobile: MobileApi, app: App) -> None:
    app.tokens["access_token"] = forged(mobile, app.tokens["access_token"])
    assert app.ask("cards").status_code == 200
    assert (ISSUER, AUDIENCE) == ("jht-ledger", "jht-mobile")


def test_a_token_ends_after_ten_minutes_also_when_it_is_remembered(mobile: MobileApi, app: App) -> None:
    assert app.tokens["expires_in"] == 600
    mobile.clock = NOW + timedelta(minutes=9, seconds=59)
    mobile.follow()
    assert app.ask("cards").status_code == 200
    mobile.clock = NOW + timedelta(minutes=10, seconds=LEEWAY_SECONDS)
    for method, path in guarded(mobile):
        assert code(app.ask(path.format(handle="x"), method)) == (401, "login-over"), path


def test_a_token_names_nobody(app: App) -> None:
    body = base64.urlsafe_b64decode(app.tokens["access_token"].split(".")[1] + "==").decode()
    assert json.loads(body).keys() == {"iss", "aud", "sub", "sid", "epoch", "iat", "exp", "jti"}
    for secret in ("budi", "Budi", "contoh", "26000", "317101", "0812"):
        assert secret not in body


def test_a_foreign_handle_looks_like_one_that_does_not_exist(mobile: MobileApi, app: App) -> None:
    declare(mobile)  # or there is no rate to simulate with
    ani = mobile.login("budi2@contoh.id")
    foreign, unknown = ani.handle(), "u0b7Wf0aTz2nCq5m8xKd1g"
    asked = {"cards/{handle}/statement": "?year=2026"}
    walked_paths = [(m, p + asked.get(p, "")) for m, p in guarded(mobile) if "{handle}" in p]
    assert len(walked_paths) == 6
    for method, path in walked_paths:
        first, second = (app.ask(path.format(handle=handle), method) for handle in (foreign, unknown))
        assert code(first) == (404, "card-unknown")
        assert first.json() | {"request_id": ""} == second.json() | {"request_id": ""}
        # Nor does the number itself stand for the card.
        assert code(app.ask(path.format(handle=OTHERS), method)) == (404, "card-unknown")
        assert ani.ask(path.format(handle=foreign), method).status_code == 200


@pytest.mark.parametrize("given", ["login-missing", "login-over", "refresh-over", "refresh-reused", "login-wrong"])
def test_who_is_not_let_in_is_told_so_by_a_401(given: str) -> None:
    assert STATUS[given] == 401
