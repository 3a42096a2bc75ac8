"""Money that waits again when an opening balance is recorded again; given, when, then."""

from __future__ import annotations

import pytest

from ledger.decisions.held_again import Act, hold_again
from ledger.decisions.remittance import LiveLine, Remittance, events
from ledger.events import LINES_AN_EVENT, Event, Fact, Line, ReversedLine, SuspendedLine
from tests import facts as made
from tests.ledger.decisions.test_remittance import STREAM
from tests.scenario import given

A, B = "26000000017", "26000000025"
SHARES = (5_000_000, 0, 185_000, 100_000)
BEFORE = "before-opening-balance"


def history(*uploads: tuple[str, Fact]) -> Remittance:
    """A stream: each fact with the upload that brought it."""
    found: list[Event] = []
    for request, fact in uploads:
        found += events(len(found), STREAM, [fact], "t", "t", request, "")
    return Remittance.of(STREAM, found)


def held(state: Remittance, *kpjs: str) -> list[Act]:
    taken: list[LiveLine] = [one for one in state.live() if one.line.kpj in (kpjs or (A, B))]
    return hold_again(state, taken)


def test_nothing_taken_is_nothing_held() -> None:
    given(history(("r1", made.posted([Line(A, *SHARES)])))).when(held, "26999999999").then()


def test_a_line_is_taken_back_and_waits_anew_with_epoch_and_part_under_its_own_upload() -> None:
    line = Line(A, *SHARES, epoch=2, tambahan=7, part=3)
    state = history(("r1", made.posted([line, Line(B, *SHARES)], kind="supplement", reference="R")))
    common = {"kind": "supplement", "reference": "R"}
    given(state).when(held, A).then(
        Act(made.taken_back([ReversedLine(A, *SHARES, 2, 7, 3, months=-1, event=1)], **common)),
        Act(made.suspended([SuspendedLine(A, *SHARES, 2, 7, 3, BEFORE)], **common), "r1"),
    )


def test_lines_of_two_uploads_wait_under_each_of_them() -> None:
    state = history(("r1", made.posted([Line(A, *SHARES)])), ("r2", made.posted([Line(B, *SHARES)])))
    given(state).when(held).then(
        Act(
            made.taken_back(
                [ReversedLine(A, *SHARES, months=-1, event=1), ReversedLine(B, *SHARES, months=-1, event=2)]
            )
        ),
        Act(made.suspended([SuspendedLine(A, *SHARES, reason=BEFORE)]), "r1"),
        Act(made.suspended([SuspendedLine(B, *SHARES, reason=BEFORE)]), "r2"),
    )


@pytest.mark.parametrize(
    ("size", "cut"), [(LINES_AN_EVENT, [LINES_AN_EVENT]), (LINES_AN_EVENT + 1, [LINES_AN_EVENT, 1])]
)
def test_an_event_holds_as_many_waiting_lines_as_it_may(size: int, cut: list[int]) -> None:
    lines = [Line(f"2600000{n:04d}", *SHARES) for n in range(size)]
    uploads = [("r1", made.posted(lines[at : at + LINES_AN_EVENT])) for at in range(0, size, LINES_AN_EVENT)]
    state = history(*uploads)
    acts = hold_again(state, list(state.live()))
    waiting = [act.fact for act in acts if act.request == "r1"]
    assert [len(fact.lines) for fact in waiting] == cut  # type: ignore[attr-defined]
    assert [line.kpj for fact in waiting for line in fact.lines] == [line.kpj for line in lines]  # type: ignore[attr-defined]
