"""One Chromium for the tests of this folder, one served town; a browser of its own for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.conftest import LONG
from tests.system.browser import looks
from tests.system.browser import town as towns
from tests.system.browser.town import Town
from tests.system.browser.visitor import SIZES, Visitor
from tests.system.lacking import lacking

NEEDED = "Chromium is needed (Debian: apt install chromium chromium-headless-shell)"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    # A test's browser knows no other machine: the provider's own login page would load a font from far away.
    "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)  # fmt: skip

Visit = Callable[..., Visitor]
Look = Callable[[Visitor, str], None]


# Until the tests leave this folder, and no longer: Playwright keeps an event loop in this thread.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    # Chromium without windows does the same at half of the work; where it is not packed the whole one does.
    found = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if found is None:
        lacking(NEEDED)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def town(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Town]:
    """The town that all tests share; each takes people of its own."""
    del chromium  # without it nothing has to be built
    with towns.opened(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest.fixture(scope="package")
def stale(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Town]:
    """A town whose balances are older than allowed."""
    del chromium
    with towns.opened(tmp_path_factory.mktemp("stale"), "/livez", max_staleness=0.05, follow=False) as made:
        yield made


@pytest.fixture
def visit(chromium: Browser, town: Town) -> Iterator[Visit]:
    """Make a visitor of the town; in the end no one may have noticed anything wrong."""
    visitors: list[Visitor] = []

    def come(language: str = "id", size: str = "phone", *, of: Town = town, script: bool = True) -> Visitor:
        visitors.append(Visitor(chromium, of, language, size, script=script))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.close()
    assert [one for visitor in visitors for one in visitor.wrong] == []


_PAIRS = [("id", "phone"), ("en", "desktop")]
# No style knows a language and no text a width: the other two are for long runs, as in `looks`.
_EACH = [(language, size) for language in ("id", "en") for size in SIZES] if LONG else _PAIRS


@pytest.fixture(params=_PAIRS, ids="-".join)
def visitor(request: pytest.FixtureRequest, visit: Visit) -> Visitor:
    """A visitor in each language and each size."""
    return visit(*request.param)


@pytest.fixture(params=_EACH, ids="-".join)
def each_visitor(request: pytest.FixtureRequest, visit: Visit) -> Visitor:
    """A visitor in each language and each size; in long runs, in each language in each size."""
    return visit(*request.param)


@pytest.fixture(scope="package")
def axe() -> str:
    return looks.axe_core()


@pytest.fixture
def look(axe: str) -> Iterator[Look]:
    """Look at the page that a visitor sees; what was found is told after the last one."""
    found: list[str] = []

    def at(visitor: Visitor, name: str) -> None:
        found.extend(looks.faults(visitor.page, axe, name))

    yield at
    assert found == []
