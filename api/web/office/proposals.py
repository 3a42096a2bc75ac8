"""Acts of four eyes: one officer proposes, a supervisor who is somebody else confirms here or turns it down.

The page shows what stands now, and says when something came since the proposal: then it is proposed anew. The same is asked
again in the transaction of the act. Who proposed it sees it here as well, and may withdraw it; a clerk sees the own ones.
"""

from __future__ import annotations

from starlette.responses import Response

from api import problems
from api.access.proposals import Proposal, must_be_another
from api.access.sessions import MEMBER
from api.access.users import writer_of
from api.formats import sentence
from api.route import PlainRoute
from api.web.forms import Errors
from api.web.office import joining, merging, rates
from api.web.office.desk import HOME, SUPERVISOR, Desk, Office
from api.web.office.proposal_kind import CONFIRMING
from api.web.pages import see_other
from ledger.errors import Refused

PROPOSALS = f"{HOME}/usulan"
KINDS = merging.KINDS | joining.KINDS | rates.KINDS
"""What is proposed -> how it is shown and done."""
LIST = "proposals"
"""What the record of a look at the list says was read."""
CONFIRM, TURN_DOWN, WITHDRAW = "setuju", "tolak", "tarik"


def routes(office: Office) -> list[PlainRoute]:
    """The list and the page of one proposal."""
    path = f"{PROPOSALS}/{{proposal}}"
    return [
        office.route(PROPOSALS, _list, "GET"), office.route(path, _look, "GET"), office.route(path, _act, "POST"),
    ]  # fmt: skip


async def _list(desk: Desk) -> Response:
    proposals = desk.application.identity.proposals
    waiting = await desk.application.ask(proposals.waiting, desk.application.now())
    shown = [one for one in waiting if desk.supervises or one.by == desk.session.who]
    await desk.record(CONFIRMING, LIST)
    news = desk.request.query_params.get("kabar", "")
    return desk.show(
        "office_proposals.html", waiting=shown, news=news if news in {CONFIRM, TURN_DOWN, WITHDRAW} else ""
    )  # fmt: skip


async def _of(desk: Desk) -> Proposal:
    """Raises NotFound(proposal-unknown), NotAllowed(role-missing): somebody else's is for supervisors."""
    proposals = desk.application.identity.proposals
    found = await desk.application.ask(proposals.of, desk.request.path_params["proposal"], desk.application.now())
    if found.by != desk.session.who:
        desk.must(SUPERVISOR)
    return found


async def _look(desk: Desk) -> Response:
    return await _page(desk, await _of(desk))


async def _page(desk: Desk, proposal: Proposal, errors: Errors | None = None, status: int = 200) -> Response:
    """Raises NotFound: person-erased, person-joined; Unavailable(record-unavailable)."""
    shown = await KINDS[proposal.act].show(desk, proposal)
    return desk.show(
        "office_proposal.html", status, proposal=proposal, errors=errors or {}, own=proposal.by == desk.session.who,
        changed=shown.seen != proposal.seen, **shown.values,
    )  # fmt: skip


async def _act(desk: Desk) -> Response:
    proposal, act = await _of(desk), desk.form.get("tindakan", "")
    application, who = desk.application, desk.session.who
    if act == WITHDRAW:
        await application.work(lambda: application.identity.proposals.withdraw(proposal.id, who))
        return see_other(f"{PROPOSALS}?kabar={WITHDRAW}")
    if act not in {CONFIRM, TURN_DOWN}:
        raise Refused("request-invalid", what="tindakan")
    desk.must(SUPERVISOR)
    try:
        must_be_another(proposal, who)
        if act == TURN_DOWN:
            await application.work(lambda: application.identity.proposals.turn_down(proposal.id))
        else:
            await _confirm(desk, proposal)
    except Refused as refused:
        desk.request.scope["problem"] = refused.code
        field = "typed" if refused.problem.column == "typed" else "page"
        errors = {field: sentence(refused.problem, desk.language)}
        return await _page(desk, proposal, errors, problems.status_of(refused.code))
    return see_other(f"{PROPOSALS}?kabar={act}")


async def _confirm(desk: Desk, proposal: Proposal) -> None:
    """Raises Refused(changed-since), and as the kind's `confirm`."""
    application = desk.application
    if desk.form.get("versi", "") != proposal.seen:
        raise Refused("changed-since")
    by = writer_of(application.log, proposal.by)
    await application.work(
        lambda: KINDS[proposal.act].confirm(
            desk, proposal, by, lambda tx: application.identity.proposals.take(tx, proposal)
        )
    )  # fmt: skip
    # Whoever was shown what is another person's now is not any more, in this process at once.
    application.identity.tokens.forget()
    application.identity.sessions.forget(MEMBER, proposal.person)
