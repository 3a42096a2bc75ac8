"""Decisions on one remittance, as given / when / then; and that they hold under any history."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.decisions.remittance import Candidate, Content, Remittance, decide, release, reverse
from ledger.events import (
    ContributionsPosted,
    ContributionsReversed,
    Event,
    Fact,
    Line,
    LinesSuspended,
    ReleasedLine,
    ReversedLine,
    RuleIds,
    SuspendedLine,
    SuspenseReleased,
)

RULES = RuleIds("pu")
A, B = "12345678901", "12345678902"
STREAM = "remittance-e:10000001:000:2026-10"


def state(*facts: Fact) -> Remittance:
    return Remittance.of(
        STREAM,
        (Event(stream=STREAM, version=n, fact=fact, by="t", channel="t") for n, fact in enumerate(facts, 1)),
    )


def candidate(kpj: str, wage: int = 5_000_000, *, kind: str = "regular", reason: str = "") -> Candidate:
    content = Content(wage, 0, wage * 37 // 1000, wage * 20 // 1000, "2026-11-14", "R")
    return Candidate(2, kind, kpj, content, reason)


def posted(*lines: Line, kind: str = "regular") -> ContributionsPosted:
    return ContributionsPosted("2026-10", "2026-11-14", RULES, list(lines), kind, "R")


LINE_A = Line(A, 5_000_000, 0, 185_000, 100_000)


def test_given_nothing_a_line_is_posted_and_counts_its_month() -> None:
    assert decide(state(), "2026-10", RULES, [candidate(A)]).facts == [posted(LINE_A)]


def test_given_the_line_it_is_there_already() -> None:
    decision = decide(state(posted(LINE_A)), "2026-10", RULES, [candidate(A)])
    assert (decision.facts, decision.already) == ([], 1)


def test_given_other_amounts_it_is_a_conflict() -> None:
    decision = decide(state(posted(LINE_A)), "2026-10", RULES, [candidate(A, 6_000_000)])
    assert decision.facts == []
    assert [problem.code for problem in decision.conflicts] == ["line-conflict"]


def test_given_it_reversed_it_is_posted_anew() -> None:
    back = ContributionsReversed("2026-10", "2026-11-14", [ReversedLine(A, 5_000_000, 0, 185_000, 100_000, months=-1)])
    assert decide(state(posted(LINE_A), back), "2026-10", RULES, [candidate(A)]).facts == [posted(LINE_A)]


def test_given_the_regular_line_a_supplement_counts_no_second_month() -> None:
    (fact,) = decide(state(posted(LINE_A)), "2026-10", RULES, [candidate(A, kind="supplement")]).facts
    assert fact == posted(Line(A, 5_000_000, 0, 185_000, 100_000, months=0), kind="supplement")


def test_two_kinds_in_one_upload_count_the_month_once() -> None:
    decision = decide(state(), "2026-10", RULES, [candidate(A), candidate(A, kind="supplement")])
    lines = [line for fact in decision.facts for line in fact.lines]  # type: ignore[attr-defined]
    assert sum(line.months for line in lines) == 1


def test_given_a_waiting_line_its_release_names_where_it_waited() -> None:
    waiting = LinesSuspended(
        "2026-10",
        "2026-11-14",
        [SuspendedLine(A, 5_000_000, 0, 185_000, 100_000, reason="account-unknown")],
        "regular",
        "R",
    )
    given_state = state(waiting)
    facts = release(given_state, [(given_state.waiting()[0], A, RULES, 0)])
    released = ReleasedLine(A, 5_000_000, 0, 185_000, 100_000, event=1, line=0)
    assert facts == [SuspenseReleased("2026-10", "2026-11-14", RULES, [released], "regular", "R")]
    assert state(waiting, *facts).waiting() == []


amounts = st.integers(1, 10**9)
steps = st.lists(
    st.tuples(st.sampled_from(["post", "suspend", "reverse", "release"]), st.sampled_from([A, B]), amounts,
              st.sampled_from(["regular", "supplement"])),
    max_size=12,
)  # fmt: skip


@given(steps)
def test_whatever_happens_months_are_counted_once_while_money_stays_and_nothing_is_left_after_reversing_all(
    history: list[tuple[str, str, int, str]],
) -> None:
    facts: list[Fact] = []
    for what, kpj, amount, kind in history:
        now = state(*facts)
        if what in ("post", "suspend"):
            one = candidate(kpj, amount, kind=kind, reason="account-unknown" if what == "suspend" else "")
            if one.content.employer + one.content.worker == 0:
                continue
            facts += decide(now, "2026-10", RULES, [one]).facts
        elif what == "reverse":
            facts += reverse(now, [held for held in now.live.values() if held.line.kpj == kpj])
        else:
            facts += release(now, [(held, held.line.kpj, RULES, 0) for held in now.waiting() if held.line.kpj == kpj])
        now = state(*facts)
        for worker in (A, B):
            assert months(facts, worker) == int(now.is_paid(worker))
            live = sum(
                h.line.employer + h.line.worker for h in now.live.values() if h.line.kpj == worker and not h.reason
            )
            assert money(facts, worker) == live
    end = state(*facts)
    facts += reverse(end, list(end.live.values()))
    assert state(*facts).live == {}
    assert all(money(facts, worker) == months(facts, worker) == 0 for worker in (A, B))


def _lines(facts: list[Fact], kpj: str) -> list[tuple[int, Line]]:
    found: list[tuple[int, Line]] = []
    for fact in facts:
        if isinstance(fact, ContributionsPosted | SuspenseReleased):
            found += [(1, line) for line in fact.lines if line.kpj == kpj]
        elif isinstance(fact, ContributionsReversed):
            found += [(-1, line) for line in fact.lines if line.kpj == kpj and not line.held]
    return found


def months(facts: list[Fact], kpj: str) -> int:
    return sum(line.months for _, line in _lines(facts, kpj))


def money(facts: list[Fact], kpj: str) -> int:
    return sum(sign * (line.employer + line.worker) for sign, line in _lines(facts, kpj))
