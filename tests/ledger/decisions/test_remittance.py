"""Decisions on one remittance, as given / when / then; and that they hold under any history."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.decisions.remittance import Candidate, Content, Post, Release, Remittance, Under, release, reverse
from ledger.events import (
    ContributionsPosted,
    ContributionsReversed,
    Event,
    Fact,
    Line,
    LinesSuspended,
    ReleasedLine,
    ReversedLine,
    SuspendedLine,
    SuspenseReleased,
)
from tests import facts as made
from tests.facts import RULES
from tests.ledger.decisions.taken import decide

A, B = "12345678901", "12345678902"
STREAM = "remittance-e:10000001:2026-10"
MONTH, PAID_ON, REFERENCE = "2026-10", "2026-11-14", "R"


def state(*facts: Fact) -> Remittance:
    return Remittance.of(
        STREAM,
        (Event(stream=STREAM, version=n, fact=fact, by="t", channel="t") for n, fact in enumerate(facts, 1)),
    )


def candidate(
    kpj: str, wage: int = 5_000_000, *, kind: str = "regular", reason: str = "", paid_on: str = PAID_ON,
    reference: str = REFERENCE, division: str = "000", segment: str = "", line: int = 2,
) -> Candidate:  # fmt: skip
    content = Content(wage, 0, wage * 37 // 1000, wage * 20 // 1000)
    return Candidate(line, kpj, Under(kind, paid_on, reference, division, segment), content, reason, "pu")


def posted(*lines: Line, kind: str = "regular", reference: str = REFERENCE, **more: str) -> ContributionsPosted:
    return made.posted(lines, MONTH, PAID_ON, kind, reference, **more)


LINE_A = Line(A, 5_000_000, 0, 185_000, 100_000)


def test_given_nothing_a_line_is_posted_and_counts_its_month() -> None:
    assert decide(state(), MONTH, [candidate(A)]).facts == [posted(LINE_A)]


@pytest.mark.parametrize("division", ["000", "0A1"])
def test_given_the_line_it_is_there_already_whatever_the_division(division: str) -> None:
    decision = decide(state(posted(LINE_A)), MONTH, [candidate(A, division=division)])
    assert (decision.facts, decision.already) == ([], 1)


@pytest.mark.parametrize("kind", ["regular", "supplement", "correction"])
def test_given_other_amounts_on_the_same_day_and_reference_it_is_a_conflict(kind: str) -> None:
    decision = decide(state(posted(LINE_A, kind=kind)), MONTH, [candidate(A, 6_000_000, kind=kind)])
    assert decision.facts == []
    assert [problem.code for problem in decision.conflicts] == ["line-conflict"]


def test_given_it_reversed_it_is_posted_anew() -> None:
    back = made.taken_back([ReversedLine(A, 5_000_000, 0, 185_000, 100_000, months=-1, event=1)])
    assert decide(state(posted(LINE_A), back), MONTH, [candidate(A)]).facts == [posted(LINE_A)]


def test_given_the_regular_line_a_supplement_counts_no_second_month() -> None:
    (fact,) = decide(state(posted(LINE_A)), MONTH, [candidate(A, kind="supplement")]).facts
    assert fact == posted(Line(A, 5_000_000, 0, 185_000, 100_000, months=0), kind="supplement")


@pytest.mark.parametrize("kind", ["supplement", "correction"])
@pytest.mark.parametrize("other", [{"reference": "R2"}, {"paid_on": "2026-11-20"}])
def test_given_a_supplement_or_correction_one_of_another_day_or_reference_is_the_next_part(
    kind: str, other: dict[str, str]
) -> None:
    decision = decide(state(posted(LINE_A, kind=kind)), MONTH, [candidate(A, kind=kind, **other)])  # type: ignore[arg-type]
    (fact,) = decision.facts
    assert isinstance(fact, ContributionsPosted)
    assert list(fact.lines) == [Line(A, 5_000_000, 0, 185_000, 100_000, part=1, months=0)]


@pytest.mark.parametrize("other", [{"reference": "R2"}, {"paid_on": "2026-11-20"}])
def test_given_the_regular_line_another_regular_payment_waits_for_somebody_to_decide(other: dict[str, str]) -> None:
    decision = decide(state(posted(LINE_A)), MONTH, [candidate(A, line=7, **other)])  # type: ignore[arg-type]
    (fact,) = decision.facts
    assert isinstance(fact, LinesSuspended)
    assert list(fact.lines) == [SuspendedLine(A, 5_000_000, 0, 185_000, 100_000, part=1, reason="second-payment")]
    assert (decision.suspended, decision.second) == (1, [7])


def test_several_parts_of_one_upload_are_numbered_and_the_month_counts_once() -> None:
    some = [candidate(A, kind="supplement", reference=f"R{n}", line=n) for n in range(3)]
    lines = [line for fact in decide(state(), MONTH, some).facts for line in fact.lines]  # type: ignore[attr-defined]
    assert sorted(line.part for line in lines) == [0, 1, 2]
    assert sum(line.months for line in lines) == 1


def test_a_part_that_was_reversed_is_used_again() -> None:
    first, second = candidate(A, kind="supplement", reference="R1"), candidate(A, kind="supplement", reference="R2")
    facts = decide(state(), MONTH, [first, second]).facts
    now = state(*facts)
    facts += reverse(now, [line for line in now.live() if line.line.part == 0])
    (fact,) = decide(state(*facts), MONTH, [candidate(A, kind="supplement", reference="R3")]).facts
    assert fact.lines[0].part == 0  # type: ignore[attr-defined]


def test_payments_of_a_holder_as_bpu_and_as_pmi_are_no_second_payments() -> None:
    own = [
        candidate(A, 5_000_000, segment="BPU"),
        candidate(A, 0, segment="PMI")._replace(content=Content(0, 0, 0, 50_000)),
    ]
    decision = decide(state(), MONTH, own)
    assert (decision.posted, decision.suspended) == (2, 0)
    again = decide(state(*decision.facts), MONTH, own)
    assert (again.facts, again.already) == ([], 2)


def test_two_kinds_in_one_upload_count_the_month_once() -> None:
    decision = decide(state(), MONTH, [candidate(A), candidate(A, kind="supplement")])
    lines = [line for fact in decision.facts for line in fact.lines]  # type: ignore[attr-defined]
    assert sum(line.months for line in lines) == 1


def first(now: Remittance) -> tuple[Post, list[int]]:
    """The first line that waits, as a release names it."""
    line = now.waiting()[0]
    return line.post, [line.index]


WAITING = made.suspended(
    [SuspendedLine(A, 5_000_000, 0, 185_000, 100_000, reason="account-unknown")], MONTH, PAID_ON, reference="R"
)


@pytest.mark.parametrize(("kpj", "waited_as"), [(A, ""), (B, A)])
def test_a_release_names_where_and_as_whom_the_line_waited_and_leaves_nothing_waiting(kpj: str, waited_as: str) -> None:
    now = state(WAITING)
    facts = release(now, [Release(*first(now), RULES, kpj=kpj)])
    line = ReleasedLine(kpj, 5_000_000, 0, 185_000, 100_000, event=1, line=0, waited_as=waited_as)
    assert facts == [made.released([line], MONTH, PAID_ON, "regular", "R")]
    assert state(WAITING, *facts).waiting() == []
    assert [one.line.kpj for one in state(WAITING, *facts).live()] == [kpj]


def test_reversing_a_released_line_names_its_release() -> None:
    now = state(WAITING)
    facts: list[Fact] = [WAITING, *release(now, [Release(*first(now), RULES, kpj=B)])]
    (back,) = reverse(state(*facts), list(state(*facts).live()))
    assert isinstance(back, ContributionsReversed)
    assert list(back.lines) == [ReversedLine(B, 5_000_000, 0, 185_000, 100_000, months=-1, event=2, line=0)]


def test_reversing_a_waiting_line_says_that_it_was_no_money_of_the_card() -> None:
    (back,) = reverse(state(WAITING), state(WAITING).waiting())
    assert isinstance(back, ContributionsReversed)
    assert list(back.lines) == [
        ReversedLine(A, 5_000_000, 0, 185_000, 100_000, months=0, event=1, line=0, suspended=True)
    ]


amounts = st.integers(1, 10**9)
steps = st.lists(
    st.tuples(st.sampled_from(["post", "suspend", "reverse", "release"]), st.sampled_from([A, B]), amounts,
              st.sampled_from(["regular", "supplement"]), st.sampled_from(["R", "R2"])),
    max_size=12,
)  # fmt: skip


@given(steps)
def test_whatever_happens_months_are_counted_once_while_money_stays_and_nothing_is_left_after_reversing_all(
    history: list[tuple[str, str, int, str, str]],
) -> None:
    facts: list[Fact] = []
    for what, kpj, amount, kind, reference in history:
        now = state(*facts)
        if what in ("post", "suspend"):
            reason = "account-unknown" if what == "suspend" else ""
            one = candidate(kpj, amount, kind=kind, reference=reference, reason=reason)
            if one.content.employer + one.content.worker == 0:
                continue
            facts += decide(now, MONTH, [one]).facts
        elif what == "reverse":
            facts += reverse(now, [held for held in now.live() if held.line.kpj == kpj])
        else:
            facts += release(
                now, [Release(one.post, [one.index], RULES) for one in now.waiting() if one.line.kpj == kpj]
            )
        now = state(*facts)
        for worker in (A, B):
            assert months(facts, worker) == int(now.counting(worker) > 0)
            live = sum(h.line.employer + h.line.worker for h in now.live() if h.line.kpj == worker and not h.reason)
            assert money(facts, worker) == live
    end = state(*facts)
    facts += reverse(end, list(end.live()))
    assert not list(state(*facts).live())
    assert all(money(facts, worker) == months(facts, worker) == 0 for worker in (A, B))


def _lines(facts: list[Fact], kpj: str) -> list[tuple[int, Any]]:
    found: list[tuple[int, Any]] = []
    for fact in facts:
        if isinstance(fact, ContributionsPosted | SuspenseReleased):
            found += [(1, line) for line in fact.lines if line.kpj == kpj]
        elif isinstance(fact, ContributionsReversed):
            found += [(-1, line) for line in fact.lines if line.kpj == kpj and not line.suspended]
    return found


def months(facts: list[Fact], kpj: str) -> int:
    return sum(line.months for _, line in _lines(facts, kpj))


def money(facts: list[Fact], kpj: str) -> int:
    return sum(sign * (line.employer + line.worker) for sign, line in _lines(facts, kpj))
