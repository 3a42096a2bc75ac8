"""Rebuilding, comparing, swapping, going back; and being killed on the way."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from ledger.errors import Refused, Unavailable
from ledger.events import Event, Line
from ledger.identifiers import card_number
from ledger.settings import Settings
from ledger.store.codec import decode
from ledger.store.log import Log
from projections import balances, entries
from projections.event_batch import read_batch
from projections.generations import NAMES, Store, position_in
from projections.projector import Projector, catch_up
from projections.queries import Queries
from projections.rebuild import Progress, RebuildDiffers, rebuild, undo
from projections.status import status
from tests.conftest import LONG, NOW, TODAY
from tests.projections.history import KPJS, NPPS, PERSON, Model, Writer, registered
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


def test_a_rebuild_is_what_following_made(log: Log, store: Store) -> None:
    log.append(registered(), NOW)
    log.append(history(Writer(), 700), NOW)
    follower = Projector(log, store, now=lambda: NOW)
    follower.run_once()
    seen: list[Progress] = []
    before = live_rows(store)
    report = rebuild(log, store, on_progress=seen.append)
    assert [p.generation.name for p in report.projections] == list(NAMES)
    assert all(p.switched and p.compared and p.compared.differing == 0 for p in report.projections)
    assert all(p.compared and p.rows == p.compared.live_rows for p in report.projections)
    assert live_rows(store) == before
    assert (report.events, seen[-1].position, seen[-1].total) == (700 + len(registered()),) * 3
    assert report.lines == seen[-1].lines == 600 * 3 + 100
    assert {p.generation.number for p in report.projections} == {2}


@pytest.mark.parametrize(("gathered", "later"), [(20_000, 100_000), (3, 100_000), (7, 5), (1, 0)])
def test_a_directory_filled_without_keys_is_what_following_made(
    log: Log, store: Store, monkeypatch: pytest.MonkeyPatch, gathered: int, later: int
) -> None:
    monkeypatch.setattr("projections.folding._PEOPLE_ROWS", gathered)
    monkeypatch.setattr("projections.folding._LATER_ROWS", later)
    writer, rng = Writer(), random.Random(gathered)
    changes = [writer.people(rng.randrange(14), rng.choice(KPJS[:3])) for _ in range(40)]
    # Some of the changes come before others are registered at all.
    first, last = registered(KPJS[:4]), [one for one in registered() if one not in registered(KPJS[:4])]
    log.append([*first, *(one for one in changes[:20] if one), *last, *(one for one in changes[20:] if one)], NOW)
    Projector(log, store, now=lambda: NOW, page=5).run_once()
    report = rebuild(log, store, ["directory"])
    assert [(p.switched, p.compared and p.compared.differing) for p in report.projections] == [(True, 0)]
    reader = Queries(log, store)
    assert {reader.person_of_card(card_number(kpj)) for kpj in KPJS} == {PERSON.format(i) for i in range(3)}


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
    rebuild(log, store)
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
        rebuild(log, store)
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
    report = rebuild(log, store, accept_differences=True)
    assert all(p.switched for p in report.projections)
    assert [row for row in live_rows(store) if row[0] == CARD] != changed


def test_rows_missing_on_either_side_are_differences(log: Log, store: Store) -> None:
    log.append([*registered(), *history(Writer(), 20)], NOW)
    Projector(log, store, now=lambda: NOW).run_once()
    live = store.pointers().live["directory"]
    with store.database(live).write() as tx:
        tx.run(f"delete from {live.table}_cards where card = ?", [CARD])
        tx.run(f"insert into {live.table}_employers values (99, 'PT Hantu', 1, 0)")
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
    rebuild(log, store, ["balances"])
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
        rebuild(log, store, ["balances"])
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
        report = rebuild(log, store)
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
    rebuild(log, store)
    rebuild(log, store)
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


KILLS = 120 if LONG else 12


@pytest.fixture(params=["rebuild", "follow"])
def kill(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Callable[[int], str]]:
    """Have the work done in a process that is killed at its n-th touch of the store (0: at none); what came of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.projections.killed", settings.database_url, request.param],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    asked, answers = process.stdin, process.stdout

    def ask(touch: int) -> str:
        print(touch, file=asked, flush=True)
        return answers.readline().strip()

    yield ask
    asked.close()
    process.wait()
    answers.close()


def test_killed_anywhere_nothing_is_lost_or_counted_twice(log: Log, store: Store, kill: Callable[[int], str]) -> None:
    writer, rng = Writer(), random.Random(1)
    log.append([*registered(), *history(writer, 60)], NOW)
    Projector(log, store, now=lambda: NOW).run_once()
    log.append(history(writer, 20, seed=2), NOW)
    touches = int(kill(0))
    assert touches > 50
    for i in range(KILLS):
        log.append(history(writer, 20, seed=10 + i), NOW)
        # Somewhere in each stretch of the work; at the end there may be fewer touches than the first time.
        outcome = kill(touches * i // KILLS + rng.randrange(1, touches // KILLS))
        assert outcome == "killed" or (i == KILLS - 1 and outcome != "failed")
        _whole(log, store)
        _settled(store)
        Projector(log, store, now=lambda: NOW).run_once()
        _whole(log, store)
        assert {store.position(live).position for live in store.pointers().live.values()} == {log.head()}
        if i % 6 == 5:
            # A new start finishes the work, proves every row equal and leaves nothing of the killed one.
            report = rebuild(log, store)
            assert [(p.switched, p.compared and p.compared.differing) for p in report.projections] == [(True, 0)] * 3
            assert [len(store.generations(name)) for name in NAMES] == [2, 2, 2]
    model = Model()
    for row in log.read(0, 100_000):
        model.take(decode(row), row.position)
    reader = Queries(log, store)
    for kpj in KPJS:
        found = reader.balance(card_number(kpj), TODAY, NOW)
        assert (found.total, found.months) == model.total(kpj)[:2]


def _whole(log: Log, store: Store) -> None:
    """What is served of money is the log's up to the position that it names: wholly, and once."""
    for name, kind in (("balances", balances), ("entries", entries)):
        live = store.pointers().live[name]
        with store.database(live).read() as tx:
            position = position_in(tx, live).position
            found = sorted(tx.rows(f"select {', '.join(kind.COLUMNS)} from {live.table}"))
        lines = read_batch(log.read(0, 100_000, position)).lines
        made = balances.merge([balances.fold(lines)]) if name == "balances" else entries.fold(lines)
        assert found == sorted(zip(*(made[column].tolist() for column in kind.COLUMNS), strict=True))


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
    rebuild(log, store, ["balances"])
    positions = log.append(history(writer, 20, seed=3), NOW).positions
    generation = store.pointers().live["balances"]
    assert catch_up(log, store, generation, positions[6]) == 7
    assert store.position(generation).position == positions[6]
    assert catch_up(log, store, generation, positions[6]) == 0
