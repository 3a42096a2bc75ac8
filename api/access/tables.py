"""The tables of logins, beside the log: made when absent, derived from no event, empty after a loss without harm.

Only hashes of tokens and identifiers are stored. A member's session hangs on the person's row in the vault. `users` and
`user_factors` alone are worth a backup, and have the log's.
"""

from __future__ import annotations

from api.access import challenges, proposals, windows
from ledger.store.database import Database, make_tables

_LOCK = 7430816
_SCHEMA = """
create table if not exists users (
    name text primary key, kind text not null, roles text not null, npps text not null, password text not null,
    epoch bigint not null, created_at text not null, disabled_at text not null);
create table if not exists user_factors (
    name text primary key references users (name), secret bytea not null, used_step bigint not null,
    enrolled_at text not null, asked_at text not null, reset_at text not null, reset_by text not null,
    email bytea not null);
create table if not exists login_tries (
    hash bytea primary key, tries bigint not null, last_at text not null, locked_until text not null);
create index if not exists login_tries_last on login_tries (last_at);
create table if not exists sessions (
    hash bytea primary key, kind text not null, who text not null,
    person text references vault_persons (person) on delete cascade, epoch bigint not null, csrf text not null,
    channel text not null, created_at text not null, seen_at text not null, expires_at text not null);
create index if not exists sessions_who on sessions (who);
create index if not exists sessions_person on sessions (person);
create index if not exists sessions_expires on sessions (expires_at)
"""


def prepare(database: Database) -> None:
    """Make the tables in the log's database when they are not there."""
    make_tables(database, "user_factors", _LOCK, _SCHEMA)
    make_tables(database, "login_windows", _LOCK, windows.SCHEMA)
    make_tables(database, "used_challenges", _LOCK, challenges.SCHEMA)
    make_tables(database, proposals.TABLE, _LOCK, proposals.SCHEMA)
