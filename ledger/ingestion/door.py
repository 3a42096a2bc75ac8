"""The one engine behind every door: command line, HTTP, files and bodies all come through here.

Small contribution uploads of concurrent callers are committed together: a writer takes all that wait, looks them up
in one set of queries and appends them in one transaction. Each upload still has its own header and receipt, and nobody
waits for a timer: what arrives while a commit is under way is the next group.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import NamedTuple

from ledger.acts import release, reversal
from ledger.acts.person import Joined
from ledger.acts.remittances import States
from ledger.acts.scheme import scheme_of
from ledger.clock import jakarta_date
from ledger.ingestion import employers, openings, registrations
from ledger.ingestion.contributions.batch import RemittanceBatch
from ledger.ingestion.contributions.check import prepare
from ledger.ingestion.contributions.decide import decide
from ledger.ingestion.contributions.identity_match import holders_with
from ledger.ingestion.contributions.lookup import look_up
from ledger.ingestion.contributions.pipeline import Pipeline
from ledger.ingestion.contributions.upload import Upload, employers_of
from ledger.ingestion.readers.reading import Limits, Source, read
from ledger.ingestion.readers.table import Table
from ledger.receipt import Header, Receipt
from ledger.settings import Settings
from ledger.store import account_index
from ledger.store.log import Log
from ledger.store.suspense import cards_after
from ledger.store.vault import Vault

SMALL = 2_000
GROUP_UPLOADS = 200
GROUP_LINES = 20_000
Progress = Callable[[int], None]


def limits_of(settings: Settings) -> Limits:
    """The input limits that the settings name."""
    return Limits(max_lines=settings.max_lines, max_bytes=settings.max_file, max_line=settings.max_line)


def committed_together(table: Table, *, dry_run: bool) -> bool:
    """Whether a table goes into the queue, to be committed with what other callers sent meanwhile."""
    return table.layout == "contributions" and len(table) <= SMALL and not dry_run


class _Waiting(NamedTuple):
    table: Table
    header: Header
    receipt: Receipt
    backdate: bool
    done: Future[Receipt]


class Door:
    """Takes uploads of every layout. Thread-safe; `clock` gives the moment, its date in Jakarta is today."""

    def __init__(self, log: Log, vault: Vault, clock: Callable[[], datetime]) -> None:
        self.log, self.vault, self.clock = log, vault, clock
        self.limits = limits_of(log.settings)
        self.engine = Pipeline(log, clock, holders_with(vault.people_by_nik, vault.data_of))
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._states = States()
        self._lock = threading.Lock()

    def ingest(
        self,
        layout: str,
        source: Source,
        header: Header,
        *,
        dry_run: bool = False,
        backdate: bool = False,
        replace: bool = False,
        old_cards: bool = False,
        joined: Joined | None = None,
        on_read: Progress | None = None,
        on_progress: Progress | None = None,
    ) -> Receipt:
        """Read and take a whole upload; durable when it returns. `on_read` gets the number of lines read.

        `replace`: opening balances with other content take the place of those that stand.
        `old_cards`: the new cards of a registrations file that are not eleven digits are old ones; `joined` hears of
        each of its rows that adds something.

        Raises Refused when the input as a whole cannot be read; StoreFailed when the store fails on the way: what was
        acknowledged stays, and the same upload again finishes the rest.
        """
        table = read(source, layout, self.limits)
        if on_read:
            on_read(len(table))
        return self.take(
            table, header, dry_run=dry_run, backdate=backdate, replace=replace, old_cards=old_cards, joined=joined,
            on_progress=on_progress,
        )  # fmt: skip

    def take(
        self,
        table: Table,
        header: Header,
        *,
        dry_run: bool = False,
        backdate: bool = False,
        replace: bool = False,
        old_cards: bool = False,
        joined: Joined | None = None,
        on_progress: Progress | None = None,
    ) -> Receipt:
        """`ingest` of what was read already."""
        if committed_together(table, dry_run=dry_run):
            return self.submit(table, header, backdate=backdate).result()
        if table.layout == "contributions":
            return self._contributions(table, header, dry_run, backdate, on_progress)
        way = openings.Way(replace, backdate)
        return self._released(self._others(table, header, way, dry_run, old_cards, joined, on_progress))

    def _released(self, receipt: Receipt) -> Receipt:
        """Post what the cards that a receipt changed had waiting."""
        if receipt.last_position:
            released = self.release(receipt.first_position - 1)
            # Who waits for this receipt's position then also sees the money that it set free.
            receipt.last_position = max(receipt.last_position, released.position)
        return receipt

    def _others(
        self,
        table: Table,
        header: Header,
        way: openings.Way,
        dry_run: bool,
        old_cards: bool,
        joined: Joined | None,
        on_progress: Progress | None,
    ) -> Receipt:
        now = self.clock()
        today = jakarta_date(now)
        if table.layout == "employers":
            return employers.ingest(
                self.log, self.vault, table, header, today, now, dry_run=dry_run, on_progress=on_progress
            )
        if table.layout == "registrations":
            return registrations.ingest(
                self.log, self.vault, table, header, today, now, dry_run=dry_run, old_cards=old_cards,
                joined=joined, on_progress=on_progress,
            )  # fmt: skip
        return openings.ingest(self.log, table, header, today, now, way=way, dry_run=dry_run, on_progress=on_progress)

    def _contributions(
        self, table: Table, header: Header, dry_run: bool, backdate: bool, on_progress: Progress | None
    ) -> Receipt:
        receipt = Receipt("contributions", header.request, dry_run=dry_run, wants_rejects=header.wants_rejects)
        with self.log.database.read() as tx:
            registered = account_index.employers(tx, employers_of(table))
        upload = self._prepared(_Waiting(table, header, receipt, backdate, Future()), registered)
        self.engine.run(upload, dry_run=dry_run, on_progress=on_progress)
        return receipt

    def submit(self, table: Table, header: Header, *, backdate: bool = False) -> Future[Receipt]:
        """Queue a table that is `committed_together` for the next group commit; the future is done when it is durable."""
        waiting = _Waiting(table, header, Receipt("contributions", header.request), backdate, Future())
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_groups, name="jht-writer", daemon=True)
                self._writer.start()
        self._queue.put(waiting)
        return waiting.done

    def _write_groups(self) -> None:
        while (first := self._queue.get()) is not None:
            group, lines = [first], len(first.table)
            stop = False
            while len(group) < GROUP_UPLOADS and lines < GROUP_LINES:
                try:
                    one = self._queue.get_nowait()
                except queue.Empty:
                    break
                if one is None:
                    stop = True
                    break
                group.append(one)
                lines += len(one.table)
            self._write_group(group)
            if stop:
                return

    def _write_group(self, group: list[_Waiting]) -> None:
        try:
            with self.log.database.read(pipelined=True) as tx:
                registered = account_index.employers(tx, {npp for one in group for npp in employers_of(one.table)})
            uploads = [self._prepared(one, registered) for one in group]
            # Two uploads for one remittance cannot be decided on the same state: the later ones come after.
            while uploads:
                uploads = self._write_distinct(uploads)
        except BaseException as error:  # the callers must not wait for ever, whatever happened
            for one in group:
                if not one.done.done():
                    one.done.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for one in group:
            one.done.set_result(one.receipt)

    def _write_distinct(self, uploads: list[Upload]) -> list[Upload]:
        taken: set[str] = set()
        now, later = list[RemittanceBatch](), list[Upload]()
        for upload in uploads:
            groups = upload.groups.tolist()
            streams = {upload.stream(g) for g in groups}
            if taken & streams:
                later.append(upload)
            elif groups:
                taken |= streams
                now.append(RemittanceBatch(upload, groups))
        if now:
            found = look_up(self.log, now, self.engine.holders, self._states)
            self.engine.write(decide(now, found), found.position)
        return later

    def _prepared(self, one: _Waiting, registered: set[int]) -> Upload:
        today = jakarta_date(self.clock())
        return prepare(
            one.table, one.header, one.receipt, today=today, backdate=one.backdate, registered=registered,
            scheme=lambda: scheme_of(self.log),
        )  # fmt: skip

    def release(self, since: int) -> release.Released:
        """Post waiting lines of cards that changed after a position."""
        with self.log.database.read() as tx:
            cards = cards_after(tx, since)
        return release.release(self.log, cards, Header("system", "release"), self.clock())

    def reverse(
        self, target: reversal.Target, header: Header, *, dry_run: bool = False, backdate: bool = False
    ) -> Receipt:  # fmt: skip
        """Take posted or suspended lines or opening balances back; see `reversal.reverse`. What waited only for an
        opening balance posts by itself."""
        done = reversal.reverse(self.log, target, header, self.clock, dry_run=dry_run, backdate=backdate)
        return self._released(done)

    def close(self) -> None:
        """End the writer after what is queued."""
        with self._lock:
            if self._writer is not None:
                self._queue.put(None)
                self._writer.join()
                self._writer = None
