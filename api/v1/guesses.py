"""How much of other people a key that is bound to employers may learn by trying.

An answer about a line tells something of a person whom the key may not know: that a NIK is registered under another name,
that a card is somebody else's, that a NIK is or is not the one of a card. An honest file has a few such lines; whoever
tries numbers has many. So they are counted for each key, before the answer is given: past the limit nothing is told and
nothing is written until the window has room again.
"""

from __future__ import annotations

from api.access.keys import Caller
from api.application import ApplicationState
from ledger.errors import Refused
from ledger.receipt import Receipt

TELLING = frozenset({
    "identity-differs", "nik-may-be-cut", "kpj-of-another-person", "kpj-of-own-card", "kpj-zeros-lost", "nik-differs",
    "name-differs", "name-spelled-differently", "account-unknown", "kpj-zero-short", "kpj-two-cards", "no-membership",
    "membership-conflict", "line-conflict", "second-payment", "before-opening-balance", "opening-conflict",
    "opening-after-payments",
})  # fmt: skip
"""The codes that depend on what is registered about a person or a card."""
A_DAY = 200


async def must_not_guess(application: ApplicationState, caller: Caller, looked: Receipt) -> None:
    """Count what a receipt tells. Raises Refused(too-many-guesses)."""
    count = sum(told.problem.code in TELLING for told in looked.problems)
    try:
        await application.identity.guard.take_all(count, f"{A_DAY}/day", "guess", caller.id)
    except Refused as refused:
        raise Refused("too-many-guesses", limit=A_DAY, minutes=refused.problem.details["minutes"]) from None
