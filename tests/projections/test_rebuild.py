"""Rebuilding, comparing, swapping, going back; and being killed on the way."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ledger.errors import Refused, StoreFailed, Unavailable
from ledger.events import Event, Line
from ledger.identifiers import card_number
from ledger.settings import Settings
from ledger.store.codec import decode
from ledger.store.log import Log
from projections.folding import Task, _Fold
from projections.generations import NAMES, Store
from projections.projector import Projector, catch_up
from projections.queries import Queries
from projections.rebuild import Progress, RebuildDiffers, rebuild, undo
from projections.status import status
from tests.conftest import NOW, TODAY
from tests.projections.history import KPJS, NPPS, Model, Writer, registered
from tests.projections.test_projector import live_rows, poison

CARD = card_number(KPJS[0])


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = Store.open(settings)
    yield opened
    opened.close()


def history(writer: Writer, events: int, lines: int = 3, seed: int = 1) -> list[Event]:
    """Postings over several cards, employers and months, with some reversals."""
    rng = random.Random(seed)
    made: list[Event] = []
    for i in range(events):
        if i % 7 == 6 and (back := writer.reverse(rng.randrange(99))):
            made.append(back)
            continue
        month = f"20{rng.randrange(18, 26)}-{rng.randrange(1, 13):02d}"
        given = [Line(rng.choice(KPJS), 5_000_000, 0, rng.randrange(9**5), rng.randrange(9**5)) for _ in range(lines)]
        made.append(writer.post(rng.choice(NPPS), month, f"{month}-14", given))
    return made


def _counting(taken: list[int]) -> Callable[[_Fold, int], None]:
    """Fold as ever, slowly enough for a child to come in, and note what this process took."""
    fold = _Fold.fold

    def counted(self: _Fold, number: int) -> None:
        taken.append(number)
        time.sleep(0.02)
        fold(self, number)

    return counted


def test_a_child_that_fails_stops_the_rebuild_and_says_why(
    log: Log, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.rebuild.RANGE", 1)
    log.append([*registered(), *history(Writer(), 200)], NOW)
    # The child cannot find the ledger: it is told another place than this process.
    monkeypatch.setattr("projections.rebuild.Task", lambda _, *rest: Task("sqlite:////nowhere/jht.db", *rest))
    monkeypatch.setattr("projections.folding._Fold.fold", _counting([]))
    with pytest.raises(StoreFailed) as failed:
        rebuild(log, store, processes=2)
    assert "ledger-missing" in failed.value.__notes__[0] or "no ledger" in failed.value.__notes__[0]
    assert store.pointers().live == {}
    assert store.generations("balances") == []


def test_a_rebuild_with_two_processes_is_what_following_made(
    log: Log, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Short ranges, so that a small log is worth a second process.
    monkeypatch.setattr("projections.rebuild.RANGE", 5)
    ranges = 1 + (700 + len(registered())) // 5
    taken: list[int] = []
    monkeypatch.setattr("projections.folding._Fold.fold", _counting(taken))
    log.append(registered(), NOW)
    log.append(history(Writer(), 700), NOW)
    follower = Projector(log, store, now=lambda: NOW)
    follower.run_once()
    seen: list[Progress] = []
    before = live_rows(store)
    report = rebuild(log, store, processes=2, on_progress=seen.append)
    assert [p.generation.name for p in report.projections] == list(NAMES)
    assert all(p.switched and p.compared and p.compared.differing == 0 for p in report.projections)
    assert all(p.compared and p.rows == p.compared.live_rows for p in report.projections)
    assert live_rows(store) == before
    assert (report.events, seen[-1].events) == (700 + len(registered()),) * 2
    assert report.lines == seen[-1].lines == 600 * 3 + 100
    assert 0 < len(taken) < ranges
    assert {p.generation.number for p in report.projections} == {2}


def test_an_empty_log_rebuilds_to_nothing(log: Log, store: Store) -> None:
    report = rebuild(log, store)
    assert [(p.position, p.rows) for p in report.projections] == [(0, 0)] * 3
    assert Queries(log, store).position() == 0


def test_before_anything_is_built_a_balance_is_an_error_not_zero(log: Log, store: Store) -> None:
    log.append(registered(), NOW)
    reader = Queries(log, store)
    with pytest.raises(Unavailable) as unavailable:
        reader.balance(CARD, TODAY, NOW)
    assert unavailable.value.code == "read-side-empty"
    rebuild(log, store, processes=1)
    with pytest.raises(Unavailable) as unavailable:
        reader.balance(CARD, TODAY, NOW)
    assert unavailable.value.code == "read-side-stale"


def test_differences_stop_the_switch_and_are_named(log: Log, store: Store) -> None:
    log.append([*registered(), *history(Writer(), 20)], NOW)
    follower = Projector(log, store, now=lambda: NOW)
    follower.run_once()
    live = store.pointers().live["balances"]
    with store.database(live).write() as tx:
        tx.run(f"update {live.table} set employer = employer + 1 where card = ?", [CARD])
    changed = [row for row in live_rows(store) if row[0] == CARD]
    with pytest.raises(RebuildDiffers) as refused:
        rebuild(log, store, processes=1)
    assert refused.value.code == "rebuild-differs"
    outcomes = {p.generation.name: p for p in refused.value.report.projections}
    found = outcomes["balances"].compared
    assert found is not None
    assert found.differing == len(changed)
    assert {difference.key[0] for difference in found.sample} == {CARD}
    for difference in found.sample:
        assert difference.live is not None
        assert difference.rebuilt is not None
        assert difference.live[4] == difference.rebuilt[4] + 1
    assert not any(p.switched for p in outcomes.values())
    assert store.pointers().live["balances"] == live
    assert store.generations("balances") == [live]
    report = rebuild(log, store, processes=1, accept_differences=True)
    assert all(p.switched for p in report.projections)
    assert [row for row in live_rows(store) if row[0] == CARD] != changed


def test_rows_missing_on_either_side_are_differences(log: Log, store: Store) -> None:
    log.append([*registered(), *history(Writer(), 20)], NOW)
    Projector(log, store, now=lambda: NOW).run_once()
    live = store.pointers().live["directory"]
    with store.database(live).write() as tx:
        tx.run(f"delete from {live.table}_cards where card = ?", [CARD])
        tx.run(f"insert into {live.table}_employers values (99, 'PT Hantu', 0)")
    with pytest.raises(RebuildDiffers) as refused:
        rebuild(log, store, ["directory"])
    (outcome,) = refused.value.report.projections
    assert outcome.compared is not None
    assert [(d.table, d.key, d.live is None, d.rebuilt is None) for d in outcome.compared.sample] == [
        ("directory_g2_employers", (99,), False, True),
        ("directory_g2_cards", (CARD,), True, False),
    ]


def test_undo_serves_the_earlier_generation_caught_up(log: Log, store: Store) -> None:
    writer = Writer()
    log.append([*registered(), *history(writer, 20)], NOW)
    follower = Projector(log, store, now=lambda: NOW)
    follower.run_once()
    with pytest.raises(Refused) as refused:
        undo(log, store, "balances")
    assert refused.value.code == "rebuild-nothing-to-undo"
    first = store.pointers().live["balances"]
    rebuild(log, store, ["balances"], processes=1)
    log.append(history(writer, 20, seed=2), NOW)
    follower.run_once()
    rows, position = live_rows(store), store.position(store.pointers().live["balances"])
    assert undo(log, store, "balances") == first
    assert store.pointers().live["balances"] == first
    assert store.position(first).position >= position.position
    assert live_rows(store) == rows
    undo(log, store, "balances")
    assert store.pointers().live["balances"].number == first.number + 1
    assert live_rows(store) == rows


def test_only_one_earlier_generation_is_kept(log: Log, store: Store) -> None:
    log.append(registered(), NOW)
    for _ in range(4):
        rebuild(log, store, ["balances"], processes=1)
    assert [generation.number for generation in store.generations("balances")] == [3, 4]
    assert store.pointers().previous["balances"].number == 3


def test_a_second_rebuild_of_the_same_projection_is_refused(log: Log, settings: Settings, store: Store) -> None:
    log.append(registered(), NOW)
    other = Store.open(settings)
    with other.lease("rebuild-balances", "rebuild-elsewhere"):
        with pytest.raises(Refused) as refused:
            rebuild(log, store, ["balances"])
        rebuild(log, store, ["directory"])
    assert refused.value.code == "rebuild-elsewhere"
    other.close()


def test_an_unknown_projection_is_named(log: Log, store: Store) -> None:
    with pytest.raises(Refused) as refused:
        rebuild(log, store, ["saldo"])
    assert refused.value.code == "projection-unknown"


def test_readers_and_the_follower_go_on_through_rebuilds(log: Log, settings: Settings, store: Store) -> None:
    writer = Writer()
    log.append([*registered(), *history(writer, 50)], NOW)
    follower = Projector(log, store, now=lambda: NOW)
    follower.run_once()
    stop, wrong = threading.Event(), []
    totals: dict[int, int] = {}

    def read() -> None:
        reader_store, last = Store.open(settings), 0
        reader = Queries(log, reader_store)
        while not stop.is_set():
            try:
                found = reader.balance(CARD, TODAY, NOW)
            except Exception as error:
                wrong.append(repr(error))
                return
            if found.position < last:
                wrong.append(f"position went from {last} back to {found.position}")
            last = found.position
            if totals.setdefault(found.position, found.total) != found.total:
                wrong.append(f"two totals at {found.position}")
        reader.close()
        reader_store.close()

    threads = [threading.Thread(target=read), threading.Thread(target=follower.run, args=(stop,))]
    for thread in threads:
        thread.start()
    for seed in range(3):
        log.append(history(writer, 20, seed=10 + seed), NOW)
        report = rebuild(log, store, processes=1)
        assert all(p.switched for p in report.projections)
    undo(log, store, "balances")
    Queries(log, store).wait_for(log.head(), 10)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(totals) > 1


def test_a_dropped_generation_does_not_break_a_reader_that_had_it(log: Log, store: Store) -> None:
    log.append([*registered(), *history(Writer(), 10)], NOW)
    follower = Projector(log, store, now=lambda: NOW)
    follower.run_once()
    reader = Queries(log, store)
    total = reader.balance(CARD, TODAY, NOW).total
    rebuild(log, store, processes=1)
    rebuild(log, store, processes=1)
    assert reader.balance(CARD, TODAY, NOW).total == total
    assert reader.person_of_card(CARD) == f"{0:032x}"
    assert len(reader.entries(CARD, NOW)) > 0


def test_status_tells_generations_lag_and_what_is_broken(log: Log, store: Store) -> None:
    writer = Writer()
    log.append(registered(), NOW)
    empty = status(log, store, NOW)
    assert [(p.generation, p.behind) for p in empty.projections] == [(0, len(registered()))] * 3
    assert empty.confirmed_seconds is None
    bad = log.append([writer.post(NPPS[0], "2026-09", "2026-10-14", [Line(KPJS[0], 0, 0, 5, 7)])], NOW).positions[0]
    poison(log, bad)
    Projector(log, store, now=lambda: NOW).run_once()
    log.append([writer.post(NPPS[0], "2026-08", "2026-10-14", [Line(KPJS[0], 0, 0, 5, 7)])], NOW)
    found = status(log, store, NOW)
    by_name = {p.name: p for p in found.projections}
    assert [p.behind for p in found.projections] == [1, 1, 1]
    assert by_name["balances"].incomplete == len(KPJS)
    assert by_name["balances"].broken == [(bad, "DecodeError in contributions-posted.v1")]
    assert by_name["directory"].incomplete == 0
    assert (found.confirmed_seconds, found.follower_running, found.head) == (0.0, False, log.head())
    with Store.open(store.settings).lease("follow", "follower-elsewhere"):
        assert status(log, store, NOW).follower_running


_DOER = """
    import sys
    from ledger.store.log import Log
    from ledger.settings import Settings
    from projections.projector import Projector
    import projections.rebuild
    from projections.rebuild import rebuild
    from projections.generations import Store

    projections.rebuild.RANGE = 5

    if __name__ == "__main__":
        settings = Settings(database_url=sys.argv[1], master_key="42" * 32)
        log, store = Log.open(settings), Store.open(settings)
        print("ready", flush=True)
        while True:
            if sys.argv[2] == "rebuild":
                rebuild(log, store, processes=2)
            else:
                Projector(log, store, page=2).run_once()
"""


def _killed(settings: Settings, script: str, what: str, after: float) -> None:
    process = subprocess.Popen(
        [sys.executable, script, settings.database_url, what],
        stdout=subprocess.PIPE, start_new_session=True, cwd=os.getcwd(),
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    time.sleep(after)
    # Only the parent: its child has to notice by itself.
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 21))])
@pytest.mark.parametrize("what", ["rebuild", "follow"])
def test_killed_anywhere_nothing_is_lost_or_counted_twice(
    log: Log, settings: Settings, store: Store, tmp_path, what: str, seed: int
) -> None:
    script = tmp_path / "doer.py"
    script.write_text(textwrap.dedent(_DOER))
    rng, writer = random.Random(seed), Writer()
    log.append([*registered(), *history(writer, 300, seed=seed)], NOW)
    if what == "rebuild":
        Projector(log, store, now=lambda: NOW).run_once()
    for _ in range(2):
        _killed(settings, str(script), what, rng.uniform(0, 1.2 if what == "rebuild" else 0.3))
        log.append(history(writer, 30, seed=seed + 100), NOW)
        _settled(store)
        Projector(log, store, now=lambda: NOW).run_once()
        report = rebuild(log, store, processes=1)
        assert [p.compared and p.compared.differing for p in report.projections] == [0, 0, 0]
        for name in NAMES:
            assert len(store.generations(name)) == 2
    model = Model()
    for row in log.read(0, 10_000):
        model.take(decode(row), row.position)
    reader = Queries(log, store)
    for kpj in KPJS:
        found = reader.balance(card_number(kpj), TODAY, NOW)
        assert (found.total, found.months) == model.total(kpj)[:2]


def _settled(store: Store) -> None:
    """Wait until the leases of the killed process are free: PostgreSQL notices a dead client a moment later."""
    end = time.monotonic() + 20
    for name in ("follow", *(f"rebuild-{name}" for name in NAMES)):
        while True:
            try:
                with store.lease(name, "rebuild-elsewhere"):
                    break
            except Refused:
                assert time.monotonic() < end
                time.sleep(0.02)


def test_catching_up_stops_exactly_where_it_was_told(log: Log, store: Store) -> None:
    writer = Writer()
    log.append([*registered(), *history(writer, 30)], NOW)
    rebuild(log, store, ["balances"], processes=1)
    positions = log.append(history(writer, 20, seed=3), NOW).positions
    generation = store.pointers().live["balances"]
    assert catch_up(log, store, generation, positions[6]) == 7
    assert store.position(generation).position == positions[6]
    assert catch_up(log, store, generation, positions[6]) == 0
