"""An employer's own file, checked: the same verdicts as a real upload of the mended file, and nothing written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.acts.remittance_months import months_of, read_lines
from ledger.errors import Refused
from ledger.identifiers import month_number, month_text
from ledger.ingestion.door import limits_of
from ledger.ingestion.preview import Checked, check
from ledger.ingestion.readers.reading import Source
from ledger.receipt import Header
from ledger.settings import Settings
from ledger.store.log import Log
from tests.conftest import TODAY
from tests.office import NPP, Office, csv_of, line, staffed

WORKERS = ("26000000017", "26000000025", "26000000033", "26000000041")
MONTH = month_number("2026-10") or 0


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    with staffed(log, *WORKERS) as made:
        yield made


def checked(office: Office, *rows: dict[str, object], npp: str = NPP, month: int = MONTH) -> Checked:
    names = list(dict.fromkeys(name for row in rows for name in row))
    booked = read_lines(office.log, months_of(office.log, npp).get(month_text(month), {}))
    limits = limits_of(office.log.settings)
    source = Source.of(csv_of(names, rows))
    return check(office.door, source, int(npp), month, booked, Header("t", "t"), TODAY, limits)


def wage(kpj: str, amount: int | str = 5_000_000, **more: object) -> dict[str, object]:
    return {"kpj": kpj, "wage": amount, **more}


def test_what_the_file_leaves_out_is_filled_in_and_nothing_is_written(office: Office) -> None:
    head = office.log.head()
    found = checked(office, *(wage(kpj) for kpj in WORKERS))
    assert (found.lines, found.receipt.totals["posted"], found.receipt.rejected_lines) == (4, 4, {})
    assert found.accepted[2] == (26000000017, "regular", 5_000_000, 0, 185_000, 100_000)
    assert (found.spoiled, found.waiting, found.others) == (False, 0, frozenset())
    assert office.log.head() == head


def test_a_line_is_accepted_or_rejected_and_all_lines_are_counted(office: Office) -> None:
    found = checked(
        office, wage(WORKERS[0]), wage(WORKERS[1], "x"), wage(WORKERS[0]), wage("26000000999"), wage(WORKERS[2], 0)
    )
    totals = found.receipt.totals
    assert set(found.accepted) == {2}
    assert {line: problem.code for line, problem in found.receipt.rejected_lines.items()} == {
        3: "number-unreadable", 4: "worker-twice", 5: "worker-not-yours", 6: "no-money",
    }  # fmt: skip
    assert (totals["posted"], totals["suspended"], totals["refused"]) == (1, 1, 3)
    assert found.receipt.codes["suspended", "worker-not-yours"] == 1
    assert "account-unknown" not in {code for _, code in found.receipt.codes}
    assert found.spoiled


def test_two_payments_of_a_worker_are_told_apart_by_their_references_never_by_the_division(office: Office) -> None:
    twice = checked(office, wage(WORKERS[0], division="A"), wage(WORKERS[0], division="B"))
    assert {line: problem.code for line, problem in twice.receipt.rejected_lines.items()} == {3: "worker-twice"}
    extra = [wage(WORKERS[0], kind="supplement", reference=f"T{n}") for n in range(2)]
    assert set(checked(office, *extra).accepted) == {2, 3}


def test_a_booked_line_is_there_already_and_one_that_waits_is_told(office: Office) -> None:
    office.contribute(line(WORKERS[0]), line("26000000999"))
    found = checked(office, wage(WORKERS[0]), wage("26000000999"), wage(WORKERS[1], reference="TRX-2"))
    assert (found.receipt.totals["already"], found.receipt.totals["posted"], found.waiting) == (2, 1, 1)


def test_a_booked_line_with_a_day_of_its_own_is_a_second_payment(office: Office) -> None:
    office.contribute(line(WORKERS[0]))
    found = checked(office, wage(WORKERS[0], paid_on="2026-11-13"))
    assert found.receipt.rejected_lines[2].code == "second-payment"


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ({"npp": "10000002"}, "report-npp-other", "npp"),
        ({"month": "2026-09"}, "report-month-other", "month"),
    ],
)
def test_a_line_of_another_employer_or_month_refuses_the_file_and_is_named(
    office: Office, row: dict[str, object], code: str, column: str
) -> None:
    with pytest.raises(Refused) as refused:
        checked(office, wage(WORKERS[0]), wage(WORKERS[1], **row))
    assert (refused.value.code, refused.value.problem.line, refused.value.problem.column) == (code, 3, column)


@pytest.mark.parametrize(
    ("npp", "month", "code"),
    [
        ("10000009", MONTH, "employer-unknown"),
        (NPP, month_number("1970-01") or 0, "month-without-rule"),
        (NPP, MONTH + 12, "month-in-future"),
    ],
)
def test_what_is_wrong_with_every_line_alike_is_told_once(office: Office, npp: str, month: int, code: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(office, wage(WORKERS[0]), wage(WORKERS[1]), npp=npp, month=month)
    assert refused.value.code == code


CELLS = st.fixed_dictionaries(
    {
        "kpj": st.sampled_from([*WORKERS, "26000000999", "?"]),
        "wage": st.sampled_from(["5000000", "1", "", "0", "x", "-1", "99999999999999"]),
        "employer": st.sampled_from(["", "185000", "185001", "1"]),
        "paid_on": st.sampled_from(["", "2026-11-14", "2026-12-31", "2020-01-01", "x"]),
        "kind": st.sampled_from(["", "regular", "supplement", "correction"]),
    }
)


@pytest.fixture
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A ledger that no example changes."""
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('report')}/jht.db", master_key="42" * 32)
    log = Log.open(settings, create=True)
    with staffed(log, *WORKERS) as made:
        yield made
    log.close()


@given(st.lists(CELLS, min_size=1, max_size=12))
def test_the_accepted_lines_of_any_file_are_posted_when_they_are_sent_alone(
    small: Office, rows: list[dict[str, str]]
) -> None:
    found = checked(small, *rows)  # type: ignore[arg-type]
    totals = found.receipt.totals
    assert totals["posted"] + totals["already"] == len(found.accepted)
    assert len(found.accepted) + len(found.receipt.rejected_lines) == len(rows) == found.lines
    assert totals["suspended"] + totals["refused"] == len(found.receipt.rejected_lines)
    kept = [
        rows[at - 2] | {"npp": NPP, "month": "2026-10", "paid_on": rows[at - 2]["paid_on"] or "2026-11-21"}
        for at in found.accepted
    ]
    if kept:
        names = ("npp", "month", "kpj", "wage", "employer", "paid_on", "kind")
        receipt = small.ingest("contributions", csv_of(names, kept), dry_run=True)  # type: ignore[arg-type]
        assert (receipt.totals["posted"], receipt.rejected_lines) == (len(kept), {})
