"""The lines of a stream: what those of one event have in common, and those that still count or wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec import Struct

from ledger.events import Lines, ReleasedLines, RuleIds, SuspendedLines
from ledger.money import rupiah

REPEATED = ("kpj", "wage", "back_pay", "employer", "worker", "epoch", "tambahan", "part")
"""What later facts repeat of a line."""


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
        return described(self.content, self.under)


def described(content: Content, under: Under) -> str:
    shares = f"{rupiah(content.employer)} + {rupiah(content.worker)}"
    return f"{shares} ({rupiah(content.wage)}, {under.paid_on}, {under.reference or '-'})"


class Some(NamedTuple):
    """Lines of one event, by their numbers in it."""

    post: Post
    places: Sequence[int]


class Release(NamedTuple):
    """Waiting lines of one event that post now under one rule, into an epoch of their cards. `kpj`: the card they go to
    where that is not the one they waited for."""

    post: Post
    places: Sequence[int]
    rules: RuleIds
    epoch: int = 0
    kpj: str = ""


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


def named(given: Sequence[Some | Release]) -> dict[str, list[Any]]:
    """What later facts repeat of live lines, and what they call them by."""
    versions = [one.post.version for one in given for _ in one.places]
    return columns_of(given) | {"event": versions, "line": [place for one in given for place in one.places]}
