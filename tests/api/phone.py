"""The phone of somebody of the staff: an app that shows the codes of the key that a page told."""

from __future__ import annotations

import base64
import re
from datetime import datetime

from api.access import totp


class Phone:
    """What an app keeps: the secret that was typed in."""

    def __init__(self, key: str) -> None:
        self.secret = base64.b32decode(key.replace(" ", ""))

    @classmethod
    def of(cls, page: str) -> Phone:
        """The phone that is set up with the key on the page."""
        found = cls.on(page)
        assert found is not None
        return found

    @classmethod
    def on(cls, page: str) -> Phone | None:
        """The same, None for a page without a key."""
        key = re.search(r">((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})<", page)
        return cls(key[1]) if key else None

    def code(self, now: datetime, steps: int = 0) -> str:
        """What the app shows, or showed or will show so many half minutes from now."""
        return totp.code_at(self.secret, totp.step_of(now) + steps)
