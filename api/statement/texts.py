"""The words of a statement in Indonesian or English (`texts.toml`)."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from api import formats
from ledger.numbers import fill
from projections.statement import Correction, Gap

LANGUAGES = ("id", "en")


class Texts:
    """The texts of one language; an unknown key is a KeyError."""

    def __init__(self, language: str) -> None:
        self.language = language
        rows = tomllib.loads(Path(__file__).with_name("texts.toml").read_text("utf-8"))
        self._texts: dict[str, str] = {key: row[language] for key, row in rows.items()}

    def __call__(self, key: str, /, **places: object) -> str:
        """The text of a key with its places filled."""
        return fill(self._texts[key], self.language, places)

    def why(self, gap: Gap) -> str:
        """Why a month is a gap, in one sentence."""
        key = f"why_{gap.reason}"
        paid = formats.day(gap.paid_on, self.language) if gap.paid_on else ""
        if key not in self._texts:
            return self("why_held", paid=paid, why=self(f"held_{gap.reason}"))
        return self(key, due=formats.day(gap.due_on, self.language) if gap.due_on else "?", paid=paid)

    def why_several(self, gap: Gap) -> str:
        """`why` of several months for which it is the same, without the days; `gap`: one of them."""
        key = f"several_{gap.reason}"
        return self(key) if key in self._texts else self("several_held", why=self(f"held_{gap.reason}"))

    def correction(self, one: Correction) -> str:
        """What changed an opening, in a few words."""
        paid, posted = (formats.day(day, self.language) if day else "" for day in (one.paid_on, one.posted_on))
        month = formats.month(one.month, self.language) if one.month else ""
        kind = "yield" if one.year else "opening" if one.type.startswith("opening") else ""
        key = f"late_{kind}" if kind else "late_back" if one.type == "reversed" else "late"
        return self(key, year=one.year, month=month, paid=paid, posted=posted)


@cache
def texts(language: str) -> Texts:
    """The texts of `id` or `en`."""
    return Texts(language)
