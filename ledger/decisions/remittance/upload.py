"""What an upload adds to a stream: lines that post, wait, are there already, or contradict what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from ledger.decisions.remittance.facts import free_part, together
from ledger.decisions.remittance.lines import Content, Under, described
from ledger.decisions.remittance.reasons import RELEASED_BY_ITSELF, SECOND_PAYMENT
from ledger.decisions.remittance.state import Remittance
from ledger.errors import Problem
from ledger.events import ContributionsPosted, Fact, Line, Lines, LinesSuspended, RuleIds, SuspendedLine, SuspendedLines
from ledger.identifiers import same_reference


class Candidate(NamedTuple):
    """A line of an upload, its amounts settled, ready for the stream's decision. `reason`: a suspense code or ''."""

    file_line: int
    kpj: str
    under: Under
    content: Content
    reason: str
    rule: str = ""
    epoch: int = 0


class Decision(Struct):
    """What an upload does to one stream: facts to append, counts of lines, problems to tell.

    `taken`: file lines that are posted or suspended by it, not there already. `second`: file lines of it that wait
    because their month was paid before, whatever else they would wait for.
    """

    facts: list[Fact]
    posted: int = 0
    already: int = 0
    suspended: int = 0
    refused: int = 0
    conflicts: list[Problem] = []
    taken: set[int] = set()
    second: list[int] = []


def decide(state: Remittance, month: str, candidates: Sequence[Candidate]) -> Decision:
    """Post, suspend or recognise the lines of one upload."""
    decision = Decision([])
    posts: list[tuple[tuple[Under, str], Line]] = []
    suspends: list[tuple[tuple[Under, str], SuspendedLine]] = []
    added: dict[tuple[str, str, str], list[tuple[Under, Content, int]]] = {}
    paid: set[str] = set()
    for one in candidates:
        under, content = one.under, one.content
        key = (under.segment, under.kind, one.kpj)
        there = [(line.under, line.content, line.part) for line in state.payments(*key)]
        there += added.get(key, ())
        same = next((held for held in there if _same_payment(held[0], under)), None)
        if same is not None:
            if same[1] == content:
                decision.already += 1
            else:
                decision.refused += 1
                details: dict[str, str | int] = {
                    "held": described(same[1], same[0]), "sent": described(content, under),
                }  # fmt: skip
                decision.conflicts.append(Problem("line-conflict", one.file_line, "", details))
            continue
        part = free_part([held[2] for held in there])
        added.setdefault(key, []).append((under, content, part))
        decision.taken.add(one.file_line)
        reason = one.reason
        if there and under.kind == "regular" and (not reason or reason in RELEASED_BY_ITSELF):
            # Whatever it waits for besides, a second payment never posts by itself.
            reason = SECOND_PAYMENT
            decision.second.append(one.file_line)
        if reason:
            line = SuspendedLine(one.kpj, *content, one.epoch, 0, part, reason)
            suspends.append(((under, ""), line))
            continue
        first = one.kpj not in paid and not state.counting(one.kpj) and content.employer + content.worker > 0
        paid.add(one.kpj)
        posts.append(((under, one.rule), Line(one.kpj, *content, one.epoch, 0, part, int(first))))
    for (under, rule), lines in together(posts):
        decision.facts.append(_posted(month, under, RuleIds(rule), Lines.of(lines)))
    for (under, _), waiting in together(suspends):
        decision.facts.append(LinesSuspended(month=month, **under._asdict(), lines=SuspendedLines.of(waiting)))
    decision.posted, decision.suspended = len(posts), len(suspends)
    return decision


def _same_payment(one: Under, other: Under) -> bool:
    return one.paid_on == other.paid_on and same_reference(one.reference) == same_reference(other.reference)


def _posted(month: str, under: Under, rules: RuleIds, lines: Lines) -> ContributionsPosted:
    return ContributionsPosted(month=month, **under._asdict(), rules=rules, lines=lines)


def post_all(month: str, under: Under, rules: RuleIds, batches: Iterable[Lines]) -> list[Fact]:
    """The facts of lines that all post, each the first payment of its worker in the stream: the common case.

    `batches`: at most LINES_AN_EVENT lines each.
    """
    return [_posted(month, under, rules, lines) for lines in batches]


def holds_all(history: Sequence[Fact], facts: Sequence[Fact]) -> bool:
    """Whether a stream that was only ever posted to holds all lines of these posting facts: the quick answer to the same
    file again.

    False may also mean "not known this way": then each line is looked at.
    """
    posted = list(_posts(history))
    if len(posted) < len(history):
        return False
    sent = list(_posts(facts))
    if len(posted) >= len(sent) and all(
        _payment(one) == _payment(two) and one.lines == two.lines for one, two in zip(posted, sent)
    ):
        return True
    held: dict[tuple[str, str, str], set[tuple[Any, ...]]] = {}
    for fact in posted:
        held.setdefault(_payment(fact), set()).update(_amounts(fact.lines))
    return all(held.get(_payment(fact), set()).issuperset(_amounts(fact.lines)) for fact in sent)


def _posts(facts: Sequence[Fact]) -> Iterator[ContributionsPosted]:
    return (fact for fact in facts if isinstance(fact, ContributionsPosted))


def _payment(fact: ContributionsPosted) -> tuple[str, str, str]:
    return fact.kind, fact.paid_on, same_reference(fact.reference)


def _amounts(lines: Lines) -> Iterator[tuple[Any, ...]]:
    return zip(*(lines.column(name) for name in ("kpj", *Content._fields)), strict=True)
