"""Forms that change something are ours: a token bound to who fills them in, and the browser's own word for the sender.

The token is an HMAC of the session's secret, or before a login of the guest's cookie (OWASP's signed double submit), so
a login form cannot be sent in another's name either. A page with `Referrer-Policy: no-referrer` makes browsers send
`Origin: null`, so a null origin says nothing; `Sec-Fetch-Site` and the token decide then.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from typing import TYPE_CHECKING

from starlette.requests import Request

from ledger.errors import NotAllowed
from ledger.settings import Settings
from ledger.store.vault import Vault

if TYPE_CHECKING:
    from api.access.sessions import Session

FIELD = "csrf"
"""The name of the form's hidden field."""


class Csrf:
    """Makes and checks the tokens of forms."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._origin, self._vault = settings.public_url, vault

    def token(self, session: Session | None, guest: str) -> str:
        """What a form carries in FIELD."""
        bound = f"session {session.csrf}" if session is not None else f"guest {guest}"
        digest = hmac.digest(self._vault.derived(b"csrf"), bound.encode("utf-8", "replace"), sha256)
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def check(self, request: Request, session: Session | None, guest: str, given: str) -> None:
        """Whether a form that came in is one of ours. Raises NotAllowed(form-foreign)."""
        if session is None and not guest:
            raise NotAllowed("form-foreign")
        right = hmac.compare_digest(self.token(session, guest).encode(), given.encode("utf-8", "replace"))
        if not right or not self.is_ours(request):
            raise NotAllowed("form-foreign")

    def is_ours(self, request: Request) -> bool:
        """Whether the browser says that one of our own pages sent the request; old browsers say nothing."""
        site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
        if site not in {"", "same-origin", "none"}:
            return False
        return origin in {"", "null"} or origin.lower() == self._origin
