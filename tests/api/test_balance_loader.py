"""Reads of one moment on PostgreSQL: one query, one connection, and what happens when it breaks."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from ledger.settings import Settings
from tests.api.conftest import EMPTY, PAID, SECOND, Api, small_ledger
from tests.conftest import MASTER_KEY, postgres_database

BALANCES = {PAID: 570_000, SECOND: 285_000, EMPTY: 0}


@pytest.fixture
def api(postgres_server: str, postgres_template: str) -> Iterator[Api]:
    with (
        postgres_database(postgres_server, postgres_template) as url,
        Api(Settings(database_url=url, master_key=MASTER_KEY)) as running,
    ):
        running.append(*small_ledger())
        running.follow()
        yield running


def ask(api: Api, headers: dict[str, str], kpj: str) -> int:
    found: int = api.client.get(f"/v1/accounts/{kpj}/balance", headers=headers).json()["balance"]
    return found


def test_reads_of_one_moment_share_queries_and_keep_apart(api: Api) -> None:
    headers = api.key("read")
    together = api.app.state.application.balances
    batches: list[int] = []
    rows = together._rows

    async def counted(sql: str, cards: list[int]) -> object:
        batches.append(len(cards))
        return await rows(sql, cards)

    together._rows = counted
    wrong: list[object] = []

    def read(n: int) -> None:
        kpj = list(BALANCES)[n % 3]
        if (found := ask(api, headers, kpj)) != BALANCES[kpj]:
            wrong.append((kpj, found))

    threads = [threading.Thread(target=read, args=(n,)) for n in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(batches) < 60
    assert len(api.records()) == 60


def test_a_broken_connection_is_replaced(api: Api) -> None:
    headers = api.key("read")
    assert ask(api, headers, PAID) == 570_000
    with psycopg.connect(api.settings.database_url, autocommit=True) as connection:
        pid = api.app.state.application.balances._connection.info.backend_pid
        connection.execute("select pg_terminate_backend(%s)", [pid])
    assert ask(api, headers, PAID) == 570_000


def test_a_swapped_generation_is_noticed(api: Api) -> None:
    headers = api.key("read")
    assert ask(api, headers, PAID) == 570_000
    # What a rebuild does at its end, with a generation that says something else.
    live = api.store.pointers().live["balances"]
    other = api.store.generation("balances", live.number + 1)
    with api.store.pointers_database.write() as tx:
        for suffix in ("", "_position", "_incomplete", "_scheme"):
            tx.run(f"create table {other.table}{suffix} (like {live.table}{suffix} including all)")
            tx.run(f"insert into {other.table}{suffix} select * from {live.table}{suffix}")
        tx.run(f"update {other.table} set worker = worker + 1")
    api.store.swap(other, 0)
    api.store.drop(live)
    assert ask(api, headers, PAID) in {570_001, 570_002}
