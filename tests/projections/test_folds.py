"""The folds alone: sums that commute, checked against the simple model."""

from __future__ import annotations

import itertools
import random

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.days import day_number
from ledger.events import ContributionsReversed, Line, OpeningBalanceReversed, SuspenseReleased
from ledger.identifiers import card_number, kpj_of, month_number
from ledger.store.codec import StoredRow, decode
from projections import balances
from projections.event_batch import MONEY, PAGE_BYTES, Lines, columns, light, read_batch
from projections.runs import Runs
from tests.facts import opening, posted
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


def test_the_second_sub_account_of_an_opening_balance_is_a_row_of_its_own_and_a_reversal_takes_both_back() -> None:
    fact = opening("2017-12-31", 1_000, 2_000, 300, 84, source="old", tambahan=500, tambahan_yield=40)
    made = event(f"account:{KPJS[0]}", 50, fact)
    utama, tambahan = (
        dict(zip(balances.COLUMNS, row, strict=True)) for row in as_rows(balances.merge(folded(rows_of([made]))))
    )
    assert (utama["sub"], utama["employer"], utama["worker"], utama["credited"]) == (0, 1_000, 1_500, 260)
    assert (tambahan["sub"], tambahan["employer"], tambahan["worker"], tambahan["credited"]) == (1, 0, 500, 40)
    assert (utama["months"], tambahan["months"], tambahan["weighted"]) == (84, 0, 0)
    back = event(f"account:{KPJS[0]}", 51, OpeningBalanceReversed(event=50, **msgspec.structs.asdict(fact)))
    for row in as_rows(balances.merge(folded(rows_of([made, back])))):
        found = dict(zip(balances.COLUMNS, row, strict=True))
        assert [found[name] for name in balances.SUMS] == [0] * len(balances.SUMS)


@pytest.mark.parametrize(
    "kpjs", [["12345678901", "00000000007"], ["12345678901", "ABC1234"], ["0123456789", "012345678912"], ["0123A"] * 14]
)
def test_cards_cut_by_bytes_are_those_one_by_one(kpjs: list[str]) -> None:
    made = [
        event(f"remittance-e:10000001:2026-1{i}", 1, posted([Line(kpj) for kpj in kpjs], rules=RULES)) for i in (0, 1)
    ]
    other = event("remittance-e:10000001:2026-12", 1, posted([Line("26000000017")], rules=RULES))
    found = columns(rows_of([*made, other])).lines.card.tolist()
    assert found == [card_number(kpj) for kpj in kpjs] * 2 + [26000000017]


@given(operations)
def test_columns_parsed_at_once_are_what_the_ordinary_decoder_says(drawn) -> None:
    rows = rows_of(written(drawn))
    money = [row for row in rows if row.name in MONEY]
    for quick, plain in zip(columns(money), columns(money, plain=True), strict=True):
        assert [column if isinstance(column, list) else column.tolist() for column in quick] == [
            column if isinstance(column, list) else column.tolist() for column in plain
        ]


@given(operations)
def test_the_lines_that_ceased_to_wait_are_those_that_the_facts_name(drawn) -> None:
    """One by one, from the decoded facts: released ones under the card they waited for, and those taken back meanwhile."""
    rows = rows_of(written(drawn))
    if not rows:
        return
    expected = []
    for row in rows:
        made = decode(row)
        if not isinstance(made.fact, SuspenseReleased | ContributionsReversed):
            continue
        npp, month = int(made.stream.split(":")[1]), month_number(made.fact.month)
        for one in made.fact.lines:
            if getattr(one, "suspended", True):
                card = card_number(getattr(one, "waited_as", "") or one.kpj)
                expected.append((card, npp, month, one.event, one.line, row.position))
    assert list(zip(*(column.tolist() for column in read_batch(rows).ended), strict=True)) == expected


def test_a_line_that_was_released_to_another_card_leaves_the_one_it_waited_for() -> None:
    writer = Writer()
    lines = [Line(kpj, 0, 0, 5, 5) for kpj in KPJS[:3]]
    made = [writer.suspend("10000001", "2026-10", "2026-11-14", lines), writer.release(1, KPJS[3])]
    page = read_batch(rows_of([one for one in made if one is not None]))
    assert [column.tolist() for column in page.ended] == [
        [card_number(KPJS[1])], [10000001], [month_number("2026-10")], [1], [1], [2],
    ]  # fmt: skip
    assert page.lines.card.tolist() == [card_number(KPJS[3])]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('"employer":[5,6]', '"employer":[5,6,7]'),
        ('"employer":[5,6]', '"employer":[5]'),
        ('"employer":[5,6]', '"employer":[5,-6]'),
        ('"employer":[5,6]', '"employer":[5,"6"]'),
        ('"employer":[5,6]', '"employer":[5,null]'),
        ('"employer":[5,6]', '"employer":[5,6.5]'),
        ('"employer":[5,6]', '"employer":[5,[6]]'),
        ('"employer":[5,6]', '"employer":[5,99999999999999999999]'),
        ('"employer":[5,6]', '"employer":[5,6],"wages":[1,2]'),
        ('"months":[0,0]', '"months":[0,2]'),
        ('"months":[0,0]', '"months":[true,false]'),
        ('"kpj":["12345678901",', '"kpj":['),
        ('"12345678901"', '"1234567890,"'),
        ('"12345678901"', "12345678901"),
        ('"12345678901"', '"abc"'),
    ],
)
def test_a_record_that_the_decoder_refuses_is_broken_alone(was: str, now: str) -> None:
    lines = [Line(KPJS[0], 9, 0, 5, 7, months=0), Line(KPJS[1], 9, 0, 6, 8, months=0)]
    rows = rows_of([event(f"remittance-e:1000000{i}:2026-10", 1, posted(lines, rules=RULES)) for i in range(3)])
    bad = rows[1].state.replace(was.encode(), now.encode())
    assert bad != rows[1].state
    rows[1] = msgspec.structs.replace(rows[1], state=bad)
    page = read_batch(rows)
    assert [one.position for one in page.broken] == [2]
    assert page.lines.position.tolist() == [1, 1, 3, 3]
    assert page.events.position.tolist() == [1, 3]


def test_json_written_in_another_way_is_read_by_the_ordinary_decoder() -> None:
    (row,) = rows_of([event("remittance-e:10000001:2026-10", 1, posted([Line(KPJS[0], 9, 0, 5, 7)], rules=RULES))])
    state = row.state.replace(b'"employer":[5]', b'"employer" : [ 5 ]').replace(
        b'"12345678901"', b'"\\u00312345678901"'
    )
    page = read_batch([msgspec.structs.replace(row, state=state)])
    assert (page.broken, page.lines.employer.tolist(), page.lines.card.tolist()) == ([], [5], [12345678901])


@given(operations, st.integers(1, 9), st.integers(1, 9), st.lists(st.integers(0, 25), max_size=5))
def test_runs_give_every_line_back_by_card_month_and_log(drawn, run: int, partition: int, cuts: list[int]) -> None:
    rows = rows_of(written(drawn))
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    runs = Runs(Lines._fields, None, run=run, partition=partition)
    given_ = [read_batch(rows[a:b]).lines for a, b in itertools.pairwise(edges) if a < b]
    for lines in given_:
        runs.add(lines)
    parts = list(runs.partitions())
    runs.close()
    found = [row for part in parts for row in zip(*(column.tolist() for column in part), strict=True)]
    every = [row for lines in given_ for row in zip(*(column.tolist() for column in lines), strict=True)]
    place = [Lines._fields.index(name) for name in ("card", "month", "position", "line")]
    assert found == sorted(every, key=lambda row: [row[i] for i in place])
    cards = [set(part.card.tolist()) for part in parts]
    assert sum(map(len, cards)) == len(set().union(*cards))
    if found:
        again = balances.merge([balances.fold(part) for part in parts])
        assert as_rows(again) == as_rows(balances.merge(folded(rows)))


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
    lines, events, ended = columns([])
    assert len(lines.card) == len(events.reference) == len(ended.card) == 0
    assert balances.merge([balances.fold(lines)])["card"].dtype == np.int64


def test_a_line_taken_back_while_it_waited_is_no_money_at_all() -> None:
    writer = Writer()
    waiting = writer.suspend("10000001", "2026-10", "2026-11-14", [Line(KPJS[0], 0, 0, 5, 5)])
    back = writer.reverse(0, held=True)
    assert back is not None
    page = read_batch(rows_of([waiting, back]))
    assert page.broken == []
    assert len(page.lines.card) == 0
    assert [column.tolist() for column in page.ended][3:] == [[1], [0], [2]]


def test_a_page_is_cut_before_it_is_too_heavy_and_is_never_empty() -> None:
    small, huge = [rows_of([Writer().suspend("10000001", "2026-10", "2026-11-14", [])])[0]] * 9, PAGE_BYTES + 1
    heavy = StoredRow(10, "remittance-e:1:2026-10", 1, "contributions-posted.v1", bytes(huge))
    assert light(small) == small
    assert light([*small, heavy, *small]) == small
    assert light([heavy, *small]) == [heavy]
    assert light([]) == []
