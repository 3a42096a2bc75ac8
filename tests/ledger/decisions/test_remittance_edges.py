"""Decisions on a remittance at their edges: what is cut, what counts a month, what is recognised; given, when, then."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.decisions.remittance import (
    Candidate,
    Content,
    LiveLine,
    Release,
    Remittance,
    Under,
    events,
    holds_all,
    post_all,
    release,
    reverse,
)
from ledger.events import (
    LINES_AN_EVENT,
    Fact,
    Line,
    Lines,
    ReleasedLine,
    ReversedLine,
    RuleIds,
    SuspendedLine,
)
from tests import facts as made
from tests.facts import MONTH, PAID_ON, RULES
from tests.ledger.decisions.taken import Upload, decide
from tests.ledger.decisions.test_remittance import STREAM, state
from tests.scenario import given

A, B = "26000000017", "26000000025"
REGULAR = Under("regular", PAID_ON, "R")
SUPPLEMENT = Under("supplement", PAID_ON, "R")
SHARES = Content(5_000_000, 0, 185_000, 100_000)


def sent(kpj: str, under: Under = REGULAR, content: Content = SHARES, line: int = 2, **more: object) -> Candidate:
    return Candidate(line, kpj, under, content, str(more.pop("reason", "")), str(more.pop("rule", "pu")), **more)  # type: ignore[arg-type]


def decided(now: Remittance, candidates: Sequence[Candidate]) -> list[Fact]:
    return decide(now, MONTH, candidates).facts


def released(now: Remittance, kpj: str = "", rules: RuleIds = RULES, epoch: int = 0) -> list[Fact]:
    """Everything that waits."""
    return release(now, [Release(one.post, [one.index], rules, epoch, kpj) for one in now.waiting()])


def reversed_all(now: Remittance) -> list[Fact]:
    return reverse(now, list(now.live()))


def under(one: Under) -> dict[str, str]:
    return one._asdict()


def test_given_nothing_nothing_is_decided() -> None:
    given(state()).when(decided, []).then()
    given(state()).when(released).then()
    given(state()).when(reversed_all).then()
    assert decide(state(), MONTH, []) == Upload([], 0, 0, 0, 0, set(), [], [])


def test_counts_and_lines_are_told_apart() -> None:
    held = state(made.posted([Line(A, *SHARES)], reference="R"))
    other = Content(4_000_000, 0, 148_000, 80_000)
    decision = decide(
        held,
        MONTH,
        [
            sent(A, line=2), sent(A, content=other, line=3), sent(B, line=4),
            sent(A, REGULAR._replace(reference="R2"), line=5), sent(A, SUPPLEMENT, line=6, reason="amounts-disagree"),
        ],
    )  # fmt: skip
    assert (decision.posted, decision.already, decision.suspended, decision.refused) == (1, 1, 2, 1)
    assert decision.taken == {4, 5, 6}
    assert decision.second == [5]
    (conflict,) = decision.conflicts
    assert (conflict.code, conflict.line) == ("line-conflict", 3)
    assert conflict.details == {
        "held": "Rp185.000 + Rp100.000 (Rp5.000.000, 2026-11-14, R)",
        "sent": "Rp148.000 + Rp80.000 (Rp4.000.000, 2026-11-14, R)",
    }


def test_two_equal_payments_of_one_upload_are_one() -> None:
    decision = decide(state(), MONTH, [sent(A, line=2), sent(A, line=3)])
    assert (decision.posted, decision.already, decision.taken) == (1, 1, {2})
    decision = decide(state(), MONTH, [sent(A, line=2), sent(A, content=SHARES._replace(wage=1), line=3)])
    assert (decision.posted, decision.refused, decision.taken) == (1, 1, {2})


def test_who_is_known_to_come_once_needs_not_be_remembered() -> None:
    some = [
        sent(A, line=2), sent(A, SUPPLEMENT, line=3), sent(B, line=4), sent(A, line=5),
        sent(A, REGULAR._replace(reference="R2"), line=6), sent("26000000033", line=7, reason="account-unknown"),
    ]  # fmt: skip
    assert decide(state(), MONTH, some, [A]) == decide(state(), MONTH, some)


@pytest.mark.parametrize(
    "other", [SHARES._replace(wage=1), SHARES._replace(back_pay=1), SHARES._replace(employer=1), SHARES._replace(worker=1)]
)  # fmt: skip
def test_each_amount_makes_another_payment(other: Content) -> None:
    held = state(made.posted([Line(A, *SHARES)], reference="R"))
    assert decide(held, MONTH, [sent(A, content=other)]).refused == 1


def test_a_line_whose_money_is_the_workers_alone_counts_its_month() -> None:
    content = Content(1_000_000, 0, 0, 20_000)
    given(state()).when(decided, [sent(A, content=content)]).then(made.posted([Line(A, *content)], reference="R"))
    nothing = Content(1_000_000, 0, 0, 0)
    given(state()).when(decided, [sent(A, content=nothing)]).then(
        made.posted([Line(A, *nothing, months=0)], reference="R")
    )


def test_a_waiting_line_keeps_epoch_part_and_reason_and_counts_no_month() -> None:
    given(state()).when(decided, [sent(A, reason="nik-differs", epoch=3)]).then(
        made.suspended([SuspendedLine(A, *SHARES, 3, 0, 0, "nik-differs")], reference="R")
    )
    # A supplement of somebody whose regular line waits counts the month: money is posted for the first time.
    waiting = made.suspended([SuspendedLine(A, *SHARES, reason="nik-differs")], reference="R")
    given(state(waiting)).when(decided, [sent(A, SUPPLEMENT, epoch=3)]).then(
        made.posted([Line(A, *SHARES, 3)], kind="supplement", reference="R")
    )


def test_a_second_payment_has_its_own_reason_only_where_none_is_there() -> None:
    held = state(made.posted([Line(A, *SHARES)], reference="R"))
    decision = decide(held, MONTH, [sent(A, REGULAR._replace(reference="R2"), reason="amounts-disagree")])
    assert decision.second == []
    assert decision.facts == [made.suspended([SuspendedLine(A, *SHARES, 0, 0, 1, "amounts-disagree")], reference="R2")]


def test_lines_are_gathered_under_what_they_have_in_common() -> None:
    other = REGULAR._replace(division="0A1")
    some = [sent(A, other), sent(B), sent("26000000033", rule="pu-2"), sent("26000000041", other)]
    given(state()).when(decided, some).then(
        made.posted([Line(B, *SHARES)], reference="R"),
        made.posted([Line("26000000033", *SHARES)], reference="R", rules=RuleIds("pu-2")),
        made.posted([Line(A, *SHARES), Line("26000000041", *SHARES)], reference="R", division="0A1"),
    )


@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_an_event_holds_as_many_lines_as_it_may(extra: int) -> None:
    size = LINES_AN_EVENT + extra
    kpjs = [f"2600000{n:04d}" for n in range(size)]
    cut = [size] if extra <= 0 else [LINES_AN_EVENT, 1]
    posts = decided(state(), [sent(kpj) for kpj in kpjs])
    assert [len(fact.lines) for fact in posts] == cut  # type: ignore[attr-defined]
    assert [line.kpj for fact in posts for line in fact.lines] == kpjs  # type: ignore[attr-defined]
    waits = decided(state(), [sent(kpj, reason="account-unknown") for kpj in kpjs])
    assert [len(fact.lines) for fact in waits] == cut  # type: ignore[attr-defined]
    assert [len(fact.lines) for fact in released(state(*waits))] == cut  # type: ignore[attr-defined]
    assert [len(fact.lines) for fact in reversed_all(state(*posts))] == cut  # type: ignore[attr-defined]


def waits(kpj: str, one: Under, part: int = 0) -> Fact:
    lines = [SuspendedLine(kpj, *SHARES, part=part, reason="account-unknown")]
    return made.suspended(lines, MONTH, one.paid_on, one.kind, one.reference)


def test_two_kinds_that_wait_are_released_together_and_the_first_counts_the_month() -> None:
    given(state(waits(A, REGULAR), waits(A, SUPPLEMENT))).when(released, epoch=2).then(
        made.released([ReleasedLine(A, *SHARES, 2, event=1)], reference="R"),
        made.released([ReleasedLine(A, *SHARES, 2, months=0, event=2)], kind="supplement", reference="R"),
    )


def test_a_release_beside_posted_money_counts_no_second_month() -> None:
    held = made.posted([Line(A, *SHARES)], reference="R")
    given(state(held, waits(A, SUPPLEMENT, 4))).when(released).then(
        made.released([ReleasedLine(A, *SHARES, part=4, months=0, event=2)], kind="supplement", reference="R")
    )
    # Nor does one to another card that has the month already.
    given(state(held, waits(B, SUPPLEMENT))).when(released, kpj=A).then(
        made.released([ReleasedLine(A, *SHARES, months=0, event=2, waited_as=B)], kind="supplement", reference="R")
    )


def test_a_release_without_money_counts_no_month_and_the_workers_share_alone_does() -> None:
    nothing = made.suspended(
        [SuspendedLine(A, 5, reason="account-unknown"), SuspendedLine(B, 5, worker=1, reason="account-unknown")]
    )
    (fact,) = released(state(nothing))
    assert [line.months for line in fact.lines] == [0, 1]  # type: ignore[attr-defined]


def test_a_release_names_the_lines_place_in_its_event() -> None:
    two = made.suspended([SuspendedLine(A, *SHARES, reason="x"), SuspendedLine(B, *SHARES, reason="x")], reference="R")
    given(state(two)).when(released).then(
        made.released([ReleasedLine(A, *SHARES, event=1), ReleasedLine(B, *SHARES, event=1, line=1)], reference="R")
    )


def test_reversing_two_kinds_takes_the_month_back_once_with_the_last_money() -> None:
    history = decided(state(), [sent(A), sent(A, SUPPLEMENT)])
    now = state(*history)
    given(now).when(reversed_all).then(
        made.taken_back([ReversedLine(A, *SHARES, months=0, event=1)], reference="R"),
        made.taken_back([ReversedLine(A, *SHARES, months=-1, event=2)], kind="supplement", reference="R"),
    )
    one = [line for line in now.live() if line.under.kind == "regular"]
    given(now).when(reverse, one).then(made.taken_back([ReversedLine(A, *SHARES, months=0, event=1)], reference="R"))


def test_reversing_a_line_without_money_takes_no_month() -> None:
    held = made.posted([Line(A, *SHARES), Line(B, 5, months=0)], reference="R")
    given(state(held)).when(reversed_all).then(
        made.taken_back(
            [ReversedLine(A, *SHARES, months=-1, event=1), ReversedLine(B, 5, months=0, event=1, line=1)], reference="R"
        )
    )


def test_what_was_reversed_is_remembered_and_reversed_once() -> None:
    held = made.posted([Line(A, *SHARES)], reference="R")
    back = reversed_all(state(held))
    now = state(held, *back, *back)
    assert not list(now.live())
    assert [(one.line.kpj, one.version, one.index) for one in now.reversed] == [(A, 1, 0)]
    assert now.counting(A) == 0


def test_a_released_line_belongs_to_the_upload_that_brought_its_money() -> None:
    history = events(0, STREAM, [waits(A, REGULAR)], "t", "t", "upload", "")
    freed = released(Remittance.of(STREAM, history))
    history += events(1, STREAM, freed, "t", "t", "registration", "")
    (line,) = Remittance.of(STREAM, history).live()
    assert isinstance(line, LiveLine)
    assert (line.request, line.reason, line.rules, line.place) == ("upload", "", RULES, (2, 0))


def test_events_follow_the_streams_version() -> None:
    facts = [made.posted([Line(A, *SHARES)]), made.posted([Line(B, *SHARES)])]
    found = events(4, STREAM, facts, "by", "channel", "request", "reason")
    assert [(one.stream, one.version, one.fact) for one in found] == [(STREAM, 5, facts[0]), (STREAM, 6, facts[1])]
    assert {(one.by, one.channel, one.request, one.reason) for one in found} == {("by", "channel", "request", "reason")}


def test_the_state_knows_its_lines_and_cards_without_reading_them() -> None:
    now = state(made.posted([Line(A, *SHARES), Line(B, *SHARES)]), waits(A, SUPPLEMENT))
    assert (now.version, now.size, now.cards, len(now.posts)) == (2, 3, {A, B}, 2)
    assert (state().version, state().size, state().position, list(state().live())) == (0, 0, 0, [])
    assert now.counting("26999999999") == 0
    assert list(now.payments("", "regular", "26999999999")) == []


def test_a_text_of_a_line_names_amounts_day_and_reference() -> None:
    (line,) = state(made.posted([Line(A, *SHARES)])).live()
    assert str(line) == "Rp185.000 + Rp100.000 (Rp5.000.000, 2026-11-14, -)"


COLUMNS = Lines.of([Line(A, *SHARES), Line(B, *SHARES)])


def test_lines_that_all_post_are_facts_as_they_stand() -> None:
    facts = post_all(MONTH, REGULAR._replace(division="0A1"), RULES, [COLUMNS, COLUMNS])
    assert list(facts) == [made.posted([Line(A, *SHARES), Line(B, *SHARES)], reference="R", division="0A1")] * 2
    assert list(post_all(MONTH, REGULAR, RULES, [])) == []


def posts(*lines: Line, **more: str) -> Fact:
    return made.posted(list(lines), **more)


ONE, TWO = Line(A, *SHARES), Line(B, *SHARES)


@pytest.mark.parametrize(
    ("history", "again", "held"),
    [
        ([posts(ONE, TWO)], [posts(ONE, TWO)], True),
        ([posts(ONE, TWO)], [posts(TWO, ONE)], True),
        ([posts(ONE, TWO)], [posts(TWO)], True),
        ([posts(ONE), posts(TWO)], [posts(ONE, TWO)], True),
        ([posts(ONE)], [posts(ONE), posts(TWO)], False),
        ([posts(ONE), posts(TWO)], [posts(ONE)], True),
        ([posts(ONE)], [posts(ONE, TWO)], False),
        ([], [posts(ONE)], False),
        ([posts(ONE)], [posts(ONE, division="0A1")], True),
        ([posts(ONE)], [posts(ONE, reference="R2")], False),
        ([posts(ONE)], [posts(ONE, paid_on="2026-11-15")], False),
        ([posts(ONE)], [posts(ONE, kind="supplement")], False),
        ([posts(ONE), posts(TWO, reference="R2")], [posts(TWO, reference="R2"), posts(ONE)], True),
        ([posts(ONE)], [posts(ONE._replace(wage=1))], False),
        ([posts(ONE)], [posts(ONE._replace(back_pay=1))], False),
        ([posts(ONE)], [posts(ONE._replace(employer=1))], False),
        ([posts(ONE)], [posts(ONE._replace(worker=1))], False),
        ([posts(ONE), waits(B, REGULAR)], [posts(ONE)], False),
        ([posts(ONE), *reversed_all(state(posts(ONE)))], [posts(ONE)], False),
    ],
)
def test_a_stream_that_was_only_posted_to_knows_the_same_file_again(
    history: list[Fact], again: list[Fact], held: bool
) -> None:
    assert holds_all(history, again) is held
