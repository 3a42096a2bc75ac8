"""How everything that people read is spelt: pages, letters, messages, refusals. One thing has one name in all of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

import pytest

from api.sms import replies
from api.statement.texts import texts as statement_texts
from api.web.words import words
from ledger.errors import sentences
from ledger.numbers import LABELS, PLACE, fill
from tests.test_style import ROOT

Text = tuple[str, str, str]
"""Where it stands, `id` or `en`, the text."""


def _parts(place: str, language: str, value: object) -> Iterator[Text]:
    if isinstance(value, str):
        yield place, language, value
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _parts(f"{place}[{number}]", language, one)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _parts(f"{place}.{name}", language, one)


def texts() -> list[Text]:
    """Every text of the service."""
    found: list[Text] = []
    for path in sorted((ROOT / "api/web/texts").glob("*.toml")):
        for key, row in tomllib.loads(path.read_text("utf-8")).items():
            found += [(f"{path.stem}.{key}", "id" if name == "id" else "en", text) for name, text in row.items()]
    for kind, row in tomllib.loads((ROOT / "api/mail/texts.toml").read_text("utf-8")).items():
        for language in ("id", "en"):
            found += _parts(f"mail {kind}", language, row.get(language, {}))
    for code, sentence in sentences().items():
        found += [(code, "id", sentence.id), (code, "en", sentence.en)]
    for key, row in tomllib.loads((ROOT / "api/statement/texts.toml").read_text("utf-8")).items():
        for language in ("id", "en"):
            found += _parts(f"statement.{key}", language, row[language])
    for cause, voices in tomllib.loads((ROOT / "api/reasons.toml").read_text("utf-8")).items():
        for voice, row in voices.items():
            for language, text in row.items() if isinstance(row, dict) else [("id", row)]:
                found += _parts(f"reasons.{cause}.{voice}", language, text)
    for name, value in vars(replies).items():
        if name.isupper():
            found += _parts(f"sms {name}", "id", value)
    return found


RULES = [
    ("id", r"\be-?mails\b|\be-mail|surel", "email"),
    ("en", r"\b[Ee]mail", "e-mail"),
    ("id", r"[Nn]omor (?:kartu|KPJ)|[Nn]omor kepesertaan", "nomor peserta (KPJ)"),
    ("en", r"[Mm]ember (?:number|card)\b|[Cc]ard number", "membership number (KPJ), membership card"),
    ("id", r"handphone|ponsel|\bHape\b", "HP"),
    ("id", r"bagian personalia(?! \(HRD\))", "bagian personalia (HRD)"),
    ("en", r"[Pp]ersonnel department|HR department(?! \(HRD\))", "HR department (HRD)"),
    ("id", r"[Pp]assword|kata kunci", "kata sandi"),
    ("id", r"\bmomen\b|\bUTC\b|\bWITA\b", "people read Jakarta time"),
    ("en", r"\bUTC\b", "people read Jakarta time"),
    ("en", r"\bcan not\b", "cannot"),
    ("en", r"\bdata (?:are|were|do not|match\b)|[Tt]hese data", "data is"),
    ("en", r"^Was it not|[.?!] (?:Was it not|Did you not|Do you (?:not|still))", "If it was not you, ..."),
    ("en", r"\bhas(?: not)? come\b|\bhave(?: not)? come\b", "arrived"),
    ("en", r"\bdisturbed\b|\bat an end\b|\bby itself\.$", "as the English say it"),
    ("id", r"\bAnda anda\b|\banda\b", "Anda"),
    ("id", r"\bhasil investasi|\bbunga\b", "hasil pengembangan"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "wrong", "right"), RULES, ids=[right for _, _, right in RULES])
def test_a_thing_has_one_spelling(language: str, wrong: str, right: str) -> None:
    found = [
        f"{where}: {text}"
        for where, spoken, text in texts()
        if spoken == language and re.search(wrong, PLACE.sub("", text))
    ]
    assert not found, f"{right}\n" + "\n".join(found)


def test_every_field_that_was_left_empty_asks_to_be_filled_in() -> None:
    empty = [(where, spoken, text) for where, spoken, text in texts() if re.search(r"\.empty_", where)]
    assert len(empty) > 12
    wrong = [one for one in empty if not one[2].startswith({"id": "Isi ", "en": "Enter "}[one[1]])]
    assert not wrong


def test_a_self_employed_member_has_an_income_and_no_wage() -> None:
    own = [(where, text) for where, _, text in texts() if where.endswith(("_own", "_BPU", ".income"))]
    assert len(own) > 7
    assert not [one for one in own if re.search(r"\bupah\b|\bwage", one[1], re.IGNORECASE)]


def test_no_sentence_stands_twice_in_one_text() -> None:
    for where, _, text in texts():
        said = [one.strip() for one in re.split(r"(?<=[.?!])\s+", text) if len(one) > 12]
        assert len(said) == len(set(said)), where


SIGNED = {"id": "1.234.567", "en": "1,234,567"}


def test_every_number_in_a_text_is_written_as_its_language_writes_it() -> None:
    """Whatever place a number is put into, on a page, in a letter, a refusal or a statement; a rate, and a number with a
    unit, too. A number that is a name (a year, a line) is written as it is."""
    seen = 0
    for where, language, text in texts():
        places = {name: 1_234_567 for name, _ in PLACE.findall(text)}
        if not places:
            continue
        page, _, key = where.partition(".")
        if page == "statement" and key in statement_texts(language)._texts:
            filled = statement_texts(language)(key, **places)
        elif words(language).has(where) and words(language)(where) == text:  # not the singular
            filled = str(words(language)(where, **places))
        else:
            filled = fill(text, language, places)
        for name, kind in PLACE.findall(text):
            told = "1234567" if name in LABELS or kind == "quantity" else SIGNED[language]
            told = {"id": "123,4567 %", "en": "123.4567 %"}[language] if kind == "percent" else told
            assert told in filled, (where, language, filled)
            seen += 1
        assert "{" not in filled, (where, filled)
    assert seen > 400


def test_a_rate_in_a_refusal_is_a_rate_and_a_limit_has_its_unit() -> None:
    """What the places of one name are in one refusal they are in all: a rate is never put into a sentence as a text."""
    kinds: dict[str, set[str]] = {}
    for code, sentence in sentences().items():
        assert sorted(PLACE.findall(sentence.id)) == sorted(PLACE.findall(sentence.en)), code
        for name, kind in PLACE.findall(sentence.id):
            kinds.setdefault(name, set()).add(kind)
    for name in ("rate", "utama", "tambahan"):
        assert kinds[name] == {"percent"}
    for path in sorted((ROOT / "ledger").rglob("*.py")):
        if path.name != "numbers.py":
            assert not re.search(r"\bpercent\(", path.read_text("utf-8")), f"{path}: a refusal's rate is a number"
