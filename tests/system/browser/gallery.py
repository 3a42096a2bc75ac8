"""Pages of lives of 1, 12 and 40 years, with amounts from Rp9 to 13 digits: made by the templates, without a ledger.

`make gallery` takes the pictures in `gallery/` again. A picture is compared in blocks of 8 x 8 points, so that the edges
of letters do not count.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from playwright.sync_api import Browser, Page, Route

from api.web import assets, months, saldo
from api.web.holdings import Held
from api.web.pages import fragment
from ledger.identifiers import kpj_of
from ledger.members import LinkedCard
from ledger.yields import Terms
from projections import month_grid
from projections.month_grid import Facts
from projections.received import awaited, received
from projections.results import BalanceRow, Entry, Last, MembershipRow
from tests.api.web.facts import CARD, entry, facts
from tests.conftest import TODAY
from tests.office import NPP, OTHER_NPP

FOLDER = Path(__file__).parent / "gallery"
TAKEN_WITH = FOLDER / "taken_with.txt"
ADDRESS = "http://jht.test"
_NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
_COMPARE = """async ([made, kept]) => {
    const read = async data => {
        const bytes = Uint8Array.from(atob(data), one => one.charCodeAt(0));
        return await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    };
    const [a, b] = [await read(made), await read(kept)];
    if (a.width !== b.width || Math.abs(a.height - b.height) > 8) return 1;
    const [width, height] = [Math.ceil(a.width / 8), Math.floor(Math.min(a.height, b.height) / 8)];
    const blocks = image => {
        const canvas = new OffscreenCanvas(width, height), drawn = canvas.getContext('2d');
        drawn.imageSmoothingQuality = 'high';
        drawn.drawImage(image, 0, 0, width * 8, height * 8, 0, 0, width, height);
        return drawn.getImageData(0, 0, width, height).data;
    };
    const [x, y] = [blocks(a), blocks(b)];
    let other = 0;
    for (let i = 0; i < x.length; i += 4) {
        if (Math.max(...[0, 1, 2].map(c => Math.abs(x[i + c] - y[i + c]))) > 32) other++;
    }
    return other / (width * height);
}"""


class Life(NamedTuple):
    """Somebody's facts and balance."""

    facts: Facts
    row: BalanceRow


def _life(first: int, amount: int, missing: Callable[[int], bool], *, second: int = 0, credited: int = 0) -> Life:
    """Money for each month from January of the year `first` on that is not `missing`, from `second` on by another payer."""

    def lines() -> Iterator[Entry]:
        for number in range(first * 12, 2026 * 12 + 9):
            if not missing(number):
                month = f"{number // 12}-{number % 12 + 1:02d}"
                npp = OTHER_NPP if second and number // 12 >= second else NPP
                yield entry(month, npp=npp, employer=amount * 2 // 3, worker=amount - amount * 2 // 3)

    given = list(lines())[::-1]
    later = (MembershipRow(OTHER_NPP, "PU", f"{second}-01", ""),) if second else ()
    made = facts(*given, since=f"{first}-01", until=f"{second - 1}-12" if second else "", more=later)
    employer, worker = (sum(getattr(one, share) for one in given) for share in ("employer", "worker"))
    last = max(given, key=lambda one: one.month)
    row = BalanceRow(
        CARD, kpj_of(CARD), "p" * 32, "PU", "aktif", employer, worker, 0, credited, 0, len(given),
        Last(last.month, last.paid_on, last.npp), 1, 1, "2026-11-20T03:00:00Z", "2026-11-20T03:00:00Z",
        Terms(2015, ((55_000, 55_000),) * 11, 50_000, 2026, 11), estimated=credited // 20,
    )  # fmt: skip
    return Life(msgspec.structs.replace(made, earned={2025: credited} if credited else {}), row)


LIVES = {
    "1-year": _life(2026, 9, lambda month: month != 2026 * 12 + 8),
    "12-years": _life(2015, 685_000, lambda month: month % 7 == 3, credited=31_480_112),
    "40-years": _life(1987, 2_100_000, lambda month: month in range(2018 * 12 + 4, 2024 * 12 + 3), second=2016,
                      credited=1_250_000_000),
    "13-digits": _life(1987, 19_000_000_000, lambda month: month % 29 == 0, credited=899_999_999_999),
}  # fmt: skip
"""A first month of Rp9; a hole every seventh month; two employers and six silent years; the widest amounts."""


def saldo_page(name: str, language: str) -> str:
    """`/saldo` of a life."""
    life = LIVES[name]
    held = Held(LinkedCard("a" * 22, CARD), kpj_of(CARD), life.row, None)
    below = saldo.whole_below([held], [life.facts], TODAY, language, alone=False)
    return str(fragment(
        language, "saldo.html", visit=True, csrf="", path="/saldo", here="/saldo", cards=[held], below=below, now=_NOW,
        sums=saldo.Sums.of([life.row]), alone=False, last=life.row.last.month if life.row.last else "", employed=True,
        position="3f9c2a1b7d04e586-48211", offered=[],
    ))  # fmt: skip


def months_page(name: str, language: str) -> str:
    """`/iuran` of a life, for the year with most of what is missing."""
    life = LIVES[name]
    years = month_grid.years([life.facts], date(2026, 11, 21))
    chosen = max(years, key=lambda one: one.expected - one.arrived)
    return str(fragment(
        language, "months.html", visit=True, csrf="", path="/iuran", here="/iuran", now=_NOW, years=years, chosen=chosen,
        openings=[], undated=[], until=received([life.facts]), awaited=awaited([chosen]), kpjs={CARD: kpj_of(CARD)},
        **months.told_months(chosen)._asdict(),
    ))  # fmt: skip


PAGES = {"saldo": saldo_page, "iuran": months_page}


@contextmanager
def opened(
    browser: Browser, html: str, width: int, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Page]:  # fmt: skip
    """A page in a browser that gets its style and script from the package."""

    def serve(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        found = assets.find(name)
        if found is None:
            route.fulfill(body=html, content_type="text/html")
        else:
            route.fulfill(body=found.content, content_type=found.kind)

    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        service_workers="block",
        reduced_motion="reduce",
        device_scale_factor=0.6 if width > 1000 else 1,
    )
    page = context.new_page()
    page.route("**/*", serve)
    page.goto(f"{ADDRESS}/halaman")
    yield page
    context.close()


def difference(page: Page, made: bytes, kept: bytes) -> float:
    """The share of blocks that differ, 0 to 1; 1 when the pictures have not the same size."""
    return float(page.evaluate(_COMPARE, [base64.b64encode(one).decode() for one in (made, kept)]))


PICTURES: dict[str, tuple[str, str, str, int, Literal["light", "dark"]]] = {
    f"{page}-{life}-{width}": (page, life, language, width, scheme)
    for page, life, language, width, scheme in (
        ("saldo", "1-year", "id", 320, "light"), ("saldo", "12-years", "en", 320, "dark"),
        ("saldo", "40-years", "id", 320, "light"), ("saldo", "13-digits", "id", 320, "light"),
        ("saldo", "13-digits", "en", 1280, "dark"), ("saldo", "40-years", "en", 1280, "light"),
        ("iuran", "40-years", "id", 320, "dark"), ("iuran", "13-digits", "en", 1280, "light"),
    )
}  # fmt: skip
"""Name of a picture -> page, life, language, width, scheme."""


def picture(browser: Browser, name: str) -> bytes:
    """A picture of the whole page, as PNG."""
    page, life, language, width, scheme = PICTURES[name]
    with opened(browser, PAGES[page](life, language), width, scheme) as shown:
        return shown.screenshot(full_page=True)


def letters(page: Page) -> str:
    """What makes a picture of one page differ between machines: the browser's version, and how wide its letters are."""
    page.set_content("<p style='font: 100px system-ui'><span>Saldo JHT Rp1.234.567</span></p>")
    width = page.evaluate("document.querySelector('span').getBoundingClientRect().width")
    browser = page.context.browser
    assert browser is not None
    return f"{browser.version} {width:.2f}"


def heights(made: bytes, kept: bytes) -> float:
    """The height of a picture as a share of another's; 0 when they are not equally wide."""
    (width, height), (other, of_it) = (struct.unpack(">II", one[16:24]) for one in (made, kept))
    return height / of_it if width == other else 0.0


def main() -> None:
    """Take all pictures again."""
    import shutil

    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in PICTURES:
            (FOLDER / f"{name}.png").write_bytes(picture(browser, name))
        with opened(browser, "<title>x</title>", 320) as page:
            TAKEN_WITH.write_text(letters(page) + "\n", encoding="utf-8")
        browser.close()


if __name__ == "__main__":
    main()
