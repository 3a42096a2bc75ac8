"""The way of change, walked once for real, on both stores.

A made-up older version of contributions (`v0`: one row a line) stands in the log; a later one (`v2`) that this program does
not know; and a field that an old process does not know. The first reads as its present twin everywhere; the others are told
and mark the accounts that they can name, and nothing is ever folded to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ledger.acts.reversal import Target
from ledger.decisions import remittance
from ledger.decisions.remittance import Remittance
from ledger.errors import JhtError
from ledger.events import (
    BALANCES,
    DIRECTORY,
    ENTRIES,
    FACTS,
    ContributionsPosted,
    ContributionsReversed,
    Event,
    MemberClosed,
    RequestStarted,
    ReversedLine,
    upcasters,
)
from ledger.events.lines import Lines
from ledger.events.upcasters import Step
from ledger.identifiers import card_number, request_stream
from ledger.receipt import Header
from ledger.settings import Settings
from ledger.store import account_index
from ledger.store.codec import decode, state_json
from ledger.store.log import Log
from projections.generations import NAMES, Store
from projections.journal import FORMATS, journal
from projections.projector import Projector
from projections.queries import Queries
from projections.rebuild import rebuild
from projections.status import status
from tests.conftest import NOW, TODAY
from tests.office import NPP, OTHER_NPP, Office, line, opening, person

A, B, C, D, WAITS = "26000000017", "26000000025", "26000000033", "26000000041", "26000000058"
OLD, PRESENT, LATER = "contributions-posted.v0", "contributions-posted.v1", "contributions-posted.v2"
WHY = Header("clerk", "office", "rev", "wrong-amount")
MONTH = f"remittance-e:{NPP}:2026-10"


def as_rows(fact: dict[str, Any]) -> dict[str, Any]:
    """A present fact in the made-up older shape: one object a line, defaults left out."""
    columns = fact.pop("lines")
    rows = [
        {name: values[place] for name, values in columns.items()} for place in range(len(columns["kpj"]))
    ]  # fmt: skip
    return fact | {"rows": rows}


def as_columns(fact: dict[str, Any]) -> dict[str, Any]:
    """The upcaster: rows become columns, and a column of defaults goes."""
    rows = fact.pop("rows")
    lines: dict[str, list[Any]] = {}
    for name in Lines.__struct_fields__:
        default = Lines.ROW._field_defaults.get(name)
        values = [row.get(name, default) for row in rows]
        if any(value != default for value in values):
            lines[name] = values
    return fact | {"lines": lines}


@pytest.fixture
def older_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that has the older version behind it."""
    monkeypatch.setitem(upcasters.UPCASTERS, OLD, Step(PRESENT, as_columns))
    monkeypatch.setattr(upcasters, "KNOWN", frozenset((*FACTS, OLD)))
    for module in ("projections.event_batch", "projections.projector"):
        monkeypatch.setattr(
            f"{module}.MONEY", upcasters.stored_names(BALANCES) & upcasters.stored_names(ENTRIES), raising=False
        )
        monkeypatch.setattr(f"{module}.PEOPLE", upcasters.stored_names(DIRECTORY), raising=False)
        monkeypatch.setattr(f"{module}.KNOWN", upcasters.KNOWN, raising=False)


def rewrite(log: Log, change: Callable[[dict[str, Any]], dict[str, Any]], name: str, stream: str = "") -> int:
    """Store posted contributions in another shape under another name, as an older or later program did; how many."""
    done = 0
    for row in log.read(0, 10_000):
        if row.name != PRESENT or stream not in ("", row.stream):
            continue
        stored = json.loads(state_json(row.state))
        stored["fact"] = change(stored["fact"])
        with log.database.write() as tx:
            done += tx.run(
                f"update {log.table} set topic = ?, state = ? where {log.key} = ?",
                [name, json.dumps(stored, separators=(",", ":")).encode(), row.position],
            )
    return done


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    """Two employers, several months, divisions, a supplement, money that waits, an opening balance, a reversal."""
    made = Office(log)
    made.employers(NPP, OTHER_NPP)
    made.register(person(A, 1), person(B, 2), person(C, 3, npp=OTHER_NPP), person(D, 4, segment="BPU", npp=""))
    made.openings(opening(B))
    made.contribute(
        line(A), line(B, 4_000_000), line(A, 0, back_pay=250_000, kind="supplement", reference="TRX-2", division="7"),
        line(WAITS), line(C, npp=OTHER_NPP), line(A, month="2026-09"), line(C, npp=OTHER_NPP, month="2026-09"),
        line(D, 1_000_000, npp="", segment="BPU"), request="upload",
    )  # fmt: skip
    made.contribute(line(B, month="2026-09"))
    made.door.reverse(Target(stream=f"remittance-e:{NPP}:2026-09", kpj=A), WHY)
    yield made
    made.close()


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = Store.open(settings)
    yield opened
    opened.close()


def follow(log: Log, store: Store) -> None:
    Projector(log, store, now=lambda: NOW).run_once()


def total(log: Log, store: Store, kpj: str) -> int | str:
    """A card's balance, or the code of why it is not told."""
    reader = Queries(log, store)
    try:
        return reader.balance(card_number(kpj), TODAY, NOW).total
    except JhtError as error:
        return error.code
    finally:
        reader.close()


def states(log: Log) -> dict[str, Remittance]:
    """Every remittance as the log has it."""
    names = {row.stream for row in log.read(0, 10_000) if row.stream.startswith("remittance-")}
    return {name: Remittance.of(name, log.events(name)) for name in sorted(names)}


@pytest.mark.usefixtures("older_known")
def test_an_older_version_reads_as_its_present_twin_everywhere(office: Office, log: Log, store: Store) -> None:
    follow(log, store)
    facts = [(e.stream, e.version, e.fact) for row in log.read(0, 10_000) for e in [decode(row)]]
    text = list(journal(log, "beancount"))
    reversals = {name: remittance.reverse(state, list(state.live())) for name, state in states(log).items()}
    held = {kpj: total(log, store, kpj) for kpj in (A, B, C, D)}
    assert rewrite(log, as_rows, OLD) == sum(isinstance(fact, ContributionsPosted) for _, _, fact in facts) > 5

    assert [(e.stream, e.version, e.fact) for row in log.read(0, 10_000) for e in [decode(row)]] == facts
    assert list(journal(log, "beancount")) == text
    assert {name: remittance.reverse(one, list(one.live())) for name, one in states(log).items()} == reversals
    # The served rows were folded from the present version, the rebuilt ones are from the older: they are the same.
    report = rebuild(log, store, NAMES)
    assert report is not None
    assert {kpj: total(log, store, kpj) for kpj in (A, B, C, D)} == held
    assert log.check_account_index().differences == 0

    # What is sent again is there already; what waits is released; an opening balance sees the earlier money.
    again = office.contribute(line(A), line(B, 4_000_000), line(C, npp=OTHER_NPP))
    assert (again.totals["already"], again.last_position) == (3, 0)
    office.register(person(WAITS, 5))
    released = log.events(MONTH)[-1].fact
    assert (released.NAME, list(released.lines.kpj)) == ("suspense-released.v1", [WAITS])  # type: ignore[attr-defined]
    assert office.openings(opening(C, as_of="2025-12-31")).totals["posted"] == 1
    # And all of it is taken back, by the upload's receipt and one by one.
    office.door.reverse(Target(receipt="upload"), WHY)
    back = [one for e in log.events(MONTH) if isinstance(e.fact, ContributionsReversed) for one in e.fact.lines]
    assert ReversedLine(B, 4_000_000, 0, 148_000, 80_000, months=-1, event=1, line=1) in back
    follow(log, store)
    assert [total(log, store, kpj) for kpj in (A, D, WAITS)] == [0, 0, 0]


def later(fact: dict[str, Any]) -> dict[str, Any]:
    return fact | {"added": 1}


@pytest.mark.parametrize(("name", "what"), [(LATER, "UnknownName"), (PRESENT, "ValidationError")])
@pytest.mark.parametrize("rebuilt", [False, True])
def test_what_a_later_program_wrote_is_told_and_marks_whom_it_names(
    office: Office, log: Log, store: Store, name: str, what: str, rebuilt: bool
) -> None:
    """A later version by its name, and a field that was added under the present one."""
    assert rewrite(log, later, name, MONTH) >= 1
    if rebuilt:
        rebuild(log, store, NAMES)
    follow(log, store)
    # Everybody who ever worked for that employer; nobody else, and nobody is told a balance without that money.
    assert [total(log, store, kpj) for kpj in (A, B)] == ["account-incomplete"] * 2
    assert [total(log, store, kpj) for kpj in (C, D)] == [570_000, 20_000]
    found = {one.name: one for one in status(log, store, NOW).projections}
    for projection in ("balances", "entries"):
        assert found[projection].incomplete == 2
        assert any(f"{what} in {name}" in str(one) for one in found[projection].broken), found[projection].broken
    # The employer's next upload for that month is refused with the reason; another's goes on.
    receipt = office.contribute(line(A, reference="TRX-9"), line(C, npp=OTHER_NPP, month="2026-08"))
    assert {told.problem.code for told in receipt.problems if told.verdict == "refused"} == {"log-broken"}
    assert receipt.totals["posted"] == 1


def test_a_later_version_of_a_holders_own_payment_marks_the_holder(office: Office, log: Log, store: Store) -> None:
    assert rewrite(log, later, LATER, f"remittance-p:{D}:2026-10") == 1
    follow(log, store)
    assert [total(log, store, kpj) for kpj in (C, D)] == [570_000, "account-incomplete"]


def test_an_opening_balance_is_not_recorded_beside_payments_that_cannot_be_read(
    office: Office, log: Log, store: Store
) -> None:
    rewrite(log, later, LATER, MONTH)
    receipt = office.openings(opening(A), opening(C))
    assert [(told.problem.code, told.problem.line) for told in receipt.problems] == [("log-broken", 2)]
    assert receipt.totals["posted"] == 1


def renamed(log: Log, stream: str, name: str, version: int = 1) -> None:
    """Store an event under another name, as a later program did."""
    with log.database.write() as tx:
        where = "where originator_id = ? and originator_version = ?"
        assert tx.run(f"update {log.table} set topic = ? {where}", [name, stream, version]) == 1


@pytest.mark.parametrize("rebuilt", [False, True])
@pytest.mark.parametrize("name", ["person-renumbered.v1", "person-registered.v2"])
def test_an_unknown_fact_of_a_person_marks_all_cards_of_that_person(
    office: Office, log: Log, store: Store, name: str, rebuilt: bool
) -> None:
    office.register(person(WAITS, 3, npp=OTHER_NPP))
    with log.database.read() as tx:
        held = account_index.cards(tx, [int(C)])[int(C)].person
    renamed(log, f"person:{held}", name)
    if rebuilt:
        rebuild(log, store, NAMES)
    follow(log, store)
    # The second card has the money that waited for it. The others, also of the same employer, are told as before.
    assert [total(log, store, kpj) for kpj in (C, WAITS)] == ["account-incomplete"] * 2
    assert all(isinstance(total(log, store, kpj), int) for kpj in (A, B, D))
    for one in status(log, store, NOW).projections:
        assert (one.incomplete, [f"UnknownName in {name}" in str(broken) for broken in one.broken]) == (2, [True])


@pytest.mark.parametrize("torn", [False, True])
def test_a_record_of_access_or_of_a_request_concerns_no_balance_and_no_journal(
    office: Office, log: Log, store: Store, torn: bool
) -> None:
    """No fold of money or people reads them: unknown or torn, everybody's balance and the whole journal are told."""
    with log.database.read() as tx:
        held = account_index.cards(tx, [int(A)])[int(A)].person
    streams = (f"member:{held}", request_stream("d" * 64))
    for stream, fact in zip(
        streams, (MemberClosed("asked"), RequestStarted("h", "/v1/contributions", "p")), strict=True
    ):
        log.append([Event(stream=stream, version=1, fact=fact, by="t", channel="t")], NOW)
    text = {form: list(journal(log, form)) for form in FORMATS}
    for stream in streams:
        if torn:
            (one,) = (row for row in log.read(0, 10_000) if row.stream == stream)
            with log.database.write() as tx:
                tx.run(f"update {log.table} set state = ? where {log.key} = ?", [one.state[:50], one.position])
        else:
            renamed(log, stream, "something-new.v1")
    assert {form: list(journal(log, form)) for form in FORMATS} == text
    follow(log, store)
    told = {kpj: total(log, store, kpj) for kpj in (A, B, C, D)}
    assert all(isinstance(amount, int) for amount in told.values())
    rebuild(log, store, NAMES, accept_differences=True)
    assert {kpj: total(log, store, kpj) for kpj in (A, B, C, D)} == told
    # What a later program wrote is told to whoever runs this one; what is torn is never read here.
    assert {len(one.broken) for one in status(log, store, NOW).projections} == {0 if torn else 2}
