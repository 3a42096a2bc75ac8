"""Building projections again from zero, proving the outcome equal to what is served, and swapping.

1. Fold the log up to where the live generation stands into a new generation, in bulk.
2. Hold the live generation still for a moment, bring the new one to exactly its position, and compare row by row.
3. Not equal: keep what is served and say where they differ, unless the differences are accepted. Equal: catch up with the
   log, then, with the old generation held still, pass it and swap the pointer. So a served position never goes back.

The generation that was served is kept for `undo`; older ones go. Only the pointer decides what is served and it moves in
one transaction: killed anywhere, what is served is wholly old or wholly new, and the next rebuild removes leftovers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import NamedTuple

from ledger.clock import read_now
from ledger.errors import Conflict, Refused, StoreFailed, Unavailable
from ledger.store.codec import recorded_at_of
from ledger.store.database import Transaction
from ledger.store.log import Log, fingerprint_of, iso
from projections.compare import Comparison, compare, count, snapshots
from projections.condition import condition, shape, tables
from projections.folding import Folded, Task, fold_log
from projections.generations import NAMES, Generation, Position, Store, advance, position_in
from projections.projector import catch_up, mark


class Rebuilt(NamedTuple):
    """One projection's outcome. `compared` is None when nothing comparable was served."""

    generation: Generation
    position: int
    rows: int
    compared: Comparison | None
    switched: bool


class Report(NamedTuple):
    """A rebuild: what it folded, how long that took (seconds, comparison not included), and each projection's outcome."""

    events: int
    lines: int
    folding_seconds: float
    seconds: float
    projections: list[Rebuilt]
    broken: list[str]

    @property
    def lines_a_second(self) -> float:
        return self.lines / self.folding_seconds if self.folding_seconds else 0.0


class RebuildDiffers(Conflict):
    """The rebuilt rows are not the served ones; nothing was switched. `report` says where they differ."""

    def __init__(self, report: Report) -> None:
        rows = sum(one.compared.differing for one in report.projections if one.compared)
        super().__init__("rebuild-differs", rows=rows)
        self.report = report


class Progress(NamedTuple):
    """How far along the log a fold is, of `total` positions, and the lines it found."""

    position: int
    total: int
    lines: int
    lines_a_second: float


def rebuild(
    log: Log,
    store: Store,
    names: Sequence[str] = NAMES,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    accept_differences: bool = False,
) -> Report:
    """Build projections again and serve the new generations; see the module.

    What is served now and is not there, cannot be read, or was made from another log is compared with nothing.
    Raises RebuildDiffers, Refused(projection-unknown, rebuild-elsewhere), StoreFailed, and Unavailable(log-restored) when
    the log was put back and still has the id of before: then `jht renew-log-id` comes first.
    """
    names = known(names)
    started = monotonic()
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(store.lease(f"rebuild-{name}", "rebuild-elsewhere")) for name in sorted(names)]
        pointers = store.pointers()
        for name in names:
            remove_leftovers(store, name)
        live = _comparable(log, store, {name: pointers.live[name] for name in names if name in pointers.live})
        made = {name: store.generation(name, _next_number(store, name)) for name in names}
        upto = min([log.head(), *(store.position(generation).position for generation in live.values())])
        try:
            folded = _build(log, store, made, upto, _watch(on_progress, upto, started))
            folding = monotonic() - started
            outcomes = {name: _compared(log, store, live, made[name]) for name in names}
            for lease in held:
                lease.check()
        except BaseException:
            for generation in made.values():
                store.drop(generation)
            raise
        differs = any(found is not None and found.differing for found in outcomes.values())
        switch = accept_differences or not differs
        results = []
        for name in names:
            generation = made[name]
            if switch:
                catch_up(log, store, generation, log.head())
                _serve(log, store, live.get(name), generation)
                remove_leftovers(store, name)
            position, rows = _size(store, generation)
            results.append(Rebuilt(generation, position, rows, outcomes[name], switch))
            if not switch:
                store.drop(generation)
    broken = [f"{one.what} in {one.name} at {one.position}" for one in folded.broken]
    report = Report(folded.events, folded.lines, folding, monotonic() - started, results, broken)
    if not switch:
        raise RebuildDiffers(report)
    return report


def undo(log: Log, store: Store, name: str) -> Generation:
    """Serve the generation before the present one again, caught up first; the present one is kept to go back to.

    Raises Refused(projection-unknown, rebuild-nothing-to-undo, rebuild-elsewhere).
    """
    known([name])
    with store.lease(f"rebuild-{name}", "rebuild-elsewhere") as lease:
        pointers = store.pointers()
        earlier = pointers.previous.get(name)
        if earlier is None or condition(log, store, earlier):
            raise Refused("rebuild-nothing-to-undo", name=name)
        live = _comparable(log, store, {name: pointers.live[name]}).get(name)
        catch_up(log, store, earlier, log.head())
        lease.check()
        _serve(log, store, live, earlier)
        return earlier


def known(names: Sequence[str]) -> list[str]:
    """The names in the order of NAMES. Raises Refused(projection-unknown)."""
    for name in names:
        if name not in NAMES:
            raise Refused("projection-unknown", name=name, known=", ".join(NAMES))
    return [name for name in NAMES if name in names]


def remove_leftovers(store: Store, name: str) -> None:
    """Drop every generation that is neither served nor kept to go back to. The caller holds the rebuild's lease."""
    pointers = store.pointers()
    kept = {pointers.live.get(name), pointers.previous.get(name)}
    for generation in store.generations(name):
        if generation not in kept:
            store.drop(generation)


def _comparable(log: Log, store: Store, live: dict[str, Generation]) -> dict[str, Generation]:
    """Those that say something about this log; one that was made but never followed does not.

    Raises Unavailable(log-restored).
    """
    found = {}
    for name, generation in live.items():
        word = condition(log, store, generation)
        if word == "restored":
            raise Unavailable("log-restored")
        if not word and store.position(generation).position > 0:
            found[name] = generation
    return found


def _next_number(store: Store, name: str) -> int:
    return max((generation.number for generation in store.generations(name)), default=0) + 1


def _watch(on_progress: Callable[[Progress], None] | None, upto: int, started: float) -> Callable[[Folded], None]:
    def tell(folded: Folded) -> None:
        if on_progress is not None:
            rate = folded.lines / max(monotonic() - started, 0.001)
            on_progress(Progress(folded.position, upto, folded.lines, rate))

    return tell


def _build(
    log: Log, store: Store, made: dict[str, Generation], upto: int, progress: Callable[[Folded], None]
) -> Folded:
    """Fold the log up to a position into new generations; durable when it returns."""
    with contextlib.ExitStack() as stack:
        transactions = _new_tables(log, store, list(made.values()), stack)
        folded = fold_log(log, Task(upto, made, transactions), progress)
        last = log.read(upto - 1, 1, upto) if upto else []
        for name, generation in made.items():
            tx = transactions[name]
            error = mark(log, tx, generation, folded.broken)
            if last:
                row, now = last[0], iso(read_now())
                recorded_at = recorded_at_of(row.state)
                reached = Position(row.position, fingerprint_of(row), recorded_at, now, log.log_id, error)
                advance(tx, generation, 0, reached)
    for generation in made.values():
        store.place.settle(generation)
    return folded


def _new_tables(
    log: Log, store: Store, made: Sequence[Generation], stack: contextlib.ExitStack
) -> dict[str, Transaction]:
    """Make the generations' tables and give the transactions that fill them.

    Each has its own, so that two can be filled side by side.
    """
    transactions: dict[str, Transaction] = {}
    databases = [stack.enter_context(store.place.loading(generation)) for generation in made]
    for generation, database in zip(made, databases, strict=True):
        ddl = tables(generation, store.dialect)
        store.create(generation, log.log_id, ddl, shape(generation.name, store.dialect), database=database)
    for generation, database in zip(made, databases, strict=True):
        tx = transactions[generation.name] = stack.enter_context(database.write())
        store.place.hasten(tx)
    return transactions


@contextlib.contextmanager
def _held_still(store: Store, generation: Generation) -> Iterator[Position]:
    """Nobody moves the generation inside the block."""
    with store.database(generation).write() as tx:
        yield position_in(tx, generation, lock=True)


def _compared(log: Log, store: Store, served: dict[str, Generation], made: Generation) -> Comparison | None:
    """Bring the new generation to exactly the live one's position and compare; None when there is nothing to compare
    with. A file that turns out to be torn is forgotten: it is what the rebuild replaces."""
    live = served.get(made.name)
    if live is None:
        return None
    try:
        catch_up(log, store, made, store.position(live).position)
        with contextlib.ExitStack() as stack:
            with _held_still(store, live) as held:
                catch_up(log, store, made, held.position)
                seen = stack.enter_context(snapshots(store, live, made))
            # Both stood at one position when the snapshots were taken; the follower may go on.
            return compare(seen, live, made)
    except StoreFailed as error:
        if error.code != "store-damaged":
            raise
        del served[made.name]
        return None


def _serve(log: Log, store: Store, live: Generation | None, made: Generation) -> None:
    """Swap the pointer to `made`, no further behind than what was served."""
    if live is None:
        store.swap(made, 0)
        return
    with _held_still(store, live) as held:
        catch_up(log, store, made, held.position)
        store.swap(made, live.number)


def _size(store: Store, generation: Generation) -> tuple[int, int]:
    with store.database(generation).read() as tx:
        return position_in(tx, generation).position, count(tx, generation)
