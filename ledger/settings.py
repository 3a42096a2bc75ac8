"""The one configuration: `JHT_*` environment variables (or `.env`-free keyword arguments in tests)."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.errors import Refused

PREFIX = "JHT_"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names of this machine: what goes there leaves no wire for others to read."""
_NOT_SETTINGS = {"JHT_TEST_DATABASE_URL"}


class Settings(BaseSettings):
    """Every setting with its meaning; unknown `JHT_*` variables are errors, so a typing slip is never ignored."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    database_url: str = Field(
        "sqlite:///jht.db",
        description="Where the ledger is: sqlite:///FILE (embedded) or postgresql://USER@HOST/NAME (production).",
    )
    master_key: SecretStr | None = Field(
        None, description="64 hex digits that wrap the persons' keys. SQLite without it makes FILE.key once."
    )
    master_key_file: Path | None = Field(None, description="A file that holds the master key.")
    max_staleness: float = Field(
        60, gt=0, description="Seconds without a confirmed log head before a balance is refused as stale."
    )
    max_wait: float = Field(5, ge=0, description="Seconds a read waits for `min_position`.")
    max_body: int = Field(64 * 2**20, gt=0, description="Bytes an HTTP body may have.")
    max_file: int = Field(2 * 2**30, gt=0, description="Bytes an input file may have, uncompressed.")
    max_lines: int = Field(5_000_000, gt=0, description="Lines an input file may have.")
    max_line: int = Field(65_536, gt=0, description="Characters one input line may have.")
    follow: bool = Field(True, description="Whether `jht serve` also runs the follower when nobody else does.")
    host: str = Field("127.0.0.1", description="Address `jht serve` listens on.")
    port: int = Field(8099, gt=0, lt=65536, description="Port `jht serve` listens on.")
    workers: int = Field(1, gt=0, le=64, description="Processes that `jht serve` answers with.")
    proxies: str = Field(
        "127.0.0.1",
        description="Addresses, by commas, of proxies in front that are believed who asks (X-Forwarded-For).",
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    public_url: str = Field(
        "http://127.0.0.1:8099",
        description="Where people reach the service: scheme, host, port. Links in letters and forms hold on to it.",
    )
    hsts_subdomains: bool = Field(
        False, description="Whether browsers are told to use https for every subdomain of JHT_PUBLIC_URL too (HSTS)."
    )
    session_idle_minutes: int = Field(30, gt=0, description="Minutes without a page before a login on the web ends.")
    session_hours: int = Field(12, gt=0, description="Hours after which a login on the web ends in any case.")
    address_tries: int = Field(
        60,
        gt=0,
        description="Logins, registrations, resets (each) a minute from one address; wrong ones in ten minutes.",
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="Where mails go: smtp://USER:PASSWORD@HOST:PORT?tls=starttls or smtps://HOST; ca=FILE names an own "
        "authority. Without it mails are shown on the terminal of `jht serve`, and wait when there is none.",
    )
    mail_from: str = Field("Saldo JHT <kabar@saldojht.example>", description="Who mails are from.")
    oidc_issuer: str | None = Field(
        None, description="The OpenID provider members log in with, instead of a password of ours: its issuer address."
    )
    oidc_client_id: str = Field("", description="How the OpenID provider knows this service.")
    oidc_client_secret: SecretStr | None = Field(
        None, description="The secret that goes with JHT_OIDC_CLIENT_ID; a public client has none."
    )
    sms_gateway_password: SecretStr | None = Field(
        None,
        description="What Kannel sends as user `kannel` to /channels/sms/kannel. Without it no SMS is taken.",
    )
    sms_send_url: SecretStr | None = Field(
        None,
        description="Kannel's sendsms for texts that answer nothing: http://USER:PASSWORD@HOST:13013/cgi-bin/sendsms.",
    )

    quiet_hours: str = Field(
        "20-7",
        description="FROM-TO, hours of Jakarta's clock: between them no notice is sent. Empty: notices go at any hour.",
    )

    @field_validator("quiet_hours")
    @classmethod
    def _two_hours(cls, text: str) -> str:
        if text and not (re.fullmatch("[0-9]{1,2}-[0-9]{1,2}", text) and all(int(h) < 24 for h in text.split("-"))):
            raise ValueError('FROM-TO, 20-7, ""')
        return text

    @field_validator("database_url")
    @classmethod
    def _known_store(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("sqlite:///FILE, postgresql://USER@HOST/NAME")
        return url

    @field_validator("public_url")
    @classmethod
    def _only_an_origin(cls, url: str) -> str:
        parts = urlsplit(url.rstrip("/"))
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts[2:] != ("", "", ""):
            raise ValueError("http(s)://HOST[:PORT]")
        return f"{parts.scheme}://{parts.netloc}".lower()

    @property
    def is_https(self) -> bool:
        """Whether people reach the service over TLS."""
        return self.public_url.startswith("https://")

    @property
    def passkey_host(self) -> str:
        """The host that passkeys are bound to, "" where browsers make none: over plain HTTP to another machine, and where
        the address is a number (WebAuthn wants a domain).
        """
        host = urlsplit(self.public_url).hostname or ""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return host if self.is_https or host == "localhost" else ""
        return ""

    @property
    def offers_passkeys(self) -> bool:
        """Whether members may log in with a passkey: not where a provider does the log-in."""
        return bool(self.passkey_host) and self.oidc_issuer is None

    @property
    def printed_url(self) -> str:
        """`public_url` as it may stand on paper, "" where it leads only to the own machine."""
        return "" if urlsplit(self.public_url).hostname in LOOPBACK else self.public_url

    def warning_of(self, host: str) -> str:
        """What is wrong with listening on `host`, "" when nothing is: passwords and balances in clear on a wire."""
        if self.is_https or host in LOOPBACK:
            return ""
        return (
            f"Listening on {host} without https: passwords and balances can be read on the way. "
            "Put a proxy with TLS in front and set JHT_PUBLIC_URL=https://..., or listen on 127.0.0.1."
        )

    @property
    def sqlite_path(self) -> Path | None:
        """The log's file, or None on PostgreSQL."""
        return Path(self.database_url.removeprefix("sqlite:///")) if self.database_url.startswith("sqlite:") else None

    @property
    def scratch(self) -> Path | None:
        """The folder of big temporary files: beside a SQLite log; None, with PostgreSQL: the system's (TMPDIR)."""
        return self.sqlite_path.parent if self.sqlite_path else None

    def beside(self, suffix: str) -> Path:
        """A file beside the SQLite log: `jht.db` -> `jht.db.<suffix>`."""
        assert self.sqlite_path is not None
        return self.sqlite_path.with_name(f"{self.sqlite_path.name}.{suffix}")


def load(**changes: object) -> Settings:
    """The settings from the environment, with `changes` on top.

    Raises Refused: setting-unknown, setting-unreadable naming the setting; a value is never repeated, since it may be a
    secret.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known | _NOT_SETTINGS)
    if unknown:
        raise Refused("setting-unknown", name=", ".join(unknown))
    try:
        return Settings(**changes)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        own = first.get("ctx", {}).get("error")
        raise Refused("setting-unreadable", name=PREFIX + name.upper(), expected=str(own or _expected(name))) from None


def _expected(name: str) -> str:
    """What a setting may be, in signs: the words of the library that refused it are English."""
    field = Settings.model_fields[name]
    limits = [
        f"{sign} {getattr(one, limit)}"
        for one in field.metadata
        for limit, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="))
        if hasattr(one, limit)
    ]
    return ", ".join(limits) or ("true, false" if field.annotation is bool else "0-9")
