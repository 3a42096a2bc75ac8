"""A person: registered once per NIK, corrected, erased, exported. Decisions are pure; the functions below act on them.

Identity (NIK, name, birth date, sex) and contact (e-mail, phone) are each one sealed JSON text; see `vault.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct

from ledger.acts.handle import handle
from ledger.errors import Conflict, NotFound, Problem, Refused
from ledger.events import Event, PersonCorrected, PersonErased, PersonRegistered
from ledger.identifiers import account_stream, kpj_of, nik_birth, person_stream
from ledger.rules import rules
from ledger.store.account_index import day_text

if TYPE_CHECKING:
    from ledger.store.log import Appended, Log
    from ledger.store.vault import Vault

OLDEST_YEARS = 120
_ORDER = re.compile(r"[A-Za-z0-9./-]{1,40}")


class Erased(NamedTuple):
    """Where and when an erasure was recorded; `warning` (erase-traces-left) when the old row is still in a file."""

    positions: list[int]
    recorded_at: str
    warning: Problem | None


class Identity(Struct, frozen=True):
    """Who a person is; `birth_date` as yyyy-mm-dd, `sex` L or P."""

    nik: str
    name: str
    birth_date: str
    sex: str


class Contact(Struct, frozen=True):
    """How a person can be reached; both may be empty."""

    email: str = ""
    phone: str = ""


Corrected = Callable[[Any, Contact, Contact], None]
"""What is done in the transaction of a correction; it gets the contact before and after."""

_encoder = msgspec.json.Encoder()
identity_bytes = _encoder.encode
contact_bytes = _encoder.encode


class Person(Struct):
    """The state of a person stream: the sealed texts that hold now, and the versions they were sealed with."""

    person: str
    version: int = 0
    identity: str = ""
    identity_version: int = 0
    contact: str = ""
    contact_version: int = 0
    erased: bool = False

    @classmethod
    def of(cls, person: str, events: Iterable[Event]) -> Person:
        """The state after the stream's events."""
        state = cls(person)
        for event in events:
            state.evolve(event)
        return state

    def evolve(self, event: Event) -> None:
        """Take one more event of the stream."""
        self.version = event.version
        fact = event.fact
        if isinstance(fact, PersonRegistered | PersonCorrected):
            if fact.identity:
                self.identity, self.identity_version = fact.identity, event.version
            if fact.contact:
                self.contact, self.contact_version = fact.contact, event.version
        elif isinstance(fact, PersonErased):
            self.erased = True


@cache
def provinces() -> frozenset[str]:
    """The province codes a NIK may begin with."""
    return frozenset(row[0] for row in rules().table["nik"]["provinces"])


def nik_warnings(nik: str, birth_date: date, sex: str, today: date) -> list[str]:
    """Codes of what is odd in a NIK; its birth date and sex can be legally corrected, so nothing here refuses."""
    day = birth_date.day + (40 if sex == "P" else 0)
    if nik[6:12] == f"{day:02d}{birth_date.month:02d}{birth_date.year % 100:02d}":
        return [] if nik[:2] in provinces() else ["nik-structure"]
    stated = nik_birth(nik, today)
    if stated is None:
        return ["nik-structure"]
    born, stated_sex = stated
    found = [] if nik[:2] in provinces() else ["nik-structure"]
    # The NIK has two digits of the year, so the century cannot differ.
    if (born.day, born.month, born.year % 100) != (birth_date.day, birth_date.month, birth_date.year % 100):
        found.append("nik-birth-date-differs")
    if stated_sex != sex:
        found.append("nik-sex-differs")
    return found


def years_after(day: date, years: int) -> date:
    """The same day some years later (or earlier); 29 February becomes 1 March where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def check_birth(birth_date: date, today: date) -> None:
    """Raises Refused(birth-date-impossible)."""
    if birth_date > today or birth_date < years_after(today, -OLDEST_YEARS):
        raise Refused("birth-date-impossible", column="birth_date")


def decide_correct(
    identity: Identity, contact: Contact, changes: Mapping[str, str], today: date
) -> tuple[Identity, Contact]:
    """Identity and contact after the changes (nik, name, birth_date, sex, email, phone: text as typed).

    An empty e-mail or phone removes it. Raises Refused with the code of the first field that cannot be read.
    """
    clean = {name: _clean(name, text) for name, text in changes.items()}
    after = msgspec.structs.replace(identity, **{k: v for k, v in clean.items() if k in Identity.__struct_fields__})
    if after.birth_date != identity.birth_date:
        check_birth(date.fromisoformat(after.birth_date), today)
    reach = msgspec.structs.replace(contact, **{k: v for k, v in clean.items() if k in Contact.__struct_fields__})
    return after, reach


def _clean(name: str, text: str) -> str:
    # Imported here: `ingestion` builds on the decisions of this package, and only its cells are needed.
    from ledger.fields import SEXES, Bad, read_cell  # noqa: PLC0415
    from ledger.layouts import REGISTRATIONS  # noqa: PLC0415

    fields = (*Identity.__struct_fields__, *Contact.__struct_fields__)
    column = next((c for c in REGISTRATIONS if c.name == name and name in fields), None)
    if column is None:
        raise Refused("column-unknown", columns="?", known=", ".join(fields))
    value = read_cell(column, text)
    if isinstance(value, Bad):
        refused = Refused(value.code, column=name)
        refused.problem = msgspec.structs.replace(refused.problem, details=value.details)
        raise refused
    if name == "birth_date":
        return day_text(int(value))
    return SEXES[int(value)] if name == "sex" else str(value)


def decide_erase(state: Person, *, has_money: bool, last_activity: date, order: str, today: date) -> PersonErased:
    """The fact of an erasure. `order`: the number of a legal order, which outweighs money and retention.

    Raises NotFound: person-unknown, person-erased; Refused: erase-has-money, erase-retention, parameter-unreadable.
    """
    _must_be_there(state)
    if order and not _ORDER.fullmatch(order):
        raise Refused("parameter-unreadable", name="order", expected="A-Z a-z 0-9 . / -, 1-40")
    if not order:
        if has_money:
            raise Refused("erase-has-money")
        until = years_after(last_activity, rules().retention_years)
        if today < until:
            raise Refused("erase-retention", until=until.isoformat())
    return PersonErased(order)


def _must_be_there(state: Person) -> None:
    if not state.version:
        raise NotFound("person-unknown")
    if state.erased:
        raise NotFound("person-erased")


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
    from ledger.store.sealing import seal  # noqa: PLC0415

    stream = person_stream(person)

    def act() -> Appended | None:
        with log.database.read() as tx:
            state = Person.of(person, log.streams_in(tx, [stream]).get(stream, []))
            _must_be_there(state)
            _must_be_seen(state, seen)
            key = vault.keys_of(tx, [person]).get(person)
            if key is None:
                raise NotFound("person-erased")
            identity, contact = vault.data_of(tx, [person])[person]
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
    registration. A warning tells when a reader keeps the old row in SQLite's write-ahead log. `seen`: the version of the
    stream that was shown to who decides; `also`: a last check in the transaction.
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
        return Erased(*appended, None if vault.after_erasing() else Problem("erase-traces-left"))

    return handle(act)


def export(log: Log, vault: Vault, person: str) -> dict[str, Any]:
    """Everything held about a person: data, cards, and the events of person and cards (sealed texts left out).

    Finding the cards reads the whole register (a second for some millions): an index would slow every registration.
    Raises NotFound: person-unknown, person-erased.
    """
    stream = person_stream(person)
    with log.database.read() as tx:
        state = Person.of(person, log.streams_in(tx, [stream]).get(stream, []))
        _must_be_there(state)
        data = vault.data_of(tx, [person]).get(person)
        if data is None:
            raise NotFound("person-erased")
        cards = [
            row[0] for row in tx.rows("select card from account_index_cards where person = ? order by card", [person])
        ]
        streams = log.streams_in(tx, [stream, *(account_stream(kpj_of(card)) for card in cards)])
    identity, contact = data
    return {
        "person": person,
        "identity": msgspec.to_builtins(identity),
        "contact": msgspec.to_builtins(contact),
        "cards": [
            {"kpj": kpj_of(card), "events": [_told(event) for event in streams[account_stream(kpj_of(card))]]}
            for card in cards
        ],
        "events": [_told(event) for event in streams[stream]],
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
