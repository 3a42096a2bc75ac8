"""Acts of four eyes: one officer proposes on the member's page, a supervisor who is somebody else confirms here.

The page shows what stands now, and says when something came since the proposal: then it can only be turned down and proposed
anew. The same is asked again in the transaction of the act. The event keeps both: who confirmed, and who had proposed.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from api import problems
from api.access.proposals import Proposal, must_be_another
from api.access.users import writer_of
from api.formats import sentence
from api.route import PlainRoute
from api.web.office import merging
from api.web.office.desk import HOME, SUPERVISOR, Desk, Office
from api.web.pages import see_other
from ledger.errors import NotFound, Refused, Unavailable
from ledger.identifiers import kpj_of
from ledger.receipt import Header

PROPOSALS = f"{HOME}/usulan"
CONFIRMING = "proposal"
"""The reason of a supervisor who decides a proposal; nobody chooses it."""
LIST = "proposals"
"""What the record of a look at the list says was read."""


def routes(office: Office) -> list[PlainRoute]:
    """The list and the page of one proposal."""
    path = f"{PROPOSALS}/{{proposal}}"
    return [
        office.route(PROPOSALS, _list, "GET", role=SUPERVISOR),
        office.route(path, _look, "GET", role=SUPERVISOR),
        office.route(path, _act, "POST", role=SUPERVISOR),
    ]


async def _list(desk: Desk) -> Response:
    proposals = desk.application.identity.proposals
    waiting = await desk.application.ask(proposals.waiting, desk.application.now())
    await desk.record(CONFIRMING, LIST)
    news = desk.request.query_params.get("kabar", "")
    return desk.show("office_proposals.html", waiting=waiting, news=news if news in {"setuju", "tolak"} else "")


async def _of(desk: Desk) -> Proposal:
    proposals = desk.application.identity.proposals
    return await desk.application.ask(proposals.of, desk.request.path_params["proposal"], desk.application.now())


async def _look(desk: Desk) -> Response:
    return await _page(desk, await _of(desk))


async def _page(desk: Desk, proposal: Proposal, error: str = "", status: int = 200) -> Response:
    """Raises NotFound(person-erased), Unavailable(record-unavailable)."""
    application, now = desk.application, desk.application.now()
    try:
        about = await application.ask(application.members.about, proposal.person)
        receives = None
        if to := proposal.details.get("to"):
            receives = await application.ask(application.members.about, to)
            await desk.record(CONFIRMING, to)
    except NotFound:
        raise NotFound("person-erased") from None
    cards: list[dict[str, Any]] = []
    for card in merging.cards_of(proposal):
        try:
            row, code = await application.balance(card, now, None), ""
        except (NotFound, Unavailable) as told:
            row, code = None, told.code
        cards.append({"kpj": kpj_of(card), "row": row, "code": code})
    seen = await application.ask(merging.seen_now, application.log, proposal)
    await desk.record(CONFIRMING, proposal.person)
    return desk.show(
        "office_proposal.html", status, proposal=proposal, about=about, receives=receives, cards=cards, error=error, now=now,
        own=proposal.by == desk.session.who, changed=seen != proposal.seen,
    )  # fmt: skip


async def _act(desk: Desk) -> Response:
    proposal, act = await _of(desk), desk.form.get("tindakan", "")
    application = desk.application
    if act == "tolak":
        await application.work(lambda: application.identity.proposals.turn_down(proposal.id))
        return see_other(f"{PROPOSALS}?kabar=tolak")
    if act != "setuju":
        raise Refused("request-invalid", what="tindakan")
    try:
        must_be_another(proposal, desk.session.who)
        if desk.form.get("versi", "") != proposal.seen:
            raise Refused("changed-since")
        acting = desk.acting()
        header = Header(acting.by, acting.channel, acting.request, proposal.reason)
        by = writer_of(application.log, proposal.by)
        await application.work(
            lambda: merging.confirm(
                application.log, application.members, proposal, header, application.now, by,
                lambda tx: application.identity.proposals.take(tx, proposal),
            )
        )  # fmt: skip
        # Whoever was shown a card that is another person's now is not any more, in this process at once.
        application.identity.tokens.forget()
    except Refused as refused:
        desk.request.scope["problem"] = refused.code
        return await _page(desk, proposal, sentence(refused.problem, desk.language), problems.status_of(refused.code))
    return see_other(f"{PROPOSALS}?kabar=setuju")
