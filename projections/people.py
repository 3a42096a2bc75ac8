"""Whom the directory knows: cards, holders, employers, memberships, merges."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.days import day_text
from ledger.errors import NotFound
from ledger.store.employer_names import SealedName
from ledger.store.known_at import KnownAt
from projections import sql
from projections.directory import group_of
from projections.results import (
    EmployerRow,
    MembershipRow,
    PersonRow,
    membership_of,
    npp_text,
)
from projections.snapshots import Snapshots


class People(Snapshots):
    """Queries of the directory."""

    def merged_with(self, card: int, known_at: KnownAt | None = None) -> tuple[int, list[int], dict[int, int]]:
        """The card that a card's pointers lead to, all the cards that lead there, and the pointers between them: those that
        stand, or stood at a place in the log."""
        (rows,) = self._together(lambda live: [(sql.pointers(live["directory"]), [card])])
        if known_at is None:
            pointers = {row[0]: row[1] for row in rows if not row[3]}
        else:
            upto = known_at.position
            pointers = {row[0]: row[1] for row in rows if row[2] <= upto and (not row[3] or row[3] > upto)}
        into, cards = group_of(pointers, card)
        return into, cards, {one: pointers[one] for one in cards if one in pointers}

    def cards_count(self) -> int:
        """How many cards there are."""
        ((found,),) = self._together(lambda live: [(f"select count(*) from {live['directory'].table}_cards", [])])
        return int(found[0])

    def cards_after(self, card: int, limit: int) -> list[tuple[int, str]]:
        """Card and holder of the next cards in the order of their numbers."""
        (rows,) = self._together(
            lambda live: [
                (
                    f"select card, person from {live['directory'].table}_cards where card > ? and person is not null "
                    "order by card limit ?",
                    [card, limit],
                )
            ]
        )
        return [(row[0], row[1]) for row in rows]

    def person_of_card(self, card: int) -> str:
        """The id of the person who holds a card. Raises NotFound(account-not-found)."""
        ((found,),) = self._together(
            lambda live: [(f"select (select person from {live['directory'].table}_cards where card = ?)", [card])]
        )
        if found[0] is None:
            raise NotFound("account-not-found")
        return str(found[0])

    def person_cards(self, person: str) -> list[int]:
        """The cards a person holds, in order. Raises NotFound: person-unknown when the person is not registered,
        person-joined when the record was joined into another one."""
        cards, known = self._together(
            lambda live: [
                (f"select card from {live['directory'].table}_cards where person = ? order by card", [person]),
                (f"select joined from {live['directory'].table}_persons where person = ?", [person]),
            ]
        )
        if not cards and not known:
            raise NotFound("person-unknown")
        if known and known[0][0]:
            raise NotFound("person-joined", into=known[0][0])
        return [row[0] for row in cards]

    def person(self, person: str) -> PersonRow:
        """A person's sealed data. Raises NotFound(person-unknown)."""
        (rows,) = self._together(
            lambda live: [
                (
                    "select person, identity, identity_version, contact, contact_version, erased, joined "
                    f"from {live['directory'].table}_persons where person = ?",
                    [person],
                )
            ]
        )
        if not rows:
            raise NotFound("person-unknown")
        identity, identity_version, contact, contact_version, erased, joined = rows[0][1:]
        return PersonRow(person, identity, identity_version, contact, contact_version, bool(erased), joined)

    def employer(self, npp: int) -> EmployerRow:
        """A registered employer. Raises NotFound(employer-unknown)."""
        found = self.employers([npp])
        if not found:
            raise NotFound("employer-unknown", npp=npp_text(npp))
        return found[npp]

    def employers(self, npps: Sequence[int]) -> dict[int, EmployerRow]:
        """Those of the employers that are registered, in one look-up."""
        marks = ", ".join("?" * len(npps))
        (rows,) = self._together(
            lambda live: [
                (
                    "select npp, name, name_version, registered_on "
                    f"from {live['directory'].table}_employers where npp in ({marks})",
                    list(npps),
                )
            ]
        )
        return {row[0]: EmployerRow(npp_text(row[0]), SealedName(row[1], row[2]), day_text(row[3])) for row in rows}

    def memberships(self, card: int) -> list[MembershipRow]:
        """Whom a card worked for, oldest first."""
        (rows,) = self._together(lambda live: [(sql.memberships(live["directory"]), [card])])
        return [membership_of(row) for row in rows]

    def workers(self, npp: int) -> list[tuple[int, int, int]]:
        """First and last month number (0: it lasts) of an employer's memberships, and how many there are of each."""
        (rows,) = self._together(lambda live: [(sql.workers(live["directory"]), [npp])])
        return [(since, until, count) for since, until, count in rows]
