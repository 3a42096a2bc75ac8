"""What becomes of lines that are there: waiting ones are released, any are taken back by name."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.decisions.remittance.facts import cut, free_part, gathered
from ledger.decisions.remittance.lines import LiveLine, Release, by_event, named
from ledger.decisions.remittance.state import Remittance
from ledger.events import ContributionsReversed, Fact, ReleasedLines, ReversedLines, SuspendedLines, SuspenseReleased


def release(state: Remittance, releases: Sequence[Release]) -> list[Fact]:
    """The facts that post waiting lines, with their own paid dates. A line keeps its part, unless it goes to another card:
    there it is the next payment of its kind."""
    paid: set[str] = set()
    moved: dict[tuple[str, str, str], list[int]] = {}
    facts: list[Fact] = []
    for (under, rules), some in gathered(((one.post.under, one.rules), one) for one in releases):
        columns = named(some)
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
                columns["part"][number] = free_part(used)
                used.append(columns["part"][number])
        columns["months"] = months = []
        for kpj, employer, worker in zip(kpjs, columns["employer"], columns["worker"], strict=True):
            months.append(int(kpj not in paid and not state.counting(kpj) and employer + worker > 0))
            paid.add(kpj)
        facts += [
            SuspenseReleased(month=some[0].post.month, **under._asdict(), rules=rules, lines=ReleasedLines.made(**part))
            for part in cut(columns)
        ]
    return facts


def reverse(state: Remittance, taken: Sequence[LiveLine]) -> list[Fact]:
    """The facts that neutralise live lines of the stream, posted or waiting."""
    left: dict[str, int] = {}
    facts: list[Fact] = []
    for (under,), some in gathered(((one.post.under,), one) for one in by_event(taken)):
        columns = named(some)
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
            for part in cut(columns)
        ]
    return facts
