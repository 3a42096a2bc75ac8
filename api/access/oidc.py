"""Members come in through an OpenID provider (JHT_OIDC_ISSUER): the authorization code flow with PKCE, state and nonce.

What a login has to remember travels in a sealed cookie of the browser that began it, so that any process can finish it
and a code that was caught elsewhere is worth nothing. The ID token is believed only after its signature,
issuer, audience, time and nonce were checked (OpenID Connect Core 3.1.3.7); an e-mail address that does not stand in it
is asked for at the userinfo endpoint (5.4), whose answer must be about the same subject (5.3.2).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec
import structlog
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ledger.errors import Refused, Unavailable
from ledger.fields import READERS
from ledger.settings import Settings
from ledger.store.vault import Vault

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
"""Signatures with a public key only: `none` and shared secrets are nobody's proof."""
VALID = timedelta(minutes=15)
"""How long a login may take from its first page to its last."""
SECONDS = 10.0
LONGEST_EMAIL = 254
LEEWAY_SECONDS = 60
_METADATA_SECONDS, _KEYS_PAUSE_SECONDS = 3600.0, 30.0
_NONCE = 12
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

S = TypeVar("S", bound="Going | Proven")


class Going(msgspec.Struct, frozen=True):
    """A login that was begun."""

    state: str
    nonce: str
    verifier: str
    until: str


class Proven(msgspec.Struct, frozen=True):
    """Who the provider says it is; `email` is an address it has verified, "" without one."""

    issuer: str
    subject: str
    email: str
    until: str


class Begun(NamedTuple):
    """Where to send the browser, and what it must bring back."""

    address: str
    sealed: str


class Provider:
    """The provider of the settings. Raises Refused(setting-wrong) when they do not fit together."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        issuer = settings.oidc_issuer or ""
        parts = urlsplit(issuer)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise Refused("setting-wrong", what="JHT_OIDC_ISSUER: must begin with https://")
        if not settings.oidc_client_id:
            raise Refused("setting-wrong", what="JHT_OIDC_CLIENT_ID is not set")
        self.issuer, self._settings, self._vault = issuer, settings, vault
        self.back = f"{settings.public_url}/oidc/kembali"
        self._metadata: tuple[float, dict[str, Any]] = (float("-inf"), {})
        self._keys: tuple[float, KeySet] = (float("-inf"), KeySet([]))

    async def begin(self, now: datetime, language: str) -> Begun:
        """Begin a login. Raises Unavailable(provider-away)."""
        found = await self._discovered()
        going = Going(_chance(), _chance(), _chance(), (now + VALID).isoformat())
        async with self._client() as client:
            address, _ = client.create_authorization_url(
                found["authorization_endpoint"], state=going.state, nonce=going.nonce,
                code_verifier=going.verifier, ui_locales=language,
            )  # fmt: skip
        return Begun(address, self.seal(going))

    async def finish(self, query: Mapping[str, str], sealed: str, now: datetime) -> Proven:
        """What the browser brought back. Raises Refused(provider-refused), Unavailable(provider-away)."""
        going = self.unseal(sealed, Going, now)
        if not hmac.compare_digest(query.get("state", "").encode("utf-8", "replace"), going.state.encode()):
            raise _refused("state")
        if query.get("iss", self.issuer) != self.issuer:
            raise _refused("issuer")
        if "error" in query or not query.get("code"):
            raise _refused("answer")
        return await self._proven(await self._token(query["code"], going), going, now)

    def seal(self, data: Going | Proven) -> str:
        """For a cookie."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher().encrypt(nonce, msgspec.json.encode(data), type(data).__name__.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def unseal(self, sealed: str, kind: type[S], now: datetime) -> S:
        """The inverse of `seal`. Raises Refused(provider-refused): not ours, of another kind, or too old."""
        try:
            data = base64.urlsafe_b64decode(sealed.encode("ascii", "replace"))
            text = self._cipher().decrypt(data[:_NONCE], data[_NONCE:], kind.__name__.encode())
        except (InvalidTag, ValueError, binascii.Error):
            raise _refused("cookie") from None
        found = msgspec.json.decode(text, type=kind)
        if datetime.fromisoformat(found.until) < now:
            raise _refused("late")
        return found

    def _cipher(self) -> AESGCM:
        return AESGCM(self._vault.derived(b"oidc"))

    # --- talking to the provider

    def _client(self) -> AsyncOAuth2Client:
        secret = self._settings.oidc_client_secret
        return AsyncOAuth2Client(
            self._settings.oidc_client_id,
            secret.get_secret_value() if secret is not None else None,
            token_endpoint_auth_method="client_secret_basic" if secret is not None else "none",
            scope="openid email",
            redirect_uri=self.back,
            code_challenge_method="S256",
            timeout=SECONDS,
            trust_env=False,
        )

    async def _get(self, address: str, access: str = "") -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {access}"} if access else {}
        try:
            async with httpx2.AsyncClient(timeout=SECONDS, trust_env=False) as client:
                answer = await client.get(address, headers=headers)
                found = answer.raise_for_status().json()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise _away(error) from None
        if not isinstance(found, dict):
            raise _away(TypeError())
        return found

    async def _discovered(self) -> dict[str, Any]:
        """The provider's metadata (OpenID Connect Discovery 4), which must name the issuer that was asked."""
        read_at, found = self._metadata
        if time.monotonic() - read_at > _METADATA_SECONDS:
            found = await self._get(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
            wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if found.get("issuer") != self.issuer or not all(isinstance(found.get(name), str) for name in wanted):
                raise _away(ValueError())
            self._metadata = time.monotonic(), found
        return found

    async def _token(self, code: str, going: Going) -> dict[str, Any]:
        """The token endpoint's answer to a code."""
        endpoint = (await self._discovered())["token_endpoint"]
        try:
            async with self._client() as client:
                token: dict[str, Any] = await client.fetch_token(endpoint, code=code, code_verifier=going.verifier)
        except OAuthError:
            raise _refused("code") from None
        except (httpx2.HTTPError, ValueError) as error:
            raise _away(error) from None
        return token

    async def _proven(self, token: dict[str, Any], going: Going, now: datetime) -> Proven:
        id_token = token.get("id_token")
        if not isinstance(id_token, str):
            raise _refused("token")
        try:
            header = jws.extract_compact(id_token.encode()).headers()
            keys = await self._keys_for(header.get("kid"))
            claims = jwt.decode(id_token, keys, algorithms=ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self._settings.oidc_client_id},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": going.nonce},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            raise _refused(type(error).__name__) from None
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != self._settings.oidc_client_id:
            raise _refused("azp")
        email = _verified_email(claims) or await self._asked_email(token, claims["sub"])
        return Proven(self.issuer, claims["sub"], email, (now + VALID).isoformat())

    async def _asked_email(self, token: dict[str, Any], subject: str) -> str:
        """The verified address that the userinfo endpoint tells, "" without one."""
        endpoint, access = (await self._discovered()).get("userinfo_endpoint"), token.get("access_token")
        if not isinstance(endpoint, str) or not isinstance(access, str):
            return ""
        found = await self._get(endpoint, access)
        return _verified_email(found) if found.get("sub") == subject else ""

    async def _keys_for(self, kid: str | None) -> KeySet:
        """The provider's keys, read again when they do not have this one: it may have been renewed."""
        read_at, keys = self._keys
        known = bool(keys.keys) and (kid is None or any(key.kid == kid for key in keys.keys))
        # A stranger's token with a made-up key must not make us ask the provider each time.
        if not known and time.monotonic() - read_at > _KEYS_PAUSE_SECONDS:
            found = await self._get((await self._discovered())["jwks_uri"])
            keys = KeySet.import_key_set({"keys": [one for one in found.get("keys", []) if one.get("use") != "enc"]})
            self._keys = time.monotonic(), keys
        return keys


def _verified_email(claims: Mapping[str, Any]) -> str:
    email = READERS["email"](str(claims.get("email", "")), LONGEST_EMAIL)
    return email if claims.get("email_verified") is True and isinstance(email, str) else ""


def _chance() -> str:
    return secrets.token_urlsafe(32)


def _refused(why: str) -> Refused:
    structlog.get_logger().info("provider-refused", why=why)
    return Refused("provider-refused")


def _away(error: Exception) -> Unavailable:
    structlog.get_logger().warning("provider-away", error=type(error).__name__)
    return Unavailable("provider-away")
