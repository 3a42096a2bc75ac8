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
        (key,) = re.findall(r">((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})<", page)
        return cls(key)

    def code(self, now: datetime, steps: int = 0) -> str:
        """What the app shows, or showed or will show so many half minutes from now."""
        return totp.code_at(self.secret, totp.step_of(now) + steps)
