"""The growth chart: an SVG that the server draws, without script, colours by class only. Pure.

Two lines: what was contributed, and the balance (contributions with the yield of declared years and what an opening balance
brought). A tick
marks each month that has not come. The same numbers stand in a table beneath it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, repeat
from operator import add
from typing import NamedTuple

from markupsafe import Markup, escape

from projections.results import Entry

LEFT, RIGHT, TOP, BOTTOM = 34.0, 336.0, 30.0, 212.0
_MOST_POINTS = 60
_MOST_YEARS = 4
_LONG_LIFE = 10
"""Years from which on a year is too narrow for its number."""
_UNITS = ((1_000_000_000_000, "trillion"), (1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand"))


class Point(NamedTuple):
    """The end of a month: contributed so far, and the balance, in rupiah."""

    month: int
    paid: int
    total: int


class Words(NamedTuple):
    """What the chart says: ready texts in the visitor's language."""

    label: str
    unit: str
    total: str
    paid: str
    gaps: str


def growth(entries: Iterable[Entry], present: int, earned_in: Iterable[tuple[int, int]] = ()) -> list[Point]:
    """A point a month from the first payment to the month `present`, by the day money was paid; [] without money.

    `earned_in`: (declared year, yield), which counts from that year's December on.
    """
    paid: dict[int, int] = defaultdict(int)
    credited: dict[int, int] = defaultdict(int)
    for entry in entries:
        month = _paid_month(entry.paid_on)
        paid[month] += entry.employer + entry.worker
        if entry.credited:
            credited[month] += entry.credited
    if not paid:
        return []
    for year, amount in earned_in:
        if amount:
            credited[year * 12 + 11] += amount
    months = range(min(paid), max(present, *paid) + 1)
    so_far = list(accumulate([paid[month] for month in months]))
    earned = accumulate([credited[month] for month in months]) if credited else repeat(0)
    return list(map(Point, months, so_far, map(add, so_far, earned)))


@lru_cache(4096)
def _paid_month(day: str) -> int:
    return int(day[:4]) * 12 + int(day[5:7]) - 1


def yearly(points: Sequence[Point]) -> list[Point]:
    """The last point of each year, newest first: the table."""
    return sorted({point.month // 12: point for point in points}.values(), reverse=True)


def scale(most: int) -> tuple[int, int]:
    """(step, steps) of the vertical axis: a step of 1, 2 or 5 times a power of ten, at most four of them."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            step = digit * power
            if step * 4 >= most:
                return step, max(1, -(-most // step))
        power *= 10


def unit_of(points: Sequence[Point]) -> tuple[int, str]:
    """(rupiah a unit, its name) of the vertical axis, so that its numbers are whole."""
    step, _ = scale(_most(points))
    return _unit(step)


def _unit(step: int) -> tuple[int, str]:
    return next(((size, name) for size, name in _UNITS if step >= size), (1, "rupiah"))


def _most(points: Sequence[Point]) -> int:
    return max(1, *[point.paid for point in points], *[point.total for point in points])


def draw(points: Sequence[Point], gaps: Sequence[int], words: Words) -> Markup:
    """The chart of at least one point; `gaps`: months that have not come."""
    step, steps = scale(_most(points))
    size, _ = _unit(step)
    first, last = points[0].month, max(points[-1].month, points[0].month + 1)

    def x(month: float) -> float:
        return LEFT + (RIGHT - LEFT) * (month - first) / (last - first)

    def y(rupiah: int) -> float:
        return BOTTOM - (BOTTOM - TOP) * rupiah / (step * steps)

    def path(values: Iterable[tuple[int, int]]) -> str:
        # As `x` and `y`, without two calls a point.
        across, up = (RIGHT - LEFT) / (last - first), (BOTTOM - TOP) / (step * steps)
        return "L".join([f"{LEFT + across * (month - first):.1f} {BOTTOM - up * value:.1f}" for month, value in values])

    kept = _thinned(points)
    total = path((point.month, point.total) for point in kept)
    end = points[-1]
    apart = end.total != end.paid
    parts = [
        _Text("", 0, 12).of(words.unit),
        *_axis(step, steps, size, y),
        *_years(first, last, x),
    ]
    if apart:
        back = path((point.month, point.paid) for point in reversed(kept))
        paid = path((point.month, point.paid) for point in kept)
        parts += [f'<path class="c-area" d="M{total}L{back}Z"/>', f'<path class="c-paid" d="M{paid}"/>']
    parts.append(f'<path class="c-line" d="M{total}"/>')
    parts += [f'<path class="c-gap" d="M{x(month):.1f} 202v10"/>' for month in gaps if first <= month <= last]
    high, low = y(end.total), y(end.paid)
    if apart:
        parts += [
            f'<circle class="c-dot2" cx="{RIGHT:.0f}" cy="{low:.1f}" r="4"/>',
            _Text("c-key2 c-end", RIGHT, min(low + 22, 184)).of(words.paid),
        ]
    parts += [
        f'<circle class="c-dot" cx="{RIGHT:.0f}" cy="{high:.1f}" r="5"/>',
        _Text("c-key c-end", RIGHT, max(high - 11, 12)).of(words.total),
    ]
    if gaps:
        parts.append(_Text("c-keybrick c-end", RIGHT, 198).of(words.gaps))
    svg = '<svg viewBox="0 0 344 236" role="img" aria-label="{}">{}</svg>'
    return Markup(svg).format(words.label, Markup("".join(parts)))  # noqa: S704 - numbers and escaped texts


class _Text(NamedTuple):
    """A text on the chart, at its anchor."""

    kind: str
    x: float
    y: float

    def of(self, text: object) -> str:
        """The element; the text is escaped."""
        kind = f"c-text {self.kind}".strip()
        return f'<text class="{kind}" x="{self.x:.0f}" y="{self.y:.0f}">{escape(text)}</text>'


def _axis(step: int, steps: int, size: int, y: Callable[[int], float]) -> list[str]:
    parts = []
    for number in range(steps + 1):
        height = y(number * step)
        kind = "c-grid" if number else "c-base"
        parts += [
            f'<path class="{kind}" d="M{LEFT:.0f} {height:.1f}H{RIGHT:.0f}"/>',
            _Text("c-end", LEFT - 6, height + 4).of(number * step // size),
        ]
    return parts


def _years(first: int, last: int, x: Callable[[float], float]) -> list[str]:
    """A mark at each January, and the year's number: in the middle of at most four years, or in a long life at the marks of
    round years.
    """
    marks = range(-(-first // 12), last // 12 + 1)
    parts = [f'<path class="c-base" d="M{x(year * 12):.1f} 212v5"/>' for year in marks]
    if (last - first) // 12 >= _LONG_LIFE:
        every = next(step for step in (5, 10, 20, 50, 100) if (last - first) // 12 <= step * (_MOST_YEARS + 1))
        round_years = [year for year in marks if year % every == 0 and LEFT + 14 <= x(year * 12) <= RIGHT - 14]
        return parts + [_Text("c-mid", x(year * 12), 230).of(year) for year in round_years]
    spans = [year for year in range(first // 12, last // 12 + 1) if _width(year, first, last, x) >= 28]
    every = max(1, -(-len(spans) // _MOST_YEARS))
    for year in spans[::-1][::every]:
        middle = (x(max(year * 12, first)) + x(min(year * 12 + 12, last))) / 2
        parts.append(_Text("c-mid", middle, 230).of(year))
    if not spans:
        parts.append(_Text("c-mid", (LEFT + RIGHT) / 2, 230).of(last // 12))
    return parts


def _width(year: int, first: int, last: int, x: Callable[[float], float]) -> float:
    return x(min(year * 12 + 12, last)) - x(max(year * 12, first))


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """At most 60 of the points, the first and the last among them."""
    every = -(-len(points) // _MOST_POINTS)
    return points if every == 1 else [*points[:-1][::every], points[-1]]
