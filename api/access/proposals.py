"""What one officer proposed and another has to confirm: the one mechanism of four eyes, for cards, persons and rates.

A proposal is a row and no fact: nothing follows from a wish until somebody else agrees, most questions about it (does it
still wait, whose is it, is it over) are about rows, and a wish that comes to nothing has no place in a log that is kept for
ever. The log has what was decided, with both: an event carries who proposed it, or the proposal stands right before it.

A row stands until it is confirmed, turned down by another supervisor, withdrawn by who proposed it, or over. It holds the
state of things as they were when it was proposed: what has changed since is proposed anew, so that nobody confirms what the
other has not seen. It is taken away in the transaction of the act, so that an act is done once.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from ledger.errors import NotFound, Refused
from ledger.store.database import Database, Transaction

OPEN = timedelta(days=7)
"""A proposal that nobody confirmed is over after this."""
SCHEMA = """
drop table if exists proposals;
create table if not exists office_proposals (
    id text primary key, act text not null, person text references vault_persons (person) on delete cascade,
    details text not null, reason text not null, seen text not null, by_whom text not null, at text not null)
"""
"""The first table had no place for a proposal that is about nobody; what waited there is proposed anew."""
TABLE = "office_proposals"
_COLUMNS = "id, act, coalesce(person, ''), details, reason, seen, by_whom, at"


class Proposal(NamedTuple):
    """An act that waits. `person`: whom it is about, "" for nobody; `details`: what the act needs, by name; `seen`: the
    version of what was shown when it was proposed; `by`: the user's name."""

    id: str
    act: str
    person: str
    details: dict[str, str]
    reason: str
    seen: str
    by: str
    at: str


class Proposals:
    """The proposals of a ledger. Blocking."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self, act: str, person: str, details: Mapping[str, str], reason: str, seen: str, by: str, now: datetime
    ) -> str:
        """Propose an act; its id. The same one that waits already stands. Proposals that are over go."""
        text = msgspec.json.encode(details, order="sorted").decode()
        with self._database.write() as tx:
            tx.run(f"delete from {TABLE} where at <= ?", [(now - OPEN).isoformat()])
            given = [act, person, text, seen]
            there = tx.rows(
                f"select id from {TABLE} where act = ? and coalesce(person, '') = ? and details = ? and seen = ?", given
            )
            if there:
                return str(there[0][0])
            name = secrets.token_hex(8)
            tx.run(
                f"insert into {TABLE} (id, act, person, details, reason, seen, by_whom, at) values (?, ?, ?, ?, ?, ?, ?, ?)",
                [name, act, person or None, text, reason, seen, by, now.isoformat()],
            )
        return name

    def waiting(self, now: datetime) -> list[Proposal]:
        """What waits, the longest waiting first."""
        with self._database.read() as tx:
            rows = tx.rows(f"select {_COLUMNS} from {TABLE} where at > ? order by at, id", [(now - OPEN).isoformat()])
        return [_proposal(row) for row in rows]

    def of(self, name: str, now: datetime) -> Proposal:
        """A proposal that waits. Raises NotFound(proposal-unknown): done, turned down, over, or never made."""
        found = next((one for one in self.waiting(now) if one.id == name), None)
        if found is None:
            raise NotFound("proposal-unknown")
        return found

    def turn_down(self, name: str) -> None:
        """It will not be done. Raises NotFound(proposal-unknown)."""
        with self._database.write() as tx:
            if not tx.run(f"delete from {TABLE} where id = ?", [name]):
                raise NotFound("proposal-unknown")

    def withdraw(self, name: str, by: str) -> None:
        """Who proposed it takes it back. Raises NotFound(proposal-unknown), also for somebody else's."""
        with self._database.write() as tx:
            if not tx.run(f"delete from {TABLE} where id = ? and by_whom = ?", [name, by]):
                raise NotFound("proposal-unknown")

    @staticmethod
    def take(tx: Transaction, proposal: Proposal) -> None:
        """In the transaction of the act: it waits no more. Raises Refused(changed-since): another one decided it."""
        if not tx.run(f"delete from {TABLE} where id = ?", [proposal.id]):
            raise Refused("changed-since")


def must_be_another(proposal: Proposal, name: str) -> None:
    """Raises Refused(proposal-own)."""
    if proposal.by == name:
        raise Refused("proposal-own")


def _proposal(row: Sequence[str]) -> Proposal:
    name, act, person, details, reason, seen, by, at = row
    return Proposal(name, act, person, msgspec.json.decode(details), reason, seen, by, at)
