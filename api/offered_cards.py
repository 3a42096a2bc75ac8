"""The cards of a member that are not shown yet: offered after log-in, so that nobody has to find the number of an old
card. Who holds a card is decided again when it is added (`Members.link_card`)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Collection
from typing import NamedTuple

from api.application import ApplicationState
from ledger.errors import NotFound, Unavailable
from ledger.identifiers import kpj_of
from projections.card_months import employer_names

_HANDLE_BYTES = 16


class OfferedCard(NamedTuple):
    """A card to be added; `handle` stands for it where its number is not told. `segment` and `employer` of the newest
    membership, `until` its last month, "" while it lasts."""

    handle: str
    card: int
    segment: str
    employer: str
    until: str

    @property
    def kpj(self) -> str:
        """The number on the card."""
        return kpj_of(self.card)


async def offered_cards(application: ApplicationState, person: str, shown: Collection[int]) -> list[OfferedCard]:
    """The cards of a person that are not among `shown`, in order of their numbers; none while they cannot be told."""
    return await application.ask(_offered, application, person, frozenset(shown))


def _offered(application: ApplicationState, person: str, shown: frozenset[int]) -> list[OfferedCard]:
    reader = application.reader
    try:
        cards = [card for card in reader.person_cards(person) if card not in shown]
        if not cards:
            return []
        newest = {
            card: max(reader.memberships(card), key=lambda m: (not m.until, m.since), default=None) for card in cards
        }
        payers = {int(one.npp) for one in newest.values() if one is not None and one.npp}
        names = employer_names(reader, application.vault, payers)
    except (NotFound, Unavailable):
        # The read side is behind the register, or not there: the page's own balances say so.
        return []
    key = application.vault.derived(b"offered cards")
    found = []
    for card, last in newest.items():
        employer = names.get(int(last.npp), "") if last is not None and last.npp else ""
        segment, until = (last.segment, last.until) if last is not None else ("", "")
        found.append(OfferedCard(_handle(key, person, card), card, segment, employer, until))
    return found


def _handle(key: bytes, person: str, card: int) -> str:
    digest = hmac.digest(key, f"{person} {card}".encode(), "sha256")[:_HANDLE_BYTES]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
