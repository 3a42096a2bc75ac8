"""The one configuration: `JHT_*` environment variables (or `.env`-free keyword arguments in tests)."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.errors import Refused

PREFIX = "JHT_"
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
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @field_validator("database_url")
    @classmethod
    def _known_store(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return url

    @property
    def sqlite_path(self) -> Path | None:
        """The log's file, or None on PostgreSQL."""
        return Path(self.database_url.removeprefix("sqlite:///")) if self.database_url.startswith("sqlite:") else None

    def beside(self, suffix: str) -> Path:
        """A file beside the SQLite log: `jht.db` -> `jht.db.<suffix>`."""
        assert self.sqlite_path is not None
        return self.sqlite_path.with_name(f"{self.sqlite_path.name}.{suffix}")


def load(**changes: object) -> Settings:
    """The settings from the environment, with `changes` on top.

    Raises Refused(setting-wrong) naming the setting; a value is never repeated, since it may be a secret.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known | _NOT_SETTINGS)
    if unknown:
        raise Refused("setting-wrong", what=f"unknown setting {', '.join(unknown)}")
    try:
        return Settings(**changes)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper() if first["loc"] else PREFIX
        raise Refused("setting-wrong", what=f"{name}: {first['msg']}") from None
