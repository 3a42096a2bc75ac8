"""What members are told without asking: a follower of the log with a place of its own, never part of a rebuild.

posted     which posted lines are told: pure
missing    which months have not come and are told, looked at once for each day that money is known until
telling    what waits becomes letters in the outbox: one a person, way and day
follower   the loop, its place in the log, its lease
"""

from __future__ import annotations

from projections.notices.follower import NoticeFollower

__all__ = ["NoticeFollower"]
