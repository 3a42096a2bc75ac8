"""Rates that one officer proposed, put in force by another one: the proposal and the declaration are one append.

Two officers who act at once: the second one's wish is decided again on what the first one recorded, and refused there.
"""

from __future__ import annotations

from datetime import datetime

from ledger.clock import jakarta_date
from ledger.decisions import proposal, remittance
from ledger.decisions.scheme import Scheme
from ledger.errors import Refused
from ledger.events import ProvisionalProposed, YieldProposed
from ledger.events.scheme import STREAM
from ledger.receipt import Header
from ledger.store.database import Write
from ledger.store.handle import handle
from ledger.store.log import Log


def seen_now(log: Log) -> str:
    """What stands for all that yields come from. Raises BrokenLog."""
    return str(proposal.changed_at(log.events(STREAM)))


def confirm(
    log: Log, proposed: YieldProposed | ProvisionalProposed, typed: int, header: Header, now: datetime, *,
    proposed_by: str, seen: str, also: Write,
) -> int:  # fmt: skip
    """Record a proposal, of who made it, and what it says, of the header's; the position of that. The reason is the
    proposal's. `seen`: what `seen_now` said when it was made; `also`: what else is done in the transaction.

    Raises Refused(changed-since), and as `decide_confirm`.
    """

    def act() -> int:
        events = log.events(STREAM)
        if str(proposal.changed_at(events)) != seen:
            raise Refused("changed-since")
        fact = proposal.decide_confirm(Scheme.of(events), proposed, typed, jakarta_date(now), reason=header.reason)
        made = [
            event
            for at, (one, by) in enumerate(((proposed, proposed_by), (fact, header.by)), len(events))
            for event in remittance.events(
                at, STREAM, [one], by, header.channel, header.request, header.reason
            )
        ]  # fmt: skip
        return log.append(made, now, writes=[also]).positions[-1]

    return handle(act)
