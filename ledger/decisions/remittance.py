"""One payer's contributions for one month: what the stream holds, and what a new upload adds to it. Pure.

A live line is known by the event and line that brought it. What is sent again - same kind, paid day, reference and amounts,
whatever the division - is there already; the same paid day and reference with other amounts is a conflict that names both.
Spellings of a reference that differ in leading zeros or capitals are one; what is stored is what was sent.
Another paid day or reference is a further payment: a supplement or a correction gets the next `part`, a second regular
payment waits in suspense until somebody decides. Nothing is ever overwritten; a reversal takes a line back by name and
repeats its shares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress, groupby
from operator import add, and_, attrgetter
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from ledger.errors import Problem
from ledger.events import (
    LINES_AN_EVENT,
    ContributionsPosted,
    ContributionsReversed,
    Event,
    Fact,
    Line,
    Lines,
    LinesSuspended,
    ReleasedLines,
    ReversedLines,
    RuleIds,
    SuspendedLine,
    SuspendedLines,
    SuspenseReleased,
)
from ledger.identifiers import same_reference
from ledger.money import rupiah

CORRECTION_REASONS = (
    "wrong-amount", "wrong-person", "wrong-month", "paid-twice", "payment-returned", "legal-order",
)  # fmt: skip
"""Why money may be corrected or taken back: a closed list, because free text could hold personal data."""
SECOND_PAYMENT = "second-payment"
"""Why a second regular payment of a month waits."""
BEFORE_OPENING = "before-opening-balance"
"""Why money waits that was paid on or before an opening balance's day: it may be part of it."""
RELEASED_BY_ITSELF = ("account-unknown", "no-membership", BEFORE_OPENING)
"""What money waits for that posts it without anybody's decision when it comes."""
SUSPENSE_REASONS = (
    *RELEASED_BY_ITSELF, "nik-differs", "name-differs",
    "wage-missing", "amounts-disagree", "kpj-zero-short", "kpj-two-cards", SECOND_PAYMENT,
)  # fmt: skip
"""Why received money waits."""

REPEATED = ("kpj", "wage", "back_pay", "employer", "worker", "epoch", "tambahan", "part")
"""What later facts repeat of a line."""

R = TypeVar("R")


class Under(NamedTuple):
    """What the lines of one event have in common, besides the month."""

    kind: str
    paid_on: str
    reference: str
    division: str = "000"
    segment: str = ""


class Content(NamedTuple):
    """The amounts of a line: what makes two uploads of one payment the same."""

    wage: int
    back_pay: int
    employer: int
    worker: int


class Post(Struct, frozen=True, gc=False):
    """What the lines of one event have in common: the event's `version` and month, what they were paid under, and the
    `rules` that decided their amounts, None while they wait.

    `request`: the upload that brought their money; lines that were released each belong to one of `requests`.
    """

    version: int
    month: str
    under: Under
    lines: Lines | SuspendedLines | ReleasedLines
    rules: RuleIds | None = None
    request: str = ""
    requests: Sequence[str] = ()


class LiveLine(Struct, frozen=True, gc=False):
    """A live line of the stream: posted, or waiting in suspense (`reason`), at line `index` of the event of `post`. A stream
    may hold 100,000: the values stay in the event's columns."""

    post: Post
    index: int

    @property
    def request(self) -> str:
        """The upload that brought its money."""
        return self.post.requests[self.index] if self.post.requests else self.post.request

    @property
    def version(self) -> int:
        return self.post.version

    @property
    def month(self) -> str:
        return self.post.month

    @property
    def under(self) -> Under:
        return self.post.under

    @property
    def rules(self) -> RuleIds | None:
        return self.post.rules

    @property
    def place(self) -> tuple[int, int]:
        """What later facts call the line by."""
        return self.post.version, self.index

    @property
    def line(self) -> Any:
        """The line's values as a named tuple."""
        return self.post.lines[self.index]

    @property
    def kpj(self) -> str:
        return self.post.lines.kpj[self.index]

    @property
    def waits(self) -> bool:
        """Whether it is in suspense."""
        return isinstance(self.post.lines, SuspendedLines)

    @property
    def reason(self) -> str:
        """Why it waits, or '' when it is posted."""
        lines = self.post.lines
        return lines.reason[self.index] if isinstance(lines, SuspendedLines) else ""

    @property
    def content(self) -> Content:
        value, index = self.post.lines.value, self.index
        return Content(value("wage", index), value("back_pay", index), value("employer", index), value("worker", index))

    @property
    def part(self) -> int:
        """Which payment of its kind it is for the month."""
        part: int = self.post.lines.value("part", self.index)
        return part

    @property
    def counts(self) -> bool:
        """Whether it is posted and carries money, so that its month counts."""
        content = self.content
        return not self.waits and content.employer + content.worker > 0

    def __str__(self) -> str:
        return _described(self.content, self.under)


def _described(content: Content, under: Under) -> str:
    shares = f"{rupiah(content.employer)} + {rupiah(content.worker)}"
    return f"{shares} ({rupiah(content.wage)}, {under.paid_on}, {under.reference or '-'})"


class Some(NamedTuple):
    """Lines of one event, by their numbers in it."""

    post: Post
    places: Sequence[int]


class _Held(NamedTuple):
    """An event's lines, and for each whether it still counts or waits (1) or was taken away by a later event (0)."""

    post: Post
    live: bytearray

    def places(self) -> Iterator[int]:
        return compress(range(len(self.live)), self.live)


class Remittance:
    """The state of a remittance stream.

    Lines are taken apart only when somebody asks for them, and by worker only when somebody asks for a worker's; `cards`,
    every KPJ that was ever named, `posts`, the facts with lines, and `size`, how many lines those have, are there at once.
    """

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.version = 0
        self.position = 0
        self.size = 0
        self.cards: set[str] = set()
        self.posts: list[Fact] = []
        self._unread: list[Event] = []
        self._held: dict[int, _Held] = {}
        self._reversed: list[LiveLine] = []
        self._payments: dict[tuple[str, str, str], list[LiveLine]] | None = None
        self._workers: dict[str, set[str]] | None = None
        self._counting: Counter[str] = Counter()

    @classmethod
    def of(cls, stream: str, events: Iterable[Event]) -> Remittance:
        """The state after the stream's events."""
        state = cls(stream)
        for event in events:
            state.evolve(event)
        return state

    def evolve(self, event: Event) -> None:
        """Take one more event of the stream."""
        self.version, self.position = event.version, event.position
        lines = getattr(event.fact, "lines", None)
        if lines is not None:
            self.cards.update(lines.kpj)
            self.size += len(lines)
            self.posts.append(event.fact)
            self._unread.append(event)

    def live(self) -> Iterator[LiveLine]:
        """Every line that counts or waits now, in the order they came."""
        self._read()
        return (LiveLine(held.post, place) for held in self._held.values() for place in held.places())

    def line(self, version: int, index: int) -> LiveLine | None:
        """The line that later facts call by this event and number, if it counts or waits now."""
        self._read()
        held = self._held.get(version)
        return LiveLine(held.post, index) if held and 0 <= index < len(held.live) and held.live[index] else None

    @property
    def reversed(self) -> list[LiveLine]:
        """Every line that was taken back, in the order in which that was done."""
        self._read()
        return self._reversed

    def payments(self, segment: str, kind: str, kpj: str) -> Sequence[LiveLine]:
        """A worker's live lines of a kind, oldest first."""
        self._read()
        if self._payments is None:
            self._payments = {}
            for held in self._held.values():
                self._sort_in(self._payments, held.post, held.places())
        return self._payments.get((segment, kind, kpj), ())

    def workers(self, kind: str) -> set[str]:
        """The workers of whom a line of the kind, paid by an employer, counts or waits now."""
        self._read()
        if self._workers is None:
            self._workers = {}
            for held in self._held.values():
                self._name_in(self._workers, held)
        return self._workers.get(kind, set())

    def counting(self, kpj: str) -> int:
        """How many posted lines of a worker carry money: the month counts while there is one."""
        self._read()
        return self._counting[kpj]

    def waiting(self) -> list[LiveLine]:
        """The lines in suspense, in the order they came."""
        return [line for line in self.live() if line.waits]

    def waiting_for(self, reasons: Sequence[str]) -> list[Some]:
        """The lines that wait for one of the reasons, by event."""
        self._read()
        found = []
        for post, live in self._held.values():
            if isinstance(post.lines, SuspendedLines):
                meant = [reason in reasons for reason in post.lines.column("reason")]
                places = [place for place, counts in enumerate(map(and_, live, meant)) if counts]
                found += [Some(post, places)] if places else []
        return found

    def _read(self) -> None:
        if not self._unread:
            return
        unread, self._unread = self._unread, []
        for event in unread:
            fact = event.fact
            if isinstance(fact, ContributionsReversed):
                taken = map(self._take, fact.lines.column("event"), fact.lines.column("line"))
                self._reversed += [one for one in taken if one is not None]
            elif isinstance(fact, ContributionsPosted | LinesSuspended | SuspenseReleased):
                self._add(event, fact)

    def _add(self, event: Event, fact: ContributionsPosted | LinesSuspended | SuspenseReleased) -> None:
        under = Under(fact.kind, fact.paid_on, fact.reference, fact.division, fact.segment)
        lines = fact.lines
        requests: list[str] = []
        if isinstance(lines, ReleasedLines):
            before = map(self._take, lines.column("event"), lines.column("line"))
            # A released line still belongs to the upload that brought its money.
            requests = [one.request if one else event.request for one in before]
        rules = None if isinstance(fact, LinesSuspended) else fact.rules
        post = Post(event.version, fact.month, under, lines, rules, event.request, requests)
        held = self._held[event.version] = _Held(post, bytearray(b"\1") * len(lines))
        if self._workers is not None:
            self._name_in(self._workers, held)
        if self._payments is not None:
            self._sort_in(self._payments, post, range(len(lines)))
        if not isinstance(lines, SuspendedLines):
            paid = map(add, lines.column("employer"), lines.column("worker"))
            self._counting.update(compress(lines.kpj, paid))

    @staticmethod
    def _sort_in(payments: dict[tuple[str, str, str], list[LiveLine]], post: Post, places: Iterable[int]) -> None:
        segment, kind, cards = post.under.segment, post.under.kind, post.lines.kpj
        for place in places:
            payments.setdefault((segment, kind, cards[place]), []).append(LiveLine(post, place))

    @staticmethod
    def _name_in(workers: dict[str, set[str]], held: _Held) -> None:
        if not held.post.under.segment:
            workers.setdefault(held.post.under.kind, set()).update(compress(held.post.lines.kpj, held.live))

    def _take(self, version: int, index: int) -> LiveLine | None:
        one = self.line(version, index)
        if one is not None:
            self._held[version].live[index] = 0
            self._payments = self._workers = None
            if one.counts:
                self._counting[one.kpj] -= 1
        return one


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
                    "held": _described(same[1], same[0]), "sent": _described(content, under),
                }  # fmt: skip
                decision.conflicts.append(Problem("line-conflict", one.file_line, "", details))
            continue
        part = _free_part([held[2] for held in there])
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
    for (under, rule), lines in _together(posts):
        decision.facts.append(_posted(month, under, RuleIds(rule), Lines.of(lines)))
    for (under, _), waiting in _together(suspends):
        decision.facts.append(LinesSuspended(month=month, **under._asdict(), lines=SuspendedLines.of(waiting)))
    decision.posted, decision.suspended = len(posts), len(suspends)
    return decision


def _same_payment(one: Under, other: Under) -> bool:
    return one.paid_on == other.paid_on and same_reference(one.reference) == same_reference(other.reference)


def _free_part(used: Sequence[int]) -> int:
    """The first part number that no live line has: one that was reversed may be used again."""
    return next(part for part in range(len(used) + 1) if part not in used)


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


class Release(NamedTuple):
    """Waiting lines of one event that post now under one rule, into an epoch of their cards. `kpj`: the card they go to
    where that is not the one they waited for."""

    post: Post
    places: Sequence[int]
    rules: RuleIds
    epoch: int = 0
    kpj: str = ""


def release(state: Remittance, releases: Sequence[Release]) -> list[Fact]:
    """The facts that post waiting lines, with their own paid dates. A line keeps its part, unless it goes to another card:
    there it is the next payment of its kind."""
    paid: set[str] = set()
    moved: dict[tuple[str, str, str], list[int]] = {}
    facts: list[Fact] = []
    for (under, rules), some in _gathered(((one.post.under, one.rules), one) for one in releases):
        columns = _named(some)
        waited = columns["kpj"]
        sizes = [(one, len(one.places)) for one in some]
        columns["epoch"] = [one.epoch for one, size in sizes for _ in range(size)]
        other = [one.kpj for one, size in sizes for _ in range(size)]
        columns["kpj"] = kpjs = [to or kpj for to, kpj in zip(other, waited, strict=True)]
        columns["waited_as"] = ["" if kpj == before else before for kpj, before in zip(kpjs, waited, strict=True)]
        for number, before in enumerate(columns["waited_as"]):
            if before:
                # The other card may have a payment of that part already.
                key = (under.segment, under.kind, kpjs[number])
                used = moved.setdefault(key, [held.part for held in state.payments(*key)])
                columns["part"][number] = _free_part(used)
                used.append(columns["part"][number])
        columns["months"] = months = []
        for kpj, employer, worker in zip(kpjs, columns["employer"], columns["worker"], strict=True):
            months.append(int(kpj not in paid and not state.counting(kpj) and employer + worker > 0))
            paid.add(kpj)
        facts += [
            SuspenseReleased(month=some[0].post.month, **under._asdict(), rules=rules, lines=ReleasedLines.made(**part))
            for part in _cut(columns)
        ]
    return facts


def reverse(state: Remittance, taken: Sequence[LiveLine]) -> list[Fact]:
    """The facts that neutralise live lines of the stream, posted or waiting."""
    left: dict[str, int] = {}
    facts: list[Fact] = []
    for (under,), some in _gathered(((one.post.under,), one) for one in by_event(taken)):
        columns = _named(some)
        waits = [isinstance(one.post.lines, SuspendedLines) for one in some for _ in one.places]
        columns["suspended"] = waits
        columns["months"] = months = []
        for kpj, employer, worker, waiting in zip(
            columns["kpj"], columns["employer"], columns["worker"], waits, strict=True
        ):
            if waiting or employer + worker <= 0:
                months.append(0)
                continue
            left[kpj] = left.get(kpj, state.counting(kpj)) - 1
            months.append(0 if left[kpj] else -1)
        facts += [
            ContributionsReversed(month=some[0].post.month, **under._asdict(), lines=ReversedLines.made(**part))
            for part in _cut(columns)
        ]
    return facts


def by_event(lines: Iterable[LiveLine]) -> list[Some]:
    """Lines of one event that follow each other, together."""
    return [Some(post, [one.index for one in some]) for post, some in groupby(lines, key=attrgetter("post"))]


def columns_of(given: Iterable[Some | Release]) -> dict[str, list[Any]]:
    """What later facts repeat of live lines, as columns."""
    columns: dict[str, list[Any]] = {name: [] for name in REPEATED}
    for one in given:
        whole = list(one.places) == list(range(len(one.post.lines)))
        for name in REPEATED:
            values = one.post.lines.column(name)
            columns[name].extend(values if whole else [values[place] for place in one.places])
    return columns


def _named(given: Sequence[Some | Release]) -> dict[str, list[Any]]:
    """What later facts repeat of live lines, and what they call them by."""
    versions = [one.post.version for one in given for _ in one.places]
    return columns_of(given) | {"event": versions, "line": [place for one in given for place in one.places]}


def _cut(columns: dict[str, list[Any]]) -> Iterator[dict[str, list[Any]]]:
    """Columns of at most LINES_AN_EVENT lines."""
    for start in range(0, len(columns["kpj"]), LINES_AN_EVENT):
        yield {name: column[start : start + LINES_AN_EVENT] for name, column in columns.items()}


def events(
    state_version: int, stream: str, facts: Sequence[Fact], by: str, channel: str, request: str, reason: str
) -> list[Event]:
    """The facts as the stream's next events."""
    return [
        Event(
            stream=stream, version=state_version + number, fact=fact, by=by, channel=channel,
            reason=reason, request=request,
        )
        for number, fact in enumerate(facts, 1)
    ]  # fmt: skip


K = TypeVar("K", bound=tuple[Any, ...])


def _together(lines: list[tuple[K, R]]) -> Iterator[tuple[K, list[R]]]:
    """Lines gathered under what they have in common, at most LINES_AN_EVENT together."""
    for key, together in _gathered(lines):
        for start in range(0, len(together), LINES_AN_EVENT):
            yield key, together[start : start + LINES_AN_EVENT]


def _gathered(given: Iterable[tuple[K, R]]) -> Iterator[tuple[K, list[R]]]:
    """Everything that has one key together; keys in an order of their own, whatever came first."""
    found: dict[K, list[R]] = {}
    for key, one in given:
        found.setdefault(key, []).append(one)
    yield from sorted(found.items(), key=lambda pair: msgspec.json.encode(pair[0])) if len(found) > 1 else found.items()
