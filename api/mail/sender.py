"""The loop that takes due letters from the outbox and hands them over: mails to the server, SMS to the gateway.

Several processes may run it: a taken letter belongs to its taker for the outbox's LEASE, longer than a round may last,
so nobody else sends it. Only a crash between the server's acceptance and the deletion of the row sends a letter twice,
with the same Message-ID. What the server refuses for good (5xx to the receiver or the text) is dropped; everything else,
a wrong password too, is tried again with growing pauses until the letter's time is over.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from email.headerregistry import Address
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import aiosmtplib
import structlog

from api.mail import console
from api.mail.message import composed, sender_of
from api.mail.server import Server
from api.mail.sms import send_sms
from api.mail.texts import short
from ledger.errors import JhtError, Refused
from ledger.quiet_hours import QuietHours
from ledger.settings import Settings
from ledger.store.outbox import LEASE, Due, Letter, Outbox

T = TypeVar("T")
BATCH = 10
POLL_SECONDS = 1.0
ROUND_SECONDS = 90
"""How long a round may last."""
assert LEASE.total_seconds() > ROUND_SECONDS


class Work(Protocol):
    """Runs something that waits for the store outside the event loop."""

    def __call__(self, function: Callable[[], T], /) -> Awaitable[T]: ...


class Round(NamedTuple):
    """How many letters were handed over, wait for another try, were given up (or are not so any more)."""

    sent: int
    waiting: int
    dropped: int


class Sender:
    """Sends the letters of one ledger; `as_it_is`: what of a letter is still so at that moment, None when nothing is.

    Raises Refused(setting-wrong) for an address that cannot be used.
    """

    def __init__(
        self, settings: Settings, outbox: Outbox, now: Callable[[], datetime], work: Work,
        as_it_is: Callable[[Due, datetime], Letter | None],
    ) -> None:  # fmt: skip
        self.settings, self.outbox, self.now, self.work, self._as_it_is = settings, outbox, now, work, as_it_is
        url = settings.smtp_url
        self.server = Server.of(url.get_secret_value()) if url is not None else None
        self.address: Address = sender_of(settings.mail_from)
        self._quiet = QuietHours.of(settings.quiet_hours)
        self._log = structlog.get_logger()
        self._running: asyncio.Task[None] | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        """What can be sent from here."""
        terminal = console.is_terminal()
        able = {"mail": self.server is not None, "sms": self.settings.sms_send_url is not None}
        return tuple(way for way, there in able.items() if there or terminal)

    def start(self) -> None:
        """Send what is due from now on, in a task of the running loop."""
        self._running = asyncio.create_task(self._run(), name="sender")

    async def stop(self) -> None:
        """End that task; a letter that is just being handed over comes again when its lease is over."""
        # Again and again: `asyncio.wait_for` of Python 3.11, with which aiosmtplib waits for the server's answers, loses
        # a cancellation that comes in the same turn as the answer.
        while self._running is not None and not self._running.done():
            self._running.cancel()
            await asyncio.wait([self._running], timeout=0.1)

    async def _run(self) -> None:
        while True:
            full = False
            try:
                is_due = await self.work(self._is_due) if self.ways else False
                full = is_due and sum(await self.send_due()) >= BATCH
            except Exception as error:
                self._log.error("sender-failed", error=type(error).__name__, code=getattr(error, "code", ""))
            if not full:
                await asyncio.sleep(POLL_SECONDS)

    def _is_due(self) -> bool:
        """Whether to take anything at all: taking is a write, and would hold up others every second."""
        now = self.now()
        return self.outbox.is_due(now, self.ways, notices=not self._quiet.covers(now))

    async def send_due(self) -> Round:
        """One round: take at most BATCH letters and hand them over."""
        ways = self.ways
        if not ways:
            return Round(0, 0, 0)
        now = self.now()
        notices = not self._quiet.covers(now)
        taken = await self.work(lambda: self.outbox.due(now, BATCH, ways, notices=notices))
        told = _Told(self)
        # What the round does not reach comes again when its lease is over.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROUND_SECONDS) as time:
                await self._hand_over(taken, told, time)
        return Round(told.sent, told.waiting, told.dropped)

    async def _hand_over(self, taken: list[Due], told: _Told, time: asyncio.Timeout) -> None:
        mails = [due for due in taken if due.way == "mail"]
        if mails and self.server is not None:
            await self._to_server(self.server, mails, told, time)
        for due in taken:
            if due.way == "sms":
                await told.outcome(due, self._sms)
            elif self.server is None:
                await told.outcome(due, self._to_terminal)

    async def _to_server(self, server: Server, mails: list[Due], told: _Told, time: asyncio.Timeout) -> None:
        """All over one connection; when that breaks, those that were not handed over wait."""
        # The time is looked at too, because the cancellation that says it is over may be lost (see `stop`).
        left = list(mails)
        try:
            async with server.connection(self.address.domain) as smtp:
                while left and not time.expired():
                    await told.outcome(left[0], partial(self._mail, smtp))
                    left.pop(0)
        except (aiosmtplib.SMTPException, OSError, Refused) as error:
            for due in left:
                await told.failed(due, _class(error))

    async def current(self, due: Due) -> Due | None:
        """A letter as it is to be sent now. Raises JhtError when that cannot be known now."""
        letter = await self.work(lambda: self._as_it_is(due, self.now()))
        return due._replace(letter=letter) if letter is not None else None

    async def _mail(self, smtp: aiosmtplib.SMTP, due: Due) -> None:
        await smtp.send_message(composed(due.letter, due.id, self.now(), self.settings.public_url, self.address))

    async def _to_terminal(self, due: Due) -> None:
        console.show_mail(composed(due.letter, due.id, self.now(), self.settings.public_url, self.address))

    async def _sms(self, due: Due) -> None:
        if self.settings.sms_send_url is None:
            console.show_sms(due.letter.to, short(due.letter))
        else:
            await send_sms(self.settings, due.letter.to, short(due.letter))


class _Told:
    """Brings the outcome of each letter to the outbox, and counts."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self.sent = self.waiting = self.dropped = 0

    async def outcome(self, due: Due, send: Callable[[Due], Awaitable[None]]) -> None:
        """Send what of a letter is still so and note how it ended; a broken connection is the caller's to handle."""
        try:
            current = await self._sender.current(due)
            if current is None:
                await self._dropped(due, "not-so-any-more")
                return
            await send(current)
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError):
            raise
        except Exception as error:
            if _is_final(error):
                await self._dropped(due, _class(error))
            else:
                await self.failed(due, _class(error))
        else:
            await self._sender.work(lambda: self._sender.outbox.done(due.id))
            self.sent += 1
            self._tell("letter-sent", due)

    async def failed(self, due: Due, error: str) -> None:
        """It waits for another try."""
        await self._sender.work(lambda: self._sender.outbox.failed(due.id, self._sender.now(), error))
        self.waiting += 1
        self._tell("letter-waits", due, error)

    async def _dropped(self, due: Due, error: str) -> None:
        await self._sender.work(lambda: self._sender.outbox.done(due.id))
        self.dropped += 1
        self._tell("letter-dropped", due, error)

    def _tell(self, event: str, due: Due, error: str = "") -> None:
        # Never the address, nor the server's own words, which often repeat it.
        self._sender._log.info(event, kind=due.letter.kind, way=due.way, tries=due.tries + 1, error=error)


def _is_final(error: Exception) -> bool:
    """Whether trying again cannot help: the receiver or the text is refused for good, or no mail can be made of it."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(one.code >= 500 for one in error.recipients)
    if isinstance(error, aiosmtplib.SMTPDataError):
        return error.code >= 500
    return isinstance(error, JhtError) and error.code == "email-unreadable"


def _class(error: BaseException) -> str:
    """The class of an error with its SMTP number or code: nothing that could hold an address."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return f"SMTPRecipientRefused {error.recipients[0].code}"
    number = getattr(error, "code", "")
    return f"{type(error).__name__} {number}".rstrip()
