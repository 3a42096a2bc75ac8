"""Somebody at a browser: finds things by the words on the page, and notices what no page may do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

from api.web.words import words
from tests.system.browser.town import PASSWORD, Person, Town

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
_STATUS_OF_A_PAGE = "Failed to load resource: the server responded with a status of"


class Visitor:
    """A browser of its own, with no cookies; `wrong` is what it noticed.

    The pages of the town's identity provider are somebody else's: nothing is noticed there.
    """

    def __init__(
        self, browser: Browser, town: Town, language: str = "id", size: str = "phone", *, script: bool = True
    ) -> None:  # fmt: skip
        width, height = SIZES[size]
        self.town, self.language, self.size, self.wrong = town, language, size, list[str]()
        self._words = words(language)
        self._site, self._provider = f"{town.server.address}/", town.settings.oidc_issuer
        self._context = browser.new_context(
            base_url=town.server.address, locale={"id": "id-ID", "en": "en-GB"}[language],
            viewport={"width": width, "height": height}, java_script_enabled=script, has_touch=size == "phone",
            color_scheme="light",
        )  # fmt: skip
        self._context.set_default_timeout(15_000)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"script: {error}"))
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)

    def close(self) -> None:
        self._context.close()

    # --- what no page may do

    def _at_the_provider(self, address: str) -> bool:
        return self._provider is not None and address.startswith(f"{self._provider}/")

    def _on_console(self, message: ConsoleMessage) -> None:
        # What a page of the provider says may be heard when one has left it.
        if self._provider is not None and not message.location["url"].startswith(self._site):
            return
        # A refusal's page is told by its status too; other resources are looked at in _on_response.
        if message.type in {"error", "warning"} and not message.text.startswith(_STATUS_OF_A_PAGE):
            self.wrong.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        asked_there = self._at_the_provider(request.url) or self._at_the_provider(self.page.url)
        if not request.url.startswith(self._site) and not asked_there:
            self.wrong.append(f"outside: {request.url}")

    def _on_response(self, response: Response) -> None:
        page = response.request.resource_type == "document"
        if response.url.startswith(self._site) and not page and response.status >= 400:
            self.wrong.append(f"{response.status}: {response.url}")

    # --- words

    def t(self, key: str, **given: Any) -> str:
        """A text of the site as it is read: without markup."""
        return str(Markup(self._words(key, **given)).striptags())

    @property
    def text(self) -> str:
        """The words of the page's main part that are seen."""
        return " ".join(self.page.locator("main").inner_text().split())

    @property
    def heading(self) -> str:
        return " ".join(self.page.locator("h1").inner_text().split())

    @property
    def path(self) -> str:
        parts = urlsplit(self.page.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    # --- what one does

    def open(self, path: str) -> int:
        """Go to an address; the status."""
        response = self.page.goto(path)
        assert response is not None
        return response.status

    @contextmanager
    def going(self) -> Iterator[None]:
        """What is done here leads to another page."""
        with self.page.expect_navigation():
            yield

    def press(self, key: str, **given: Any) -> None:
        """Press a button that sends a form."""
        with self.going():
            self.page.get_by_role("button", name=self.t(key, **given), exact=True).first.click()

    def follow(self, key: str, **given: Any) -> None:
        """Follow a link by its words."""
        with self.going():
            self.page.get_by_role("link", name=self.t(key, **given), exact=True).first.click()

    def fill(self, key: str, value: str) -> None:
        """Type into the field with a label, or choose there."""
        field = self.page.get_by_label(self.t(key), exact=True)
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)

    # --- what people do in several steps

    def to_the_last_step(self, who: Person, **changes: str) -> None:
        """Start -> Daftar -> segment -> data, up to the page that asks for the e-mail."""
        self.open("/")
        self.follow("start.register")
        self.choose_segment(changes.get("segment", who.segment))
        self.press("register.next")
        self.fill_in_data(who, **changes)
        self.press("register.next")

    def choose_segment(self, segment: str) -> None:
        self.page.get_by_label(self.t(f"register.{segment}")).check()

    def fill_in_data(self, who: Person, **changes: str) -> None:
        """NIK, birth date and card."""
        self.fill("register.nik", changes.get("nik", who.nik))
        for name, value in (("day", changes.get("day", "17")), ("month", "5"), ("year", "1990")):
            self.fill(f"register.{name}", value)
        self.fill("register.kpj", changes.get("kpj", who.kpj))

    def register(self, who: Person, email: str = "", **changes: str) -> None:
        """All steps, up to the page that says where to look."""
        self.to_the_last_step(who, **changes)
        self.fill("register.email", email or who.email)
        self.fill("register.password", PASSWORD)
        self.press("register.send")
        assert self.heading == self.t("register.sent")

    def use(self, link: str) -> None:
        """Open a letter's link and press its button."""
        assert self.open(link) == 200
        if self.page.locator("#password").count():
            self.page.locator("#password").fill(PASSWORD)
        with self.going():
            self.page.locator("main form button").click()

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        """With an e-mail address, a NIK or a card number."""
        self.open("/masuk")
        self.fill("login.identifier", name)
        self.fill("login.password", password)
        self.press("login.submit")

    def log_out(self) -> None:
        self.press("site.log_out")
        assert self.path == "/masuk?kabar=keluar"

    def member(self) -> Person:
        """Be somebody who registered before, and log in."""
        who = self.town.member()
        self.log_in(who.email)
        assert self.path == "/saldo", self.text
        return who

    def enter(self, door: str, name: str) -> None:
        """Log in at `office`, with the code of the phone, or at `employer`."""
        self.half_way(door, name)
        if door == "office":
            assert self.path == "/kantor/kode", self.text
            if not self.page.get_by_text(self.t("office.set_up")).count() and not self.town.has_code(name):
                self.town.forget_phone(name)
                # Half a session has ended with the phone; within a second the server may still show a form of it.
                self.page.context.clear_cookies()
                self.half_way(door, name)
                assert self.path == "/kantor/kode", self.text
            self.fill("office.code", self.town.code(name, self.page.content()))
            self.press("office.enter")

    def half_way(self, door: str, name: str) -> None:
        """The name and the password."""
        self.open({"office": "/kantor", "employer": "/perusahaan"}[door])
        self.fill(f"{door}.user", name)
        self.fill(f"{door}.password", PASSWORD)
        self.press(f"{door}.enter")

    # --- what one reads

    def balance(self) -> str:
        """The large amount, with its as-of line directly under it."""
        amount = self.page.locator("main .amount").first
        moment = r"[0-9]{1,2} \w+ 20[0-9]{2}, (pukul )?[0-9]{2}[.:][0-9]{2} WIB"
        assert re.search(moment, self.page.locator("main .asof").first.inner_text()), self.text
        return "".join(amount.inner_text().split())

    def said(self, *sentences: str) -> None:
        """These stand on the page."""
        for sentence in sentences:
            assert sentence in self.text, f"{sentence!r} is not in: {self.text}"
