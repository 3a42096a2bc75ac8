"""The loop that tells: it reads what was posted after its place, keeps what is to be told, and turns it into letters.

Its place stands in the log's database, apart from every read model: a rebuild does not know it, and a restored log has the
place of its own time. The first run begins at the head, so that history is never told; and so does a run that finds
another event at its place than it left there. What a page brings is kept in the transaction that moves the place: a kill
anywhere loses nothing and keeps nothing twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import structlog

from ledger.clock import jakarta_date, read_now
from ledger.errors import JhtError, Refused
from ledger.members import Members
from ledger.members.state import POSTED
from ledger.quiet_hours import QuietHours
from ledger.store import notices
from ledger.store.log import Log, fingerprint_of
from ledger.store.notices import Place
from ledger.store.vault import Vault
from projections.event_batch import light
from projections.generations import Store
from projections.notices import posted
from projections.notices.missing import Looker, first_look
from projections.notices.telling import Teller
from projections.notices.truth import Looked
from projections.queries import Queries

PAGE_EVENTS = 20
"""At most 20,000 lines: on SQLite nobody appends while what they bring is kept."""
POLL_SECONDS = 1.0


class NoticeFollower:
    """Tells what members chose to be told. One runs at a time, by a lease."""

    def __init__(self, log: Log, store: Store, vault: Vault, now: Callable[[], datetime] = read_now) -> None:
        self.log, self.store, self.now = log, store, now
        self._reader = Queries(log, store)
        self.teller = Teller(Members.open(log, vault), self._reader)
        self._looker = Looker(log, self.teller.truth, self._reader)
        self._quiet = QuietHours.of(log.settings.quiet_hours)
        self._checked = False

    def close(self) -> None:
        """Give back what it reads with."""
        self._reader.close()

    def run(self, stop: threading.Event) -> None:
        """Follow until `stop` is set, as soon as no other process does; a store that fails for a while is tried again.

        Raises Refused: program-too-old, upgrade-needed.
        """
        while not stop.is_set():
            try:
                self._run(stop)
            except Refused as refused:
                if refused.code != "follower-elsewhere":
                    raise
                stop.wait(POLL_SECONDS)

    def _run(self, stop: threading.Event) -> None:
        with self.store.lease("notices", "follower-elsewhere") as lease:
            failed = ""
            while not stop.is_set():
                try:
                    lease.check()
                    self._to_head(stop)
                    failed = ""
                except Refused:
                    raise
                except JhtError as error:
                    if error.code != failed:
                        structlog.get_logger().error("notices-failed", code=error.code)
                    failed = error.code
                stop.wait(POLL_SECONDS)

    def run_once(self) -> None:
        """Everything up to the head as it is now. Raises Refused(follower-elsewhere) and what the store raises."""
        with self.store.lease("notices", "follower-elsewhere"):
            self._to_head(threading.Event())

    def _to_head(self, stop: threading.Event) -> None:
        head = self.log.head()
        while not stop.is_set() and self._page(head):
            pass
        while not stop.is_set() and (looked := self._looker.step(self.now())):
            self.teller.wake()
            self._tell(stop, looked)
        self._tell(stop)

    def _tell(self, stop: threading.Event, looked: Looked | None = None) -> None:
        now = self.now()
        while not stop.is_set() and not self._quiet.covers(now) and self.teller.tell_some(now, looked):
            now = self.now()

    def _page(self, head: int) -> bool:
        """Keep what one page brings and move the place; whether there may be more."""
        with self.log.database.read() as tx:
            was = notices.place(tx)
            wanted = notices.is_any(tx, POSTED)
        if was is None or not self._is_ours(was):
            self._begin(was, head)
            return False
        if was.position >= head:
            return False
        rows = light(self.log.read(was.position, PAGE_EVENTS, head, posted.NAMES)) if wanted else []
        if rows:
            last, fingerprint = rows[-1].position, fingerprint_of(rows[-1])
        else:
            last, fingerprint = head, self.log.fingerprint_at(head) or ""
        lines = posted.told_lines(rows) if rows else None
        with self.log.database.write() as tx:
            if notices.move(tx, was, was._replace(position=last, fingerprint=fingerprint)) and lines is not None:
                found = posted.waiting(tx, lines)
                notices.put_waiting(tx, found)
                if found:
                    self.teller.wake()
        return bool(rows)

    def _is_ours(self, was: Place) -> bool:
        """Whether the log still holds the event that the place was left at; asked once, the log only grows."""
        if not self._checked:
            self._checked = self.log.fingerprint_at(was.position) == was.fingerprint
        return self._checked

    def _begin(self, was: Place | None, head: int) -> None:
        """From the head on, and from the months on that nobody can call missing yet."""
        looked = first_look(self.log, jakarta_date(self.now()))
        begun = Place(head, self.log.fingerprint_at(head) or "", looked, 0, "")
        with self.log.database.write() as tx:
            notices.move(tx, was, begun)
        self._checked = True
