"""The one real clock, and the date that counts: the scheme lives in Asia/Jakarta, whatever a server's zone is.

Nothing that decides or folds looks at a clock; it is given the moment.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

JAKARTA = ZoneInfo("Asia/Jakarta")


def read_now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC)


def jakarta_date(moment: datetime) -> date:
    """The date it is in Jakarta at a moment."""
    return moment.astimezone(JAKARTA).date()
