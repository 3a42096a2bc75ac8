"""Keeping the live projections up to date: read a page after the position, fold it, write rows and position together.

One follower at a time, by a lease that ends with its process. It looks at the log's head every 20 ms, or at once when it
is woken, and says at least once a second which head it has reached, so an idle log stays fresh.

An event that cannot be applied is never skipped silently: the accounts it names are marked incomplete in the same
transaction that passes it, answers about them become an error, and everybody else goes on. A rebuild that can apply the
event starts without the mark.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from ledger.clock import read_now
from ledger.errors import JhtError, Refused, Unavailable
from ledger.identifiers import card_number, clean_kpj, payer_of
from ledger.store import account_index
from ledger.store.codec import StoredRow, recorded_at_of
from ledger.store.database import Transaction
from ledger.store.log import Log, fingerprint_of, iso
from projections import balances, directory, entries
from projections.condition import RESTORED, condition, indexes, shape, tables
from projections.event_batch import MONEY, PEOPLE, SCHEME, WAITING, Broken, EventBatch, light, read_batch
from projections.generations import NAMES, Generation, Heartbeat, Overtaken, Pointers, Position, Store, advance

POLL_SECONDS = 0.02
BREATH_SECONDS = 0.05
"""After events were applied: many small commits then share one page, and the log's own writes keep the disk."""
BEAT_EVERY = timedelta(seconds=1)
RETRY_SECONDS = 1.0
_UNREACTED = 10_000
PAGE_EVENTS = 2_000
_FIRST_PAGE = 100
_APPLY = {"balances": balances.apply, "entries": entries.apply, "directory": directory.apply}


def _apart(later: str, earlier: str) -> bool:
    """Whether two moments (either may be missing) are a beat or more apart, in either direction: a sign of life from
    the future would otherwise stand until the clock has come to it."""
    if not later or not earlier:
        return False
    return abs(datetime.fromisoformat(later) - datetime.fromisoformat(earlier)) >= BEAT_EVERY


def concerns(name: str, broken: Broken) -> bool:
    """Whether a projection would have needed this event; a name nobody knows may have concerned any."""
    if broken.name in SCHEME:
        return name == "balances"
    if broken.name in WAITING:
        return name == "entries"
    if broken.name in MONEY or broken.name in PEOPLE:
        return broken.name in (PEOPLE if name == "directory" else MONEY)
    return True


def named_cards(log: Log, stream: str) -> list[int]:
    """The cards that an event of this stream may concern: its own, a person's, or those of everybody who ever worked for
    the payer. An employer's, a member's access and a request name no card: no fold of a card reads them."""
    kind, _, rest = stream.partition(":")
    if kind == "person":
        with log.database.read() as tx:
            return account_index.held_by(tx, rest)
    kpj = clean_kpj(rest.partition(":")[0])
    if kind in ("account", "remittance-p") and kpj:
        return [card_number(kpj)]
    if kind != "remittance-e":
        return []
    with log.database.read() as tx:
        return account_index.paid_by(tx, payer_of(stream))


def mark(log: Log, tx: Transaction, generation: Generation, broken: Sequence[Broken]) -> str:
    """Mark the accounts that unappliable events name; what to tell about the last of them ('' when none)."""
    error = ""
    for one in broken:
        if not concerns(generation.name, one):
            continue
        cards = named_cards(log, one.stream)
        tx.insert(
            f"{generation.table}_incomplete",
            {"card": cards, "since": [one.position] * len(cards)},
            "bigint bigint",
            "on conflict (card) do nothing",
        )
        tx.run(
            f"insert into {generation.table}_broken values (?, ?, ?) on conflict do nothing",
            [one.position, one.stream, f"{one.what} in {one.name}"],
        )
        error = f"{one.what} in {one.name} at {one.position}"
    return error


def apply_page(
    log: Log, tx: Transaction, generation: Generation, page: EventBatch, was: Position, now: datetime
) -> Position:
    """Write a page's rows and the new position. Raises Overtaken when the generation is not at `was` any more."""
    late = _APPLY[generation.name](tx, generation, page)
    error = mark(log, tx, generation, page.broken + (late or []))
    last = page.last
    reached = Position(
        last.position, fingerprint_of(last), recorded_at_of(last.state), iso(now), was.log_id, error or was.error
    )
    advance(tx, generation, was.position, reached)
    return reached


def catch_up(log: Log, store: Store, generation: Generation, upto: int, now: Callable[[], datetime] = read_now) -> int:
    """Bring one generation to the last event at or before `upto`; the number of events applied."""
    database, applied = store.database(generation), 0
    while True:
        was = store.position(generation)
        rows = light(read_after(log, was, PAGE_EVENTS // 4, upto)) if was.position < upto else []
        if not rows:
            return applied
        page = page_for(generation.name, rows)
        with database.write() as tx:
            apply_page(log, tx, generation, page, was, now())
        applied += len(rows)


def read_after(log: Log, was: Position, limit: int, upto: int) -> list[StoredRow]:
    """The rows after a position, read together with the one that stands there.

    Raises Unavailable(log-restored) when that is another event than the one whose rows were written.
    """
    if not was.position:
        return log.read(0, limit, upto)
    rows = log.read(was.position - 1, limit + 1, upto)
    if not rows or rows[0].position != was.position or fingerprint_of(rows[0]) != was.fingerprint:
        raise Unavailable("log-restored")
    return rows[1:]


def page_for(name: str, rows: Sequence[StoredRow]) -> EventBatch:
    """The page of rows with what one projection needs of it."""
    return read_batch(rows, money=name != "directory", people=name == "directory")


class Projector:
    """Keeps the live generations of all projections at the head of the log.

    `page` is the most events a page has. `reactions` are called with the stored rows of each page after it was
    written. They must be idempotent: after a failure they see rows again, and after a crash they may not see the last
    page at all.
    """

    def __init__(
        self,
        log: Log,
        store: Store,
        *,
        now: Callable[[], datetime] = read_now,
        page: int = PAGE_EVENTS,
        reactions: Sequence[Callable[[list[StoredRow]], None]] = (),
    ) -> None:
        self.log, self.store, self.now, self.page = log, store, now, page
        self.reactions = list(reactions)
        self._events = min(_FIRST_PAGE, page)
        self._woken = threading.Event()
        self._at: dict[Generation, Position] = {}
        self._pointers = Pointers(-1, {}, {})
        self._beat = Heartbeat(0, "", "", "")
        self._unreacted: dict[int, list[StoredRow]] = {}
        self._reaction_error = ""
        self._verified_at = ""

    def wake(self) -> None:
        """Look at the log now: something was appended in this process."""
        self._woken.set()

    def run_once(self) -> int:
        """Bring everything to the head as it is now; the number of events applied.

        Raises Refused(follower-elsewhere), Unavailable(log-restored).
        """
        with self.store.lease("follow", "follower-elsewhere"):
            self._start()
            return self._to_head(threading.Event())

    def run(self, stop: threading.Event) -> None:
        """Follow until `stop` is set. A store that fails for a while is tried again, a second apart.

        Raises Refused: follower-elsewhere at once when another follower runs, or when the lease was lost to one;
        program-too-old, upgrade-needed.
        """
        with self.store.lease("follow", "follower-elsewhere") as lease:
            started = False
            while not stop.is_set():
                try:
                    lease.check()
                    if not started:
                        self._start()
                        started = True
                    pause = BREATH_SECONDS if self._to_head(stop) else POLL_SECONDS
                except Refused:
                    # The lease is somebody else's, or this program is too old: nothing that a second try would mend.
                    raise
                except Overtaken:
                    self._at.clear()
                    pause = POLL_SECONDS
                except JhtError as error:
                    started = False
                    self._complain(error)
                    pause = RETRY_SECONDS
                if pause and not stop.is_set():
                    self._woken.wait(pause)
                    self._woken.clear()

    def _start(self) -> None:
        """Look at everything once: what is not there, or cannot be read, is made again from the log's beginning.

        Raises Unavailable(log-restored).
        """
        self._at.clear()
        self._verified_at = ""
        self._beat = self.store.heartbeat()
        pointers = self.store.pointers()
        found = {name: condition(self.log, self.store, live) for name, live in pointers.live.items()}
        if any(word in RESTORED for word in found.values()):
            raise Unavailable("log-restored")
        for name in NAMES:
            if found.get(name, "missing"):
                self._begin_generation(name, pointers.live.get(name))
        self._pointers = self.store.pointers()
        self._beat = self.store.heartbeat()

    def _begin_generation(self, name: str, instead_of: Generation | None) -> None:
        """An empty generation for a projection that has none, or none that can be used: following it from zero is slow
        but right."""
        with self.store.lease(f"rebuild-{name}", "rebuild-elsewhere"):
            pointers = self.store.pointers()
            if pointers.live.get(name) != instead_of:
                return
            kept = pointers.previous.get(name)
            numbers = [0]
            for leftover in self.store.generations(name):
                numbers.append(leftover.number)
                if leftover not in (instead_of, kept):
                    self.store.drop(leftover)
            made = self.store.generation(name, max(*numbers, instead_of.number if instead_of else 0) + 1)
            dialect = self.store.pointers_database.dialect
            ddl = f"{tables(made, dialect)};{indexes(made, dialect)}"
            self.store.create(made, self.log.log_id, ddl, shape(name, dialect))
            self.store.swap(made, kept.number if kept else 0, unconfirmed=True)
            if instead_of is not None:
                self.store.drop(instead_of)

    def _to_head(self, stop: threading.Event) -> int:
        """Apply pages until the head as it is now is reached, or `stop` is set; the number of events."""
        seen_at, head = self.now(), self.log.head()
        applied = 0
        self._verify(seen_at)
        if not self._at or min(self._positions().values()) != head:
            while not stop.is_set() and (count := self._page(head)):
                applied += count
                self._tell(Heartbeat(head, self._beat.confirmed_at, iso(self.now()), self._error()))
        if not stop.is_set():
            self._tell(Heartbeat(head, iso(seen_at), iso(seen_at), self._error()))
        return applied

    def _verify(self, now: datetime) -> None:
        """Once a beat: the log still holds the events that were applied last.

        Raises Unavailable(log-restored).
        """
        if self._verified_at and not _apart(iso(now), self._verified_at):
            return
        for at in {(position.position, position.fingerprint) for position in self._at.values()}:
            if self.log.fingerprint_at(at[0]) != at[1]:
                raise Unavailable("log-restored")
        self._verified_at = iso(now)

    def _positions(self) -> dict[Generation, int]:
        return {generation: self._at[generation].position for generation in self._pointers.live.values()}

    def _page(self, head: int) -> int:
        """Apply the next page to every generation that is furthest behind; the number of events."""
        pointers = self.store.pointers()
        if pointers.stamp != self._pointers.stamp:
            self._at.clear()
        self._pointers = pointers
        for generation in pointers.live.values():
            if generation not in self._at:
                self._at[generation] = self.store.position(generation)
                if self._at[generation].log_id != self.log.log_id:
                    del self._at[generation]
                    raise Unavailable("log-restored")
        positions = self._positions()
        start = min(positions.values())
        if max(positions.values()) > head and max(positions.values()) > self.log.head():
            # The log is shorter than what was made from it: an older copy was put back.
            raise Unavailable("log-restored")
        if start >= head:
            return 0
        behind = [pointers.live[name] for name in NAMES if positions[pointers.live[name]] == start]
        upto = min([head, *(p for p in positions.values() if p > start)])
        rows = self._next_rows(self._at[behind[0]], upto)
        page = read_batch(rows)
        now = self.now()
        for _, together in groupby(behind, key=lambda generation: id(self.store.database(generation))):
            generations = list(together)
            with self.store.database(generations[0]).write() as tx:
                reached = {g: apply_page(self.log, tx, g, page, self._at[g], now) for g in generations}
            self._at.update(reached)
        self._react(rows)
        return len(rows)

    def _next_rows(self, start: Position, upto: int) -> list[StoredRow]:
        """The next page: more events while they are small, fewer when they are heavy."""
        found = read_after(self.log, start, self._events, upto)
        rows = light(found)
        if len(rows) < len(found):
            self._events = max(len(rows), min(_FIRST_PAGE, self.page))
        elif len(found) == self._events:
            self._events = min(2 * self._events, self.page)
        return rows

    def _react(self, rows: list[StoredRow]) -> None:
        """Call the reactions. One that fails does not stop the read side: it gets the rows again with the next page."""
        for reaction in self.reactions:
            due = self._unreacted.pop(id(reaction), []) + rows
            try:
                reaction(due)
            except Exception as error:
                self._unreacted[id(reaction)] = due[-_UNREACTED:]
                self._reaction_error = f"{type(error).__name__} in a reaction at {due[-1].position}"
            else:
                self._reaction_error = ""

    def _tell(self, heartbeat: Heartbeat) -> None:
        """Write a sign of life, at most once a second; the first confirmation and a new error at once."""
        last = self._beat
        due = (
            not last.beat_at
            or bool(heartbeat.confirmed_at) > bool(last.confirmed_at)
            or heartbeat.error != last.error
            or _apart(heartbeat.beat_at, last.beat_at)
            or _apart(heartbeat.confirmed_at, last.confirmed_at)
        )
        if due and heartbeat != last:
            self.store.record_beat(heartbeat)
            self._beat = heartbeat

    def _error(self) -> str:
        return self._reaction_error or next((p.error for p in self._at.values() if p.error), "")

    def _complain(self, error: JhtError) -> None:
        """Leave the failure where `status` finds it, when the store still takes it."""
        self._beat = self._beat._replace(beat_at=iso(self.now()), error=error.code)
        try:
            self.store.record_beat(self._beat)
        except JhtError:
            return
