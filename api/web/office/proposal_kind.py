"""A kind of act that takes two officers, as the list and the page of proposals need it: what is shown, how it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from api.access.proposals import Proposal
from api.web.office.desk import Desk
from ledger.errors import NotFound, Unavailable
from ledger.identifiers import kpj_of
from ledger.store.database import Write

CONFIRMING = "proposal"
"""The reason of a supervisor who decides a proposal; nobody chooses it."""


class Shown(NamedTuple):
    """What the page of a proposal shows: `values` for its template, `seen`: the version of it as it stands now."""

    seen: str
    values: dict[str, Any]


class Kind(NamedTuple):
    """`show` makes the records of the look as well. `confirm` blocks; it does what was proposed, if everything is as it was
    then, with who proposed it as events call users, and the write in the same transaction."""

    show: Callable[[Desk, Proposal], Awaitable[Shown]]
    confirm: Callable[[Desk, Proposal, str, Write], object]


def propose(desk: Desk, act: str, person: str, details: Mapping[str, str], reason: str, seen: str) -> None:
    """Let an act wait for a second officer; `seen`: the version of what it was decided on. Blocks."""
    application = desk.application
    application.identity.proposals.put(act, person, details, reason, seen, desk.session.who, application.now())


async def show_cards(desk: Desk, proposal: Proposal, cards: Sequence[int], seen: str) -> Shown:
    """The person that a proposal is about, the other one where there is one, and cards with their balances.

    Raises NotFound: person-erased, person-joined; Unavailable(record-unavailable).
    """
    application, now = desk.application, desk.application.now()
    try:
        about = await application.ask(application.members.about, proposal.person)
        receives = None
        if to := proposal.details.get("to"):
            receives = await application.ask(application.members.about, to)
            await desk.record(CONFIRMING, to)
    except NotFound as error:
        raise gone(error) from None
    shown: list[dict[str, Any]] = []
    for card in cards:
        try:
            row, code = await application.balance(card, now, None), ""
        except (NotFound, Unavailable) as told:
            row, code = None, told.code
        shown.append({"kpj": kpj_of(card), "row": row, "code": code})
    await desk.record(CONFIRMING, proposal.person)
    return Shown(seen, {"about": about, "receives": receives, "cards": shown, "now": now})


def gone(error: NotFound) -> NotFound:
    """Why somebody who was there is not any more: somebody who was erased looks like nobody."""
    return error if error.code == "person-joined" else NotFound("person-erased")
