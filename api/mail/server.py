"""The mail server behind JHT_SMTP_URL, and one connection to it."""

from __future__ import annotations

import ssl
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from ledger.errors import Refused
from ledger.settings import LOOPBACK

SECONDS = 20
"""How long one step of the conversation may last."""

_PORTS = {"none": 25, "starttls": 587, "tls": 465}


class Server(NamedTuple):
    """Where mails are handed over. `tls`: `none`, `starttls` (insisted on) or `tls` from the first byte.

    `ca`: a file of authorities to trust instead of the system's.
    """

    host: str
    port: int
    user: str
    password: str
    tls: str
    ca: str

    @classmethod
    def of(cls, url: str) -> Server:
        """The server of smtp://USER:PASSWORD@HOST:PORT?tls=starttls or smtps://HOST.

        Raises Refused(setting-wrong) without repeating anything of the address, which holds a password. A password is
        not sent to another machine in clear.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
            options = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
        except ValueError:
            raise _wrong("cannot be read") from None
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/"):
            raise _wrong("must be smtp://HOST or smtps://HOST")
        tls = options.pop("tls", ["tls" if parts.scheme == "smtps" else "none"])[-1]
        ca = options.pop("ca", [""])[-1]
        if options:
            raise _wrong("only tls= and ca= may follow the question mark")
        if tls not in ({"tls"} if parts.scheme == "smtps" else {"none", "starttls"}):
            raise _wrong("tls= must be starttls or none, and smtps:// needs none")
        if parts.password and tls == "none" and parts.hostname not in LOOPBACK:
            raise _wrong("a password needs smtps:// or tls=starttls")
        return cls(
            parts.hostname, port or _PORTS[tls], unquote(parts.username or ""), unquote(parts.password or ""), tls, ca
        )

    def connection(self, greeting: str) -> aiosmtplib.SMTP:
        """A conversation to enter with `async with`; `greeting`: the domain we say to be.

        Entering raises aiosmtplib's errors and OSError. Raises Refused(setting-wrong).
        """
        context = None
        if self.tls != "none":
            try:
                context = ssl.create_default_context(cafile=self.ca or None)
            except OSError:
                raise _wrong("the file of ca= cannot be read") from None
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            username=self.user or None,
            password=self.password or None,
            use_tls=self.tls == "tls",
            start_tls=self.tls == "starttls",
            tls_context=context,
            timeout=SECONDS,
            local_hostname=greeting,
        )


def _wrong(what: str) -> Refused:
    return Refused("setting-wrong", what=f"JHT_SMTP_URL: {what}")
