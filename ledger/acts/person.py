"""A person corrected, erased, exported: the decisions of `decisions.person` and `decisions.correction` on the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import msgspec

from ledger.decisions.correction import decide_correct
from ledger.decisions.person import (
    Contact,
    Identity,
    Person,
    contact_bytes,
    decide_erase,
    identity_bytes,
    must_be_there,
)
from ledger.errors import Conflict, NotFound, Problem, Refused
from ledger.events import Event, Fact, PersonCorrected
from ledger.identifiers import account_stream, kpj_of, person_stream
from ledger.store import account_index
from ledger.store.database import Transaction
from ledger.store.handle import handle
from ledger.store.log import Appended, Log
from ledger.store.sealing import seal
from ledger.store.vault import Vault


class Erased(NamedTuple):
    """Where and when an erasure was recorded; `warning` (erase-traces-left, erase-traces-in-pages) says
    what of the old row is still in a file."""

    positions: list[int]
    recorded_at: str
    warning: Problem | None


Joined = Callable[[Transaction, str, Contact | None, str, Sequence[Fact]], None]
"""Hears, in the transaction, what a registration added: person, contact of one who is new, KPJ, facts."""
Corrected = Callable[[Any, Contact, Contact], None]
"""What is done in the transaction of a correction; it gets the contact before and after."""


def _must_be_seen(state: Person, seen: int | None) -> None:
    if seen is not None and seen != state.version:
        raise Refused("changed-since")


def correct(
    log: Log, vault: Vault, person: str, changes: Mapping[str, str], by: str, channel: str, now: datetime,
    *, also: Corrected, reason: str = "", seen: int | None = None,
) -> Appended | None:  # fmt: skip
    """Record corrected data, with the hashes in the same transaction; None when nothing would change.

    `also`: what else is done in that transaction, as telling both contacts (`Members.after_correction`). `seen`: the
    version of the stream that was shown to who decides.
    Raises NotFound: person-unknown, person-erased; Conflict(nik-of-another-person); Refused: changed-since, and as
    `decide_correct`.
    """
    stream = person_stream(person)

    def act() -> Appended | None:
        with log.database.read() as tx:
            state = Person.of(person, log.streams_in(tx, [stream]).of(stream))
            must_be_there(state)
            _must_be_seen(state, seen)
            key = vault.keys_of(tx, [person]).get(person)
            found = vault.data_of(tx, [person]).of(person)
            if key is None or found is None:
                raise NotFound("person-erased")
            identity, contact = found
            after, reach = decide_correct(identity, contact, changes, now.date())
            owner = vault.people_by_nik(tx, [after.nik]).get(after.nik, person)
        if owner != person:
            raise Conflict("nik-of-another-person", column="nik")
        if (after, reach) == (identity, contact):
            return None
        version = state.version + 1
        fact = PersonCorrected(
            seal(key, person, stream, version, "identity", identity_bytes(after)) if after != identity else "",
            seal(key, person, stream, version, "contact", contact_bytes(reach)) if reach != contact else "",
        )
        event = Event(stream=stream, version=version, fact=fact, by=by, channel=channel, reason=reason)

        def write(tx: Any) -> None:
            if not vault.recorrect(tx, person, after, reach):
                raise NotFound("person-erased")
            also(tx, contact, reach)

        return log.append([event], now, writes=[write])

    return handle(act)


def erase(
    log: Log, vault: Vault, person: str, *, has_money: bool, last_activity: date | None, order: str, today: date,
    by: str, channel: str, now: datetime, reason: str = "", seen: int | None = None,
    also: Callable[[Any], None] | None = None,
) -> Erased:  # fmt: skip
    """Record the erasure and delete the person's key in one transaction.

    `last_activity`: the last day something happened to the person's money; without it retention counts from the
    registration. A warning tells what is left of the old row in the store's files, and until when. `seen`: the version
    of the stream that was shown to who decides; `also`: a last check in the transaction.
    Raises Refused(changed-since), and as `decide_erase`.
    """
    stream = person_stream(person)

    def act() -> Erased:
        events = log.events(stream)
        state = Person.of(person, events)
        _must_be_seen(state, seen)
        since = last_activity or (date.fromisoformat(events[0].recorded_at[:10]) if events else today)
        fact = decide_erase(state, has_money=has_money, last_activity=since, order=order, today=today)
        event = Event(stream=stream, version=state.version + 1, fact=fact, by=by, channel=channel, reason=reason)
        appended = log.append([event], now, writes=[*([also] if also else []), lambda tx: vault.erase(tx, person)])
        left = vault.after_erasing()
        return Erased(*appended, Problem(left) if left else None)

    return handle(act)


def export(log: Log, vault: Vault, person: str) -> dict[str, Any]:
    """Everything held about a person: data, cards, and the events of person and cards (sealed texts left out); the same of
    the records that were joined into it (`joined`).

    Finding the cards reads the whole register (a second for some millions): an index would slow every registration.
    Raises NotFound: person-unknown, person-erased, person-joined.
    """
    stream = person_stream(person)
    with log.database.read() as tx:
        state = Person.of(person, log.streams_in(tx, [stream]).of(stream))
        must_be_there(state)
        data = vault.data_of(tx, [person]).of(person)
        if data is None:
            raise NotFound("person-erased")
        cards = account_index.held_by(tx, person)
        joined = vault.joined_data(tx, person).whole()
        records = [stream, *map(person_stream, joined)]
        streams = log.streams_in(tx, [*records, *(account_stream(kpj_of(card)) for card in cards)]).whole()
    return _record(person, data, streams) | {
        "cards": [
            {"kpj": kpj_of(card), "events": [_told(event) for event in streams[account_stream(kpj_of(card))]]}
            for card in cards
        ],
        "joined": [_record(one, held, streams) for one, held in joined.items()],
    }


def _record(person: str, data: tuple[Identity, Contact], streams: Mapping[str, list[Event]]) -> dict[str, Any]:
    identity, contact = data
    return {
        "person": person,
        "identity": msgspec.to_builtins(identity),
        "contact": msgspec.to_builtins(contact),
        "events": [_told(event) for event in streams[person_stream(person)]],
    }


def _told(event: Event) -> dict[str, Any]:
    header = {
        "position": event.position,
        "stream": event.stream,
        "version": event.version,
        "name": event.fact.NAME,
        "recorded_at": event.recorded_at,
        "by": event.by,
        "channel": event.channel,
        "reason": event.reason,
        "request": event.request,
    }
    if not event.stream.startswith("person:"):
        header["fact"] = msgspec.to_builtins(event.fact)
    return header
