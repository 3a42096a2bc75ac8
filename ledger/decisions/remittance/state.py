"""What a stream holds: which lines count or wait now, who of them, and what was taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from operator import add, and_
from typing import NamedTuple

from ledger.decisions.remittance.lines import LiveLine, Post, Some, Under
from ledger.events import (
    ContributionsPosted,
    ContributionsReversed,
    Event,
    Fact,
    LinesSuspended,
    ReleasedLines,
    SuspendedLines,
    SuspenseReleased,
)


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
