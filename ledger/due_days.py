"""When a month's contribution is due: the rule of its segment, moved past weekends and holidays to the next working day.

The holidays are rows of `rules.toml`, one table a year, as the government decrees them. For a year without a table only
weekends are known: the day may be too early then, which `holidays_known` tells.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache, lru_cache

from ledger.rules import rules

_SATURDAY = 5


@lru_cache(4096)
def due_day(segment: str, month: int) -> date | None:
    """The last day to pay for a month (number), None where no rule is known (PMI). Source: `due` in `rules.toml`."""
    rule = rules().table["due"].get(segment)
    if rule is None:
        return None
    year, place = divmod(month + rule[0], 12)
    day = date(year, place + 1, rule[1])
    while day.weekday() >= _SATURDAY or day in _holidays(day.year):
        day += timedelta(days=1)
    return day


def holidays_known(year: int) -> bool:
    """Whether `rules.toml` has the holidays of a year."""
    return bool(_holidays(year))


@cache
def _holidays(year: int) -> frozenset[date]:
    rows = rules().table["holidays"]
    return frozenset(date.fromisoformat(f"{year}-{day}") for row in rows if row["year"] == year for day in row["days"])
