"""An authenticator in software: makes passkeys and signs with them as a phone does, or wrongly where a test says how."""

from __future__ import annotations

import base64
import json
import os
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

HOST, ORIGIN = "localhost", "http://localhost:8099"
PRESENT, VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authenticator:
    """One passkey. `count`: how often it says it was used; it grows with each use, unless it stays 0 (`counts`)."""

    def __init__(self, *, counts: bool = True) -> None:
        self.id, self.handle, self.count, self._counts = os.urandom(16), b"", 0, counts
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: dict[str, Any], **wrong: Any) -> str:
        """What a browser sends after `navigator.credentials.create`."""
        self.handle = _bytes(options["user"]["id"])
        numbers = self._key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        data = self._data(_ATTESTED, wrong) + attested
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._sent(self._client("webauthn.create", options, wrong), attestationObject=made)

    def get(self, options: dict[str, Any], **wrong: Any) -> str:
        """What a browser sends after `navigator.credentials.get`."""
        self.count = wrong.get("count", self.count + 1 if self._counts else 0)
        data, client = self._data(0, wrong), self._client("webauthn.get", options, wrong)
        key: ec.EllipticCurvePrivateKey = wrong.get("key", self._key)
        signature = key.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        handle = wrong.get("handle", self.handle)
        return self._sent(client, authenticatorData=data, signature=signature, userHandle=handle)

    def _data(self, more: int, wrong: dict[str, Any]) -> bytes:
        host, flags = wrong.get("host", HOST), wrong.get("flags", PRESENT | VERIFIED)
        return sha256(str(host).encode()).digest() + bytes([flags | more]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any], wrong: dict[str, Any]) -> bytes:
        said = {
            "type": wrong.get("type", kind), "challenge": wrong.get("challenge", options["challenge"]),
            "origin": wrong.get("origin", ORIGIN), "crossOrigin": False,
        }  # fmt: skip
        return json.dumps(said).encode()

    def _sent(self, client: bytes, **response: bytes) -> str:
        said = {"clientDataJSON": _text(client), **{name: _text(data) for name, data in response.items()}}
        return json.dumps({"id": _text(self.id), "rawId": _text(self.id), "type": "public-key", "response": said})
