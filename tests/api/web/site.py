"""The website over a small ledger, and a browser that follows its forms.

BUDI holds CARD and OTHER_CARD (not linked) at employer NPP; ANI holds ANIS; DEWI pays for herself and has no money yet.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from ledger.settings import Settings
from tests.api.peopled import Peopled, hashed
from tests.office import NPP, OTHER_NPP, csv_of, line, nik, person

CARD, OTHER_CARD, ANIS, DEWIS = "26000000017", "26000000025", "26000000033", "26000000041"
BUDI, ANI, DEWI = "budi1@contoh.id", "budi2@contoh.id", "budi3@contoh.id"
PASSWORD = "empat kuda benar"
EMPLOYER = "PT Sandang <b>&amp; Pangan"
"""A name that would be markup if it were not escaped."""


class Browser:
    """A visitor: cookies, a language, forms sent with the tokens their pages carry."""

    def __init__(self, client: TestClient, language: str) -> None:
        self.client = client
        client.headers["accept-language"] = language

    def get(self, address: str) -> Response:
        return self.client.get(address, follow_redirects=False)

    def post(self, address: str, page: str = "", **fields: str) -> Response:
        """Send a form with the token of `page` (the address itself when not given), without following."""
        token = re.search(r'name="csrf" value="([^"]+)"', self.client.get(page or address).text)
        assert token is not None, page or address
        return self.client.post(address, data={"csrf": token[1], **fields}, follow_redirects=False)

    def login(self, identifier: str = BUDI, password: str = PASSWORD) -> Response:
        return self.post("/masuk", identifier=identifier, password=password)


class Site(Peopled):
    """`Api` with people, money and accesses."""

    def __init__(self, settings: Settings, **changes: Any) -> None:
        super().__init__(settings, address_tries=10_000, **changes)

    def fill(self) -> None:
        """The people, their money, their accesses; the read side up to date."""
        names = ("npp", "name", "registered_on")
        self.office.ingest("employers", csv_of(names, [
            {"npp": NPP, "name": EMPLOYER, "registered_on": "2024-01-02"},
            {"npp": OTHER_NPP, "name": "PT Kedua", "registered_on": "2024-01-02"},
        ]))  # fmt: skip
        self.office.register(
            person(CARD, registered_on="2026-06-01"),
            person(OTHER_CARD, npp=OTHER_NPP, registered_on="2025-01-06", left_on="2026-03-31"),
            person(ANIS, 2), person(DEWIS, 3, segment="BPU", npp="", registered_on="2026-11-01"),
        )  # fmt: skip
        months = (("2026-06", "2026-07-10"), ("2026-08", "2026-09-10"), ("2026-09", "2026-10-10"))
        self.office.contribute(*(line(kpj, month=m, paid_on=paid) for m, paid in months for kpj in (CARD, ANIS)))
        self.office.contribute(line(OTHER_CARD, npp=OTHER_NPP, month="2026-01", paid_on="2026-02-10"), request="r2")
        self.office.contribute(line(CARD, month="2026-10", paid_on="2026-11-10", nik=nik(99)), request="r3")
        self.budi, self.ani, self.dewi = (
            self.join(number, kpj, email, segment, hashed(PASSWORD))
            for number, kpj, email, segment in ((1, CARD, BUDI, "PU"), (2, ANIS, ANI, "PU"), (3, DEWIS, DEWI, "BPU"))
        )
        self.office.complete()
        self.letters()
        self.follow()

    def browser(self, identifier: str = "", language: str = "id") -> Browser:
        """A new visitor, logged in when an identifier is given."""
        client = TestClient(self.app, raise_server_exceptions=False)
        client.portal = self.client.portal  # the event loop that the app was started in
        browser = Browser(client, language)
        if identifier:
            assert browser.login(identifier).headers["location"] == "/saldo"
        return browser

    def forget(self) -> None:
        """What a process remembers of sessions for a second is over; a test does not wait for that."""
        self.application.identity.sessions._remembered.clear()


class _Elements(HTMLParser):
    _EMPTY = frozenset({"meta", "link", "input", "br", "path", "circle", "use"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.wants: list[str] = []
        self.addresses: list[str] = []
        self.wrong: list[str] = []
        self.headings = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids += [given["id"]] if "id" in given else []
        self.headings += tag == "h1"
        for name in ("for", "aria-labelledby", "aria-describedby"):
            self.wants += given.get(name, "").split()
        self.wants += [given["href"][1:]] if tag in {"a", "use"} and given.get("href", "").startswith("#") else []
        self.addresses += [given[name] for name in ("href", "src", "action", "formaction") if name in given]
        self.wrong += [f"<{tag} {name}>" for name in given if name == "style" or name.startswith("on")]
        ours = tag == "script" and given.get("src", "").startswith("/aset/")
        self.wrong += [f"<{tag}>" for _ in range(tag in {"script", "style"} and not ours)]
        if tag not in self._EMPTY:
            self.open.append(tag)

    def handle_data(self, data: str) -> None:
        self.wrong += ["a script in the page" for _ in range(self.open[-1:] == ["script"])]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self._EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")


def faults(page: str) -> list[str]:
    """What is wrong with a page: tags that do not close, ids twice or missing, an address or a style of elsewhere."""
    found = _Elements()
    found.feed(page)
    found.close()
    ids = set(found.ids)
    return [
        *found.wrong,
        *(f"open: {tag}" for tag in found.open),
        *(f"id twice: {one}" for one in ids if found.ids.count(one) > 1),
        *(f"no id: {one}" for one in found.wants if one not in ids),
        *(f"outside: {one}" for one in found.addresses if not re.match(r"/(?!/)|#|tel:", one)),
        *([f"{found.headings} h1"] if found.headings != 1 else []),
    ]


def title(page: str) -> str:
    """The title of a page."""
    return page.partition("<title>")[2].partition("</title>")[0]


def text(page: str) -> str:
    """The words of a page, without markup and in single blanks."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.partition("<main")[2]).split())
