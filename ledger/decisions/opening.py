"""A card's opening balance: recorded, replaced, taken back. Pure.

A card begins with one opening balance at most. What was taken back may be recorded again; a replacement is one act, both
facts in one append, so that nobody ever sees the card without either.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

import msgspec

from ledger.decisions.card import Card, evolve
from ledger.errors import Conflict, NotFound, Refused
from ledger.events import Event, Fact, Opening, OpeningBalanceRecorded, OpeningBalanceReversed
from ledger.money import rupiah
from ledger.rules import rules


class Recorded(NamedTuple):
    """An opening balance as the stream holds it: the event's version, and the upload that brought it."""

    fact: OpeningBalanceRecorded
    version: int
    request: str


class Account(NamedTuple):
    """The state of an account stream. `opening`: the one that stands; `reversed`: those that were taken back."""

    card: Card | None = None
    version: int = 0
    opening: Recorded | None = None
    reversed: tuple[Recorded, ...] = ()

    @classmethod
    def of(cls, events: Iterable[Event]) -> Account:
        """The state after the stream's events."""
        state = cls()
        for event in events:
            state = state.after(event)
        return state

    def after(self, event: Event) -> Account:
        """The state after one more event."""
        fact, opening, gone = event.fact, self.opening, self.reversed
        if isinstance(fact, OpeningBalanceRecorded):
            opening = Recorded(fact, event.version, event.request)
        elif isinstance(fact, OpeningBalanceReversed) and opening is not None:
            gone, opening = (*gone, opening), None
        return Account(evolve(self.card, event), event.version, opening, gone)


def decide_opening(
    account: Account,
    wanted: OpeningBalanceRecorded,
    today: date,
    first_paid: str | None = None,
    *,
    replace: bool = False,
    backdate: bool = False,
) -> list[Fact]:
    """The facts that record an opening balance; none when the same is there already, wherever it came from.

    `replace`: one with other content is taken back in the same act. `first_paid`: the first day on which money now posted
    to the card was paid.
    Raises Refused: date-in-future, opening-not-year-end, opening-too-old, amount-absurd, opening-part-exceeds,
    opening-yield-after, opening-bases-needed, opening-payout-late, opening-since-late; NotFound(account-unknown);
    Conflict: opening-conflict, opening-after-payments.
    """
    if wanted.as_of > today.isoformat():
        raise Refused("date-in-future", column="as_of")
    if account.card is None:
        raise NotFound("account-unknown", column="kpj")
    check(wanted)
    standing = account.opening
    if standing is not None and _content(standing.fact) == _content(wanted):
        return []
    if too_old(wanted, today) and not backdate:
        raise Refused("opening-too-old", column="as_of", as_of=wanted.as_of, months=rules().opening_months)
    if standing is not None and not replace:
        raise Conflict("opening-conflict", column="kpj", held=_described(standing.fact), sent=_described(wanted))
    if first_paid is not None and first_paid <= wanted.as_of:
        raise Conflict("opening-after-payments", column="kpj", paid_on=first_paid, as_of=wanted.as_of)
    return [wanted] if standing is None else [reverse(standing), wanted]


def too_old(wanted: Opening, today: date) -> bool:
    """Whether an opening balance's day lies further back than balances are usually taken over."""
    months = today.year * 12 + today.month - (int(wanted.as_of[:4]) * 12 + int(wanted.as_of[5:7]))
    return months > rules().opening_months


def reverse(standing: Recorded) -> OpeningBalanceReversed:
    """The fact that takes an opening balance back: its amounts are repeated, so that folds need no other event."""
    repeated: dict[str, Any] = {name: getattr(standing.fact, name) for name in Opening.__struct_fields__}
    return OpeningBalanceReversed(**repeated, event=standing.version)


def check(wanted: Opening) -> None:
    """What refuses an opening balance whatever the card holds. Raises Refused as `decide_opening` says."""
    if not wanted.as_of.endswith("-12-31"):
        raise Refused("opening-not-year-end", column="as_of")
    _check_amounts(wanted)
    _check_yield(wanted)
    late = next((payout.on for payout in wanted.payouts if payout.on > wanted.as_of), None)
    if late is not None:
        raise Refused("opening-payout-late", column="payouts", paid_on=late, as_of=wanted.as_of)
    if wanted.member_since > wanted.as_of:
        raise Refused("opening-since-late", column="member_since", since=wanted.member_since, as_of=wanted.as_of)


def _check_amounts(wanted: Opening) -> None:
    limit = rules().max_opening
    total = wanted.employer + wanted.worker + wanted.credited_yield
    amounts = {"employer": wanted.employer, "worker": wanted.worker, "credited_yield": wanted.credited_yield}
    column = max(amounts, key=lambda name: amounts[name])
    if total > limit:
        raise Refused("amount-absurd", column=column, limit=rupiah(limit))
    if any(payout.gross > limit for payout in wanted.payouts):
        raise Refused("amount-absurd", column="payouts", limit=rupiah(limit))
    # Twelve months of everything that there can be.
    if any(max(base.utama, base.tambahan) > 12 * limit for base in wanted.bases):
        raise Refused("amount-absurd", column="bases", limit=rupiah(12 * limit))
    for column, part, whole in (
        ("tambahan", wanted.tambahan, wanted.employer + wanted.worker),
        ("tambahan_yield", wanted.tambahan_yield, wanted.credited_yield),
    ):
        if part > whole:
            raise Refused("opening-part-exceeds", column=column, part=rupiah(part), whole=rupiah(whole))


def _check_yield(wanted: Opening) -> None:
    """Who takes balances over in January, before the year's rate is declared, would lose that year without a base."""
    year = int(wanted.as_of[:4])
    if wanted.yield_through > year:
        raise Refused("opening-yield-after", column="yield_through", year=wanted.yield_through, as_of=wanted.as_of)
    later = list(range(wanted.yield_through + 1, year + 1))
    if [base.year for base in wanted.bases] != later:
        years = ", ".join(map(str, later)) or "-"
        raise Refused("opening-bases-needed", column="bases", year=wanted.yield_through, years=years)


def _content(fact: Opening) -> Opening:
    """What makes two opening balances the same: all but where they came from."""
    return msgspec.structs.replace(fact, source="")


def _described(fact: Opening) -> str:
    shares = f"{rupiah(fact.employer)} + {rupiah(fact.worker)} + {rupiah(fact.credited_yield)}"
    parts = f"{rupiah(fact.tambahan)} + {rupiah(fact.tambahan_yield)}"
    bases = ", ".join(f"{base.year}: {rupiah(base.utama)} + {rupiah(base.tambahan)}" for base in fact.bases)
    paid = ", ".join(f"{payout.on} {payout.kind} {rupiah(payout.gross)}" for payout in fact.payouts)
    more = "; ".join(part for part in (bases, paid) if part)
    about = f"{fact.as_of}, {fact.months}, {fact.member_since or '-'}, tambahan {parts}, {fact.yield_through}"
    return f"{shares} ({about}{'; ' if more else ''}{more})"
