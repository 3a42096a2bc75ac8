"""Reading what a card's statement is made of: everything that is known of the card, at one log position."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from ledger.clock import jakarta_date
from ledger.errors import JhtError, NotFound, Refused, Unavailable
from ledger.store.known_at import KnownAt
from ledger.store.log import Log
from ledger.store.vault import Vault
from projections.card_months import months_at, months_of, past_months
from projections.history import Past
from projections.month_grid import Facts
from projections.queries import Queries
from projections.results import BalanceRow
from projections.statement import Period, Statement, statement

_TRIES = 5


class CardStatement(NamedTuple):
    """A statement with the balance that was read with it; the balance's position is the statement's."""

    row: BalanceRow
    statement: Statement


def read(log: Log, reader: Queries, vault: Vault, card: int, now: datetime, period: Period) -> CardStatement:
    """The statement of a card's period as the log tells it now. Blocking: it may wait for the read side.

    Raises NotFound(account-not-found), Refused(statement-before-opening), Unavailable as `Queries.balance`.
    """
    for _ in range(_TRIES):
        row, facts = months_of(log, reader, vault, card, now)
        past = reader.past(card, now)
        if row.scheme == past.known.tag and _keys(facts) == _positions(past):
            return CardStatement(row, statement(past, facts, period, jakarta_date(now)))
    raise Unavailable("position-not-reached")


def read_at(
    log: Log, reader: Queries, vault: Vault, card: int, now: datetime, period: Period, day: date, known_at: KnownAt | None
) -> CardStatement:  # fmt: skip
    """The statement of a card's period, which ends on `day` or before, as it would have been made on that day: by what is
    known now, or was known at a place in the log that the read side has reached. Raises as `read`, and as
    `Queries.balance`."""
    row, facts, past = months_at(log, reader, vault, card, now, day, known_at)
    return CardStatement(row, statement(past, facts, period, day))


def read_many(
    log: Log, reader: Queries, vault: Vault, cards: Sequence[int], now: datetime, period: Period, day: date, upto: int
) -> dict[int, Statement | JhtError]:  # fmt: skip
    """Statements of some cards as the log told them on a day, at a position that the read side has reached; a card that has
    none comes with its error. Raises Unavailable as `Queries.entries` where nothing can be told.
    """
    found: dict[int, Statement | JhtError] = {}
    pasts: dict[int, Past] = {}
    for card in cards:
        try:
            pasts[card] = reader.past(card, now).at(upto)
        except (NotFound, Unavailable) as error:
            if error.code not in {"account-not-found", "account-incomplete"}:
                raise
            found[card] = error
    then = reader.cards_at(list(pasts), upto)
    for card in pasts.keys() - then.keys():
        del pasts[card]
        found[card] = NotFound("account-not-yet-known")
    for facts in past_months(log, reader, vault, pasts, then, now, upto, day):
        past = pasts[facts.card]._replace(segment=then[facts.card].card.segment)
        try:
            made = statement(past, facts, period, day)
        except Refused as error:
            found[facts.card] = error
        else:
            found[facts.card] = made
    return found


def _keys(facts: Facts) -> set[tuple[int, int]]:
    return {entry.key[1:] for entry in facts.entries}


def _positions(past: Past) -> set[tuple[int, int]]:
    """As `_keys`: two reads between which nothing came hold the same lines."""
    return set(zip(past.lines.position.tolist(), past.lines.line.tolist(), strict=True))
