"""Devices that somebody has logged in from before: a mark in a long-lived cookie, one for each account.

A mark opens nothing. It only keeps strangers' wrong passwords from holding up the owner: tries from a known device are
counted apart, and an address with too many tries is not slowed for it (OWASP, "Device cookies"). It is random bytes with
an HMAC under a key of the master key, so nothing is stored and nobody can make one.
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256

from ledger.store.vault import Vault

MOST = 5
"""Accounts of one browser: a family's, a branch's counter."""
_MARK, _MAC = 16, 32
_LONGEST = MOST * (_MARK + _MAC + 1)


class Devices:
    """Makes and knows marks."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def known(self, marks: str, kind: str, who: str) -> str:
        """The mark of an account among those of a browser, "" when the account never logged in there."""
        for mark in self._split(marks):
            if hmac.compare_digest(self._mac(mark[:_MARK], kind, who), mark[_MARK:]):
                return mark[:_MARK]
        return ""

    def marked(self, marks: str, kind: str, who: str) -> str:
        """The marks of a browser after a login: the account's comes first, the oldest beyond MOST go."""
        old = self._split(marks)
        mark = self.known(marks, kind, who) or secrets.token_hex(_MARK // 2)
        mine = mark + self._mac(mark, kind, who)
        return ".".join([mine, *(one for one in old if one != mine)][:MOST])

    def unmarked(self, marks: str, kind: str, who: str) -> str:
        """The marks of a browser without the account's."""
        mark = self.known(marks, kind, who)
        return ".".join(one for one in self._split(marks) if not mark or not one.startswith(mark))

    def _split(self, marks: str) -> list[str]:
        given = marks[:_LONGEST].split(".")
        return [one for one in given if len(one) == _MARK + _MAC and one.isascii() and one.isalnum()]

    def _mac(self, mark: str, kind: str, who: str) -> str:
        key = self._vault.derived(b"known devices")
        return hmac.digest(key, f"{mark} {kind} {who}".encode(), sha256).hex()[:_MAC]
