"""Erasing a person reaches every table of the store: what opens a door, what waits to be sent, what was answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api.access.sessions import MEMBER
from ledger.acts.person import erase
from ledger.clock import jakarta_date
from ledger.members import NewPasskey, Phone
from ledger.settings import Settings
from ledger.store.database import Transaction
from tests.api.peopled import Peopled
from tests.office import NPP, nik, person

CARD, PHONE = "26000000017", "+62812345600001"
STAYS = {
    "stored_events": "as ledger_events, of SQLite",
    "ledger_events": "facts are never taken back; what is sealed in them has no key any more",
    "account_index_cards": "the card's holder is an opaque id without a person",
    "records": "who looked at whom, by opaque id, for the years that the law asks",
    "sms_messages": "a reply is sealed with the key that is gone, and the row ends by itself",
    "directory_g1_cards": "the card's holder, folded from the log: an opaque id",
    "directory_g1_persons": "the same, by holder",
}
"""Table -> why the person's id may stand in it."""


@pytest.fixture
def town(settings: Settings) -> Iterator[Peopled]:
    with Peopled(settings) as made:
        made.office.employers(NPP)
        made.office.register(person(CARD))
        made.follow()
        yield made


def tables(tx: Transaction) -> list[str]:
    if tx.dialect == "postgres":
        rows = tx.rows(
            "select table_schema || '.' || table_name from information_schema.tables "
            "where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'"
        )
    else:
        rows = tx.rows("select name from sqlite_master where type = 'table'")
    return [str(row[0]) for row in rows]


def holding(databases: list[Any], who: str) -> set[str]:
    """The tables in which the person's id stands, in whatever column."""
    found = set()
    for database in databases:
        with database.read() as tx:
            for table in tables(tx):
                if any(who in str(cell) for row in tx.rows(f"select * from {table}") for cell in row):
                    found.add(table.rpartition(".")[2])
    return found


def test_nothing_that_opens_a_door_or_waits_to_be_sent_outlives_the_person(town: Peopled) -> None:
    application, acting = town.application, town.acting()
    members, identity = application.members, application.identity
    who = town.join(1, CARD, "budi1@contoh.id")
    members.add_passkey(who, NewPasskey(b"id", b"public", 0), acting)
    login = members.login_of(who)
    assert login is not None
    token = identity.sessions.create(MEMBER, who, login.epoch, "website", town.clock).token
    pair = identity.tokens.begin(who, login.epoch, "HP", town.clock)
    members.ask_phone(Phone(PHONE, nik(1), CARD), acting)
    members.ask_reset("budi1@contoh.id", acting)
    members.request_data(who, "export", "", acting)
    databases = [town.log.database, application.access]
    before = holding(databases, who)
    assert {
        "sessions", "outbox", "member_logins", "member_links", "member_requests", "member_passkeys", "mobile_devices",
    } <= before  # fmt: skip
    done = erase(
        town.log, members.vault, who, has_money=False, last_activity=None, order="LEGAL-1",
        today=jakarta_date(town.clock), by="user:dewi", channel="office", now=town.clock,
    )  # fmt: skip
    assert done.positions
    town.follow()
    assert holding(databases, who) <= STAYS.keys()
    assert application.outbox.due(town.clock, 100) == []
    assert identity.sessions.find(token, town.clock) is None
    answer = town.client.get("/v1/mobile/me", headers={"Authorization": f"Bearer {pair.access_token}"})
    assert answer.status_code == 401
