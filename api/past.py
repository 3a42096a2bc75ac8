"""Which past a read asks for: of which day, and as it was known where. The same for other systems and for members."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from api.application import ApplicationState
from api.parameters import BalanceQuery
from ledger.clock import jakarta_date
from ledger.store.known_at import KnownAt


class AskedPast(NamedTuple):
    """`day`: the one that is told; `asked`: the same where it was named and is not the present, else None; `known`: the
    place in the log, None for all that is known."""

    day: date
    asked: date | None
    known: KnownAt | None

    @property
    def is_past(self) -> bool:
        """Whether something else than the present is asked for."""
        return self.asked is not None or self.known is not None

    def moment(self, now: datetime) -> datetime:
        """When the last of what is known here was recorded; `now` where it is all that is known."""
        return now if self.known is None else datetime.fromisoformat(self.known.recorded_at)

    @property
    def mark(self) -> str:
        """What an ETag holds of the place in the log."""
        return f"-{self.known.position}" if self.known is not None else ""


async def asked_past(application: ApplicationState, query: BalanceQuery, now: datetime) -> AskedPast:
    """The past in a query, once the read side has reached it.

    Raises Refused: as-of-in-future, and as `ApplicationState.reach` and `ApplicationState.known_at`.
    """
    present = jakarta_date(now)
    asked = query.asked_day(present)
    await application.reach(query.min_position)
    known = await application.known_at(query.known_at, now)
    return AskedPast(query.day(present, known), asked, known)
