"""All texts of the website, in Indonesian and English: `texts/<page>.toml`, looked up as `page.key`.

A text may hold simple HTML; what is put into its `{places}` is escaped. `key.one` is the English singular, taken when
the place `n` is 1. Sentences of refusals stand in `ledger/codes.toml`, not here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from markupsafe import Markup, escape

from ledger.numbers import told

LANGUAGES = ("id", "en")
FOLDER = Path(__file__).parent / "texts"


class Words:
    """The texts of one language; calling it with an unknown key is a KeyError, which a test finds first."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts = dict(_texts(language))

    def __call__(self, key: str, /, **places: object) -> Markup:
        """The text of a key with its places filled."""
        if not places:
            return self._texts[key]
        if places.get("n") == 1:
            key = key + ".one" if key + ".one" in self._texts else key
        # As Markup.format, which is a formatter written in Python, for the plain `{places}` of the texts.
        spelt = {name: escape(told(name, value, self.language)) for name, value in places.items()}
        filled = str.format(self._texts[key], **spelt)
        return Markup(filled)  # noqa: S704 - our own text with escaped places

    def has(self, key: str) -> bool:
        """Whether there is such a text."""
        return key in self._texts


def _texts(language: str) -> Iterator[tuple[str, Markup]]:
    for path in sorted(FOLDER.glob("*.toml")):
        for name, row in tomllib.loads(path.read_text("utf-8")).items():
            yield f"{path.stem}.{name}", Markup(row[language])  # noqa: S704 - the project's own texts
            if language == "en" and "one" in row:
                yield f"{path.stem}.{name}.one", Markup(row["one"])  # noqa: S704


@cache
def words(language: str) -> Words:
    """The texts of `id` or `en`."""
    return Words(language)
