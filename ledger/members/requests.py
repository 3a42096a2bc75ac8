"""Requests about a member's own data (UU 27/2022): to be handed out, corrected, erased; the branch answers them."""

from __future__ import annotations

from typing import NamedTuple

from ledger.database import Transaction
from ledger.events import Fact
from ledger.members.acts import Acting, Acts, Seal, Write
from ledger.members.state import Member, Request, Sealed, decide_close_request, decide_request
from ledger.outbox import Letter


class DataRequest(NamedTuple):
    """A data request with its person; `text` unsealed."""

    person: str
    number: int
    what: str
    text: str
    asked_at: str
    outcome: str
    closed_at: str


class Requests(Acts):
    """Data requests of members."""

    def request_data(self, person: str, what: str, text: str, acting: Acting) -> int:
        """Ask for data to be handed out, corrected or erased; the request's number.

        Raises Refused: parameter-unreadable, data-request-open.
        """
        numbers: list[int] = []

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            fact = decide_request(state, what, key.text("text", text) if text else "")
            numbers[:] = [state.version + 1]
            email = key.address(state).email

            def write(tx: Transaction) -> None:
                tx.insert("member_requests", {"person": [person], "number": numbers}, "text bigint")
                self.outbox.put(tx, Letter("data-request", email, acting.language, {"what": what}), acting.now)

            return [fact], write

        self.act(person, acting, decide)
        return numbers[0]

    def requests_of(self, person: str) -> list[DataRequest]:
        """A member's own requests, newest first."""
        with self.log.database.read() as tx:
            state, key = self.state_of(tx, person)
        return [_told(person, request, key) for request in reversed(state.requests)]

    def open_requests(self, limit: int = 100) -> list[DataRequest]:
        """What waits for the branch, at most `limit`."""
        with self.log.database.read() as tx:
            waiting = tx.rows("select person, number from member_requests order by person, number limit ?", [limit])
            found = []
            for person, number in waiting:
                state, key = self.state_of(tx, person)
                found += [_told(person, request, key) for request in state.requests if request.number == number]
        return sorted(found, key=lambda request: request.asked_at)

    def close_request(self, person: str, number: int, outcome: str, acting: Acting) -> None:
        """Answer a request. Raises Refused(parameter-unreadable), NotFound(data-request-unknown)."""

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            fact, email = decide_close_request(state, number, outcome), key.address(state).email

            def write(tx: Transaction) -> None:
                tx.run("delete from member_requests where person = ? and number = ?", [person, number])
                self.outbox.put(tx, Letter("data-answered", email, acting.language, {"outcome": outcome}), acting.now)

            return [fact], write

        self.act(person, acting, decide)


def _told(person: str, request: Request, key: Seal) -> DataRequest:
    text = key.open("text", Sealed(request.text, request.number))
    return DataRequest(person, request.number, request.what, text, request.asked_at, request.outcome, request.closed_at)
