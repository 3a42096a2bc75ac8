"""Plain SQL on PostgreSQL: CSV -> COPY -> set-based checks -> insert, unique index -> upsert of balances.

What it leaves out: suspense and its release, sealed personal data, receipts, a log to rebuild from,
reversals. It checks what SQL checks well: employer and membership known, shares within Rp1, no worker twice,
nothing posted before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from datetime import date
from pathlib import Path

import psycopg

from tests.bench import files

SCHEMA = """
create table employers (npp int primary key, name text not null, registered_on date not null);
create table accounts (kpj bigint primary key, nik text not null, name text not null,
    birth_date date not null, sex text not null, segment text not null,
    npp int, email text, phone text, registered_on date not null);
create unique index accounts_nik on accounts (nik);
create table contributions (id bigserial, npp int not null, month text not null, kpj bigint not null,
    kind smallint not null default 0, wage bigint not null, back_pay bigint not null,
    employer bigint not null, worker bigint not null, paid_on date not null, reference text,
    recorded_at timestamptz not null default now());
create unique index contributions_once on contributions (kpj, month, npp, kind);
create table balances (kpj bigint, year smallint, employer bigint not null, worker bigint not null,
    months int not null, primary key (kpj, year));
create table rejects (line bigint, reason text);
"""
STAGING = """
create temp table staging (line bigserial, npp int, month text, kpj bigint, wage bigint, back_pay bigint,
    employer bigint, worker bigint, paid_on date, reference text) on commit drop
"""
COPY = """
copy staging (npp, month, kpj, wage, back_pay, employer, worker, paid_on, reference) from stdin csv header
"""
CHECK = """
insert into rejects
select line, case
    when e.npp is null then 'employer-unknown'
    when a.kpj is null then 'account-unknown'
    when abs(s.employer - (37 * (s.wage + coalesce(s.back_pay, 0)) + 500) / 1000) > 1
      or abs(s.worker - (20 * (s.wage + coalesce(s.back_pay, 0)) + 500) / 1000) > 1 then 'amounts-disagree'
    else 'worker-twice' end
from (select *, count(*) over (partition by npp, month, kpj) as times from staging) s
left join employers e on e.npp = s.npp
left join accounts a on a.kpj = s.kpj and a.npp = s.npp
where e.npp is null or a.kpj is null or times > 1
    or abs(s.employer - (37 * (s.wage + coalesce(s.back_pay, 0)) + 500) / 1000) > 1
    or abs(s.worker - (20 * (s.wage + coalesce(s.back_pay, 0)) + 500) / 1000) > 1
"""
POST = """
insert into contributions (npp, month, kpj, wage, back_pay, employer, worker, paid_on, reference)
select npp, month, kpj, wage, coalesce(back_pay, 0), employer, worker, paid_on, reference from staging s
where not exists (select from rejects r where r.line = s.line)
on conflict do nothing
"""
ADD = """
insert into balances
select kpj, extract(year from paid_on)::smallint, sum(employer), sum(worker), count(*) from staging s
where not exists (select from rejects r where r.line = s.line)
group by 1, 2
on conflict (kpj, year) do update set employer = balances.employer + excluded.employer,
    worker = balances.worker + excluded.worker, months = balances.months + excluded.months
"""
REBUILD = {
    "balances": """
create table balances_again (kpj bigint, year smallint, employer bigint not null, worker bigint not null,
    months int not null, primary key (kpj, year));
insert into balances_again
    select kpj, extract(year from paid_on)::smallint, sum(employer), sum(worker), count(*)
    from contributions group by 1, 2;
drop table balances_again;
""",
    "entries": """
create table entries_again as
    select kpj, id, month, kind, npp, employer, worker, paid_on, recorded_at from contributions;
create index on entries_again (kpj, id);
drop table entries_again;
""",
    "accounts": """
create table accounts_again as select * from accounts;
alter table accounts_again add primary key (kpj);
create unique index on accounts_again (nik);
drop table accounts_again;
""",
}
BEST = REBUILD | {
    "balances": """
create table balances_again as
    select kpj, extract(year from paid_on)::smallint as year, sum(employer)::bigint as employer,
        sum(worker)::bigint as worker, count(*)::int as months
    from contributions group by 1, 2;
alter table balances_again add primary key (kpj, year);
drop table balances_again;
""",
}
SMALL = """
insert into contributions (npp, month, kpj, wage, back_pay, employer, worker, paid_on, reference)
select s.npp, s.month, s.kpj, s.wage, 0, s.employer, s.worker, s.paid_on, ''
from unnest(%s::int[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::date[])
    as s (npp, month, kpj, wage, employer, worker, paid_on)
join employers e on e.npp = s.npp join accounts a on a.kpj = s.kpj and a.npp = s.npp
where abs(s.employer - (37 * s.wage + 500) / 1000) <= 1 and abs(s.worker - (20 * s.wage + 500) / 1000) <= 1
on conflict do nothing
"""


def copy_in(cursor: psycopg.Cursor, statement: str, file: Path) -> None:
    """Sends a file through COPY."""
    with file.open("rb") as source, cursor.copy(statement) as copy:
        while block := source.read(1 << 20):
            copy.write(block)


def register(connection: psycopg.Connection, directory: Path) -> int:
    """Schema, employers and accounts, personal data in clear; the accounts."""
    with connection.cursor() as cursor:
        cursor.execute(SCHEMA)
        copy_in(cursor, "copy employers from stdin csv header", directory / "employers.csv")
        copy_in(cursor, "copy accounts from stdin csv header", directory / "registrations.csv")
        cursor.execute("select count(*) from accounts")
        return int(cursor.fetchone()[0])


def ingest(connection: psycopg.Connection, file: Path, *, balances: bool) -> int:
    """One contributions file; the lines posted."""
    with connection.cursor() as cursor:
        cursor.execute(STAGING)
        copy_in(cursor, COPY, file)
        cursor.execute("analyze staging")
        cursor.execute(CHECK)
        cursor.execute(POST)
        posted = cursor.rowcount
        if balances:
            cursor.execute(ADD)
        return posted


def rebuild(connection: psycopg.Connection, names: list[str], *, best: bool) -> int:
    """The derived tables again from the contributions; the contributions read. `best`: the quickest way known."""
    if best:
        connection.execute("set work_mem = '1GB'")
        connection.execute("set maintenance_work_mem = '1GB'")
    for name in names:
        connection.execute((BEST if best else REBUILD)[name])
    return int(connection.execute("select count(*) from contributions").fetchone()[0])


async def small_remittances(url: str, month: str, count: int, clients: int, lines: int) -> int:
    """`count` remittances of `lines` lines, a transaction each, by `clients` connections; lines posted."""
    waiting = iter(range(count))
    posted = 0

    async def client() -> None:
        nonlocal posted
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            for employer in waiting:
                accounts = range(employer * lines, (employer + 1) * lines)
                wages = [files.wage(account) for account in accounts]
                halves = [files.shares(wage) for wage in wages]
                cursor = await connection.execute(
                    SMALL,
                    (
                        [files.FIRST_EMPLOYER + employer] * lines,
                        [month] * lines,
                        [files.FIRST_CARD + account for account in accounts],
                        wages,
                        [half[0] for half in halves],
                        [half[1] for half in halves],
                        [date.fromisoformat(files.paid_on(month))] * lines,
                    ),
                )
                posted += cursor.rowcount

    await asyncio.gather(*(client() for _ in range(clients)))
    return posted


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers.plain_sql")
    parser.add_argument(
        "what", choices=["register", "ingest", "ingest-with-balances", "rebuild", "rebuild-best", "small"]
    )
    parser.add_argument("url")
    parser.add_argument("input", nargs="?", default="")
    parser.add_argument("--month", default="2026-10")
    parser.add_argument("--count", type=int, default=0)
    options = parser.parse_args()
    if options.what == "rebuild-best":
        with psycopg.connect(options.url, autocommit=True) as connection:
            connection.execute("analyze contributions")
    began = time.perf_counter()
    if options.what == "small":
        units = asyncio.run(small_remittances(options.url, options.month, options.count, 16, 20))
    else:
        with psycopg.connect(options.url) as connection:
            if options.what == "register":
                units = register(connection, Path(options.input))
            elif options.what.startswith("rebuild"):
                units = rebuild(connection, options.input.split(","), best=options.what == "rebuild-best")
            else:
                units = ingest(connection, Path(options.input), balances="balances" in options.what)
    print(json.dumps({"units": units, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
