"""The adapter for Kannel 1.4: smsbox posts each text to a `post-url` and sends the plain body of a 200 back.

Anything but a 200 makes it try again with the same id (`http-request-retry`), then it answers with a sentence of its own
configuration. A text with other letters than GSM-7 has comes in UTF-16BE. The body is what was typed; `%a` in the
address joins words, which can cut a UTF-16 letter in two, so it only counts when there is no body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import parse_qsl

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import Response

from api.request_body import spooled
from api.responses import header
from api.sms.gateway import Message
from ledger.errors import NotAllowed, NotFound, Refused

USER = "kannel"
LARGEST = 4096
_KINDS = ("text/plain", "application/octet-stream", "")
_CHARSETS = {"utf-8", "utf-16be", "us-ascii", "iso-8859-1", "windows-1252"}
_CHARSET = re.compile(r"charset=\"?([A-Za-z0-9_-]+)")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")


class Kannel:
    """Kannel, known by the password in its post-url; without one this door is closed."""

    path = "/channels/sms/kannel"

    def __init__(self, password: SecretStr | None) -> None:
        self._expected = None if password is None else _digest(f"{USER}:{password.get_secret_value()}".encode())

    async def read(self, request: Request) -> Message:
        """Raises NotFound(route-unknown), NotAllowed(gateway-wrong), Refused: parameter-unreadable, body-too-large."""
        if self._expected is None:
            raise NotFound("route-unknown")
        if not hmac.compare_digest(_digest(_credentials(header(request, b"authorization"))), self._expected):
            raise NotAllowed("gateway-wrong")
        given = _parameters(request.scope["query_string"])
        name = given.get("id", "")
        if not _ID.fullmatch(name):
            raise Refused("parameter-unreadable", name="id", expected="%I")
        sender = given.get("from") or header(request, b"x-kannel-from")
        body = (await spooled(request, LARGEST, _KINDS)).bytes()
        if body:
            charset = _charset(header(request, b"content-type"))
        else:
            body, charset = given.get("text", "").encode("latin-1"), given.get("charset", "")
        return Message("kannel", f"{given.get('smsc', '')}/{name}", sender, _decoded(body, charset))

    def answer(self, reply: str) -> Response:
        return Response(reply.encode(), 200, {"Cache-Control": "no-store"}, "text/plain")


def _parameters(query: bytes) -> dict[str, str]:
    """By name, each character one byte as it was sent: a text may be in any charset."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, encoding="latin-1", max_num_fields=20)
    except ValueError:
        raise Refused("parameter-unreadable", name="query", expected="name=value&...") from None
    return dict(pairs)


def _charset(content_type: str) -> str:
    told = _CHARSET.search(content_type)
    return told[1] if told else ""


def _decoded(data: bytes, charset: str) -> str:
    chosen = charset.lower()
    return data.decode(chosen if chosen in _CHARSETS else "utf-8", "replace")


def _credentials(authorization: str) -> bytes:
    kind, _, coded = authorization.partition(" ")
    try:
        return base64.b64decode(coded, validate=True) if kind.lower() == "basic" else b""
    except ValueError:
        return b""


def _digest(credentials: bytes) -> bytes:
    # Of equal length whatever was sent, so that the comparison tells nothing.
    return hashlib.sha256(credentials).digest()
