"""The site as an app: what Chromium asks of one that is installed, and what a device shows without a connection."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from ledger.settings import Settings
from tests.system.browser import town as towns
from tests.system.browser.conftest import ARGUMENTS, Look
from tests.system.browser.town import Town
from tests.system.browser.visitor import Visitor
from tests.system.serving import serving

OLD = "main .amount.old"
_STORED = """async () => {
    const found = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie];
    for (const one of await indexedDB.databases()) found.push(JSON.stringify(one));
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) {
            const answer = await cache.match(request);
            found.push(name, request.url, await answer.text(), JSON.stringify([...answer.headers]));
        }
    }
    return found.join('\\n');
}"""
_AGED = """async days => {
    const cache = await caches.open('jht-saldo');
    const kept = await cache.match('/luring/saldo');
    const headers = new Headers(kept.headers);
    headers.set('jht-kept-at', String(Number(headers.get('jht-kept-at')) - days * 86400000));
    await cache.put('/luring/saldo', new Response(await kept.text(), { headers }));
}"""


class Device:
    """One browser, and the service at one address, which can go away, come back, or be late."""

    def __init__(self, chromium: Browser, town: Town, folder: Path) -> None:
        self.town, self.folder = town, folder
        self._port = urlsplit(town.server.address).port or 0
        self._chromium = chromium
        self._running = ExitStack()
        self.visitor = self.new("id")

    def new(self, language: str) -> Visitor:
        """Another browser at the same address."""
        return Visitor(self._chromium, self.town, language)

    def serve(self, **changes: object) -> None:
        """The service is there, from now on with other settings."""
        self.away()
        settings: Settings = self.town.settings.model_copy(update=changes)
        until = "/livez" if changes else "/readyz"
        self._running.enter_context(
            serving(settings, "", self.folder / "served", until=until, port=self._port)
        )  # fmt: skip

    def away(self) -> None:
        """Nobody answers at the address."""
        self._running.close()

    def is_app(self) -> None:
        """Wait until the service worker is there."""
        self.visitor.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        self.visitor.page.wait_for_function("navigator.serviceWorker.controller !== null")

    def stored(self) -> str:
        """All that pages of the site can find in this browser."""
        return str(self.visitor.page.evaluate(_STORED))

    def keep(self) -> None:
        """Switch it on, and wait until the balance is kept."""
        visitor = self.visitor
        visitor.open("/akun")
        self.is_app()
        visitor.press("account.offline_start")
        visitor.said(visitor.t("account.notice_luring_nyala"), visitor.t("account.offline_on"))
        visitor.open("/saldo")
        self.until(lambda: "855.000" in self.stored())

    def until(self, true: Callable[[], bool]) -> None:
        """What a worker does, it does after the page is there."""
        end = time.monotonic() + 20
        while not true():
            assert time.monotonic() < end, self.stored()[:2000]
            self.visitor.page.wait_for_timeout(100)


@pytest.fixture(scope="module")
def app_town(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Town:
    """A town whose people are there and whose server has ended: the tests begin and end one at its address."""
    del chromium
    with towns.opened(tmp_path_factory.mktemp("app")) as made:
        pass
    return made


@pytest.fixture
def device(chromium: Browser, app_town: Town, tmp_path: Path) -> Iterator[Device]:
    """A new browser, with the service there."""
    made = Device(chromium, app_town, tmp_path)
    made.serve()
    yield made
    made.visitor.close()
    made.away()


def test_chromium_would_install_it(device: Device, chromium: Browser, tmp_path: Path) -> None:
    # A browser that keeps nothing would never install anything.
    lasting = chromium.browser_type.launch_persistent_context(
        tmp_path / "profile", executable_path=shutil.which("chromium"), args=list(ARGUMENTS)
    )
    page = lasting.pages[0]
    for language in ("id", "en"):
        page.goto(f"{device.town.server.address}/bahasa?ke={language}")
        page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        session = lasting.new_cdp_session(page)
        found = session.send("Page.getAppManifest")
        assert found["errors"] == []
        assert (given := json.loads(found["data"]))["lang"] == language
        assert given["start_url"] == "/saldo"
        assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    lasting.close()


def test_an_old_balance_is_shown_only_where_it_was_switched_on(device: Device, look: Look) -> None:
    visitor = device.visitor
    who = device.town.member()
    visitor.log_in(who.email)
    device.is_app()
    visitor.open("/saldo")
    device.away()
    visitor.open("/saldo")
    assert visitor.heading == visitor.t("offline.title")
    look(visitor, "offline")
    assert "855.000" not in device.stored()
    device.serve()
    device.keep()
    device.away()
    for _ in range(2):
        visitor.open("/saldo")
        assert visitor.heading == visitor.t("offline.heading", n=1)
        assert "".join(visitor.page.locator(OLD).inner_text().split()) == "Rp855.000"
        assert visitor.page.locator(OLD).evaluate("found => getComputedStyle(found).borderBottomStyle") == "dashed"
        assert visitor.page.locator("main .asof.old").inner_text().startswith("Angka lama: per ")
    look(visitor, "offline-balance")
    visitor.open("/iuran")
    assert visitor.heading == visitor.t("offline.title")
    visitor.follow("offline.open")
    visitor.said("Rp855.000")

    device.serve(max_staleness=0.05, follow=False)
    assert visitor.open("/saldo") == 503
    visitor.said(visitor.t("offline.now"), "Rp855.000", "Angka lama: per ")
    assert visitor.open("/iuran") == 503
    assert "855.000" not in visitor.text

    device.serve()
    visitor.open("/saldo")
    assert visitor.balance() == "Rp855.000"
    assert visitor.page.locator(OLD).count() == 0, "what is new is shown as new"
    visitor.open("/akun")
    visitor.press("account.offline_stop")
    device.until(lambda: "855.000" not in device.stored())
    assert [one for one in visitor.wrong if "ERR_CONNECTION_REFUSED" not in one] == []


def test_nothing_of_the_one_who_logged_out_is_there_for_the_next(device: Device) -> None:
    visitor, a, b = device.visitor, device.town.member(), device.town.member()
    secrets = (a.email, a.nik, a.kpj, "855.000")
    visitor.log_in(a.email)
    device.keep()
    visitor.open("/iuran")
    visitor.log_out()
    device.until(lambda: not [one for one in secrets if one in device.stored()])
    device.is_app()
    visitor.log_in(b.email)
    assert visitor.path == "/saldo"
    visitor.open("/akun")
    visitor.said(visitor.t("account.offline_off"))
    assert not [one for one in secrets if one in device.stored()]
    device.away()
    visitor.open("/saldo")
    assert visitor.heading == visitor.t("offline.title")
    for _ in range(8):
        visitor.page.go_back()
        assert not [one for one in (*secrets, b.kpj) if one in visitor.page.content()], visitor.path
    assert not [one for one in secrets if one in device.stored()]


def test_it_goes_when_the_session_ends_elsewhere_and_when_another_logs_in(device: Device) -> None:
    visitor, a, b = device.visitor, device.town.member(), device.town.member()
    visitor.log_in(a.email)
    device.keep()
    other = device.new("id")
    other.log_in(a.email)
    other.open("/akun")
    other.press("account.everywhere")
    other.close()
    visitor.page.wait_for_timeout(1100)  # a process remembers a session for a second
    visitor.open("/saldo")
    assert visitor.path.startswith("/masuk")
    device.until(lambda: "855.000" not in device.stored())
    visitor.log_in(a.email)
    device.is_app()
    visitor.open("/saldo")
    device.until(lambda: "855.000" in device.stored())
    # The browser is closed, which forgets the session, and opened again.
    name = next(one["name"] for one in visitor.page.context.cookies() if one["name"] in {"jht", "__Host-jht"})
    visitor.page.context.clear_cookies(name=name)
    visitor.log_in(b.email)
    device.until(lambda: "855.000" not in device.stored())


def test_it_goes_after_seven_days_and_a_page_is_never_an_old_one(device: Device) -> None:
    visitor, who = device.visitor, device.town.member()
    visitor.log_in(who.email)
    device.keep()
    # Another version of the worker takes over: what an earlier one kept of its files goes, the balance is asked anew.
    visitor.page.evaluate("caches.open('jht-earlier').then(cache => cache.put('/luring', new Response('earlier')))")
    visitor.page.evaluate(_AGED, 6)
    device.away()
    visitor.open("/saldo")
    assert visitor.heading == visitor.t("offline.heading", n=1)
    device.serve()
    visitor.open("/akun")
    visitor.page.evaluate("navigator.serviceWorker.register('/sw.js?later').then(() => null)")
    device.until(lambda: "earlier" not in device.stored() and "855.000" in device.stored())
    # Gone first: a balance that is still asked for would be as young as now.
    device.away()
    visitor.page.evaluate(_AGED, 8)
    visitor.open("/saldo")
    assert visitor.heading == visitor.t("offline.title")
    assert "855.000" not in device.stored()
