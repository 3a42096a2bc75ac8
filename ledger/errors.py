"""Every refusal, warning and failure of the service has a stable code; the sentences stand in `codes.toml`.

    JhtError                      anything this project raises on purpose
      Refused                     the input cannot be used: says where (line, column) and what to do
        NotFound                  what was asked for does not exist
        Conflict                  it exists already, with other content
        NotAllowed                the caller may not do this
      Unavailable                 the answer exists but cannot be given truthfully now: try again
        StoreFailed               the database refused or vanished; nothing was half done
      BrokenLog                   the log itself is not what it must be; a person must look

A code is never renumbered or reused. HTTP knows them in `api/problems.py` only.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from msgspec import Struct

from ledger.numbers import fill


class Sentence(Struct, frozen=True):
    """What a code says, in Indonesian and English; `{name}` places are filled from the problem's details."""

    id: str
    en: str


@cache
def sentences() -> dict[str, Sentence]:
    """All codes in order of precedence: of several problems in one cell, line or remittance the first is told."""
    table = tomllib.loads((Path(__file__).parent / "codes.toml").read_text("utf-8"))
    return {code: Sentence(**row) for code, row in table.items()}


class Problem(Struct, frozen=True, omit_defaults=True):
    """One thing wrong at one place. `line` counts from 1 with the header line; `details` never hold personal data."""

    code: str
    line: int = 0
    column: str = ""
    details: dict[str, str | int] = {}

    def say(self, language: str = "en") -> str:
        """The sentence of the code in `id` or `en`, with its details."""
        sentence = sentences()[self.code]
        text = sentence.id if language == "id" else sentence.en
        return fill(text, language, _Blank(self.details))


class _Blank(dict[str, str | int]):
    """A detail that a problem does not carry reads as `?` instead of hiding the whole sentence."""

    def __missing__(self, key: str) -> str:
        return "?"


class JhtError(Exception):
    """Anything this project raises on purpose; carries the problem with its code."""

    def __init__(self, code: str, *, line: int = 0, column: str = "", **details: str | int) -> None:
        self.problem = Problem(code, line, column, details)
        super().__init__(self.problem.say())

    @property
    def code(self) -> str:
        return self.problem.code


class Refused(JhtError):
    """The input cannot be used."""


class NotFound(Refused):
    """What was asked for does not exist."""


class Conflict(Refused):
    """It exists already, with other content."""


class NotAllowed(Refused):
    """The caller may not do this."""


class Unavailable(JhtError):
    """The answer cannot be given truthfully now."""


class StoreFailed(Unavailable):
    """The database refused or vanished; what was not acknowledged was not done."""


class BrokenLog(JhtError):
    """The log is not what it must be."""
