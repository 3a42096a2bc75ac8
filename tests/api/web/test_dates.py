"""No page shows a date as machines write it: days and months by name, in both languages, on every page of every door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from api.formats import sentence
from api.web.office import rates
from ledger.acts import proposal, scheme
from ledger.acts.scheme import scheme_of
from ledger.clock import jakarta_date
from ledger.decisions.proposal import proposed_rate, would_set
from ledger.errors import Problem, sentences
from ledger.events import Rates
from ledger.receipt import Header
from ledger.settings import Settings
from tests.api.everybody import Everybody
from tests.api.test_walk import ALLOWED, PAGES
from tests.conftest import MASTER_KEY

ISO = re.compile(r"(?<![\w:/-])\d{4}-\d{2}(?:-\d{2})?(?![\w-])")
SHOWN = ("placeholder", "value", "title", "aria-label", "alt")
"""Attributes that people see or hear; the value of a hidden field, of a button or of a choice is nobody's."""


class Seen(HTMLParser):
    """What a page lets people see; not what stands as code, which is to be typed into a file as it is."""

    _EMPTY = frozenset({"meta", "link", "input", "br", "path", "circle", "use"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[bool] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in self._EMPTY:
            self.open.append(tag == "code" or "code" in given.get("class", "").split())
        if tag not in {"button", "option"} and given.get("type") not in {"hidden", "radio", "checkbox"}:
            self.said += [given[name] for name in SHOWN if name in given]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self._EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.open):
            self.said.append(data)


def dates(page: str) -> list[str]:
    """The dates and months of a page that are written as machines write them."""
    seen = Seen()
    seen.feed(page)
    return ISO.findall("\n".join(seen.said))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everybody]:
    """Everybody, with rates that stand and a provisional one that waits for its second officer."""
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('dates') / 'jht.db'}", master_key=MASTER_KEY)
    with Everybody.opened_at_once(settings) as made:
        who = Header("test", "test")
        scheme.start(made.log, 2024, who, lambda: made.clock)
        scheme.declare(made.log, 2024, Rates(57_000, 57_000), "Perdir 1/2025", who, lambda: made.clock)
        scheme.set_provisional(made.log, date(2025, 7, 1), 50_000, "Perdir 2/2025", who, lambda: made.clock)
        fact = would_set(scheme_of(made.log), date(2026, 7, 1), 52_500, "Perdir 7/2026", jakarta_date(made.clock))
        details = {"fact": msgspec.json.encode(proposed_rate(fact)).decode()}
        made.application.identity.proposals.put(
            rates.PROVISIONAL, "", details, "", proposal.seen_now(made.log), "dewi", made.clock
        )
        made.follow()
        yield made


def test_the_test_finds_them() -> None:
    page = (
        "<p>Sejak 2026-07-01</p><input value='2026-07-02'><span class='code'>2026-07-03</span><a title='2026-07'>x</a>"
    )
    assert dates(page) == ["2026-07-01", "2026-07-02", "2026-07"]
    assert dates("<option value='2026-07'>Juli</option><b>10-2026-07</b><i>0812-2026-07</i>") == []


@pytest.mark.parametrize("language", ["id", "en"])
def test_no_page_of_any_door_shows_one(town: Everybody, language: str) -> None:
    found: list[tuple[str, ...]] = []
    shown = set()
    for kind, method, path in PAGES:
        for role in sorted(ALLOWED[kind]):
            visitor = town.visit(role)
            visitor.client.headers["accept-language"] = language
            answer = visitor.ask(method, path)
            if answer.headers.get("content-type", "").startswith("text/html"):
                shown.add(path)
                found += [(role, method, path, one) for one in dates(answer.text)]
    assert not found, "\n".join(map(str, found))
    assert {"/saldo", "/iuran", "/kantor/hasil", "/kantor/peserta/{view}", "/perusahaan/{npp}/iuran"} <= shown
    visitor = town.visit("employer")
    visitor.client.headers["accept-language"] = language
    result = visitor.client.get(visitor.ask("POST", "/perusahaan/{npp}").headers["location"])
    assert (result.status_code, dates(result.text)) == (200, [])


@pytest.mark.parametrize(("value", "told"), [
    ("2026-11-16", "16 November 2026"), ("2026-02", "Februari 2026"), ("2026-13-01", "2026-13-01"), ("YYYY-MM", "YYYY-MM"),
    ("1234-567", "1234-567"),
])  # fmt: skip
def test_the_days_and_months_of_a_refusal_are_written_out(value: str, told: str) -> None:
    for code, words in sentences().items():
        names = re.findall(r"{(\w+)}", words.id)
        said = sentence(Problem(code, details=dict.fromkeys(names, value)), "id")
        assert not names or told in said, (code, said)
    assert sentence(Problem("statements-run-differs", details={"held": 7}), "en")


def test_only_this_one_way_leads_from_a_refusal_to_a_page() -> None:
    for path in (Path(__file__).parents[3] / "api/web").rglob("*"):
        if path.suffix in {".py", ".html"} and path.name != "files.py":
            assert ".say(" not in path.read_text("utf-8"), f"{path}: formats.sentence writes its days by name"
