"""A member's cards at the branch, merged, taken apart, or given to another person: what is proposed, what was seen of it,
and how it is done when confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from api.access.proposals import Proposal
from api.web.office.desk import Desk
from api.web.office.proposal_kind import Kind, Shown, propose, show_cards
from api.web.office.views import View
from ledger.acts import merge as acts
from ledger.decisions.merge import decide_merge, decide_unmerge
from ledger.decisions.reason import MERGE, REASSIGN, UNMERGE, check_reason
from ledger.decisions.reassign import decide_reassign
from ledger.errors import NotFound, Refused
from ledger.identifiers import card_number, clean_kpj, clean_nik, kpj_of
from ledger.receipt import Header
from ledger.store import account_index
from ledger.store.database import Write


class Pair(NamedTuple):
    """The two cards of an act."""

    old: int
    new: int

    @classmethod
    def of(cls, proposal: Proposal) -> Pair:
        """The cards that a proposal names."""
        return cls(card_number(proposal.details["old"]), card_number(proposal.details["new"]))


def cards_of(proposal: Proposal) -> tuple[int, ...]:
    """The cards that the page of a proposal shows."""
    return (card_number(proposal.details["old"]),) if proposal.act == REASSIGN else tuple(Pair.of(proposal))


def propose_merge(desk: Desk, view: View) -> None:
    """Raises Refused: card-not-yours, reason-missing, reason-unknown, and as `decide_merge`."""
    old, new = _card(desk, view, "lama"), _card(desk, view, "tujuan")
    looked = acts.look(desk.application.log, old, new)
    _must_be_the_persons(looked, view, old, new)
    decide_merge(looked.cards, old, new)
    _propose(desk, view, MERGE, {"old": kpj_of(old), "new": kpj_of(new)}, looked.version(old, new))


def propose_unmerge(desk: Desk, view: View) -> None:
    """Raises Refused: card-not-yours, reason-missing, reason-unknown, and as `decide_unmerge`."""
    old = _card(desk, view, "lama")
    looked = acts.look(desk.application.log, old)
    _must_be_the_persons(looked, view, old)
    into = card_number(decide_unmerge(looked.cards.get(old)).into)
    _propose(desk, view, UNMERGE, {"old": kpj_of(old), "new": kpj_of(into)}, looked.version(old, into))


def propose_reassign(desk: Desk, view: View) -> None:
    """Raises Refused: card-not-yours, reason-missing, reason-unknown, and as `decide_reassign`."""
    old, number = _card(desk, view, "lama"), desk.form.get("nomor", "")[:64]
    reason, application = desk.form.get("sebab", ""), desk.application
    check_reason(REASSIGN, reason)
    looked = acts.look(application.log, old)
    _must_be_the_persons(looked, view, old)
    person = application.members.find_person(nik=clean_nik(number) or "", kpj=number)
    if person is None:
        raise NotFound("person-unknown", column="nomor")
    with application.log.database.read() as tx:
        pointed_at, holder = account_index.is_pointed_at(tx, old), application.members.record_of(tx, person)
    decide_reassign(looked.cards[old], holder, pointed_at=pointed_at)
    details = {"old": kpj_of(old), "to": person}
    propose(desk, REASSIGN, view.person, details, reason, looked.version(old))


async def _show(desk: Desk, proposal: Proposal) -> Shown:
    cards = cards_of(proposal)
    looked = await desk.application.ask(acts.look, desk.application.log, *cards)
    return await show_cards(desk, proposal, cards, looked.version(*cards))


def _confirm(desk: Desk, proposal: Proposal, proposed_by: str, also: Write) -> None:
    """Raises as `acts.merge.merge`, `acts.merge.unmerge`."""
    acting, pair = desk.acting(), Pair.of(proposal)
    log, clock = desk.application.log, desk.application.now
    header = Header(acting.by, acting.channel, acting.request, proposal.reason)
    if proposal.act == MERGE:
        acts.merge(log, *pair, header, clock, proposed_by=proposed_by, seen=proposal.seen, also=also)
    else:
        acts.unmerge(log, pair.old, header, clock, proposed_by=proposed_by, seen=proposal.seen, also=also)


def _confirm_reassign(desk: Desk, proposal: Proposal, proposed_by: str, also: Write) -> None:
    """Raises as `Members.reassign`."""
    (card,) = cards_of(proposal)
    desk.application.members.reassign(
        card, proposal.details["to"], proposal.reason, desk.acting(), proposed_by=proposed_by, seen=proposal.seen,
        also=also,
    )  # fmt: skip


def _propose(desk: Desk, view: View, act: str, details: Mapping[str, str], seen: str) -> None:
    reason = desk.form.get("sebab", "")
    check_reason(act, reason)
    propose(desk, act, view.person, details, reason, seen)


def _card(desk: Desk, view: View, field: str) -> int:
    kpj = clean_kpj(desk.form.get(field, ""))
    if kpj is None:
        raise Refused("card-not-yours")
    return card_number(kpj)


def _must_be_the_persons(looked: acts.Looked, view: View, *cards: int) -> None:
    """Whatever the form says. Raises Refused(card-not-yours)."""
    if any(card not in looked.cards or looked.cards[card].person != view.person for card in cards):
        raise Refused("card-not-yours")


KINDS = {
    MERGE: Kind(_show, _confirm),
    UNMERGE: Kind(_show, _confirm),
    REASSIGN: Kind(_show, _confirm_reassign),
}
