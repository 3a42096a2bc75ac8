"""The `eventsourcing` library as its documentation shows it: aggregate per account, JSON, ProjectionRunner.

Several contributions go into one `save()`, which its API allows, so the batch is one transaction.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import threading
import time
from itertools import islice
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg import conninfo
from psycopg.sql import SQL

BATCH = 500


class Account(Aggregate):
    """One card: who holds it, and what came in."""

    @event("Registered")
    def __init__(self, kpj: str, nik: str, name: str, birth_date: str, sex: str, npp: str, phone: str) -> None:
        self.kpj, self.nik, self.name = kpj, nik, name
        self.birth_date, self.sex, self.npp, self.phone = birth_date, sex, npp, phone
        self.balance = 0

    @staticmethod
    def create_id(kpj: str, **_: str) -> UUID:
        return uuid5(NAMESPACE_URL, f"account/{kpj}")

    @event("ContributionReceived")
    def receive(self, npp: str, month: str, wage: int, employer: int, worker: int, paid_on: str) -> None:
        self.balance += employer + worker


class Ledger(Application):
    """The accounts."""


class BalanceView(PostgresTrackingRecorder):
    """The balance of every account, written with the position in one transaction."""

    def __init__(self, datastore: PostgresDatastore, **kwargs: object) -> None:
        super().__init__(datastore, **kwargs)
        self.check_identifier_length("account_balances")
        self.sql_create_statements.append(
            SQL("create table if not exists account_balances (account uuid primary key, balance bigint not null)")
        )

    def add(self, account: UUID, amount: int, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(
                "insert into account_balances values (%s, %s)"
                " on conflict (account) do update set balance = account_balances.balance + excluded.balance",
                (account, amount),
            )


class Balances(Projection[BalanceView]):
    """Contributions into balances."""

    name = "balances"

    @singledispatchmethod
    def process_event(self, domain_event: object, tracking: Tracking) -> None:
        self.view.insert_tracking(tracking)

    @process_event.register
    def received(self, domain_event: Account.ContributionReceived, tracking: Tracking) -> None:
        self.view.add(domain_event.originator_id, domain_event.employer + domain_event.worker, tracking)


def environment(url: str, *, sealed: bool) -> dict[str, str]:
    """The library's settings for a PostgreSQL URL; `sealed`: every state encrypted with its AES cipher."""
    parts = conninfo.conninfo_to_dict(url)
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(parts["dbname"]),
        "POSTGRES_HOST": str(parts["host"]),
        "POSTGRES_PORT": str(parts.get("port", 5432)),
        "POSTGRES_USER": str(parts["user"]),
        "POSTGRES_PASSWORD": str(parts.get("password", "none")),
    }
    if sealed:
        from eventsourcing.cryptography import AESCipher

        env |= {
            "CIPHER_TOPIC": "eventsourcing.cryptography:AESCipher",
            "CIPHER_KEY": AESCipher.create_key(32),
        }
    return env


def rows(file: Path, limit: int) -> list[dict[str, str]]:
    """The first rows of a CSV file."""
    with file.open(newline="") as source:
        return list(islice(csv.DictReader(source), limit))


def register(app: Ledger, registrations: list[dict[str, str]]) -> list[Account]:
    """Accounts made and saved."""
    columns = ("kpj", "nik", "name", "birth_date", "sex", "npp", "phone")
    accounts = [Account(**{column: row[column] for column in columns}) for row in registrations]
    for start in range(0, len(accounts), BATCH):
        app.save(*accounts[start : start + BATCH])
    return accounts


def receive(account: Account, row: dict[str, str]) -> None:
    """One contribution, its shares checked."""
    wage, employer, worker = int(row["wage"]), int(row["employer"]), int(row["worker"])
    if abs(employer - (wage * 37 + 500) // 1000) > 1 or abs(worker - (wage * 20 + 500) // 1000) > 1:
        raise ValueError("amounts disagree")
    account.receive(row["npp"], row["month"], wage, employer, worker, row["paid_on"])


def contribute(app: Ledger, contributions: list[dict[str, str]], known: dict[str, Account] | None) -> None:
    """Contributions saved in batches; without `known` every account is fetched from the store."""
    for start in range(0, len(contributions), BATCH):
        touched = []
        for row in contributions[start : start + BATCH]:
            account = known[row["kpj"]] if known else app.repository.get(Account.create_id(row["kpj"]))
            receive(account, row)
            touched.append(account)
        app.save(*touched)


def project(env: dict[str, str], head: int) -> float:
    """Seconds the stock runner takes from zero to `head`."""
    began = time.perf_counter()
    with ProjectionRunner(
        application_class=Ledger, projection_class=Balances, view_class=BalanceView, env=env
    ) as runner:
        runner.wait(head, timeout=600)
    return time.perf_counter() - began


def follow(env: dict[str, str], accounts: list[Account], row: dict[str, str], rate: float) -> list[float]:
    """Milliseconds from a contribution saved to its event projected, at `rate` contributions a second."""
    saved: dict[int, float] = {}
    delays: list[float] = []
    with ProjectionRunner(
        application_class=Ledger, projection_class=Balances, view_class=BalanceView, env=env
    ) as runner:
        runner.wait(runner.app.recorder.max_notification_id(), timeout=600)
        finished = threading.Event()

        def watch() -> None:
            while saved or not finished.is_set():
                position = runner.projection.view.max_tracking_id("Ledger") or 0
                now = time.perf_counter()
                for number in [number for number in list(saved) if number <= position]:
                    delays.append((now - saved.pop(number)) * 1000)
                time.sleep(0.002)

        watcher = threading.Thread(target=watch)
        watcher.start()
        began = time.perf_counter()
        for number, account in enumerate(accounts):
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
            receive(account, row)
            recordings = runner.app.save(account)
            saved[recordings[-1].notification.id] = time.perf_counter()
        finished.set()
        watcher.join()
    return sorted(delays)


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.peers.library")
    parser.add_argument("what", choices=["register", "append", "ingest", "project", "follow"])
    parser.add_argument("url")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--month", default="2026-10")
    parser.add_argument("--limit", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=300)
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("POSTGRES_")]:
        del os.environ[name]
    registrations = rows(options.directory / "registrations.csv", options.limit)
    contributions = rows(options.directory / f"contributions-{options.month}.csv", options.limit)
    env = environment(options.url, sealed=options.what == "register")
    app = Ledger(env)
    began = time.perf_counter()
    accounts = register(app, registrations)
    answer: dict[str, object] = {"units": len(accounts), "seconds": time.perf_counter() - began}
    if options.what in {"append", "ingest", "project"}:
        known = None if options.what == "ingest" else {account.kpj: account for account in accounts}
        began = time.perf_counter()
        contribute(app, contributions, known)
        answer = {"units": len(contributions), "seconds": time.perf_counter() - began}
    if options.what == "project":
        head = app.recorder.max_notification_id() or 0
        answer = {"units": head, "seconds": project(env, head)}
    if options.what == "follow":
        delays = follow(env, accounts, contributions[0], options.rate)
        answer = {
            "p50_ms": delays[len(delays) // 2],
            "p99_ms": delays[len(delays) * 99 // 100],
            "units": len(delays),
        }
    app.close()
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
