"""The hours in which nobody is told what they did not ask for, by Jakarta's clock."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ledger.clock import JAKARTA


class QuietHours(NamedTuple):
    """From the beginning of one hour to that of another, over midnight where the first is the later; none when equal."""

    start: int
    end: int

    @classmethod
    def of(cls, text: str) -> QuietHours:
        """The hours of JHT_QUIET_HOURS, `20-7`; "" is none."""
        start, _, end = text.partition("-")
        return cls(int(start), int(end)) if text else cls(0, 0)

    def covers(self, moment: datetime) -> bool:
        """Whether a moment lies in them."""
        hour = moment.astimezone(JAKARTA).hour
        if self.start <= self.end:
            return self.start <= hour < self.end
        return hour >= self.start or hour < self.end
