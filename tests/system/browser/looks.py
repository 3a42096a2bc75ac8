"""What every page must be: no finding of axe-core's WCAG rules, in light and dark, narrow and wide; no sideways scroll.

`SHOTS=folder` in the environment keeps a picture of every look there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

from tests.conftest import LONG
from tests.system import npm

NARROWEST = 320
TALLEST = 16_384
"""Pixels: Chromium takes no picture of a longer page."""
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_ALL = {"runOnly": {"type": "tag", "values": _TAGS}, "resultTypes": ["violations"]}
# What a second look at the same page can find: the rules that read colours, sizes and places.
_SEEN = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "target-size", "scrollable-region-focusable"]},
    "resultTypes": ["violations"],
}
_LOOKS: list[tuple[int, Literal["light", "dark"]]] = [(360, "light"), (1280, "dark")]
# A colour is named once for light and once for dark, whatever the width: the other two looks are for long runs.
if LONG or "SHOTS" in os.environ:
    _LOOKS += [(360, "dark"), (1280, "light")]
_FIND = """async options => (await axe.run(document, options)).violations.map(
    found => `${found.id}: ${found.nodes.map(node => node.html.slice(0, 200) + ' ' + node.failureSummary).join(' | ')}`
)"""


def axe_core() -> str:
    """The script of the package axe-core."""
    return (npm.installed(Path(__file__).parent) / "node_modules/axe-core/axe.min.js").read_text()


def faults(page: Page, axe: str, name: str) -> list[str]:
    """What is wrong with the page that is open; its folds are opened."""
    found: list[str] = []
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    page.evaluate(axe)
    for width, scheme in _LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        # A button on its way from one colour to another has neither.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        rules = _ALL if LONG or (width, scheme) == _LOOKS[0] else _SEEN
        found += [f"{name}, {width} px, {scheme}: {fault}" for fault in page.evaluate(_FIND, rules)]
        if "SHOTS" in os.environ:
            whole = page.evaluate("document.documentElement.scrollHeight") <= TALLEST
            page.screenshot(path=Path(os.environ["SHOTS"], f"{name}-{width}-{scheme}.png"), full_page=whole)
    page.set_viewport_size({"width": NARROWEST, "height": 800})
    wide = page.evaluate("document.documentElement.scrollWidth")
    return found + ([f"{name}: {wide} px wide at {NARROWEST} px"] if wide > NARROWEST else [])
