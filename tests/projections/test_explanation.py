"""The working of a yield: what a person with a pocket calculator would follow gives the same rupiah."""

from __future__ import annotations

import random
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ledger.decisions.scheme import Scheme
from ledger.events import ProvisionalRateSet, Rates, SchemeStarted, YieldDeclared
from ledger.yields import sums
from projections import balances, card_lines
from projections.event_batch import read_batch
from projections.explanation import DECLARED, ESTIMATED, NONE, Account, explain
from tests.projections.history import rows_of
from tests.projections.test_yield_oracle import LAST, History


def calculated(account: Account) -> int:
    """Follow the lines of an account as they are printed; the last closing. Each line must lead to the next."""
    balance = account.years[0].opening
    assert balance == 0
    for year in account.years:
        assert year.opening == balance
        products = 0
        for part in year.parts:
            assert part.type == "base" or part.product == part.amount * part.months
            balance += part.amount
            products += part.product
        if year.rate is not None:
            whole, rest = divmod(year.rate * max(0, year.months * year.opening + products), 12 * 1_000_000)
            earned = whole + (2 * rest >= 12 * 1_000_000)
            assert year.earned == earned
        else:
            assert (year.earned, year.kind) == (0, NONE)
        balance += year.earned
        assert year.closing == balance
    return balance


@given(st.integers(0, 2**63), st.integers(0, 3), st.booleans())
def test_every_line_leads_to_the_next_and_the_last_to_the_balance(seed: int, years: int, estimate: bool) -> None:
    chance = random.Random(seed)
    day = date(LAST, chance.randint(1, 12), 28)
    history = History(chance, day)
    scheme = Scheme().after(SchemeStarted(first_year=history.first), 1)
    for year in range(history.first, min(history.first + years, LAST)):
        rates = Rates(chance.randint(20_000, 150_000), chance.randint(20_000, 150_000))
        fact = YieldDeclared(year=year, rates=rates, policy="monthly-simple.v1", rule="r", basis="b")
        scheme = scheme.after(fact, scheme.version + 1)
    if estimate:
        provisional = ProvisionalRateSet(since="2015-01-01", rate=50_000, rule="r", basis="b")
        scheme = scheme.after(provisional, scheme.version + 1)
    terms = scheme.terms(day)
    stored = rows_of(history.events)
    if not stored:
        return
    lines = read_batch(stored).lines
    accounts = explain(lines, terms, day)
    merged = balances.merge([balances.fold(lines)])
    money = sum(int(merged[name].sum()) for name in ("employer", "worker", "credited"))
    found = sums(card_lines.years(merged), terms)
    closing = sum(calculated(account) for account in accounts)
    assert closing == money + found.credited + (found.estimated or 0)
    by_kind = {
        kind: sum(year.earned for account in accounts for year in account.years if year.kind == kind)
        for kind in (DECLARED, ESTIMATED)
    }
    assert by_kind == {DECLARED: found.credited, ESTIMATED: found.estimated or 0}
    assert len({account.years[-1].year for account in accounts}) <= 1
