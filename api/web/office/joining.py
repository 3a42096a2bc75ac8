"""A person who was registered twice, at the branch: the record on the page is to end, the other one named to stay; and a
record that was joined into the one on the page is to stand again."""

from __future__ import annotations

from api.access.proposals import Proposal
from api.web.office.desk import Desk
from api.web.office.proposal_kind import CONFIRMING, Kind, Shown, propose, show_cards
from api.web.office.views import View
from ledger.decisions.join import decide_join
from ledger.decisions.reason import JOIN, PART, check_reason
from ledger.errors import Conflict, NotFound
from ledger.identifiers import clean_nik
from ledger.members.joining import Pair
from ledger.store.database import Write


def propose_join(desk: Desk, view: View) -> None:
    """Raises Refused: reason-missing, reason-unknown, and as `decide_join`; Unavailable while the cards are not known."""
    number, reason, application = desk.form.get("lain", "")[:64], desk.form.get("sebab", ""), desk.application
    check_reason(JOIN, reason)
    stays = application.members.find_person(nik=clean_nik(number) or "", kpj=number)
    if stays is None:
        raise NotFound("person-unknown", column="lain")
    pair = _pair(desk, view.person, stays)
    asked = any(not request.outcome for request in application.members.requests_of(view.person))
    decide_join(pair.ends, pair.stays, pair.cards, request_open=asked)
    propose(desk, JOIN, view.person, {"to": stays}, reason, pair.version)


def propose_part(desk: Desk, view: View) -> None:
    """Raises Refused: reason-missing, reason-unknown, part-not-joined (also for a record that was joined into another
    person's), and as `decide_part`."""
    ended, reason = desk.form.get("data", ""), desk.form.get("sebab", "")
    check_reason(PART, reason)
    joined = desk.application.members.look_at_joined(ended)
    if joined.stays != view.person:
        raise Conflict("part-not-joined")
    joined.decide()
    propose(desk, PART, view.person, {"ended": ended}, reason, joined.version)


async def _show_part(desk: Desk, proposal: Proposal) -> Shown:
    members, ended = desk.application.members, proposal.details["ended"]
    joined = await desk.application.ask(members.look_at_joined, ended)
    if joined.data is None:
        raise NotFound("person-erased")
    await desk.record(CONFIRMING, ended)
    shown = await show_cards(desk, proposal, sorted(joined.cards), joined.version)
    return shown._replace(values=shown.values | {"receives": {"identity": joined.data[0]}})


def _confirm_part(desk: Desk, proposal: Proposal, proposed_by: str, also: Write) -> None:
    """Raises as `Members.part`."""
    desk.application.members.part(
        proposal.details["ended"],
        proposal.reason,
        desk.acting(),
        proposed_by=proposed_by,
        seen=proposal.seen,
        also=also,
    )


def _pair(desk: Desk, ends: str, stays: str) -> Pair:
    """The read side finds a person's cards by an index; the act looks them up again."""
    application = desk.application
    return application.members.look_at_pair(ends, stays, application.reader.person_cards(ends))


async def _show(desk: Desk, proposal: Proposal) -> Shown:
    pair = await desk.application.ask(_pair, desk, proposal.person, proposal.details["to"])
    return await show_cards(desk, proposal, pair.cards, pair.version)


def _confirm(desk: Desk, proposal: Proposal, proposed_by: str, also: Write) -> None:
    """Raises as `Members.join`."""
    desk.application.members.join(
        proposal.person, proposal.details["to"], proposal.reason, desk.acting(), proposed_by=proposed_by,
        seen=proposal.seen, also=also,
    )  # fmt: skip


KINDS = {JOIN: Kind(_show, _confirm), PART: Kind(_show_part, _confirm_part)}
