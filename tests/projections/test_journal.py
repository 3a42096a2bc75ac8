"""The way out: what other programs read in the export is what every channel of this one says."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.data import Transaction

from ledger.acts import scheme
from ledger.acts.reversal import Target
from ledger.events import Rates
from ledger.identifiers import kpj_of
from ledger.settings import Settings
from ledger.store.log import Log
from projections.generations import Store
from projections.projector import Projector
from projections.queries import Queries
from tests.conftest import NOW, TODAY
from tests.office import NPP, OTHER_NPP, Header, Office, csv_of, line, person
from tests.system.running import jht
from tests.system.sample import small_sample

ADDED = ("26000000017", "26000000025", "26000000033", "26000000041", "26000000058", "26000000066")
STRANGER = "26999999999"
OPENING = ("kpj", "as_of", "employer", "worker", "credited_yield", "months")


def _filled(log: Log, directory: Path) -> None:
    """The small sample, on top whatever can happen to money that the sample does not tell, and two declared years, the
    first of which was declared once more."""
    office = Office(log)
    part = small_sample(directory)
    for layout in ("employers", "registrations"):
        office.ingest(layout, (part.files / f"{layout}.csv").read_bytes(), request=layout)
    for path in part.contributions:
        office.ingest("contributions", path.read_bytes(), request=path.stem)
    office.ingest("registrations", (part.files / "registrations-late.csv").read_bytes(), request="late")
    first, second, third, own, abroad, opened = ADDED
    office.employers(NPP, OTHER_NPP)
    office.register(
        person(first, 1), person(second, 2),
        person(own, 4, segment="BPU", npp=""), person(abroad, 5, segment="PMI", npp=""), person(opened, 6),
    )  # fmt: skip
    balance = {"kpj": opened, "as_of": "2023-12-31", "employer": 900, "worker": 500, "credited_yield": 77, "months": 3}
    office.ingest("opening-balances", csv_of(OPENING, [balance]), request="opening")
    office.contribute(line(first), line(second), line(third), line(STRANGER), line(opened), request="posted")
    office.contribute(line(first, 100_000, kind="supplement", reference="TRX-2"), request="supplement")
    office.contribute(line(second, month="2026-09", paid_on="2026-10-14", division="JKT", reference=""), request="part")
    office.contribute(
        line(own, 1_500_000, npp="", worker=28_000, month="2026-08", paid_on="2026-08-14"),
        line(abroad, "", npp="", worker=100_000, month="2026-08", paid_on="2026-08-14"),
        request="own",
    )
    office.register(person(third, 3))
    stream = f"remittance-e:{NPP}:2026-10"
    reversed_ = [
        office.door.reverse(Target(stream=stream, kpj=kpj), Header("test", "test", f"back {kpj}", "wrong-person"))
        for kpj in (second, STRANGER)
    ]
    assert [receipt.totals["posted"] for receipt in reversed_] == [1, 1]
    office.close()
    _declare(log)


def _declare(log: Log) -> None:
    scheme.start(log, 2024, Header("test", "test"), lambda: NOW)
    declared = ((2024, 57_000, ""), (2025, 56_300, ""), (2024, 59_000, "rate-revised"))
    for year, rate, reason in declared:
        header = Header("test", "test", "", reason)
        assert scheme.declare(log, year, Rates(rate, rate + 2_500), "Perdir 1", header, lambda: NOW).position


def _balances(log: Log, settings: Settings) -> dict[str, int]:
    """Every card's balance as it is told."""
    store = Store.open(settings)
    Projector(log, store, now=lambda: NOW).run_once()
    reader = Queries(log, store)
    with log.database.read() as tx:
        cards = [row[0] for row in tx.rows("select card from account_index_cards")]
    told = {kpj_of(card): reader.balance(card, TODAY, NOW).total for card in cards}
    reader.close()
    store.close()
    return told


def _suspense(log: Log) -> dict[str, int]:
    with log.database.read() as tx:
        rows = tx.rows("select card, employer + worker from account_index_suspense")
    waiting: Counter[str] = Counter()
    for card, money in rows:
        waiting[kpj_of(card)] += money
    return dict(waiting)


def _agrees(accounts: Counter[str], log: Log, settings: Settings) -> None:
    """Accounts of the export, in whole rupiah, against balances and suspense."""
    owed: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    for account, money in accounts.items():
        parts = account.split(":")
        if parts[1] == "Members":
            owed[parts[2].removeprefix("K")] -= money
        elif parts[1] == "Suspense":
            waiting[parts[3].removeprefix("K")] -= money
    told = _balances(log, settings)
    assert {kpj: owed[kpj] for kpj in told} == told
    assert not owed.keys() - told.keys()
    assert {kpj: money for kpj, money in waiting.items() if money} == _suspense(log)
    assert sum(accounts.values()) == 0
    assert told[ADDED[1]] == 285_000  # October was taken back, September stands
    assert told[ADDED[2]] == 285_000  # released
    assert told[ADDED[5]] == 900 + 500 + 77 + 87 + 88 + 285_000  # 5.9 % of 1,477, then 5.63 % of 1,564


def test_beancount_reads_the_export_and_agrees_with_every_balance(log: Log, settings: Settings, tmp_path: Path) -> None:
    _filled(log, tmp_path / "files")
    journal = tmp_path / "jht.beancount"
    jht(settings, "export", "--to", journal)
    entries, errors, _ = loader.load_file(str(journal))
    assert errors == []
    accounts: Counter[str] = Counter()
    for entry in entries:
        for posting in entry.postings if isinstance(entry, Transaction) else []:
            assert posting.units is not None
            assert posting.units.currency == "IDR"
            number = posting.units.number
            assert number is not None
            assert number == int(number)
            accounts[posting.account] += int(number)
    _agrees(accounts, log, settings)
    transactions = [entry for entry in entries if isinstance(entry, Transaction)]
    kinds = {entry.narration.split()[0] for entry in transactions}
    assert kinds == {
        "contributions-posted", "lines-suspended", "suspense-released", "contributions-reversed",
        "opening-balance-recorded", "yield-declared",
    }  # fmt: skip
    yields = [entry for entry in transactions if entry.narration.startswith("yield-declared")]
    positions = [entry.meta["position"] for entry in transactions if entry not in yields]
    assert len(set(positions)) == len(positions)
    of_card = {(entry.date, entry.postings[1].account) for entry in yields}
    assert len(of_card) == len(yields)
    # The declaration that stands: 2024 was declared again after 2025.
    head = log.head()
    told = {str(day): {entry.meta["position"] for entry in yields if entry.date == day} for day, _ in of_card}
    assert told == {"2024-12-31": {head}, "2025-12-31": {head - 1}}
    again = tmp_path / "again.beancount"
    jht(settings, "export", "--format", "beancount", "--to", again)
    assert again.read_bytes() == journal.read_bytes()


_HEAD = re.compile(r"\d{4}-\d{2}-\d{2} \* \((\d+)\) \S.*")
_POSTING = re.compile(r"  ([A-Z][A-Za-z]*(?::[A-Z0-9][A-Za-z0-9-]*)+)  (-?\d+) IDR")


def _hledger(text: str) -> list[tuple[int, list[tuple[str, int]]]]:
    """(position, postings) of every transaction; fails on any line that the format's manual does not know."""
    declared: set[str] = set()
    found: list[tuple[int, list[tuple[str, int]]]] = []
    inside = False
    for row in text.splitlines():
        head, posting = _HEAD.fullmatch(row), _POSTING.fullmatch(row)
        if head:
            found.append((int(head[1]), []))
            inside = True
        elif posting and inside:
            assert posting[1] in declared, row
            found[-1][1].append((posting[1], int(posting[2])))
        elif row.startswith("account "):
            declared.add(row.removeprefix("account "))
            inside = False
        else:
            assert row in {"", "decimal-mark .", "commodity 1000. IDR"} or row.startswith(";"), row
            inside = False
    return found


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_the_hledger_form_holds_the_same_balanced_transactions(log: Log, settings: Settings, tmp_path: Path) -> None:
    _filled(log, tmp_path / "files")
    transactions = _hledger(jht(settings, "export", "--format", "hledger").stdout)
    assert transactions
    accounts: Counter[str] = Counter()
    for position, postings in transactions:
        assert len(postings) >= 2, position
        assert sum(money for _, money in postings) == 0, position
        for account, money in postings:
            accounts[account] += money
    _agrees(accounts, log, settings)


def test_an_export_that_cannot_be_finished_leaves_no_half_journal(log: Log, settings: Settings, tmp_path: Path) -> None:
    office = Office(log)
    office.employers(NPP)
    office.workers(ADDED[0])
    office.contribute(line(ADDED[0]))
    office.close()
    journal = tmp_path / "jht.beancount"
    jht(settings, "export", "--to", journal)
    whole = journal.read_bytes()
    last = log.read(0, 100)[-1].position
    with log.database.write() as tx:
        assert tx.run(f"update {log.table} set state = ? where {log.key} = ?", [b"{", last]) == 1
    done = jht(settings, "export", "--to", journal, code=2)
    assert "log-broken" in done.stderr
    assert journal.read_bytes() == whole
