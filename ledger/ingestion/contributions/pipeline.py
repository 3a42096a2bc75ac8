"""The engine: look-ups, decisions, encoding and appends of a large upload overlapped, each chunk one transaction.

The append asks under its lock whether a card changed since the look-up; if so, or if another writer was first with a
stream, the chunk's remittances are looked up and decided again one by one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import numpy as np

from ledger.ingestion.contributions.batch import RemittanceBatch, chunks
from ledger.ingestion.contributions.decide import Decided, decide
from ledger.ingestion.contributions.identity_match import Holders
from ledger.ingestion.contributions.lookup import LookedUp, look_up
from ledger.ingestion.contributions.upload import Upload
from ledger.store.codec import states_of
from ledger.store.handle import handle
from ledger.store.log import Log

Progress = Callable[[int], None]


def told(decided: Decided, positions: Sequence[int]) -> None:
    """Write a durable (or, in a dry run, decided) remittance into its receipt."""
    receipt = decided.batch.upload.receipt
    receipt.appended(positions)
    for problem, verdict in decided.problems:
        receipt.problem(problem, verdict)
    receipt.outcome(decided.outcome)


class Pipeline:
    """Decides and appends chunks. `clock` gives the moment of recording; `holders` compares NIK and name."""

    def __init__(self, log: Log, clock: Callable[[], datetime], holders: Callable[..., Holders] | None = None) -> None:
        self.log, self.clock, self.holders = log, clock, holders

    def run(self, upload: Upload, *, dry_run: bool = False, on_progress: Progress | None = None) -> None:
        """Take a whole upload, its look-ups, decisions and appends overlapped."""
        with (
            ThreadPoolExecutor(2, "look-up") as looking,
            ThreadPoolExecutor(1, "encode") as encoding,
            ThreadPoolExecutor(1, "append") as appending,
        ):
            ahead: deque[tuple[list[RemittanceBatch], Future[LookedUp]]] = deque()
            behind: deque[Future[int]] = deque()
            waiting = chunks(upload)
            while True:
                while len(ahead) < 4 and (parts := next(waiting, None)) is not None:
                    ahead.append((parts, looking.submit(look_up, self.log, parts, self.holders)))
                if not ahead:
                    break
                parts, looked = ahead.popleft()
                found = looked.result()
                decided = decide(parts, found)
                states = encoding.submit(_encoded, decided)
                behind.append(appending.submit(self._write, decided, found.position, states, dry_run))
                while len(behind) > 3 or (behind and behind[0].done()):
                    self._progress(behind.popleft().result(), on_progress)
            for future in behind:
                self._progress(future.result(), on_progress)

    @staticmethod
    def _progress(lines: int, on_progress: Progress | None) -> None:
        if on_progress:
            on_progress(lines)

    def _write(self, decided: list[Decided], position: int, states: Future[list[bytes]], dry_run: bool) -> int:
        self.write(decided, position, states.result(), dry_run=dry_run)
        return sum(one.lines for one in decided)

    def write(
        self,
        decided: list[Decided],
        position: int,
        states: list[bytes] | None = None,
        *,
        dry_run: bool = False,
    ) -> None:
        """Append a decided chunk in one transaction; after a lost race, remittance by remittance."""
        events = [event for one in decided for event in one.events]
        if dry_run or not events:
            for one in decided:
                told(one, [])
            return

        def together() -> None:
            cards = np.concatenate([one.cards for one in decided if one.events])
            positions = self.log.append(
                events, self.clock(), changed_since=position, cards=cards, states=states
            ).positions
            at = 0
            for one in decided:
                told(one, positions[at : at + len(one.events)])
                at += len(one.events)

        handle(together, tries=1, otherwise=lambda: self._write_alone(decided))

    def _write_alone(self, decided: list[Decided]) -> None:
        """Read, decide and append each remittance until nobody interferes."""
        for one in decided:
            told(*handle(lambda one=one: self._again(one)))  # type: ignore[misc]

    def _again(self, one: Decided) -> tuple[Decided, list[int]]:
        """A remittance decided once more on what the store says now, and the positions of its events."""
        part = [RemittanceBatch(one.batch.upload, [one.batch.groups[one.number]])]
        found = look_up(self.log, part, self.holders)
        (again,) = decide(part, found)
        if not again.events:
            return again, []
        appended = self.log.append(again.events, self.clock(), changed_since=found.position, cards=again.cards)
        return again, appended.positions


def _encoded(decided: list[Decided]) -> list[bytes]:
    return states_of(event for one in decided for event in one.events)
