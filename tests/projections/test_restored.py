"""An older log put back, and read models thrown away, on both stores: found at once, and the remedy that is told works."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.errors import Refused, Unavailable
from ledger.events import Event, Line
from ledger.identifiers import card_number
from ledger.settings import Settings
from ledger.store.codec import StoredRow, decode
from ledger.store.log import Log, fingerprint_of
from projections.condition import must_be_of_this_log
from projections.generations import NAMES, Store
from projections.projector import Projector
from projections.queries import Queries
from projections.rebuild import rebuild, undo
from projections.status import status
from tests.conftest import NOW, TODAY
from tests.projections.history import KPJS, NPPS, Writer, registered

CARD = card_number(KPJS[0])


class ReadSide:
    """A log with its read side, opened anew whenever somebody else would be a process of its own."""

    def __init__(self, log: Log) -> None:
        self.log, self.settings = log, log.settings
        self.writer = Writer()
        self.append(*registered())

    def append(self, *events: Event) -> None:
        self.log.append(list(events), NOW)

    def pay(self, month: str, amount: int) -> None:
        self.append(self.writer.post(NPPS[0], month, "2026-11-14", [Line(KPJS[0], 0, 0, amount, 0)]))

    def follow(self) -> int:
        store = Store.open(self.settings)
        try:
            return Projector(self.log, store, now=lambda: NOW).run_once()
        finally:
            store.close()

    def ask(self, question: Callable[[Queries], object]) -> object:
        store = Store.open(self.settings)
        reader = Queries(self.log, store)
        try:
            return question(reader)
        finally:
            reader.close()
            store.close()

    def total(self) -> object:
        return self.ask(lambda reader: reader.balance(CARD, TODAY, NOW).total)

    def tag(self) -> object:
        return self.ask(lambda reader: reader.balance(CARD, TODAY, NOW).tag)

    def rebuild(self) -> None:
        store = Store.open(self.settings)
        try:
            rebuild(self.log, store)
        finally:
            store.close()

    def conditions(self) -> list[str]:
        store = Store.open(self.settings)
        try:
            return [one.condition for one in status(self.log, store, NOW).projections]
        finally:
            store.close()

    def put_back(self, head: int) -> None:
        """The log as it was at an earlier head: what a restored copy of it holds."""
        with self.log.database.write() as tx:
            tx.run(f"delete from {self.log.table} where {self.log.key} > ?", [head])
        self.writer = Writer()
        for row in self.log.read(0, 1000):
            if row.stream.startswith("remittance"):
                self.writer.versions[row.stream] = decode(row).version
        self.log._highest = 0  # another process opens it


@pytest.fixture
def side(log: Log) -> ReadSide:
    made = ReadSide(log)
    made.pay("2026-08", 100)
    made.follow()
    return made


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(Unavailable) as told:
        ask()
    return told.value.code


@pytest.mark.parametrize("new_events", [0, 1, 2, 3])
def test_an_older_log_is_found_at_once_and_the_remedy_works(side: ReadSide, new_events: int) -> None:
    kept, before = side.log.head(), side.tag()
    side.pay("2026-09", 1_000)
    side.pay("2026-10", 10_000)
    side.follow()
    lost = side.tag()
    side.put_back(kept)
    for month in ("2026-05", "2026-06", "2026-07")[:new_events]:
        side.pay(month, 7)
    for ask in (side.follow, side.total, side.rebuild):
        assert refused(ask) == "log-restored"
    assert side.conditions() == ["restored"] * 3
    store = Store.open(side.settings)
    assert refused(lambda: must_be_of_this_log(side.log, store, store.pointers().live.values())) == "log-restored"
    with pytest.raises(Refused):
        undo(side.log, store, "balances")
    store.close()
    side.log.renew_log_id("test")
    assert refused(side.follow) == "log-restored"
    assert side.conditions() == ["renewed"] * 3
    side.rebuild()
    assert side.follow() == 0
    assert side.total() == 100 + 7 * new_events
    assert (side.tag() == before) == (not new_events)
    assert side.tag() != lost


def test_a_follower_that_runs_meanwhile_applies_nothing_of_the_other_log(side: ReadSide) -> None:
    store = Store.open(side.settings)
    follower = Projector(side.log, store, now=lambda: NOW)
    kept = side.log.head()
    side.pay("2026-09", 1_000)
    follower.run_once()
    side.put_back(kept)
    side.pay("2026-07", 7)
    side.pay("2026-06", 7)
    assert refused(follower.run_once) == "log-restored"
    store.close()


def test_a_process_that_wrote_to_the_log_does_not_write_to_an_older_one(side: ReadSide) -> None:
    side.pay("2026-09", 1_000)
    side.pay("2026-10", 1_000)
    highest = side.log._highest
    side.put_back(side.log.head() - 2)
    side.log._highest = highest
    assert refused(lambda: side.pay("2026-07", 7)) == "log-restored"


def test_two_events_at_one_position_have_two_fingerprints() -> None:
    row = StoredRow(5, "a:1", 1, "x.v1", b"abc")
    others = [
        StoredRow(5, "a:2", 1, "x.v1", b"abc"), StoredRow(5, "a:1", 2, "x.v1", b"abc"),
        StoredRow(5, "a:1", 1, "x.v2", b"abc"), StoredRow(5, "a:1", 1, "x.v1", b"abd"),
    ]  # fmt: skip
    assert len({fingerprint_of(one) for one in (row, *others)}) == 5
    assert fingerprint_of(StoredRow(9, "a:1", 1, "x.v1", b"abc")) == fingerprint_of(row)


def lose(side: ReadSide, how: str, name: str) -> None:
    """Take one read model away, or spoil it."""
    store = Store.open(side.settings)
    generation = store.pointers().live[name]
    path = None if store.postgres else store.path(generation)
    if how == "shape":
        with store.database(generation).write() as tx:
            tx.run(f"update {generation.table}_position set shape = 'of before'")
    elif how == "foreign":
        with store.database(generation).write() as tx:
            tx.run(f"update {generation.table}_position set log_id = 'ffff'")
    elif path is None:
        with store.pointers_database.write() as tx:
            gone = store.place.tables(tx, generation)
            tx.script(f"drop table {gone[0] if how == 'torn' else ', '.join(gone)}")
    store.close()
    if path is not None and how in ("missing", "empty", "torn", "garbage"):
        for beside in path.parent.glob(f"{path.name}-*"):
            beside.unlink()
        if how == "missing":
            path.unlink()
        else:
            path.write_bytes(
                {"empty": b"", "torn": path.read_bytes()[:9_000], "garbage": b"\x00no database" * 900}[how]
            )


@pytest.mark.parametrize("how", ["missing", "empty", "torn", "garbage", "shape", "foreign"])
@pytest.mark.parametrize("remedy", ["follow", "rebuild"])
def test_a_read_model_that_is_lost_or_spoilt_is_told_and_made_again(side: ReadSide, how: str, remedy: str) -> None:
    for name in NAMES:
        lose(side, how, name)
        found = dict(zip(NAMES, side.conditions(), strict=True))
        assert found.pop(name)
        assert not any(found.values())
        if how != "torn" or not side.log.postgres:  # a balance does not need every table
            assert refused(side.total) == ("log-restored" if how == "foreign" else "read-side-damaged")
        getattr(side, remedy)()
        assert side.conditions() == [""] * 3
        assert side.total() == 100


@pytest.mark.parametrize("how", ["missing", "empty", "torn", "garbage"])
@pytest.mark.parametrize("remedy", ["follow", "rebuild"])
def test_pointers_that_are_lost_are_made_again(side: ReadSide, how: str, remedy: str) -> None:
    if side.log.postgres:
        with side.log.database.write() as tx:
            tx.script("drop table projections.live" if how == "torn" else "drop schema projections cascade")
    else:
        path = side.settings.beside("read")
        for beside in path.parent.glob(f"{path.name}-*"):
            beside.unlink()
        data = {"empty": b"", "torn": path.read_bytes()[:5_000], "garbage": b"\x00no database" * 900}.get(how)
        path.unlink()
        if data is not None:
            path.write_bytes(data)
    assert refused(side.total) == "read-side-empty"
    getattr(side, remedy)()
    # Where the follower's sign of life is lost too, nobody has confirmed the head yet.
    if remedy == "rebuild" and not (side.log.postgres and how == "torn"):
        assert refused(side.total) == "read-side-stale"
        side.follow()
    assert side.total() == 100


def test_while_a_read_model_is_made_again_by_following_nothing_is_answered_from_it(side: ReadSide) -> None:
    lose(side, "missing", "balances")
    store = Store.open(side.settings)
    follower = Projector(side.log, store, now=lambda: NOW)
    follower._start()
    assert refused(side.total) == "read-side-stale"
    store.close()
    side.follow()
    assert side.total() == 100


def test_a_sign_of_life_from_the_future_counts_as_none(side: ReadSide) -> None:
    store = Store.open(side.settings)
    store.record_beat(store.heartbeat()._replace(confirmed_at="2027-11-21T03:00:00.000000Z"))
    assert status(side.log, store, NOW).confirmed_seconds is None
    assert refused(side.total) == "read-side-stale"
    side.follow()
    assert side.total() == 100
    store.close()


def test_a_replaced_file_is_noticed_by_who_has_it_open(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'jht.db'}", master_key="42" * 32)
    log = Log.open(settings, create=True)
    log.append(registered()[:1], NOW)
    with log.database.write() as tx:
        tx.run("update log_meta set value = value")
    log.database.connection().execute("vacuum into ?", [str(tmp_path / "copy.db")])  # type: ignore[attr-defined]
    log.append(registered()[1:2], NOW)
    shutil.move(tmp_path / "copy.db", tmp_path / "jht.db")
    assert log.head() == 1
    assert refused(lambda: log.append(registered()[1:2], NOW)) == "log-restored"
    log.close()


def test_what_can_be_undone_is_undone_after_a_rebuild(side: ReadSide) -> None:
    store = Store.open(side.settings)
    rebuild(side.log, store, ["balances"])
    assert undo(side.log, store, "balances").number == 1
    for name in ("directory", "entries"):
        with pytest.raises(Refused) as told:
            undo(side.log, store, name)
        assert told.value.code == "rebuild-nothing-to-undo"
    assert {g.number for g in store.pointers().live.values()} == {1}
    store.close()
