"""What an ID token must be to be believed, against a provider that lies on demand."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from api.access import oidc
from api.access.oidc import Going, Proven, Provider
from ledger.errors import JhtError
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.conftest import NOW

CLIENT = "jht"
AT = int(NOW.timestamp())


@cache
def _key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Liar:
    """A provider whose next ID token is `claims` signed with `key`, whatever they are."""

    def __init__(self) -> None:
        self.key: Any = _key()
        self.published: list[Any] = [self.key]
        self.algorithm, self.kid = "RS256", "one"
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.issuer = ""
        self.asked: list[str] = []

    def answer(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            addresses = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/keys",
                         "userinfo_endpoint": "/me"}  # fmt: skip
            return {"issuer": self.issuer} | {n: self.issuer + p for n, p in addresses.items()} | self.metadata
        if path == "/keys":
            return {"keys": [key.as_dict(private=False) for key in self.published]}
        if path == "/me":
            return self.userinfo
        token = jwt.encode(
            {"alg": self.algorithm, "kid": self.kid},
            self.claims,
            self.key,
            algorithms=[self.algorithm, "none", "HS256"],
        )
        return {"access_token": "a", "token_type": "Bearer", "id_token": token}


@pytest.fixture
def liar() -> Iterator[Liar]:
    one = Liar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(one.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    one.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    yield one
    server.shutdown()
    server.server_close()


@pytest.fixture
def provider(log: Log, liar: Liar) -> Provider:
    changes = {"oidc_issuer": liar.issuer, "oidc_client_id": CLIENT, "public_url": "https://saldo.example"}
    return Provider(Settings(**(log.settings.model_dump() | changes)), Vault.open(log))


def finish(provider: Provider, liar: Liar, query: dict[str, str] | None = None, **claims: Any) -> Proven:
    """A login whose ID token has right claims but for `claims`; None leaves one out."""
    begun = asyncio.run(provider.begin(NOW, "id"))
    going = provider.unseal(begun.sealed, Going, NOW)
    right = {
        "iss": liar.issuer, "aud": CLIENT, "sub": "budi", "iat": AT, "exp": AT + 300, "nonce": going.nonce,
        "email": "Budi@Contoh.id", "email_verified": True,
    }  # fmt: skip
    liar.claims = {name: value for name, value in (right | claims).items() if value is not None}
    asked = {"state": going.state, "code": "c"} if query is None else query
    return asyncio.run(provider.finish(asked, begun.sealed, NOW))


def refused(provider: Provider, liar: Liar, code: str = "provider-refused", **how: Any) -> None:
    with pytest.raises(JhtError) as error:
        finish(provider, liar, **how)
    assert error.value.code == code


def test_a_right_token_proves_subject_and_verified_address(provider: Provider, liar: Liar) -> None:
    proven = finish(provider, liar)
    assert (proven.issuer, proven.subject, proven.email) == (liar.issuer, "budi", "Budi@contoh.id")
    assert finish(provider, liar, aud=[CLIENT, "other"], azp=CLIENT).subject == "budi"


def test_the_browser_is_sent_with_state_nonce_and_a_hashed_verifier(provider: Provider) -> None:
    begun = asyncio.run(provider.begin(NOW, "en"))
    going, query = provider.unseal(begun.sealed, Going, NOW), parse_qs(urlsplit(begun.address).query)
    assert query["state"] == [going.state]
    assert query["nonce"] == [going.nonce]
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == ["https://saldo.example/oidc/kembali"]
    assert query["scope"] == ["openid email"]
    assert going.verifier not in begun.address
    assert len({going.state, going.nonce, going.verifier}) == 3
    assert all(secret not in begun.sealed for secret in (going.state, going.nonce, going.verifier))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"}, {"aud": "other"}, {"aud": [CLIENT, "other"]}, {"nonce": "other"},
        {"exp": AT - 61}, {"iat": AT + 61}, {"sub": None}, {"exp": None}, {"aud": None}, {"iss": None},
        {"nonce": None}, {"iat": None},
    ],
)  # fmt: skip
def test_a_token_for_another_or_another_time_is_refused(provider: Provider, liar: Liar, claims: dict[str, Any]) -> None:
    refused(provider, liar, **claims)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_token_that_nobody_or_another_signed_is_refused(provider: Provider, liar: Liar) -> None:
    liar.key = RSAKey.generate_key(2048, {"kid": "one"})
    refused(provider, liar)
    # A shared secret, and no signature at all.
    liar.key, liar.algorithm = OctKey.import_key(b"s" * 32), "HS256"
    refused(provider, liar)
    liar.algorithm = "none"
    refused(provider, liar)


def test_a_renewed_key_is_fetched_once_and_a_made_up_one_does_not_ask_each_time(
    provider: Provider, liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(provider, liar)
    monkeypatch.setattr(oidc, "_KEYS_PAUSE_SECONDS", 0.0)
    liar.key, liar.algorithm, liar.kid = ECKey.generate_key("P-256", {"kid": "two"}), "ES256", "two"
    liar.published.append(liar.key)
    assert finish(provider, liar).subject == "budi"
    monkeypatch.undo()
    before = liar.asked.count("/keys")
    liar.kid = "made-up"
    for _ in range(3):
        refused(provider, liar)
    assert liar.asked.count("/keys") == before == 2


def test_state_issuer_and_error_are_looked_at_before_the_code(provider: Provider, liar: Liar) -> None:
    begun = asyncio.run(provider.begin(NOW, "id"))
    state = provider.unseal(begun.sealed, Going, NOW).state
    for query in (
        {}, {"state": "x", "code": "c"}, {"state": state}, {"state": state, "error": "access_denied", "code": "c"},
        {"state": state, "code": "c", "iss": "https://other.example"}, {"state": "\udcff", "code": "c"},
    ):  # fmt: skip
        with pytest.raises(JhtError) as error:
            asyncio.run(provider.finish(query, begun.sealed, NOW))
        assert error.value.code == "provider-refused"
    assert "/token" not in liar.asked


def test_a_cookie_of_another_kind_too_old_or_changed_is_refused(provider: Provider) -> None:
    going = Going("a", "b", "c", (NOW + oidc.VALID).isoformat())
    sealed = provider.seal(going)
    assert provider.unseal(sealed, Going, NOW) == going
    changed = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    for text, kind, now in (
        (sealed, Proven, NOW), (sealed, Going, NOW + 2 * oidc.VALID), (changed, Going, NOW), ("", Going, NOW),
        ("ü", Going, NOW), ("x", Going, NOW),
    ):  # fmt: skip
        with pytest.raises(JhtError) as error:
            provider.unseal(text, kind, now)
        assert error.value.code == "provider-refused"


def test_an_address_counts_only_when_verified_and_of_the_same_subject(provider: Provider, liar: Liar) -> None:
    assert finish(provider, liar, email_verified=False).email == ""
    assert finish(provider, liar, email_verified="true").email == ""
    assert finish(provider, liar, email="x\r\ny@contoh.id").email == ""
    liar.userinfo = {"sub": "budi", "email": "budi@contoh.id", "email_verified": True}
    assert finish(provider, liar, email=None).email == "budi@contoh.id"
    liar.userinfo["sub"] = "siti"
    assert finish(provider, liar, email=None).email == ""


def test_a_provider_that_is_another_or_away_is_told_as_such(provider: Provider, liar: Liar) -> None:
    liar.metadata = {"issuer": "https://other.example"}
    refused(provider, liar, "provider-away")
    liar.metadata = {"token_endpoint": None}
    refused(provider, liar, "provider-away")
    liar.metadata = {"token_endpoint": "http://127.0.0.1:1/token"}
    refused(provider, liar, "provider-away")


@pytest.mark.parametrize("changes", [{"oidc_issuer": "http://login.example"}, {"oidc_client_id": ""}])
def test_settings_that_do_not_fit_stop_the_start(log: Log, changes: dict[str, str]) -> None:
    given = {"oidc_issuer": "https://login.example", "oidc_client_id": CLIENT} | changes
    with pytest.raises(JhtError) as error:
        Provider(Settings(**(log.settings.model_dump() | given)), Vault.open(log))
    assert error.value.code == "setting-wrong"
