"""Idempotent writes: one key, one body, one answer, whatever happens in between; on both stores."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import datetime, timedelta

import pytest

from ledger.errors import Conflict, Unavailable
from ledger.events import Event, RequestFinished, RequestStarted
from ledger.identifiers import request_stream
from ledger.settings import Settings
from ledger.store import idempotency, processes
from ledger.store.idempotency import Replay, Started, abandon, begin, digest_of, finish
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.conftest import NOW
from tests.system.running import environment

DIGEST = "d" * 64


@pytest.fixture(autouse=True)
def _secret(log: Log) -> None:
    """Bodies and keys are hashed under the log's secret, which the vault opens."""
    Vault.open(log)


def begun(log: Log, body: str = "b" * 64, now: datetime = NOW) -> Started | Replay:
    return begin(log, DIGEST, body, "/v1/contributions", by="key:1", channel="partner", now=now)


def answer(receipt: str = "r") -> RequestFinished:
    return RequestFinished(hash="b" * 64, status=200, layout="contributions", receipt=receipt, totals={"posted": 1})


def ended(log: Log, started: Started | Replay, receipt: str = "r") -> None:
    assert isinstance(started, Started)
    finish(log, started, answer(receipt), by="key:1", channel="partner", now=NOW)


def elsewhere(log: Log, process: str) -> None:
    """What another process left behind when it began the same request."""
    fact = RequestStarted(log.hmac("request body", b"b" * 64), "/v1/contributions", process)
    one = Event(stream=request_stream(DIGEST), version=1, fact=fact, by="key:1", channel="partner")
    log.append([one], NOW)


def test_a_finished_request_is_answered_the_same_for_ever(log: Log) -> None:
    ended(log, begun(log), "first")
    for years in (0, 30):
        assert begun(log, now=NOW + timedelta(days=365 * years)) == Replay(answer("first"))
    assert len(log.events(request_stream(DIGEST))) == 2


def test_another_body_under_the_same_key_is_refused(log: Log) -> None:
    started = begun(log)
    assert isinstance(started, Started)
    abandon(log, started)
    with pytest.raises(Conflict) as refused:
        begun(log, "c" * 64)
    assert refused.value.code == "idempotency-key-reused"
    ended(log, begun(log))
    with pytest.raises(Conflict):
        begun(log, "c" * 64)


def test_the_same_key_of_another_client_or_route_is_another_request(log: Log) -> None:
    named = [("client", "/v1/contributions"), ("other", "/v1/contributions"), ("client", "/v1/reversals")]
    digests = {digest_of(log, client, route, "key-1") for client, route in named}
    assert len(digests) == 3


def test_a_request_under_way_is_not_begun_twice(log: Log) -> None:
    started = begun(log)
    with pytest.raises(Unavailable) as refused:
        begun(log)
    assert refused.value.code == "idempotency-in-progress"
    ended(log, started)
    assert isinstance(begun(log), Replay)


def test_an_abandoned_request_is_resumed_at_once(log: Log) -> None:
    first = begun(log)
    assert isinstance(first, Started)
    abandon(log, first)
    second = begun(log)
    assert isinstance(second, Started)
    assert second.version == 2
    ended(log, second)


def test_a_run_that_another_process_gave_up_is_resumed_at_once(settings: Settings, log: Log) -> None:
    elsewhere = (
        "import sys, datetime\nfrom ledger.settings import load\nfrom ledger.store.log import Log\n"
        "from ledger.store.vault import Vault\nfrom ledger.store.idempotency import abandon, begin\n"
        "log = Log.open(load())\nVault.open(log)\n"
        "now = datetime.datetime.fromisoformat(sys.argv[3])\n"
        "run = begin(log, sys.argv[1], sys.argv[2], '/v1/contributions', by='key:1', channel='partner', now=now)\n"
        "print('begun', flush=True)\nsys.stdin.readline()\nabandon(log, run)\nprint('over', flush=True)\nsys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", elsewhere, DIGEST, "b" * 64, NOW.isoformat()],
        env=environment(settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == "begun\n"
        with pytest.raises(Unavailable) as refused:
            begun(log)
        assert refused.value.code == "idempotency-in-progress"
        print("give up", file=process.stdin, flush=True)
        assert process.stdout.readline() == "over\n"
        second = begun(log)
        assert isinstance(second, Started)
        assert second.version == 2
        # The other still lives; what it gave up was its own run, not this one.
        idempotency._forget(DIGEST)
        assert not idempotency._abandoned(log, log.events(request_stream(DIGEST))[-1])
        ended(log, second)


def test_a_run_of_a_dead_process_is_resumed_at_once(log: Log) -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as gone:
        pass
    elsewhere(log, f"{processes.HOST}-{gone.pid}-abcd")
    ended(log, begun(log))


def test_a_run_of_a_living_process_is_left_alone_for_a_minute(log: Log) -> None:
    elsewhere(log, f"{processes.HOST}-{os.getppid()}-abcd")
    with pytest.raises(Unavailable):
        begun(log)
    with pytest.raises(Unavailable):
        begun(log, now=NOW + timedelta(seconds=60))
    started = begun(log, now=NOW + timedelta(seconds=61))
    ended(log, started, "resumed")
    assert begun(log) == Replay(answer("resumed"))


def test_a_run_on_another_machine_is_left_alone_for_a_minute(log: Log) -> None:
    elsewhere(log, "00000000-1-abcd")
    with pytest.raises(Unavailable):
        begun(log)
    started = begun(log, now=NOW + timedelta(seconds=61))
    assert isinstance(started, Started)
    abandon(log, started)


def test_of_two_runs_that_both_finish_the_first_answer_stands(log: Log) -> None:
    elsewhere(log, "00000000-1-abcd")
    slow = Started(DIGEST, "b" * 64, 1)
    quick = begun(log, now=NOW + timedelta(seconds=61))
    ended(log, quick, "first")
    ended(log, slow, "second")
    assert begun(log) == Replay(answer("first"))


def test_of_many_at_once_one_begins(log: Log) -> None:
    results: list[object] = []

    def run() -> None:
        try:
            results.append(begun(log))
        except Unavailable as refused:
            results.append(refused.code)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    started = [r for r in results if isinstance(r, Started)]
    assert len(started) == 1
    assert results.count("idempotency-in-progress") == 5
    ended(log, started[0])
