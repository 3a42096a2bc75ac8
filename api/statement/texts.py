"""The words of a statement in Indonesian or English (`texts.toml`)."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from api import formats
from projections.statement import Gap

LANGUAGES = ("id", "en")


class Texts:
    """The texts of one language; an unknown key is a KeyError."""

    def __init__(self, language: str) -> None:
        self.language = language
        rows = tomllib.loads(Path(__file__).with_name("texts.toml").read_text("utf-8"))
        self._texts: dict[str, str] = {key: row[language] for key, row in rows.items()}

    def __call__(self, key: str, /, **places: object) -> str:
        """The text of a key with its places filled."""
        return self._texts[key].format(**places) if places else self._texts[key]

    def why(self, gap: Gap) -> str:
        """Why a month is a gap, in one sentence."""
        key = f"why_{gap.reason}"
        paid = formats.day(gap.paid_on, self.language) if gap.paid_on else ""
        if key not in self._texts:
            return self("why_held", paid=paid, why=self(f"held_{gap.reason}"))
        return self(key, due=formats.day(gap.due_on, self.language) if gap.due_on else "?", paid=paid)


@cache
def texts(language: str) -> Texts:
    """The texts of `id` or `en`."""
    return Texts(language)
