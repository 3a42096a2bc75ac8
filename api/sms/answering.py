"""How a text is answered: known sender, once, not too often, recorded, in one segment.

A failure that a second try can mend is raised, so that the gateway tries again; what a member has to know is told.
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from functools import cached_property

from api.access.log import Record
from api.application import ApplicationState
from api.sms import replies
from api.sms.gateway import Message
from api.sms.messages import ASKS, REGISTERS, Messages
from api.sms.missing import clauses
from api.sms.parser import Balance, Misread, Number, Registration, Stop, Tell, parse
from api.sms.phones import normal
from ledger.clock import jakarta_date
from ledger.errors import NotFound, Refused, Unavailable
from ledger.identifiers import card_number
from ledger.members import Acting, Phone
from ledger.store.answer_codes import SMS, Question
from projections.card_months import card_months
from projections.month_grid import Facts
from projections.results import BalanceRow

BY = CHANNEL = "sms"
LANGUAGE = "id"
"""Of every reply."""


class Answering:
    """The answers of one process, for every gateway."""

    def __init__(self, application: ApplicationState) -> None:
        self._opened = application

    @cached_property
    def _messages(self) -> Messages:
        members = self._opened.members
        return Messages(self._opened.access, members.vault.derived(b"sms"), members.key_of)

    async def answer(self, message: Message, route: str, request: str) -> str:
        """The reply to a message, "" for none. `route` and `request` go into the records of what was read.

        Raises Unavailable, StoreFailed: nothing is half done, and the same message can come again.
        """
        phone = normal(message.sender)
        if not phone:
            # A short code or a company's name: answering a machine would begin a conversation of machines.
            return ""
        application, now = self._opened, self._opened.now()
        asked = parse(message.text, jakarta_date(now))
        kind = REGISTERS if isinstance(asked, Registration) else ASKS
        taken = await application.work(lambda: self._messages.take(message, phone, kind, now))
        if taken.reply is not None:
            return taken.reply
        if taken.limited and taken.told:
            return ""
        person = ""
        try:
            if taken.limited:
                reply = replies.TOO_MANY
            elif isinstance(asked, Balance):
                owner = await application.ask(application.members.phone_owner, phone)
                person = owner or ""
                reply = await self._balance(asked, person, now, route, request)
            elif isinstance(asked, Registration):
                reply = await self._register(asked, phone, now, request)
            elif isinstance(asked, Number):
                reply = await self._number(asked, phone, now, request)
            elif isinstance(asked, Stop):
                reply = await self._stop(phone, now, request)
            elif isinstance(asked, Tell):
                reply = await self._tell(asked, phone, now, request)
            else:
                reply = replies.MISREAD[asked.what] if isinstance(asked, Misread) else replies.HELP
        except BaseException:
            await asyncio.shield(application.work(lambda: self._messages.give_up(taken)))
            raise
        return await application.work(lambda: self._messages.finish(taken, reply, person))

    async def _register(self, asked: Registration, phone: str, now: datetime, request: str) -> str:
        claimed = Phone(phone, asked.nik, asked.kpj, asked.birth_date, asked.name)
        acting = Acting(BY, CHANNEL, now, request=request)
        outcome = await self._opened.work(lambda: self._opened.members.ask_phone(claimed, acting))
        return replies.bound(asked.kpj) if outcome == "bound" else replies.ASKED

    async def _number(self, asked: Number, phone: str, now: datetime, request: str) -> str:
        acting = Acting(BY, CHANNEL, now, request=request)
        try:
            outcome = await self._opened.work(
                lambda: self._opened.members.confirm_by_phone(phone, asked.digits, acting)
            )
        except Refused as refused:
            if refused.code != "number-wrong":
                raise
            return replies.MISREAD["number"]
        return replies.NUMBER[outcome]

    async def _stop(self, phone: str, now: datetime, request: str) -> str:
        acting = Acting(BY, CHANNEL, now, request=request)
        unbound = await self._opened.work(lambda: self._opened.members.unbind_phone(phone, acting))
        return replies.STOPPED if unbound else replies.NOT_BOUND

    async def _tell(self, asked: Tell, phone: str, now: datetime, request: str) -> str:
        acting = Acting(BY, CHANNEL, now, request=request)
        known = await self._opened.work(lambda: self._opened.members.notices_by_sms(phone, asked.wanted, acting))
        if not known:
            return replies.TELLS_STRANGER if asked.wanted else replies.NOT_BOUND
        return replies.TOLD_FROM_NOW if asked.wanted else replies.TOLD_NO_MORE

    async def _balance(self, asked: Balance, person: str, now: datetime, route: str, request: str) -> str:
        try:
            cards = await self._cards(asked.kpj, person)
            if not cards:
                return replies.STRANGER
            rows = await asyncio.gather(*(self._opened.balance(card, now, None) for card in cards))
            facts = await self._opened.ask(self._facts, [row.card for row in rows], now)
        except NotFound:
            return replies.STRANGER
        except Unavailable as error:
            if error.code not in replies.NOT_TOLD:
                raise
            return replies.NOT_TOLD[error.code]
        await asyncio.gather(*(self._record(row, now, route, request) for row in rows))
        today = jakarta_date(now)
        code = await self._code(rows[0], today) if len(rows) == 1 else ""
        return replies.balance(rows, today, clauses(facts, today), code)

    async def _code(self, row: BalanceRow, today: date) -> str:
        """The answer code of what is told; "" while there is none to be had, for the balance does not wait for it."""
        asked = Question(row.card, SMS, today, row.position, LANGUAGE)
        try:
            return (await self._opened.work(lambda: self._opened.codes.seal_all([asked])))[0] or ""
        except (NotFound, Unavailable):
            return ""

    def _facts(self, cards: list[int], now: datetime) -> list[Facts]:
        opened = self._opened
        return card_months(opened.log, opened.reader, opened.vault, cards, now)

    async def _cards(self, kpj: str, person: str) -> list[int]:
        """The cards that may be told to a phone of `person`: those linked, or the one named when it is the person's."""
        application = self._opened
        if not person:
            return []
        linked = [card for _, card in await application.ask(application.members.cards, person)]
        if not kpj:
            return linked or await application.ask(application.reader.person_cards, person)
        card = card_number(kpj)
        if card in linked or await application.ask(application.reader.person_of_card, card) == person:
            return [card]
        return []

    async def _record(self, row: BalanceRow, now: datetime, route: str, request: str) -> None:
        await self._opened.recorder.write(
            Record(now.isoformat(), BY, CHANNEL, "", route, row.kpj, row.position, request)
        )
