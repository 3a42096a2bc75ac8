"""A person who was registered twice: one record ends, the other one gets its cards, both are told; and taken back.

One transaction has it all: the fact on the record that ends, each of its cards given to the one that stays, the end of its
access, the key moved in the vault, the letters. What was open with the record that ends (login, app, phone, links, choices)
is over at once; whoever has an access with the record that stays is offered the cards there, as every card. The NIK of the
record that ended is free: it may be another person's, and a file that still carries it for one of the cards is refused.

Taken back, the record stands again with its NIK and contacts and gets those of its cards that the other one still holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ledger.decisions.card import Card
from ledger.decisions.join import decide_join, decide_part, given_back, moved
from ledger.decisions.person import Contact, Identity, Person
from ledger.decisions.reason import JOIN, PART, check_reason
from ledger.errors import Refused
from ledger.events import CardUnlinked, Fact, PersonsParted
from ledger.identifiers import account_stream, card_number, kpj_of, member_stream, person_stream
from ledger.members import rows
from ledger.members.acts import Acting, Acts
from ledger.members.state import CLOSED, Known, Member, decide_close
from ledger.store import account_index, notices
from ledger.store.database import Transaction, Write
from ledger.store.handle import handle
from ledger.store.log import AccountIndexChanged

JOINED = "joined"
"""Why the access of a record that was joined into another one ended."""


class Pair(NamedTuple):
    """Two records and what the one that ends holds, as they stand at a log position."""

    ends: Person
    stays: Person
    cards: tuple[int, ...]
    changed: tuple[int, ...]
    position: int

    @property
    def version(self) -> str:
        """What stands for all of it on a page that shows it."""
        return ".".join(map(str, (self.ends.version, self.stays.version, *self.changed)))


class Joined(NamedTuple):
    """A record that was joined into that of `stays`, with the cards that it had brought along and the cards merged into
    each, as they stand at a log position. `data`: who it was; `along`: the records that were joined into it before."""

    record: Person
    stays: str
    stays_version: int
    cards: dict[int, Card]
    pointing: dict[int, list[int]]
    data: tuple[Identity, Contact] | None
    nik_free: bool
    along: tuple[str, ...]
    position: int

    def decide(self, proposed_by: str = "") -> PersonsParted:
        """Raises as `decide_part`."""
        return decide_part(
            self.record, self.stays, self.cards, self.pointing, nik_free=self.nik_free, proposed_by=proposed_by
        )

    @property
    def version(self) -> str:
        """What stands for all of it on a page that shows it."""
        changed = (self.cards[card].changed_at for card in sorted(self.cards))
        return ".".join(map(str, (self.record.version, self.stays_version, *changed)))


class Joining(Acts):
    """Joining the two records of one person, and taking that back."""

    def look_at_pair(self, ends: str, stays: str, cards: Sequence[int]) -> Pair:
        """What a join would be decided on, given the cards that `ends` holds, in rising order. Raises BrokenLog."""
        with self.log.database.read() as tx:
            return self._pair(tx, ends, stays, cards)

    def _pair(self, tx: Transaction, ends: str, stays: str, cards: Sequence[int]) -> Pair:
        held = account_index.cards(tx, cards)
        changed = tuple(held[card].changed_at if card in held else 0 for card in cards)
        return Pair(self.record_of(tx, ends), self.record_of(tx, stays), tuple(cards), changed, self.log.head_in(tx))

    def join(
        self, ends: str, stays: str, reason: str, acting: Acting, *, proposed_by: str = "", seen: str | None = None,
        also: Write | None = None,
    ) -> int:  # fmt: skip
        """Join record `ends` into record `stays`; the position of the event. `seen`: the version of the pair that was shown
        to who decides; `also`: what else is done in the transaction.

        Finding the cards reads the whole account index (a second for some millions). Raises Refused: reason-missing,
        reason-unknown, changed-since; BrokenLog; and as `decide_join`.
        """
        check_reason(JOIN, reason)

        def once() -> int:
            with self.log.database.read() as tx:
                pair = self._pair(tx, ends, stays, account_index.held_by(tx, ends))
                if seen is not None and seen != pair.version:
                    raise Refused("changed-since")
                state = self._member(tx, ends)
                asked = any(not request.outcome for request in state.requests)
                fact = decide_join(pair.ends, pair.stays, pair.cards, request_open=asked, proposed_by=proposed_by)
                ended = self._known(tx, ends)
                facts: list[tuple[str, int, Fact]] = [(person_stream(ends), pair.ends.version, fact)]
                streams = self.log.streams_in(tx, [account_stream(kpj_of(card)) for card in pair.cards])
                for kpj, given in moved(ends, fact):
                    stream = account_stream(kpj)
                    facts.append((stream, streams.of(stream)[-1].version, given))
                if state.state not in {"", CLOSED}:
                    facts.append((member_stream(ends), state.version, decide_close(state, JOINED)))

            def write(tx: Transaction) -> None:
                # The record that stays has no fact of its own here: whether it is there is asked under the lock.
                decide_join(pair.ends, self.record_of(tx, stays), pair.cards, request_open=asked)
                if account_index.given_since(tx, ends, pair.position):
                    raise AccountIndexChanged
                if also is not None:
                    also(tx)
                notices.hand_over(tx, ends, stays, pair.cards)
                self.vault.join(tx, ends, stays)
                stay = self._known(tx, stays)
                self.tell_known(tx, stays, stay, "records-joined", acting)
                self.tell_known(tx, stays, ended.without(stay), "record-ended", acting)

            return self._append(facts, reason, acting, pair.position, pair.cards, write)

        return handle(once)

    def look_at_joined(self, ended: str) -> Joined:
        """What taking a join back would be decided on. Raises BrokenLog."""
        with self.log.database.read() as tx:
            return self._joined(tx, ended)

    def _joined(self, tx: Transaction, ended: str) -> Joined:
        record, stays = self.record_of(tx, ended), self.vault.joined_into(tx, ended)
        held = account_index.cards(tx, map(card_number, record.brought))
        pointing = {card: account_index.pointing_at(tx, card) for card in held}
        data = self.vault.joined_data(tx, stays).of(ended) if stays else None
        owner = self.vault.people_by_nik(tx, [data[0].nik]) if data else {}
        kept = sorted(self.vault.joined_keys(tx, stays).keys() - {ended}) if stays else []
        along = tuple(one for one in kept if self._leads_to(tx, one, ended))
        return Joined(
            record, stays, self.record_of(tx, stays).version if stays else 0, held, pointing, data, not owner, along,
            self.log.head_in(tx),
        )  # fmt: skip

    def _leads_to(self, tx: Transaction, person: str, ended: str) -> bool:
        """Whether a record was joined into `ended`, or into one that was."""
        while person and person != ended:
            person = self.record_of(tx, person).joined
        return person == ended

    def joined_to(self, person: str) -> list[tuple[str, Identity]]:
        """The records that were joined into a person's, with who they were, in order of their ids. Raises BrokenLog."""
        with self.log.database.read() as tx:
            return [(one, data[0]) for one, data in sorted(self.vault.joined_data(tx, person).whole().items())]

    def part(
        self, ended: str, reason: str, acting: Acting, *, proposed_by: str = "", seen: str | None = None,
        also: Write | None = None,
    ) -> int:  # fmt: skip
        """Take back that record `ended` was joined into another one; the position of the event. `seen`, `also` as in `join`.

        Raises Refused: reason-missing, reason-unknown, changed-since; BrokenLog; and as `decide_part`.
        """
        check_reason(PART, reason)

        def once() -> int:
            with self.log.database.read() as tx:
                joined = self._joined(tx, ended)
                if seen is not None and seen != joined.version:
                    raise Refused("changed-since")
                fact = joined.decide(proposed_by)
                assert joined.data is not None
                data, back = joined.data, [card_number(kpj) for kpj in fact.cards]
                state, _ = self.state_of(tx, joined.stays)
                streams = self.log.streams_in(tx, list(map(account_stream, fact.cards)))
                facts: list[tuple[str, int, Fact]] = [(person_stream(ended), joined.record.version, fact)]
                for kpj, given in given_back(ended, fact):
                    facts.append((account_stream(kpj), streams.of(account_stream(kpj))[-1].version, given))
                seen_no_more = [kpj for kpj in fact.cards if kpj in state.cards]
                for at, kpj in enumerate(seen_no_more):
                    facts.append((member_stream(joined.stays), state.version + at, CardUnlinked(kpj)))

            def write(tx: Transaction) -> None:
                # Somebody merged a card into one of these, or joined or erased the one that stays, since the look.
                pointing = {card: account_index.pointing_at(tx, card) for card in back}
                if self.vault.joined_into(tx, ended) != joined.stays or any(
                    pointing[card] != joined.pointing[card] for card in back
                ):
                    raise AccountIndexChanged
                if also is not None:
                    also(tx)
                notices.hand_over(tx, joined.stays, ended, back)
                self.vault.part(tx, ended, data, joined.along)
                for card in back:
                    rows.drop_card(tx, joined.stays, card)
                for person in (joined.stays, ended):
                    self.tell_known(tx, person, self._known(tx, person), "records-parted", acting)

            return self._append(facts, reason, acting, joined.position, back, write)

        return handle(once)

    def _append(
        self, facts: Sequence[tuple[str, int, Fact]], reason: str, acting: Acting, position: int, cards: Sequence[int],
        write: Write,
    ) -> int:  # fmt: skip
        """Append facts, each with its stream and the version before; the position of the first one."""
        events = [acting.event(stream, version + 1, fact, reason) for stream, version, fact in facts]
        return self.log.append(events, acting.now, changed_since=position, cards=cards, writes=[write]).positions[0]

    def _member(self, tx: Transaction, person: str) -> Member:
        """The member stream's state, also of somebody who is not there any more."""
        stream = member_stream(person)
        return Member.of(person, self.log.streams_in(tx, [stream]).of(stream))

    def _known(self, tx: Transaction, person: str) -> Known:
        """Every known contact; none of somebody who is not there any more."""
        recorded = self.vault.data_of(tx, [person]).of(person)
        if recorded is None:
            return Known((), ())
        state, key = self.state_of(tx, person)
        return key.known(state, recorded[1])
