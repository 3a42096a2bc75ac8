from __future__ import annotations

import re
import string
import tomllib

import pytest

from api.web.pages import TEMPLATES
from api.web.words import FOLDER, words
from tests.test_style import ROOT

USED = re.compile(r"""\b(?:t|words\([^()]*(?:\([^()]*\))?[^()]*\))\(\s*f?["']([\w.-]+)(["']\s*[~+]|\{)?""")
LITERAL = re.compile(r"""["']([a-z]+\.[\w-]+)["']""")
SOURCES = [*TEMPLATES.glob("*.html"), *(ROOT / "api/web").rglob("*.py")]


def tables() -> dict[str, dict[str, dict[str, str]]]:
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.toml")}


def test_every_text_stands_in_both_languages_with_the_same_places() -> None:
    wrong = []
    for page, rows in tables().items():
        for key, row in rows.items():
            if not {"id", "en"} <= set(row) <= {"id", "en", "one"}:
                wrong.append(f"{page}.{key}: {sorted(row)}")
                continue
            places = [{name for _, name, _, _ in string.Formatter().parse(row[lang]) if name} for lang in ("id", "en")]
            if places[0] != places[1]:
                wrong.append(f"{page}.{key}: {places}")
    assert not wrong, "\n".join(wrong)


def test_every_text_is_markup_that_closes_and_fits_into_an_attribute() -> None:
    wrong = [
        f"{page}.{key}: {text}"
        for page, rows in tables().items()
        for key, row in rows.items()
        for text in row.values()
        if '"' in text or not closes(text)
    ]
    assert not wrong, "\n".join(wrong)


def closes(text: str) -> bool:
    """Whether every tag closes, in order."""
    application: list[str] = []
    for end, tag in re.findall(r"<(/?)(\w+)", text):
        if not end:
            application.append(tag)
        elif not application or application.pop() != tag:
            return False
    return not application


def test_every_text_that_is_asked_for_exists() -> None:
    known = {f"{page}.{key}" for page, rows in tables().items() for key in rows}
    wrong = [
        f"{path.name}: {key}"
        for path in SOURCES
        for key, goes_on in USED.findall(path.read_text("utf-8"))
        if key not in known and not (goes_on and any(one.startswith(key) for one in known))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_text_is_asked_for_somewhere() -> None:
    """A key may be put together (`"months." ~ state`): then its beginning stands in a source."""
    sources = "\n".join(path.read_text("utf-8") for path in SOURCES)
    begun = set(re.findall(r"""["']([a-z]+\.[\w-]*?)["']\s*~""", sources))
    begun |= set(re.findall(r"""f["']([a-z]+\.\w*?)\{""", sources))
    begun |= set(re.findall(r"""["']([a-z]+\.[\w-]*_)["']\s*\+""", sources))
    exact = set(LITERAL.findall(sources))
    unused = [
        f"{page}.{key}"
        for page, rows in tables().items()
        for key in rows
        if f"{page}.{key}" not in exact and not any(f"{page}.{key}".startswith(one) for one in begun)
    ]
    assert not unused, "\n".join(unused)


def test_what_is_put_into_a_text_is_escaped() -> None:
    assert words("id")("saldo.last", month="<script>") == "Iuran terakhir yang masuk: &lt;script&gt;"


def test_one_has_its_own_words_in_english() -> None:
    assert words("en")("saldo.absent", n=1) == "1 month has not arrived"
    assert words("en")("saldo.absent", n=2) == "2 months have not arrived"
    assert words("id")("saldo.absent", n=1) == "1 bulan belum masuk"


def test_a_text_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(KeyError):
        words("id")("saldo.nowhere")
