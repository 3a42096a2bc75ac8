"""What stands in the address of an office page: whose data is open, why, and until when. Nobody can read it there.

It is sealed for one session, so it opens nothing for another clerk, in another browser or after logging out, and nothing
has to be stored.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from api.access.sessions import Session
from ledger.errors import BrokenLog, Refused
from ledger.store.sealing import seal, unseal
from ledger.store.vault import Vault

OPEN = timedelta(minutes=10)
"""How long data stays open after a search."""
_LONGEST = 512
_TO_ADDRESS = str.maketrans("+/", "-_")
_FROM_ADDRESS = str.maketrans("-_", "+/")


class View(Struct, frozen=True, array_like=True):
    """An opened person. `kpj`: the card that was looked for, "" otherwise; `why`: a reason's code; `until` in seconds."""

    person: str
    kpj: str
    why: str
    until: int

    @classmethod
    def begin(cls, person: str, kpj: str, why: str, now: datetime) -> View:
        """A view that ends OPEN from now."""
        return cls(person, kpj, why, int((now + OPEN).timestamp()))


_decoder = msgspec.msgpack.Decoder(View)


def handle_of(vault: Vault, session: Session, view: View) -> str:
    """The text that stands for a view in an address of this session."""
    sealed = seal(_key(vault), session.who, "office", 0, session.key.hex(), msgspec.msgpack.encode(view))
    return sealed.translate(_TO_ADDRESS).rstrip("=")


def view_of(vault: Vault, session: Session, handle: str, now: datetime) -> View:
    """The view behind a handle. Raises Refused(view-over): too old, another session's, or not one of ours."""
    sealed = handle[:_LONGEST].translate(_FROM_ADDRESS)
    sealed += "=" * (-len(sealed) % 4)
    try:
        view = _decoder.decode(unseal(_key(vault), session.who, "office", 0, session.key.hex(), sealed))
    except (BrokenLog, msgspec.DecodeError):
        raise Refused("view-over") from None
    if now.timestamp() >= view.until:
        raise Refused("view-over")
    return view


def _key(vault: Vault) -> bytes:
    return vault.derived(b"office views")
