"""What is known of the months of some cards: their lines, memberships, payers' names and the money that waits for them.

It comes from three places (read models, account index, vault), so it is read again until nothing began or ceased to wait
in between: a line that is released meanwhile is never missing from both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from ledger.acts.waiting import bases
from ledger.clock import jakarta_date
from ledger.errors import Unavailable
from ledger.store.employer_names import SealedName
from ledger.store.log import Log
from ledger.store.suspense import Case, suspense_of
from ledger.store.vault import Vault
from projections.month_grid import Facts
from projections.queries import MAX_WAIT, Queries, Story
from projections.results import OPENINGS, BalanceRow

PAGE = 500
"""Lines asked for at once; a statement of forty years is one or two pages."""
MOST_LINES = 5_000
_TRIES = 5


def employer_names(
    reader: Queries, vault: Vault, npps: Iterable[int], known: Mapping[int, SealedName] | None = None
) -> dict[int, str]:
    """NPP -> name, of the registered ones of some employers and of those `known` sealed already: the one way to names,
    one look-up in the directory and one in the vault for a whole page. Raises Unavailable, StoreFailed."""
    sealed = dict(known or {})
    wanted = sorted(set(npps))
    if wanted:
        sealed |= {npp: row.name for npp, row in reader.employers(wanted).items()}
    return vault.employers.open(sealed)


def waiting(log: Log, cards: Iterable[int]) -> list[Case]:
    """The money that waits for some cards, oldest first."""
    with log.database.read() as tx:
        return suspense_of(tx, cards)


def months_of(log: Log, reader: Queries, vault: Vault, card: int, now: datetime) -> tuple[BalanceRow, Facts]:
    """A card's balance and what is known of its months, both of the same moment; the read side is waited for up to the
    log's head of now. Blocking.

    Raises NotFound(account-not-found), Unavailable as `Queries.balance`, and position-not-reached.
    """
    reader.wait_for(log.head(), MAX_WAIT)
    cases, row = waiting(log, [card]), reader.balance(card, jakarta_date(now), now)
    for _ in range(_TRIES):
        (facts,) = card_months(log, reader, vault, [card], now, cases)
        before, cases, row_before = cases, waiting(log, [card]), row
        row = reader.balance(card, jakarta_date(now), now)
        if cases == before and row.tag == row_before.tag:
            return row_before, facts
        reader.wait_for(log.head(), MAX_WAIT)
    raise Unavailable("position-not-reached")


def of_payers(facts: Facts, npps: Collection[int]) -> Facts:
    """What concerns some payers alone. Opening balances stay, for they say which months nobody can know."""
    return Facts(
        facts.card,
        tuple(one for one in facts.entries if one.type in OPENINGS or (one.npp and int(one.npp) in npps)),
        tuple(one for one in facts.memberships if one.npp and int(one.npp) in npps),
        facts.employers,
        tuple(one for one in facts.cases if one.npp in npps),
        facts.bases,
        complete=facts.complete,
        start=facts.start,
    )


def card_months(
    log: Log, reader: Queries, vault: Vault, cards: Sequence[int], now: datetime, cases: Sequence[Case] | None = None
) -> list[Facts]:  # fmt: skip
    """What is known of some cards, with the money that waits for them (`cases`, asked for when not given). Raises
    Unavailable as `Queries.entries`."""
    cases = waiting(log, cards) if cases is None else cases
    read = [_read(reader, card, now) for card in cards]
    # Names are opened once for the whole page.
    sealed = {npp: name for one in read for npp, name in one.employers.items()}
    payers = {int(npp) for one in read for npp in _payers(one)} | {case.npp for case in cases if case.npp}
    names = employer_names(reader, vault, payers - sealed.keys(), sealed)
    wages = bases(log, [case for case in cases if case.reason == "amounts-disagree"])
    named = {f"{npp:08d}": names.get(npp, f"NPP {npp:08d}") for npp in payers}
    return [
        Facts(
            card, tuple(one.entries), tuple(one.memberships), named,
            tuple(case for case in cases if case.card == card), wages,
            complete=one.complete, start=one.first_year * 12,
        )
        for card, one in zip(cards, read, strict=True)
    ]  # fmt: skip


def _read(reader: Queries, card: int, now: datetime) -> Story:
    story = reader.story(card, now, PAGE)
    entries = story.entries
    while PAGE <= len(entries) < MOST_LINES:
        page = reader.entries(card, now, entries[-1].key, PAGE)
        entries += page
        if len(page) < PAGE:
            break
    return story


def _payers(story: Story) -> set[str]:
    """The employers in a card's lines and memberships."""
    return {one.npp for some in (story.entries, story.memberships) for one in some if one.npp}
