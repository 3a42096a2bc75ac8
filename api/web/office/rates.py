"""Rates that wait for a second supervisor: a year's yield, a provisional rate; the proposal's figures are typed again."""

from __future__ import annotations

from typing import Any

import msgspec

from api.access.proposals import Proposal
from api.web.office.desk import Desk
from api.web.office.proposal_kind import CONFIRMING, Kind, Shown, propose
from ledger.acts import proposal as acts
from ledger.decisions.scheme import rate_of
from ledger.errors import Conflict, Refused
from ledger.events import ProvisionalProposed, YieldProposed
from ledger.receipt import Header
from ledger.store.database import Write

YEAR, PROVISIONAL = "yield", "provisional"
SCHEME = "scheme"
"""What the record of a look says was read: cards stand among the largest changes."""
_FACTS: dict[str, type[YieldProposed | ProvisionalProposed]] = {YEAR: YieldProposed, PROVISIONAL: ProvisionalProposed}


def put(
    desk: Desk, act: str, fact: YieldProposed | ProvisionalProposed, reason: str, seen: str
) -> None:  # fmt: skip
    """Propose rates that were worked out on what yields came from then. Blocks. Raises Refused(changed-since)."""
    if acts.seen_now(desk.application.log) != seen:
        raise Refused("changed-since")
    propose(desk, act, "", {"fact": msgspec.json.encode(fact).decode()}, reason, seen)


def fact_of(proposal: Proposal) -> YieldProposed | ProvisionalProposed:
    """What is proposed."""
    return msgspec.json.decode(proposal.details["fact"], type=_FACTS[proposal.act])


def told(proposal: Proposal) -> dict[str, Any]:
    """What templates need of a proposal of rates."""
    return {"fact": fact_of(proposal), "is_year": proposal.act == YEAR}


async def _show(desk: Desk, proposal: Proposal) -> Shown:
    await desk.record(CONFIRMING, SCHEME)
    seen = await desk.application.ask(acts.seen_now, desk.application.log)
    return Shown(seen, told(proposal))


def _confirm(desk: Desk, proposal: Proposal, proposed_by: str, also: Write) -> None:
    """Raises as `acts.proposal.confirm`."""
    acting, fact, typed = desk.acting(), fact_of(proposal), desk.form.get("typed", "")
    number = _rupiah(typed) if proposal.act == YEAR else _rate(typed)
    header = Header(acting.by, acting.channel, acting.request, proposal.reason)
    acts.confirm(
        desk.application.log, fact, number, header, acting.now, proposed_by=proposed_by, seen=proposal.seen, also=also
    )


def _rate(text: str) -> int:
    try:
        return rate_of(text)
    except Refused as refused:
        raise Refused(refused.code, column="typed") from None


def _rupiah(text: str) -> int:
    """A total as it is typed: `Rp10.697`, `-10697`. Raises Conflict(yield-total-differs)."""
    bare = text.strip().replace("−", "-").replace("Rp", "").replace(".", "").replace(" ", "")
    sign, digits = (-1, bare[1:]) if bare.startswith("-") else (1, bare)
    if not (digits.isascii() and digits.isdigit()):
        raise Conflict("yield-total-differs", column="typed")
    return sign * int(digits)


KINDS = {YEAR: Kind(_show, _confirm), PROVISIONAL: Kind(_show, _confirm)}
