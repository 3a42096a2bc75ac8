"""What one API process holds open while it runs: the log, the read side, the keys, the records, the follower."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import TypeVar, cast

import structlog
from starlette.requests import Request

from api.access.identity import Identity
from api.access.keys import Caller, Keys, bearer, open_store
from api.access.log import Recorder, record_of
from api.balance_loader import BalanceLoader
from api.coalescer import Coalescer
from api.mail.sender import Sender
from api.responses import header
from ledger.clock import jakarta_date, read_now
from ledger.errors import JhtError, NotAllowed, NotFound, Refused, Unavailable
from ledger.ingestion.door import Door
from ledger.members import Members
from ledger.settings import Settings
from ledger.store import account_index
from ledger.store.answer_codes import AnswerCodes
from ledger.store.database import Database
from ledger.store.employer_names import SealedName
from ledger.store.known_at import KnownAt, known_at
from ledger.store.log import Log, parse_position
from ledger.store.outbox import Outbox
from ledger.store.vault import Vault
from projections import card_statement
from projections.card_months import employer_names, months_at, months_of
from projections.card_statement import CardStatement
from projections.generations import Store
from projections.month_grid import Facts
from projections.notices import NoticeFollower, Teller
from projections.projector import Projector
from projections.queries import Queries
from projections.reactions import releaser
from projections.results import BalanceRow, Group
from projections.statement import Period

T = TypeVar("T")
POLL_SECONDS = 0.01
WRITERS = 16
LARGE_AT_ONCE = 1
"""Large uploads and checks of files that a process works at; the others wait, their bodies on disk."""
LINES_A_REQUEST = 1_000_000
"""What a body of JHT_MAX_BODY holds when it is not packed; a packed one may not hold more. Files on the machine may."""
TAKE_OVER_SECONDS = 1.0
"""How often a process that does not follow tries to: another's end is noticed by then."""


class ApplicationState:
    """Made with the app, started in its event loop; `now` is the clock.

    On SQLite a read is some tens of microseconds and runs in the event loop; on PostgreSQL it is a round trip and runs
    in a thread, concurrent balances of the present together in one query.
    """

    log: Log
    store: Store
    reader: Queries
    access: Database
    keys: Keys
    recorder: Recorder
    codes: AnswerCodes
    door: Door
    members: Members
    outbox: Outbox
    sender: Sender
    identity: Identity
    balances: BalanceLoader
    coalescer: Coalescer[int, BalanceRow | JhtError]

    def __init__(self, settings: Settings, now: Callable[[], datetime] = read_now) -> None:
        self.settings = settings
        self.now = now
        self.inline = settings.sqlite_path is not None
        # Writes wait for the store and for each other; threads of their own keep them from holding up the reads.
        self.writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="writer")
        self.large = ThreadPoolExecutor(LARGE_AT_ONCE, thread_name_prefix="large")
        self.readers = ThreadPoolExecutor(4, thread_name_prefix="reader")
        self.follower: Projector | None = None
        self._following: list[threading.Thread] = []
        self._notices: NoticeFollower | None = None
        self._stop = threading.Event()

    async def start(self) -> None:
        """Open everything. Raises Refused(ledger-missing), StoreFailed."""
        self._loop = asyncio.get_running_loop()
        self.turn = asyncio.Semaphore(LARGE_AT_ONCE)
        self.log = Log.open(self.settings)
        vault = self.vault = Vault.open(self.log)
        self.codes = AnswerCodes(self.log, vault)
        self.door = Door(self.log, vault, self.now)
        lines = min(self.settings.max_lines, LINES_A_REQUEST)
        self.door.limits = replace(self.door.limits, max_lines=lines)
        self.members = Members.open(self.log, vault)
        self.outbox = self.members.outbox
        self.identity = Identity(self.settings, self.log, vault, self.members, self.ask, self.work)
        self.store = Store.open(self.settings)
        self.reader = Queries(self.log, self.store)
        self.balances = BalanceLoader(self.settings.database_url, self.reader, self.now, self._ask_nothing)
        self.coalescer = Coalescer(self.balances.fetch)
        self.access = open_store(self.settings)
        self.keys = Keys(self.access)
        self.recorder = Recorder(self.access)
        self.recorder.start()
        teller = Teller(self.members, self.reader)
        self.sender = Sender(self.settings, self.outbox, self.now, self.work, teller.as_it_is)
        self.sender.start()
        if self.settings.follow:
            self.follower = Projector(self.log, self.store, reactions=[releaser(self.log, self.now)])
            self._notices = NoticeFollower(self.log, self.store, vault, self.now)
            for name, run in (("follower", self.follower.run), ("notices", self._notices.run)):
                thread = threading.Thread(target=self._follow, args=[name, run], name=name, daemon=True)
                self._following.append(thread)
                thread.start()

    async def stop(self) -> None:
        """Finish the writes and records under way, then close everything."""
        self._stop.set()
        await self.sender.stop()
        await asyncio.to_thread(self.writers.shutdown)
        await asyncio.to_thread(self.large.shutdown)
        await asyncio.to_thread(self.door.close)
        self.identity.close()
        await self.recorder.stop()
        for thread in self._following:
            await asyncio.to_thread(thread.join)
        if self._notices is not None:
            self._notices.close()
        await asyncio.to_thread(self.readers.shutdown)
        await self.balances.close()
        self.reader.close()
        self.store.close()
        self.access.close()
        self.log.close()

    def is_stopping(self) -> bool:
        """Whether the process ends: who works for long in a thread gives up then."""
        return self._stop.is_set()

    def _follow(self, name: str, run: Callable[[threading.Event], None]) -> None:
        note, waits = structlog.get_logger(), False
        while not self._stop.is_set():
            try:
                run(self._stop)
                waits = False
            except Refused as refused:  # another process follows; it may end
                if not waits:  # told once, though every process but one tries again each second
                    note.info("follower-waits", what=name, code=refused.code)
                waits = True
            except Exception as error:
                note.error("follower-stopped", what=name, error=type(error).__name__, code=getattr(error, "code", ""))
                waits = False
            self._stop.wait(TAKE_OVER_SECONDS)

    async def admit(self, request: Request) -> Caller:
        """The caller behind a request's key. Raises NotAllowed: key-missing, key-wrong."""
        key = bearer(header(request, b"authorization"))
        return await self.keys.find(key, self.now)

    async def ask(self, function: Callable[..., T], *given: object) -> T:
        """Run a short query where it belongs on this store."""
        if self.inline:
            return function(*given)
        return await asyncio.get_running_loop().run_in_executor(self.readers, function, *given)

    async def _ask_nothing(self, function: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self.readers, function)

    async def work(self, function: Callable[[], T]) -> T:
        """Run something that waits for the store in a writer's thread."""
        return await asyncio.get_running_loop().run_in_executor(self.writers, function)

    async def work_large(self, function: Callable[[], T]) -> T:
        """`work` of whoever has the `turn`, always in the same threads: what a thread has freed stays its own for the next
        such work, so in any of the writers' threads each would come to hold as much as the largest upload took.
        """
        return await asyncio.get_running_loop().run_in_executor(self.large, function)

    async def balance(self, card: int, now: datetime, day: date | None, known_at: KnownAt | None = None) -> BalanceRow:
        """A card's balance now (`day` None) or at the end of an earlier day; with `known_at` as it was known there.

        Raises NotFound(account-not-found), Unavailable when it cannot be told truthfully.
        """
        if self.inline:
            # Requests that the loop took up together read one snapshot: it ends when it is the loop's turn again.
            return self.reader.balance(
                card, jakarta_date(now), now, day, known_at=known_at, later=self._loop.call_soon
            )  # fmt: skip
        if day is not None or known_at is not None:
            asked = partial(self.reader.balance, known_at=known_at)
            return await self.ask(asked, card, jakarta_date(now), now, day)
        found = await self.coalescer.get(card)
        if isinstance(found, BalanceRow):
            return found
        raise found or NotFound("account-not-found")

    async def group(
        self, row: BalanceRow, now: datetime, day: date | None, known_at: KnownAt | None = None
    ) -> Group | None:
        """The cards that the card of a balance is merged with (or was, at a place in the log), None for one that is not.
        Raises as `balance`."""
        if not row.grouped:
            return None
        return await self.ask(self.reader.group, row.card, jakarta_date(now), now, day, known_at)

    async def months(self, card: int, now: datetime) -> tuple[BalanceRow, Facts]:
        """See `projections.card_months.months_of`; in a thread, for it may wait for the read side."""
        return await self.work(lambda: months_of(self.log, self.reader, self.vault, card, now))

    async def months_at(
        self, card: int, now: datetime, day: date, known_at: KnownAt | None
    ) -> tuple[BalanceRow, Facts]:  # fmt: skip
        """See `projections.card_months.months_at`."""
        found = await self.work(lambda: months_at(self.log, self.reader, self.vault, card, now, day, known_at))
        return found[:2]

    async def statement(self, card: int, now: datetime, period: Period) -> CardStatement:
        """See `projections.card_statement.read`; in a thread, for it may wait for the read side."""
        return await self.work(lambda: card_statement.read(self.log, self.reader, self.vault, card, now, period))

    async def statement_at(
        self, card: int, now: datetime, period: Period, day: date, known_at: KnownAt | None
    ) -> CardStatement:  # fmt: skip
        """See `projections.card_statement.read_at`."""
        given = (self.log, self.reader, self.vault, card, now, period, day, known_at)
        return await self.work(lambda: card_statement.read_at(*given))

    async def reach(self, text: str) -> None:
        """Wait until the read side has reached a `min_position`; "" when none was given.

        Raises Refused: position-unreadable, position-foreign, position-ahead; Unavailable(position-not-reached).
        """
        if not text:
            return
        head = await asyncio.to_thread(self.log.head)
        await self.wait_for(parse_position(text, self.log.log_id, head))

    async def known_at(self, text: str, now: datetime) -> KnownAt | None:
        """The place in the log that a `known_at` names, once the read side has reached it; None for "".

        Raises as `ledger.store.known_at.known_at`; Unavailable(position-not-reached).
        """
        if not text:
            return None
        found = await self.ask(known_at, self.log, text, now)
        await self.wait_for(found.position)
        return found

    async def wait_for(self, wanted: int) -> None:
        """Wait until the read side has reached a position. Raises Unavailable(position-not-reached)."""
        until = time.monotonic() + self.settings.max_wait
        while not await self._reached(wanted):
            if time.monotonic() >= until:
                raise Unavailable("position-not-reached")
            if self.follower is not None:
                self.follower.wake()
            await asyncio.sleep(POLL_SECONDS)

    async def _reached(self, position: int) -> bool:
        try:
            # Right after the very first start the follower is still making the tables, or has not yet said that it
            # is at the head: that is worth waiting for too.
            return (
                await self.ask(self.reader.has_reached, position)
                and (await self.ask(self.reader.freshness)).confirmed_at is not None
            )
        except Unavailable as error:
            if error.code != "read-side-empty":
                raise
            return False

    async def must_see(self, caller: Caller, cards: Iterable[int]) -> None:
        """Whether the key covers every one of the cards: it has, or had, a membership with one of its employers.

        A card that does not exist is as foreign as another's, so that a key cannot search for numbers.
        Raises NotAllowed(object-foreign).
        """
        if caller.npps is None:
            return
        wanted = list(cards)
        held = await self.ask(self._memberships, wanted)
        if not wanted or not all(caller.npps & held.get(card, frozenset()) for card in wanted):
            raise NotAllowed("object-foreign")

    @staticmethod
    def must_be_free(caller: Caller) -> None:
        """A key that is bound to employers sees lines and months of theirs, never a balance, an opening or yield: those
        are made of other employers' money too. Raises NotAllowed(key-bound)."""
        if caller.npps is not None:
            raise NotAllowed("key-bound")

    def employer_names(self, npps: Iterable[int], known: Mapping[int, SealedName] | None = None) -> dict[int, str]:
        """See `projections.card_months.employer_names`."""
        return employer_names(self.reader, self.vault, npps, known)

    def _memberships(self, cards: list[int]) -> dict[int, frozenset[int]]:
        with self.log.database.read() as tx:
            return {
                number: frozenset(membership.npp for membership in card.memberships)
                for number, card in account_index.cards(tx, cards).items()
            }

    async def record(self, request: Request, caller: Caller, why: str, what: str, position: int, now: datetime) -> None:
        """Make the read's record durable; `why`: a reason code or "".

        Raises Unavailable(record-unavailable): do not serve it then."""
        await self.recorder.write(record_of(request, caller, why, what, position, now))

    async def answer(
        self, asked: Awaitable[T], request: Request, caller: Caller, why: str, what: str, now: datetime
    ) -> T:
        """What was asked for. Who looks for what does not exist is to be seen in the records too.

        Raises what `asked` raises; Unavailable(record-unavailable).
        """
        try:
            return await asked
        except NotFound:
            await self.record(request, caller, why, what, 0, now)
            raise


def application_of(request: Request) -> ApplicationState:
    """What the process that answers a request holds open."""
    return cast(ApplicationState, request.app.state.application)
