"""What an upload adds to a stream: lines that post, wait, are there already, or contradict what is there."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from ledger.decisions.remittance.facts import free_part, in_order
from ledger.decisions.remittance.lines import Content, Under, described
from ledger.decisions.remittance.reasons import RELEASED_BY_ITSELF, SECOND_PAYMENT
from ledger.decisions.remittance.state import Remittance
from ledger.errors import Problem
from ledger.events import LINES_AN_EVENT, ContributionsPosted, Fact, Lines, LinesSuspended, RuleIds, SuspendedLines
from ledger.identifiers import card_number, kpj_of, same_reference


class Candidate(NamedTuple):
    """A line of an upload, its amounts settled, ready for the stream's decision. `reason`: a suspense code or ''."""

    file_line: int
    kpj: str
    under: Under
    content: Content
    reason: str
    rule: str = ""
    epoch: int = 0


class Taken(NamedTuple):
    """What a line comes to. `second`: it waits because its month was paid before, whatever else it would wait for;
    `conflict`: what is told of a line that contradicts one that is there."""

    outcome: Literal["posted", "suspended", "already", "refused"]
    second: bool = False
    conflict: Problem | None = None

    @property
    def is_new(self) -> bool:
        """Whether the line is posted or suspended by it, not there already."""
        return self.outcome in ("posted", "suspended")


_POSTED, _SUSPENDED, _SECOND, _ALREADY = Taken("posted"), Taken("suspended"), Taken("suspended", True), Taken("already")


class _Waiting:
    """Lines of the facts to be, each as eight numbers: an upload may bring a million, whose objects would take many
    times as much. The last number is what `kind` tells of a line: its months, or the place of its reason."""

    def __init__(self) -> None:
        self._numbers = array("q")

    def add(self, one: Candidate, part: int, last: int) -> None:
        """Take a line."""
        self._numbers.extend((card_number(one.kpj), *one.content, one.epoch, part, last))

    def batches(self) -> Iterator[tuple[dict[str, list[Any]], list[int]]]:
        """The columns of at most LINES_AN_EVENT lines, and the last number of each."""
        for start in range(0, len(self._numbers), 8 * LINES_AN_EVENT):
            some = self._numbers[start : start + 8 * LINES_AN_EVENT]
            card, wage, back_pay, employer, worker, epoch, part, last = (some[place::8].tolist() for place in range(8))
            kpjs: list[Any] = list(map(kpj_of, card))
            amounts = {"wage": wage, "back_pay": back_pay, "employer": employer, "worker": worker}
            yield {"kpj": kpjs, **amounts, "epoch": epoch, "part": part}, last


class Decision:
    """What an upload does to one stream: `take` each of its lines, then append the `facts`.

    `again`: the only workers of whom more than one line comes, where that is known; of the others nothing is remembered.
    """

    def __init__(self, state: Remittance, month: str, again: Collection[str] | None = None) -> None:
        self._state, self._month, self._again = state, month, again
        self._added: dict[tuple[str, str, str], list[tuple[Under, Content, int]]] = {}
        self._paid: set[str] = set()
        self._posts: dict[tuple[Under, str], _Waiting] = {}
        self._suspends: dict[tuple[Under, str], _Waiting] = {}
        self._reasons: dict[str, int] = {}

    def take(self, one: Candidate) -> Taken:
        """Post, suspend or recognise a line."""
        under, content, comes_again = one.under, one.content, self._again is None or one.kpj in self._again
        key = (under.segment, under.kind, one.kpj)
        there = [(line.under, line.content, line.part) for line in self._state.payments(*key)]
        if comes_again:
            there += self._added.get(key, ())
        same = next((held for held in there if _same_payment(held[0], under)), None)
        if same is not None:
            return _ALREADY if same[1] == content else Taken("refused", conflict=_conflict(same, one))
        part = free_part([held[2] for held in there])
        if comes_again:
            self._added.setdefault(key, []).append((under, content, part))
        # Whatever it waits for besides, a second payment never posts by itself.
        second = bool(there) and under.kind == "regular" and (not one.reason or one.reason in RELEASED_BY_ITSELF)
        if reason := SECOND_PAYMENT if second else one.reason:
            place = self._reasons.setdefault(reason, len(self._reasons))
            self._suspends.setdefault((under, ""), _Waiting()).add(one, part, place)
            return _SECOND if second else _SUSPENDED
        first = (
            one.kpj not in self._paid and not self._state.counting(one.kpj) and content.employer + content.worker > 0
        )
        if comes_again:
            self._paid.add(one.kpj)
        self._posts.setdefault((under, one.rule), _Waiting()).add(one, part, int(first))
        return _POSTED

    def facts(self) -> Iterator[Fact]:
        """What the lines taken so far add to the stream."""
        reasons = list(self._reasons)
        for (under, rule), posts in in_order(self._posts):
            for columns, months in posts.batches():
                yield _posted(self._month, under, RuleIds(rule), Lines.made(**columns, months=months))
        for (under, _), waiting in in_order(self._suspends):
            for columns, why in waiting.batches():
                lines = SuspendedLines.made(**columns, reason=[reasons[place] for place in why])
                yield LinesSuspended(month=self._month, **under._asdict(), lines=lines)


def _conflict(held: tuple[Under, Content, int], sent: Candidate) -> Problem:
    details: dict[str, str | int] = {
        "held": described(held[1], held[0]), "sent": described(sent.content, sent.under),
    }  # fmt: skip
    return Problem("line-conflict", sent.file_line, "", details)


def _same_payment(one: Under, other: Under) -> bool:
    return one.paid_on == other.paid_on and same_reference(one.reference) == same_reference(other.reference)


def _posted(month: str, under: Under, rules: RuleIds, lines: Lines) -> ContributionsPosted:
    return ContributionsPosted(month=month, **under._asdict(), rules=rules, lines=lines)


def post_all(month: str, under: Under, rules: RuleIds, batches: Iterable[Lines]) -> Iterator[Fact]:
    """The facts of lines that all post, each the first payment of its worker in the stream: the common case.

    `batches`: at most LINES_AN_EVENT lines each.
    """
    return (_posted(month, under, rules, lines) for lines in batches)


def holds_all(history: Sequence[Fact], facts: Iterable[Fact]) -> bool:
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


def _posts(facts: Iterable[Fact]) -> Iterator[ContributionsPosted]:
    return (fact for fact in facts if isinstance(fact, ContributionsPosted))


def _payment(fact: ContributionsPosted) -> tuple[str, str, str]:
    return fact.kind, fact.paid_on, same_reference(fact.reference)


def _amounts(lines: Lines) -> Iterator[tuple[Any, ...]]:
    return zip(*(lines.column(name) for name in ("kpj", *Content._fields)), strict=True)
