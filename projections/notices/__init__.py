"""What members are told without asking: a follower of the log with a place of its own, never part of a rebuild.

posted     which posted lines are told: pure
truth      whether what is to be told is still so, asked when it is told and when it is sent
missing    which months have not come and are told, looked at once for each day that money is known until
telling    what waits becomes letters in the outbox: one a person, way and day
follower   the loop, its place in the log, its lease
"""

from __future__ import annotations

from projections.notices.follower import NoticeFollower
from projections.notices.telling import Teller

__all__ = ["NoticeFollower", "Teller"]
