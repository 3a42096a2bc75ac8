"""A process as it runs: its own follower, its settings, its end."""

from __future__ import annotations

import threading
import time

import pytest
from starlette.testclient import TestClient

import api.app
from api.access.keys import Keys, open_store
from ledger.clock import read_now
from ledger.errors import Refused
from ledger.settings import Settings
from ledger.store.log import Log
from projections.generations import Store
from tests.api.conftest import PAID, Api, posting, small_ledger

BALANCE = f"/v1/accounts/{PAID}/balance"


def told(api: Api, headers: dict[str, str], position: str) -> int:
    answer = api.client.get(BALANCE, headers=headers, params={"min_position": position})
    assert answer.status_code == 200, answer.text
    found: int = answer.json()["balance"]
    return found


def test_the_embedded_follower_makes_a_write_visible(settings: Settings) -> None:
    with Api(settings, live=True, follow=True, max_wait=10) as running:
        headers = running.key()
        assert told(running, headers, running.append(*small_ledger())) == 570_000
        started = time.monotonic()
        assert told(running, headers, running.append(posting("10000001", "2026-11", "2026-11-20", PAID))) == 855_000
        assert time.monotonic() - started < 5


def test_a_process_takes_over_following_when_the_other_ends(settings: Settings) -> None:
    store = Store.open(settings)
    held, ends = threading.Event(), threading.Event()

    def other() -> None:
        with store.lease("follow", "follower-elsewhere"):
            held.set()
            ends.wait()

    thread = threading.Thread(target=other)
    thread.start()
    held.wait()
    try:
        with Api(settings, live=True, follow=True, max_wait=10) as running:
            headers = running.key()
            running.append(*small_ledger())
            assert running.client.get(BALANCE, headers=headers).json()["code"] == "read-side-empty"
            ends.set()
            assert told(running, headers, running.append(posting("10000001", "2026-11", "2026-11-20", PAID))) == 855_000
    finally:
        ends.set()
        thread.join()
        store.close()


def test_the_server_starts_from_the_environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.app, "start_logging", lambda level: None)
    monkeypatch.setenv("JHT_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("JHT_MASTER_KEY", "42" * 32)
    log = Log.open(settings)
    log.append(small_ledger(), read_now())
    log.close()
    access = open_store(settings)
    key, _ = Keys(access).create("test", ["read"], now=read_now())
    access.close()
    with TestClient(api.app.app) as client:
        until = time.monotonic() + 10
        while client.get("/readyz").status_code != 200 and time.monotonic() < until:
            time.sleep(0.05)
        answer = client.get(BALANCE, headers={"Authorization": f"Bearer {key}"})
        assert answer.json()["balance"] == 570_000
    monkeypatch.setenv("JHT_DATABSE_URL", "x")
    with pytest.raises(Refused, match="There is no setting JHT_DATABSE_URL"):
        api.app.create()


def test_a_server_without_a_ledger_does_not_start(tmp_path: object) -> None:
    app = api.app.create_app(Settings(database_url=f"sqlite:///{tmp_path}/none.db"))
    with pytest.raises(Refused, match="no ledger"), TestClient(app):
        pass
