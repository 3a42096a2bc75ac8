"""Long lives and wide amounts look as in the committed pictures, and fit a narrow window with letters twice as large."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.system.browser.gallery import (
    FOLDER,
    LIVES,
    PAGES,
    PICTURES,
    TAKEN_WITH,
    difference,
    heights,
    letters,
    opened,
    picture,
)

_MOST, _LONGER = 0.02, 0.15
_WIDE = """() => {
    const most = document.documentElement.clientWidth;
    const inside = found => found.closest('.scroll, .hidden, .skip, .sprite, thead, svg');
    return [document.documentElement.scrollWidth, ...[...document.querySelectorAll('body *')]
        .filter(one => !inside(one) && one.getBoundingClientRect().right > most + 1)
        .map(one => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 40)}`)];
}"""


@pytest.mark.parametrize("name", PICTURES)
def test_a_page_looks_as_in_its_picture(chromium: Browser, name: str) -> None:
    made = picture(chromium, name)
    with opened(chromium, "<title>x</title>", 320) as page:
        kept = (FOLDER / f"{name}.png").read_bytes()
        found = difference(page, made, kept)
        same_letters = letters(page) == TAKEN_WITH.read_text("utf-8").strip()
    if same_letters:
        assert found <= _MOST, f"{found:.1%} of {name} looks different: look at it, then `make gallery`"
    # With another browser or other letters no point is where it was; a page is still as long as it was.
    assert abs(heights(made, kept) - 1) < _LONGER, f"{name} is {heights(made, kept):.0%} as high as its picture"


def test_a_page_that_looks_different_is_noticed(chromium: Browser) -> None:
    one, other = (FOLDER / f"{name}.png" for name in ("saldo-40-years-320", "saldo-13-digits-320"))
    with opened(chromium, "<title>x</title>", 320) as page:
        assert difference(page, one.read_bytes(), other.read_bytes()) > _MOST
        assert difference(page, one.read_bytes(), one.read_bytes()) == 0


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("life", LIVES)
def test_nothing_is_wider_than_a_narrow_window_with_letters_twice_as_large(
    chromium: Browser, page: str, life: str
) -> None:
    for language in ("id", "en"):
        with opened(chromium, PAGES[page](life, language), 320) as shown:
            shown.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
            session = shown.context.new_cdp_session(shown)
            for size in (16, 32):
                # The browser's own setting, which media queries in rem follow too.
                session.send("Page.setFontSizes", {"fontSizes": {"standard": size, "fixed": size}})
                assert shown.evaluate("getComputedStyle(document.documentElement).fontSize") == f"{size}px"
                width, *wide = shown.evaluate(_WIDE)
                assert (width, wide) == (320, []), (language, size)


def test_the_pictures_are_small(chromium: Browser) -> None:
    del chromium
    assert sorted(one.stem for one in FOLDER.glob("*.png")) == sorted(PICTURES)
    assert sum(one.stat().st_size for one in FOLDER.iterdir()) < 2_000_000
