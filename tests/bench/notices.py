"""What notices cost: how many members are told in a second, and how soon a balance shows a line while they are.

    python -m tests.bench.notices choose    every member wants all notices by mail
    python -m tests.bench.notices posted    a line for each of them, then how long the follower takes to tell
    python -m tests.bench.notices missing   the same for a month that stays out

are the child process over the ledger that the environment names.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter

from tests.bench import child, files, ours
from tests.bench.rows import Measure
from tests.bench.world import Store, World

NO_QUIET_HOURS = {"JHT_QUIET_HOURS": ""}
BACK = timedelta(days=45)
"""A month of every employer was due in that time."""


def _everybody(world: World, kind: str, accounts: int, members: int) -> Store:
    """A store whose first accounts' holders are members that want all notices; nothing is paid yet."""

    def prepare(store: Store) -> None:
        ours.jht(store, "rebuild")
        child.run([sys.executable, "-m", "tests.bench.members", "register", str(members)], store.env)
        _child(store, "choose")

    start = ours.registered(world, kind, accounts, 1_000)
    return world.prepared(f"{accounts} accounts, {members} are told", kind, prepare, start)


def _child(store: Store, what: str) -> child.Finished:
    return child.run([sys.executable, "-m", "tests.bench.notices", what], store.env | NO_QUIET_HOURS)


def told(kind: str, full: int, what: str) -> Callable[[World], Measure]:
    """Notices a second that the follower finds, holds against the ledger, writes and queues: one a member."""

    def measure(world: World) -> Measure:
        members = world.scaled(full)
        store = world.fresh(kind, _everybody(world, kind, members, members))
        finished = _child(store, what)
        world.drop(store)
        said = finished.json()
        if said["told"] != members:
            raise child.Failed(f"{said['told']} of {members} were told")
        return Measure(members / said["seconds"], finished.memory)

    return measure


def follow(kind: str, full: int, a_second: int, members: int) -> Callable[[World], Measure]:
    """`ours.follow` while some of the lines are told to members."""

    def measure(world: World) -> Measure:
        accounts = max(world.scaled(full), 20_000)
        store = world.fresh(kind, _everybody(world, kind, accounts, min(members, accounts)))
        size = ("--count", str(accounts // 1_000), "--lines", "1000", "--rate", str(a_second))
        measured = ours.client(world, store, ours.api_key(store), "follow", *size)
        extra = {"p50_ms": measured.extra["p50_ms"], "lines/s": measured.value}
        return Measure(measured.extra["p99_ms"], measured.memory, extra)

    return measure


def main() -> None:
    """What the first argument says; prints what it took as JSON."""
    from ledger.acts import scheme
    from ledger.clock import jakarta_date, read_now
    from ledger.days import day_number
    from ledger.identifiers import month_of, month_text
    from ledger.ingestion.door import Door
    from ledger.ingestion.readers.source import Source
    from ledger.members import Acting, Members
    from ledger.members.state import NOTICES, Notices
    from ledger.receipt import Header
    from ledger.settings import load
    from ledger.store.log import Log
    from ledger.store.vault import Vault
    from projections.generations import Store as ReadSide
    from projections.notices import NoticeFollower
    from projections.projector import Projector

    (what,) = sys.argv[1:]
    log = Log.open(load())
    vault, read_side, today = Vault.open(log), ReadSide.open(log.settings), jakarta_date(read_now())
    with log.database.read() as tx:
        people = [row[0] for row in tx.rows("select person from member_logins")]
    follower = NoticeFollower(log, read_side, vault)
    if what == "choose":
        members = Members.open(log, vault)
        for person in people:
            members.choose_notices(person, Notices(NOTICES, ()), Acting("member", "website", read_now()))
        with log.database.write() as tx:
            tx.run("delete from outbox")
    elif what == "posted":
        month = month_text(month_of(today) - 1)
        rows = [
            {"npp": files.npp(one // 1_000), "month": month, "kpj": files.kpj(one), "wage": files.wage(one),
             "employer": files.shares(files.wage(one))[0], "worker": files.shares(files.wage(one))[1],
             "paid_on": today.isoformat(), "reference": "BENCH"}
            for one in range(len(people))
        ]  # fmt: skip
        receipt = Door(log, vault, read_now).ingest("contributions", Source.rows(rows), Header("bench", "bench", "r1"))
        assert receipt.totals["posted"] == len(people), receipt.totals
    else:
        scheme.complete(log, today - timedelta(days=1), Header("bench", "bench", "r1"), read_now)
        with log.database.write() as tx:
            tx.run("update notice_place set looked = ?", [day_number(today - BACK)])
    Projector(log, read_side).run_once()
    began = perf_counter()
    follower.run_once()
    seconds = perf_counter() - began
    with log.database.read() as tx:
        ((told_people,),) = tx.rows("select count(*) from outbox where notice = 1")
    print(json.dumps({"told": told_people, "seconds": seconds}))
    follower.close()
    read_side.close()
    log.close()


if __name__ == "__main__":
    main()
