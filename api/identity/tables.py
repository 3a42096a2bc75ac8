"""The tables of logins, beside the log: made when absent, derived from no event, empty after a loss without harm.

Only hashes of tokens and identifiers are stored. `users` alone is worth a backup, and has the log's.
"""

from __future__ import annotations

from ledger.database import Database
from ledger.log import table_exists

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
    with database.read() as tx:
        # The last of them: a maker that was cut off left none, because they are made in one transaction.
        if table_exists(tx, "sessions"):
            return
    with database.write() as tx:
        if tx.dialect == "postgres":
            tx.rows("select pg_advisory_xact_lock(?)", [_LOCK])
        tx.script(_SCHEMA)
