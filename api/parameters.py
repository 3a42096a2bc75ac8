"""What a caller may add to an address: read strictly, because a parameter that is ignored answers another question."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from ledger.errors import Refused
from ledger.identifiers import card_number, clean_kpj, clean_npp

MOST_ROWS = 500
T = TypeVar("T")
_NONE: dict[str, str] = {}


def parameters(request: Request, *known: str) -> dict[str, str]:
    """The query parameters by name.

    Raises Refused: parameter-unknown, parameter-unreadable (twice the same, or no UTF-8).
    """
    query: bytes = request.scope["query_string"]
    if not query:
        return _NONE
    found: dict[str, str] = {}
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise Refused("parameter-unreadable", name="query", expected="name=value&...") from None
    for name, value in pairs:
        if name not in known:
            raise Refused("parameter-unknown", name=_shown(name))
        if name in found:
            raise Refused("parameter-unreadable", name=name, expected="once")
        found[name] = value
    return found


def _shown(name: str) -> str:
    # What does not look like a parameter's name may be a value in the wrong place.
    return name if re.fullmatch(r"[A-Za-z_-]{1,40}", name) else "?"


def card_of(kpj: str) -> int:
    """The card number of a KPJ in an address. Raises Refused(kpj-unreadable)."""
    clean = clean_kpj(kpj)
    if clean is None:
        raise Refused("kpj-unreadable")
    return card_number(clean)


def past_day(found: dict[str, str], present: date) -> date | None:
    """`as_of` when it names an earlier day than today, None for now.

    Raises Refused: parameter-unreadable, as-of-in-future.
    """
    text = found.get("as_of")
    if text is None:
        return None
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise Refused("parameter-unreadable", name="as_of", expected="YYYY-MM-DD")
    if day > present:
        raise Refused("as-of-in-future")
    return day if day < present else None


def limit_of(found: dict[str, str], usual: int = 100) -> int:
    """`limit`, 1 to 500 rows. Raises Refused(parameter-unreadable)."""
    text = found.get("limit", str(usual))
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MOST_ROWS):
        raise Refused("parameter-unreadable", name="limit", expected=f"1..{MOST_ROWS}")
    return int(text)


def npp_of(found: dict[str, str]) -> int | None:
    """`npp`, or None. Raises Refused(npp-unreadable)."""
    if "npp" not in found:
        return None
    npp = clean_npp(found["npp"])
    if npp is None:
        raise Refused("npp-unreadable")
    return int(npp)


def flag_of(found: dict[str, str], name: str) -> bool:
    """A `true` or `false`, false when absent. Raises Refused(parameter-unreadable)."""
    text = found.get(name, "false")
    if text not in {"true", "false"}:
        raise Refused("parameter-unreadable", name=name, expected="true, false")
    return text == "true"


def cursor_text(key: tuple[int, ...]) -> str:
    """An opaque cursor that stands after a row's key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def cursor_of(found: dict[str, str], width: int) -> tuple[int, ...] | None:
    """The key in `cursor`, `width` numbers, or None. Raises Refused(parameter-unreadable)."""
    text = found.get("cursor")
    if text is None:
        return None
    try:
        key = msgspec.json.decode(
            base64.b64decode(text[:200] + "=" * (-len(text[:200]) % 4), altchars=b"-_", validate=True),
            type=list[int],
        )
    except (binascii.Error, ValueError, msgspec.DecodeError):
        key = []
    if len(key) != width or not all(-(2**62) < part < 2**62 for part in key):
        raise Refused("parameter-unreadable", name="cursor", expected="next")
    return tuple(key)
