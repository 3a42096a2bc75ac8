"""Lines as columns: rows and columns are the same lines, defaults are left out, and a broken shape is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.events import (
    Line,
    Lines,
    ReleasedLine,
    ReleasedLines,
    ReversedLine,
    ReversedLines,
    SuspendedLine,
    SuspendedLines,
)
from ledger.events.lines import line_bytes

amounts = st.sampled_from([0, 0, 1, 185_000])
kinds = st.sampled_from([
    (Line, Lines), (SuspendedLine, SuspendedLines), (ReleasedLine, ReleasedLines), (ReversedLine, ReversedLines),
])  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> tuple[Any, list[Any]]:
    row, columns = draw(kinds)
    made = [
        row(f"2600000{n:04d}", *draw(st.tuples(*[amounts] * 7)))._replace(
            **({"months": draw(st.sampled_from([-1, 0, 1]))} if "months" in row._fields else {}),
            **({"reason": draw(st.sampled_from(["", "account-unknown"]))} if "reason" in row._fields else {}),
            **({"suspended": draw(st.booleans())} if "suspended" in row._fields else {}),
        )
        for n in range(draw(st.integers(0, 4)))
    ]  # fmt: skip
    return columns, made


@given(rows())
def test_rows_and_columns_are_the_same_lines(drawn: tuple[Any, list[Any]]) -> None:
    columns, made = drawn
    lines = columns.of(iter(made))
    assert list(lines) == made
    assert [lines[place] for place in range(len(lines))] == made
    assert len(lines) == len(made)
    for name in columns.ROW._fields:
        assert list(lines.column(name)) == [getattr(row, name) for row in made]
    stored = msgspec.json.encode(lines)
    assert msgspec.json.decode(stored, type=columns) == lines
    for name, default in columns.ROW._field_defaults.items():
        everywhere = all(getattr(row, name) == default for row in made)
        if name not in columns.WRITTEN:
            assert (name in msgspec.json.decode(stored)) is not everywhere


def test_a_reversal_always_says_its_months() -> None:
    lines = ReversedLines.of([ReversedLine("26000000017", employer=1, event=1)])
    assert lines.months == [0]
    assert msgspec.json.decode(msgspec.json.encode(lines))["months"] == [0]


def test_columns_of_unequal_length_are_refused_and_say_which() -> None:
    with pytest.raises(ValueError, match="1 values of worker for 2 lines"):
        Lines(kpj=["26000000017", "26000000025"], wage=[1, 2], worker=[1])
    with pytest.raises(ValueError, match="3 values of wage for 2 lines"):
        Lines(kpj=["26000000017", "26000000025"], wage=[1, 2, 3])
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"kpj":["26000000017"],"salary":[1]}', type=Lines)


def test_only_columns_of_defaults_are_left_out() -> None:
    made = Lines.made(kpj=["a", "b"], wage=[0, 5], back_pay=[0, 0], months=[1, 1], part=[0, 0])
    assert made == Lines(kpj=["a", "b"], wage=[0, 5])
    assert Lines.made(kpj=["a", "b"], months=[1, 0]).months == [1, 0]
    assert Lines.of([]) == Lines(kpj=[])


@pytest.mark.parametrize(
    ("lines", "place", "expected"),
    [
        (Lines.of([Line("A1"), Line("B2", 5, 0, 3, 2)]), 0, b'{"kpj":"A1"}'),
        (Lines.of([Line("A1"), Line("B2", 5, 0, 3, 2)]), 1, b'{"kpj":"B2","wage":5,"employer":3,"worker":2}'),
        (ReversedLines.of([ReversedLine("A1", event=4)]), 0, b'{"kpj":"A1","months":0,"event":4}'),
        (
            ReleasedLines.of([ReleasedLine("A1", 1, months=0, event=4, line=7, waited_as="B2")]), 0,
            b'{"kpj":"A1","wage":1,"months":0,"event":4,"line":7,"waited_as":"B2"}',
        ),
    ],
)  # fmt: skip
def test_the_canonical_bytes_of_a_line(lines: Any, place: int, expected: bytes) -> None:
    assert line_bytes(lines, place) == expected
