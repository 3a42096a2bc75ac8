"""A person who was registered twice: one record ends, the other gets what it held; and that taken back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ledger.decisions.card import Card
from ledger.decisions.person import Person, must_be_there
from ledger.errors import Conflict, NotFound, Refused
from ledger.events import AccountReassigned, PersonsJoined, PersonsParted
from ledger.identifiers import card_number, kpj_of


def decide_join(
    ends: Person, stays: Person, cards: Sequence[int], *, request_open: bool, proposed_by: str = ""
) -> PersonsJoined:
    """The fact that joins record `ends` into record `stays`. `cards`: what `ends` holds; `request_open`: it asked about its
    own data and has no answer yet.

    No circle can come of it: a record that was joined is not there any more, and neither side of a join may be one.
    Raises Refused(join-with-itself); NotFound: person-unknown, person-erased, person-joined; Conflict(join-request-open).
    """
    if ends.person == stays.person:
        raise Refused("join-with-itself", column="to")
    must_be_there(ends)
    must_be_there(stays)
    if request_open:
        raise Conflict("join-request-open")
    return PersonsJoined(stays.person, tuple(kpj_of(card) for card in cards), proposed_by)


def moved(ends: str, fact: PersonsJoined) -> list[tuple[str, AccountReassigned]]:
    """KPJ -> the fact that gives the card to the record that stays. Pointers stay: both their cards go the same way."""
    return [(kpj, AccountReassigned(fact.into, ends, fact.proposed_by)) for kpj in fact.cards]


def decide_part(
    ended: Person, stays: str, cards: Mapping[int, Card], pointing: Mapping[int, Sequence[int]], *, nik_free: bool,
    proposed_by: str = "",
) -> PersonsParted:  # fmt: skip
    """The fact that lets a record stand again. `stays`: the person with whom its key is kept, "" when there is none;
    `cards`: those that it had brought along; `pointing`: the cards that are merged into each; `nik_free`: nobody else is
    registered with its NIK by now.

    Raises NotFound: person-unknown, person-erased; Conflict: part-not-joined, nik-of-another-person, reassign-merged (a
    pointer would go from one person's money to another's).
    """
    if not ended.version:
        raise NotFound("person-unknown")
    if not ended.joined:
        raise Conflict("part-not-joined")
    if not stays:
        raise NotFound("person-erased")
    if not nik_free:
        raise Conflict("nik-of-another-person", column="nik")
    back = [card for card in map(card_number, ended.brought) if card in cards and cards[card].person == stays]
    for card in back:
        near = {*pointing.get(card, ()), *([cards[card].merged] if cards[card].merged else [])}
        if not near <= set(back):
            raise Conflict("reassign-merged", column="kpj")
    return PersonsParted(stays, tuple(kpj_of(card) for card in back), proposed_by)


def given_back(ended: str, fact: PersonsParted) -> list[tuple[str, AccountReassigned]]:
    """KPJ -> the fact that gives the card back."""
    return [(kpj, AccountReassigned(ended, fact.before, fact.proposed_by)) for kpj in fact.cards]
