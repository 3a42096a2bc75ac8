"""How a number stands in a sentence: with the signs of the sentence's language. Every text of the service is filled here.

Indonesian writes `5,63 %` and `12.345 baris`, English `5.63 %` and `12,345 lines`. Amounts of rupiah alone are written
alike in both (`ledger.money.rupiah`). A place of a text is `{name}`; `{name:percent}` is a rate in parts per million,
`{name:quantity}` a number with its unit in English, as `5000000 lines`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LABELS = frozenset({"year", "first", "last", "line", "row", "other", "position", "found", "known", "least", "most"})
"""Places whose number is a name: of a year, a line, a position, a version, a port. It is written as it is."""
_UNITS = {"lines": "baris", "bytes": "bita", "merged cells": "sel gabungan"}
_QUANTITY = re.compile(r"(\d+) (.+)")
_SWAPPED = str.maketrans(".,", ",.")
PLACE = re.compile(r"\{(\w+)(?::(percent|quantity))?\}")
"""A place of a text: its name, and what is written there."""


def whole(number: int, language: str) -> str:
    """`12.345` in Indonesian, `12,345` in English."""
    return _signs(f"{number:,}", language)


def percent(rate: int, language: str) -> str:
    """`5,63 %` or `5.63 %` for 56300 parts per million: at least two decimals, at most four."""
    decimals = f"{abs(rate) % 10_000:04d}"
    sign = "-" if rate < 0 else ""
    return _signs(f"{sign}{abs(rate) // 10_000}.{decimals[:2]}{decimals[2:].rstrip('0')} %", language)


def quantity(told: str, language: str) -> str:
    """A number with its unit, as `5000000 lines`; what is none stays."""
    found = _QUANTITY.fullmatch(told)
    if found is None or found[2] not in _UNITS:
        return told
    return f"{whole(int(found[1]), language)} {_UNITS[found[2]] if language == 'id' else found[2]}"


def told(name: str, value: Any, language: str) -> Any:
    """What is put into the place of a name: a number as it is written, anything else as it is."""
    return whole(value, language) if type(value) is int and name not in LABELS else value


def fill(text: str, language: str, places: Mapping[str, Any]) -> str:
    """A text with its places filled. Raises KeyError for a place that is not given."""

    def filled(found: re.Match[str]) -> str:
        name, kind = found.groups()
        value = places[name]
        if kind == "percent" and isinstance(value, int):
            return percent(value, language)
        return quantity(str(value), language) if kind == "quantity" else str(told(name, value, language))

    return PLACE.sub(filled, text)


def _signs(text: str, language: str) -> str:
    return text.translate(_SWAPPED) if language == "id" else text
