"""What a letter says: the words of `texts.toml` with the letter's details, and addresses of this website only."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from api.mail import notices
from ledger.numbers import fill
from ledger.store.outbox import Letter

LANGUAGES = ("id", "en")
_DAY = 24


class Button(NamedTuple):
    """Where a reader can go; `secret`: the address is the reader's own and works once."""

    label: str
    address: str
    secret: bool


class Said(NamedTuple):
    """A letter in words, all plain text; `until` and `foot` may be empty. `rows`: (what, amounts) that a notice lists."""

    language: str
    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    rows: tuple[tuple[str, str], ...]
    steps: tuple[str, ...]
    buttons: tuple[Button, ...]
    until: str
    foot: str
    brand: str
    promise: str
    copy: str


@cache
def texts() -> dict[str, Any]:
    """Every kind of letter with its words, and under `every` what all of them share."""
    return tomllib.loads(Path(__file__).with_name("texts.toml").read_text("utf-8"))


def kinds(way: str) -> list[str]:
    """The kinds of letters that can go by `mail` or by `sms`."""
    needed = "subject" if way == "mail" else "sms"
    return [kind for kind, row in texts().items() if needed in row["id"]]


def said(letter: Letter, public_url: str) -> Said:
    """A mail in words. Raises KeyError for a kind or a detail that has none: a mistake of this project."""
    kind, (words, every) = texts()[letter.kind], _in_language(letter)
    details = _worded(letter, words)
    root = public_url.rstrip("/")
    if "link" in kind:
        buttons = [Button(words["button"], f"{root}/{kind['link']}/{letter.details['token']}", True)]
        if "deny" in words:
            buttons.append(Button(words["deny"], f"{root}/{kind['link']}/{letter.details['deny']}", True))
    else:
        buttons = [Button(words["button"], root + kind["page"], False)]
    return Said(
        language=letter.language,
        subject=words["subject"],
        heading=fill(words["heading"], letter.language, details),
        paragraphs=tuple(fill(text, letter.language, details) for text in words["paragraphs"]),
        rows=notices.listed(letter, words),
        steps=tuple(words.get("steps", ())),
        buttons=tuple(buttons),
        until=_until(kind["hours"], every) if "link" in kind else "",
        foot=words.get("foot", ""),
        brand=every["brand"],
        promise=every["promise"],
        copy=every["copy"],
    )


def short(letter: Letter) -> str:
    """A letter as one SMS. Raises KeyError for a kind that has none."""
    words = _in_language(letter)[0]
    return fill(words["sms"], letter.language, _worded(letter, words))


def _in_language(letter: Letter) -> tuple[dict[str, Any], dict[str, str]]:
    return texts()[letter.kind][letter.language], texts()["every"][letter.language]


def _worded(letter: Letter, words: dict[str, Any]) -> dict[str, str]:
    """The details, those that are codes in words."""
    known: dict[str, dict[str, str]] = words.get("words", {})
    told = {name: known[name][value] if name in known else value for name, value in letter.details.items()}
    return told | notices.details(letter, words)


def _until(hours: int, every: dict[str, str]) -> str:
    if hours > _DAY:
        return every["days"].format(n=hours // _DAY)
    return every["hours" if hours > 1 else "hour"].format(n=hours)
