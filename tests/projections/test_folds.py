"""The folds alone: sums that commute, checked against the simple model."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.events import Line
from ledger.identifiers import card_number, kpj_of, month_number
from ledger.store.account_index import day_number
from ledger.store.codec import StoredRow
from projections import balances
from projections.event_batch import PAGE_BYTES, card_numbers, columns, light, read_batch
from tests.facts import posted
from tests.projections.history import KPJS, RULES, Model, Writer, event, operations, rows_of, written


def folded(rows, cuts=()):
    edges = [0, *sorted(cuts), len(rows)]
    pages = [rows[a:b] for a, b in itertools.pairwise(edges) if a < b]
    return [balances.fold(read_batch(page).lines) for page in pages]


def as_rows(columns_):
    return sorted(zip(*(columns_[name].tolist() for name in balances.COLUMNS), strict=True))


@given(operations, st.lists(st.integers(0, 25), max_size=5), st.randoms(use_true_random=False))
def test_batches_in_any_cut_and_order_fold_to_the_same(drawn, cuts: list[int], order: random.Random) -> None:
    rows = rows_of(written(drawn))
    if not rows:
        return
    whole = as_rows(balances.merge(folded(rows)))
    parts = folded(rows, [cut for cut in cuts if cut < len(rows)])
    order.shuffle(parts)
    assert as_rows(balances.merge(parts)) == whole
    nested = [balances.merge([part]) for part in parts]
    assert as_rows(balances.merge(nested)) == whole


@given(operations)
def test_balances_are_what_the_simple_model_says(drawn) -> None:
    events = written(drawn)
    rows = rows_of(events)
    if not rows:
        return
    model = Model()
    for row, made in zip(rows, events, strict=True):
        model.take(made, row.position)
    found = {}
    for values in as_rows(balances.merge(folded(rows))):
        row = dict(zip(balances.COLUMNS, values, strict=True))
        found[kpj_of(row["card"]), row["epoch"], row["sub"], row["year"]] = row
    assert set(found) == set(model.rows)
    for key, expected in model.rows.items():
        for name in (*balances.SUMS, "version"):
            assert found[key][name] == expected[name], (key, name)
        last = expected["last"]
        packed = (month_number(last[0]), day_number(last[1]), int(last[2] or 0)) if last else (0, 0, 0)
        assert balances.unpack_last(found[key]["last"]) == packed


@given(operations)
def test_a_reversed_post_leaves_the_balance_as_it_was(drawn) -> None:
    writer = Writer()
    before = written(drawn)
    line = Line(KPJS[0], 5_000_000, 0, 185_000, 100_000, 2, 70_000)
    made = writer.post("10000009", "2026-01", "2026-02-14", [line])
    back = writer.reverse(0)
    assert back is not None
    amounts = ("employer", "worker", "credited", "weighted", "paid_out", "months")

    def sums(events):
        merged = balances.merge(folded(rows_of(events)))
        rows = zip(*(merged[name].tolist() for name in (*balances.KEY, *amounts)), strict=True)
        return {row[:4]: row[4:] for row in rows if any(row[4:])}

    assert sums([*before, made, back]) == (sums(before) if before else {})
    assert sums([*before, made]) != sums([*before, made, back])


def test_an_opening_balance_counts_in_its_year_and_weighs_nothing() -> None:
    opening = Writer().opening(KPJS[0], 2017, 1_000, 2_000, 300)
    assert opening is not None
    (row,) = as_rows(balances.merge(folded(rows_of([opening]))))
    found = dict(zip(balances.COLUMNS, row, strict=True))
    assert (found["year"], found["weighted"], found["credited"], found["months"]) == (2017, 0, 300, 84)
    assert found["last"] == 0


@pytest.mark.parametrize(
    "kpjs", [["12345678901", "00000000007"], ["12345678901", "ABCDE"], ["0123456789", "012345678912"], []]
)
def test_card_numbers_at_once_are_those_one_by_one(kpjs: list[str]) -> None:
    assert card_numbers(kpjs).tolist() == [card_number(kpj) for kpj in kpjs]


def test_old_cards_and_high_epochs_do_not_mix_with_others() -> None:
    lines = [Line(kpj, 0, 0, 7, 0, epoch) for kpj in ("12345678901", "ZZZZZZZZZZZZ") for epoch in (0, 1, 2**20)]
    made = event("remittance-e:10000001:2026-10", 1, posted(lines * 2, rules=RULES))
    found = as_rows(balances.merge(folded(rows_of([made]))))
    assert [(kpj_of(row[0]), row[1], row[4]) for row in found] == sorted(
        ((line.kpj, line.epoch, 14) for line in lines), key=lambda row: (card_number(row[0]), row[1])
    )


def test_an_absurd_amount_is_broken_not_wrapped() -> None:
    good = Writer().post("10000001", "2026-10", "2026-11-14", [Line(KPJS[0], 0, 0, 5, 5)])
    bad = Writer().post("10000002", "2026-10", "2026-11-14", [Line(KPJS[0], 0, 0, 2**62, 2**62)])
    page = read_batch(rows_of([good, bad]))
    assert [one.position for one in page.broken] == [2]
    assert page.lines.employer.tolist() == [5]


def test_an_impossible_day_is_broken_alone() -> None:
    good = Writer().post("10000001", "2026-10", "2026-11-14", [Line(KPJS[0], 0, 0, 5, 5)])
    bad = Writer().post("10000002", "2026-10", "2026-02-31", [Line(KPJS[0], 0, 0, 7, 7)])
    page = read_batch(rows_of([bad, good]))
    assert [(one.position, one.what) for one in page.broken] == [(1, "ValueError")]
    assert page.last.position == 2
    assert page.lines.employer.tolist() == [5]


def test_a_page_without_money_has_empty_columns() -> None:
    lines = columns([])
    assert len(lines.card) == 0
    assert balances.merge([balances.fold(lines)])["card"].dtype == np.int64


def test_a_line_taken_back_while_it_waited_is_no_money_at_all() -> None:
    writer = Writer()
    waiting = writer.suspend("10000001", "2026-10", "2026-11-14", [Line(KPJS[0], 0, 0, 5, 5)])
    back = writer.reverse(0, held=True)
    assert back is not None
    page = read_batch(rows_of([waiting, back]))
    assert page.broken == []
    assert len(page.lines.card) == 0


def test_a_page_is_cut_before_it_is_too_heavy_and_is_never_empty() -> None:
    small, huge = [rows_of([Writer().suspend("10000001", "2026-10", "2026-11-14", [])])[0]] * 9, PAGE_BYTES + 1
    heavy = StoredRow(10, "remittance-e:1:2026-10", 1, "contributions-posted.v1", bytes(huge))
    assert light(small) == small
    assert light([*small, heavy, *small]) == small
    assert light([heavy, *small]) == [heavy]
    assert light([]) == []
