"""Days as numbers: days since 1970-01-01, so that columns of them are integers."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

EPOCH_DAY = date(1970, 1, 1)


def day_number(day: str | date) -> int:
    """Days since 1970-01-01 of an ISO date."""
    return ((date.fromisoformat(day) if isinstance(day, str) else day) - EPOCH_DAY).days


def day_of(number: int) -> date:
    """The inverse of `day_number`."""
    return date.fromordinal(EPOCH_DAY.toordinal() + number)


@lru_cache(4096)
def day_text(number: int) -> str:
    """`day_of` as an ISO date."""
    return day_of(number).isoformat()


def years_after(day: date, years: int) -> date:
    """The same day some years later (or earlier); 29 February becomes 1 March where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
