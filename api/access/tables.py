"""The tables of logins, beside the log: made when absent, derived from no event, empty after a loss without harm.

Only hashes of tokens and identifiers are stored. `users` alone is worth a backup, and has the log's.
"""

from __future__ import annotations

from api.access import windows
from ledger.store.database import Database, make_tables

_LOCK = 7430816
_SCHEMA = """
create table if not exists users (
    name text primary key, kind text not null, roles text not null, npps text not null, password text not null,
    epoch bigint not null, created_at text not null, disabled_at text not null);
create table if not exists login_tries (
    hash bytea primary key, tries bigint not null, last_at text not null, locked_until text not null);
create index if not exists login_tries_last on login_tries (last_at);
create table if not exists sessions (
    hash bytea primary key, kind text not null, who text not null, epoch bigint not null, csrf text not null,
    channel text not null, created_at text not null, seen_at text not null, expires_at text not null);
create index if not exists sessions_who on sessions (who);
create index if not exists sessions_expires on sessions (expires_at)
"""


def prepare(database: Database) -> None:
    """Make the tables in the log's database when they are not there."""
    make_tables(database, "sessions", _LOCK, _SCHEMA)
    make_tables(database, "login_windows", _LOCK, windows.SCHEMA)
