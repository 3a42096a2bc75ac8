"""Contributions are decided a column at a time or line by line: both lead to the same live lines, whatever came before.

Also what comes between look-up and append: a registration, an ending, another person's claim of the NIK.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.acts import release as releases
from ledger.acts.remittances import States
from ledger.acts.reversal import Target
from ledger.decisions.card import Card, Membership
from ledger.decisions.remittance import LiveLine, Remittance
from ledger.errors import NotFound, Refused
from ledger.events import Event
from ledger.ingestion.contributions import batch as batch_module
from ledger.ingestion.contributions import decide, lookup
from ledger.ingestion.contributions import line as line_module
from ledger.ingestion.contributions.batch import RemittanceBatch
from ledger.ingestion.contributions.check import prepare
from ledger.ingestion.contributions.lookup import LookedUp
from ledger.ingestion.contributions.upload import Upload
from ledger.ingestion.readers.reading import Source, read
from ledger.receipt import Header, Receipt
from ledger.settings import Settings
from ledger.store import account_index
from ledger.store.codec import StoredRow, decode, states_of
from ledger.store.log import Log
from ledger.store.suspense import suspense_of, suspense_page
from tests.conftest import TODAY
from tests.office import CONTRIBUTION, NPP, OTHER_NPP, Office, csv_of, line, nik, person, staffed

WORKERS = [f"2600000{n:04d}" for n in range(6)]
A, B, C = "26000000017", "26000000025", "26000000033"
STREAM = f"remittance-e:{NPP}:2026-10"
COLUMNS = (*CONTRIBUTION, "kind", "division")

rows = st.builds(
    lambda kpj, wage, kind, day, reference, division, off: line(
        kpj, wage, kind=kind, paid_on=day, reference=reference, division=division,
        **({"employer": wage * 37 // 1000 + off, "worker": wage * 20 // 1000} if off else {}),
    ),
    st.sampled_from(WORKERS), st.sampled_from([1_000_000, 2_000_000, 5_000_001]),
    st.sampled_from(["regular", "regular", "supplement"]), st.sampled_from(["2026-11-14", "2026-11-15"]),
    st.sampled_from(["R1", "R1", "R2"]), st.sampled_from(["", "001", "1", "A1"]), st.sampled_from([0, 0, 0, 1, 5_000]),
)  # fmt: skip
uploads = st.lists(st.lists(rows, min_size=1, max_size=8), min_size=1, max_size=4)


def upload(some: list[dict[str, object]]) -> Upload:
    table = read(Source.of(csv_of(COLUMNS, some)), "contributions")
    return prepare(
        table, Header("t", "t", "r", "wrong-amount"), Receipt("contributions", "r"), today=TODAY, backdate=False,
        registered={int(NPP)},
    )  # fmt: skip


def looked_up(batch: RemittanceBatch, history: list[Event], unknown: set[int]) -> LookedUp:
    """What the store would say: everybody is a worker of the employer but the unknown."""
    member = Membership(int(NPP), "PU", 2025 * 12, 0)
    cards = {int(kpj): Card(int(kpj), "p", "PU", (member,)) for kpj in WORKERS if int(kpj) not in unknown}
    odd = np.isin(batch.card, list(unknown))
    states = {STREAM: Remittance.of(STREAM, history)} if history else {}
    return LookedUp(len(history), [odd], cards, states, {}, None)


def run(uploaded: list[list[dict[str, object]]], unknown: set[int], *, columns: bool) -> tuple[Any, ...]:
    """Live lines and counts after the uploads, decided with or without columns."""
    history: list[Event] = []
    counts = []
    for some in uploaded:
        made = upload(some)
        if not columns:
            made.repeating = set(range(len(made.starts)))  # every remittance then goes line by line
        if not len(made.groups):
            counts.append(("refused",))
            continue
        batch = RemittanceBatch(made, made.groups.tolist())
        (one,) = decide.decide([batch], looked_up(batch, history, unknown))
        history += [decode(StoredRow(0, STREAM, new.version, new.name, *states_of([new]))) for new in one.events]
        said = one.outcome
        problems = sorted((problem.line, problem.code, verdict) for problem, verdict in one.problems)
        counts.append((said.posted, said.already, said.suspended, said.refused, problems))
    live = sorted(
        (held.under, held.line.kpj, held.content, held.line.part, getattr(held.line, "months", 0), held.reason)
        for held in Remittance.of(STREAM, history).live()
    )
    return live, counts


@given(uploads, st.sets(st.sampled_from([int(kpj) for kpj in WORKERS]), max_size=2))
def test_a_column_at_a_time_and_line_by_line_lead_to_the_same(
    uploaded: list[list[dict[str, object]]], unknown: set[int]
) -> None:
    assert run(uploaded, unknown, columns=True) == run(uploaded, unknown, columns=False)


@given(uploads, st.sets(st.sampled_from([int(kpj) for kpj in WORKERS]), max_size=2))
def test_a_large_remittance_is_decided_in_pieces_to_the_same(
    uploaded: list[list[dict[str, object]]], unknown: set[int]
) -> None:
    whole = [run(uploaded, unknown, columns=columns) for columns in (True, False)]
    with pytest.MonkeyPatch.context() as patch:
        for module, name, size in ((decide, "LARGE", 1), (line_module, "AT_ONCE", 2), (batch_module, "_KEPT_ROWS", 1)):
            patch.setattr(module, name, size)
        assert [run(uploaded, unknown, columns=columns) for columns in (True, False)] == whole


@given(uploads)
def test_the_same_files_again_add_nothing(uploaded: list[list[dict[str, object]]]) -> None:
    once, _ = run(uploaded, set(), columns=True)
    twice, counts = run([*uploaded, *uploaded], set(), columns=True)
    assert twice == once
    for said in counts[len(uploaded) :]:
        assert said == ("refused",) or said[0] == said[2] == 0


acts = st.lists(
    st.one_of(
        st.tuples(st.just("contribute"), st.lists(rows, min_size=1, max_size=4)),
        st.tuples(st.just("register"), st.sampled_from(WORKERS)),
        st.tuples(st.just("leave"), st.sampled_from(WORKERS)),
        st.tuples(st.just("reverse"), st.sampled_from(WORKERS)),
        st.tuples(st.just("release"), st.tuples(st.integers(0, 5), st.sampled_from(["", *WORKERS[:2]]))),
    ),
    max_size=8,
)


@pytest.fixture
def opened(settings: Settings) -> Iterator[Callable[[], Office]]:
    log = Log.open(settings)
    office = Office(log)
    office.employers(NPP)
    yield lambda: office
    office.close()
    log.close()


def live_lines(office: Office) -> list[LiveLine]:
    return list(Remittance.of(STREAM, office.log.events(STREAM)).live())


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(history=acts)
def test_after_any_history_the_account_index_is_the_fold_of_the_log(
    opened: Callable[[], Office], history: list[tuple[str, Any]]
) -> None:
    office = opened()
    for number, (what, given_) in enumerate(history):
        if what == "contribute":
            office.ingest("contributions", csv_of(COLUMNS, given_), request=f"c{number}")
        elif what in ("register", "leave"):
            left = {"left_on": "2026-09-30"} if what == "leave" else {}
            office.register(person(given_, WORKERS.index(given_) + 1, **left))
        elif what == "reverse":
            try:
                office.door.reverse(Target(stream=STREAM, kpj=given_), Header("o", "o", f"v{number}", "wrong-amount"))
            except NotFound:
                continue
        else:
            with office.log.database.read() as tx:
                cases = suspense_page(tx)
            if cases:
                number_of, card = given_
                case = cases[number_of % len(cases)]
                place = releases.Place(case.stream, case.version, case.line)
                header = Header("o", "o", f"l{number}", "further-payment")
                with contextlib.suppress(Refused):
                    releases.release_line(office.log, place, header, lambda: office.now, card)
    assert office.log.check_account_index().differences == 0
    live = [(one.under.segment, one.under.kind, one.line.kpj, one.line.part) for one in live_lines(office)]
    assert len(set(live)) == len(live)


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    with staffed(log, A, B) as made:
        yield made


def between(monkeypatch: pytest.MonkeyPatch, office: Office, act: Callable[[], object]) -> None:
    """Do something right after the next look-up of contributions."""
    look_up = lookup.look_up

    def late(*args: Any, **named: Any) -> LookedUp:
        found = look_up(*args, **named)
        monkeypatch.undo()
        act()
        return found

    from ledger.ingestion import door
    from ledger.ingestion.contributions import pipeline

    monkeypatch.setattr(door, "look_up", late)
    monkeypatch.setattr(pipeline, "look_up", late)


def test_many_lines_are_looked_up_in_pieces_to_the_same(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers, own workers with and without their NIK, numbers whose zeros were lost, own payments, of two employers."""
    office.employers(OTHER_NPP)
    office.register(*(person(f"2600001{n:04d}", 10 + n, npp=[NPP, OTHER_NPP][n % 2]) for n in range(20)))
    some = [
        line(
            f"2600001{n:04d}" if n % 3 else f"2700000{n:04d}" if n % 2 else f"90000{n:04d}",
            npp=[NPP, OTHER_NPP, ""][n % 7 % 3], worker=100_000, employer=185_000 if n % 7 % 3 != 2 else "",
            **({"nik": nik(10 + n), "name": f"Budi Santoso {10 + n}"} if n % 5 == 0 else {}),
        )
        for n in range(40)
    ]  # fmt: skip

    def outcome() -> tuple[Any, ...]:
        receipt = office.contribute(*some, dry_run=True)
        return receipt.totals, sorted(map(repr, receipt.problems)), receipt.rejected_lines

    whole = outcome()
    monkeypatch.setattr(lookup, "AT_ONCE", 3)
    assert outcome() == whole
    assert office.contribute(*some, dry_run=False).totals == whole[0]


@pytest.mark.parametrize("large", [False, True])
def test_a_registration_between_look_up_and_append_is_seen(
    office: Office, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    between(monkeypatch, office, lambda: office.register(person(C, 3)))
    extra = [line(f"2700000{n:04d}") for n in range(2_001 if large else 0)]
    receipt = office.contribute(line(C), *extra, request="r2")
    assert receipt.totals["posted"] == 1
    with office.log.database.read() as tx:
        assert all(case.card != int(C) for case in suspense_page(tx, limit=5_000))


@pytest.mark.parametrize("large", [False, True])
def test_an_ending_between_look_up_and_append_is_seen(
    office: Office, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    between(monkeypatch, office, lambda: office.register(person(A, 1, left_on="2026-08-31")))
    extra = [line(f"2700000{n:04d}") for n in range(2_001 if large else 0)]
    receipt = office.contribute(line(A), *extra, request="r2")
    assert receipt.totals["posted"] == 0
    with office.log.database.read() as tx:
        assert [case.reason for case in suspense_of(tx, [int(A)])] == ["no-membership"]


def test_an_ending_between_look_up_and_release_is_seen(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.contribute(line(C))
    append = Log.append

    def late(log: Log, events: Any, *args: Any, **named: Any) -> Any:
        if events[0].stream == STREAM:
            monkeypatch.setattr(Log, "append", append)
            office.register(person(C, 3, left_on="2026-08-31"))
        return append(log, events, *args, **named)

    monkeypatch.setattr(Log, "append", late)
    office.register(person(C, 3))
    with office.log.database.read() as tx:
        assert [case.reason for case in suspense_of(tx, [int(C)])] == ["account-unknown"]


def test_a_claim_of_the_nik_between_look_up_and_append_of_a_registration_gives_one_person(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Log.append

    def late(log: Log, events: Any, *args: Any, **named: Any) -> Any:
        monkeypatch.setattr(Log, "append", append)
        office.register(person("26000000058", 9))
        return append(log, events, *args, **named)

    monkeypatch.setattr(Log, "append", late)
    assert office.register(person("26000000066", 9)).problems == []
    with office.log.database.read() as tx:
        cards = account_index.cards(tx, [26000000058, 26000000066])
    assert len({card.person for card in cards.values()}) == 1
    assert len(cards) == 2


def test_a_month_in_small_posts_is_read_once_not_once_a_post(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    read_lines = 0
    evolve = Remittance.evolve

    def counted(state: Remittance, event: Event) -> None:
        nonlocal read_lines
        read_lines += len(getattr(event.fact, "lines", ()))
        evolve(state, event)

    monkeypatch.setattr(Remittance, "evolve", counted)
    kpjs = [f"27000{n:06d}" for n in range(400)]
    for start in range(0, 400, 20):
        office.contribute(*(line(kpj) for kpj in kpjs[start : start + 20]), request=f"p{start}")
    # Every line is read at most twice: after its own post, and after another writer was first.
    assert read_lines <= 2 * len(kpjs)


def test_a_kept_state_is_believed_only_while_its_last_event_stands(office: Office) -> None:
    office.contribute(line(A))
    states = States()
    with office.log.database.read() as tx:
        found, _ = lookup.remittances(office.log, tx, [STREAM], states)
    assert found[STREAM].size == 1
    office.contribute(line(B), request="r2")
    with office.log.database.read() as tx:
        assert lookup.remittances(office.log, tx, [STREAM], states)[0][STREAM].size == 2
    with office.log.database.write() as tx:
        tx.run(f"delete from {office.log.table} where originator_id = ? and originator_version = 2", [STREAM])
    with office.log.database.read() as tx:
        assert lookup.remittances(office.log, tx, [STREAM], states)[0][STREAM].size == 1


def test_states_that_were_not_asked_for_longest_go_first(office: Office) -> None:
    for month in ("2026-08", "2026-09", "2026-10"):
        office.contribute(line(A, month=month), line(B, month=month), request=month)
    streams = [f"remittance-e:{NPP}:2026-{month}" for month in ("08", "09", "10")]
    states = States(most=4)
    with office.log.database.read() as tx:
        for stream in streams:
            lookup.remittances(office.log, tx, [stream], states)
    assert [states.take(stream) is not None for stream in streams] == [False, True, True]
