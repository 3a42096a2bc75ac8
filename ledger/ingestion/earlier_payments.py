"""What was already posted to cards up to a day: an opening balance would count that money again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ledger.events import ContributionsPosted, ContributionsReversed, SuspenseReleased
from ledger.identifiers import card_number, kpj_of
from ledger.store.account_index import Card
from ledger.store.codec import decode
from ledger.store.database import Transaction
from ledger.store.log import Log

_NAMES = [fact.NAME for fact in (ContributionsPosted, SuspenseReleased, ContributionsReversed)]
_STREAMS = ["remittance-e:", "remittance-p:"]
_PAYERS_AT_ONCE = 20


def first_paid(
    log: Log, tx: Transaction, cards: Iterable[Card], until: Mapping[int, str], after: int = 0
) -> dict[int, str]:
    """Card number -> first day of payments that are posted, not reversed and not after the card's day in `until`.

    All remittances of the cards' payers are read, which are none while an adopter's balances are taken over. `after`:
    only what was recorded after that position, whoever paid.
    """
    standing: dict[int, dict[tuple[str, int, int], str]] = {}
    groups = [_STREAMS] if after else _payers(cards)
    for prefixes in groups:
        for row in log.rows_under(tx, prefixes, _NAMES, after):
            fact = decode(row).fact
            if isinstance(fact, ContributionsPosted | SuspenseReleased):
                for place, kpj in enumerate(fact.lines.kpj):
                    card = card_number(kpj)
                    if fact.paid_on <= until.get(card, ""):
                        standing.setdefault(card, {})[row.stream, row.version, place] = fact.paid_on
            elif isinstance(fact, ContributionsReversed):
                columns = (fact.lines.kpj, fact.lines.column("event"), fact.lines.column("line"))
                for kpj, event, place in zip(*columns, strict=True):
                    standing.get(card_number(kpj), {}).pop((row.stream, event, place), None)
    return {card: min(days.values()) for card, days in standing.items() if days}


def _payers(cards: Iterable[Card]) -> Iterator[list[str]]:
    found = sorted(
        {
            f"remittance-e:{held.npp:08d}:" if held.npp else f"remittance-p:{kpj_of(card.card)}:"
            for card in cards
            for held in card.memberships
        }
    )
    # One payer's remittances may be many and large, a participant's own are few and small.
    employers = [prefix for prefix in found if prefix.startswith("remittance-e:")]
    own = found[len(employers) :]
    for at in range(0, len(employers), _PAYERS_AT_ONCE):
        yield employers[at : at + _PAYERS_AT_ONCE]
    if own:
        yield own
