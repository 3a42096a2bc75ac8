"""What is known of the months of some cards: their lines, memberships, payers' names and the money that waits for them.

At an earlier day, or as it was known at an earlier place in the log (`months_at`), all of it is told up to one position,
from what is never changed: entries, suspensions and the cards' own events. Only payers' names are those of now. The present
comes from three places (read models, account index, vault), so it is read again until nothing began or ceased to wait
in between: a line that is released meanwhile is never missing from both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from ledger.acts.waiting import bases
from ledger.clock import jakarta_date
from ledger.errors import NotFound, Unavailable
from ledger.store.employer_names import SealedName
from ledger.store.known_at import KnownAt
from ledger.store.log import Log
from ledger.store.suspense import Case, suspense_of
from ledger.store.vault import Vault
from projections.history import CardThen, Past, Story
from projections.month_grid import Facts
from projections.queries import Queries
from projections.results import OPENINGS, BalanceRow, Entry
from projections.snapshots import MAX_WAIT

PAGE = 500
"""Lines asked for at once; a statement of forty years is one or two pages."""
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


def months_at(
    log: Log, reader: Queries, vault: Vault, card: int, now: datetime, day: date, known_at: KnownAt | None
) -> tuple[BalanceRow, Facts, Past]:
    """A card's balance and what was known of its months, at the end of a day, as it is known now or at a place in the log
    that the read side has reached; with the past that both are told from. Raises as `Queries.balance`."""
    past = reader.past_until(card, jakarta_date(now), now, day, known_at)
    row = reader.row_of_past(card, past, day)
    then = reader.cards_at([card], row.position)
    if card not in then:
        raise NotFound("account-not-yet-known")
    (facts,) = past_months(log, reader, vault, {card: past}, then, now, row.position, day)
    return row, facts, past


def past_months(
    log: Log, reader: Queries, vault: Vault, pasts: Mapping[int, Past], then: Mapping[int, CardThen], now: datetime,
    upto: int, day: date,
) -> list[Facts]:  # fmt: skip
    """What was known of the months of some cards, as they were `then`, at a log position that the read side has reached: of
    money paid by the end of a day. Raises Unavailable as `Queries.entries`."""
    cards, read = list(pasts), []
    for card, past in pasts.items():
        scheme = past.known.scheme
        read.append(
            Story(
                _entries(reader, card, now, upto, day), then[card].memberships, {}, {}, scheme.complete_until,
                scheme.first_year,
            )
        )  # fmt: skip
    return _facts(log, reader, vault, cards, read, reader.waited(cards, upto, day) if cards else [])


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
    return _facts(log, reader, vault, cards, [_read(reader, card, now) for card in cards], cases)


def _facts(
    log: Log, reader: Queries, vault: Vault, cards: Sequence[int], read: Sequence[Story], cases: Sequence[Case]
) -> list[Facts]:
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
    if len(story.entries) == PAGE:
        story.entries.extend(_entries(reader, card, now, after=story.entries[-1].key))
    return story


def _entries(
    reader: Queries, card: int, now: datetime, upto: int | None = None, paid_by: date | None = None,
    after: tuple[int, int, int] | None = None,
) -> list[Entry]:  # fmt: skip
    """All of a card's lines, or those after a key; the rest as in `Queries.entries`."""
    found: list[Entry] = []
    while True:
        page = reader.entries(card, now, after, PAGE, upto=upto, paid_by=paid_by)
        found += page
        if len(page) < PAGE:
            return found
        after = page[-1].key


def _payers(story: Story) -> set[str]:
    """The employers in a card's lines and memberships."""
    return {one.npp for some in (story.entries, story.memberships) for one in some if one.npp}
