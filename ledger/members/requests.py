"""Requests about a member's own data (UU 27/2022): to be handed out, corrected, erased; the branch answers them.

They are made on the website or, by anybody who comes in person, at the branch. What is told of them goes to an address
that is the member's for sure: one that somebody else only claimed would learn what is asked.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.events import Fact
from ledger.members.acts import Acting, Acts, Seal
from ledger.members.state import Member, Request, Sealed, decide_close_request, decide_request, told_at
from ledger.store.database import Transaction, Write
from ledger.store.outbox import Letter


class DataRequest(NamedTuple):
    """A data request with its person; `text` unsealed, `channel`: the door it was made at."""

    person: str
    number: int
    what: str
    text: str
    asked_at: str
    outcome: str
    closed_at: str
    channel: str


class Requests(Acts):
    """Data requests of members."""

    def request_data(self, person: str, what: str, text: str, acting: Acting) -> int:
        """Ask for data to be handed out, corrected or erased; the request's number.

        Raises Refused: parameter-unreadable, data-request-open.
        """
        numbers: list[int] = []
        on_file = self.contact_of(person).email

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            fact = decide_request(state, what, key.text("text", text) if text else "")
            numbers[:] = [state.version + 1]
            email = told_at(state.state, key.address(state).email, on_file)
            tell = self.letter(person, Letter("data-request", email, acting.language, {"what": what}), acting)

            def write(tx: Transaction) -> None:
                tx.insert("member_requests", {"person": [person], "number": numbers}, "text bigint")
                tell(tx)

            return [fact], write

        self.act(person, acting, decide)
        return numbers[0]

    def requests_of(self, person: str) -> list[DataRequest]:
        """A member's own requests, newest first."""
        with self.log.database.read() as tx:
            return self._requests(tx, person)[::-1]

    def open_requests(self, limit: int = 100) -> list[DataRequest]:
        """What waits for the branch, at most `limit`."""
        with self.log.database.read() as tx:
            waiting = tx.rows("select person, number from member_requests order by person, number limit ?", [limit])
            found = []
            for person, number in waiting:
                found += [request for request in self._requests(tx, person) if request.number == number]
        return sorted(found, key=lambda request: request.asked_at)

    def close_request(self, person: str, number: int, outcome: str, acting: Acting) -> None:
        """Answer a request. Raises Refused(parameter-unreadable), NotFound(data-request-unknown)."""
        on_file = self.contact_of(person).email

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            fact = decide_close_request(state, number, outcome)
            email = told_at(state.state, key.address(state).email, on_file)
            tell = self.letter(person, Letter("data-answered", email, acting.language, {"outcome": outcome}), acting)

            def write(tx: Transaction) -> None:
                tx.run("delete from member_requests where person = ? and number = ?", [person, number])
                tell(tx)

            return [fact], write

        self.act(person, acting, decide)

    def _requests(self, tx: Transaction, person: str) -> list[DataRequest]:
        """All of a person's requests, oldest first."""
        state, key = self.state_of(tx, person)
        return [_told(person, request, key) for request in state.requests]


def _told(person: str, request: Request, key: Seal) -> DataRequest:
    text = key.open("text", Sealed(request.text, request.number))
    return DataRequest(
        person, request.number, request.what, text, request.asked_at, request.outcome, request.closed_at,
        request.channel,
    )  # fmt: skip
