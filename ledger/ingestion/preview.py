"""An employer's own file of one month, checked line by line as the ledger would take it. Nothing of it is ever taken.

The file may say less than the agency's statement of received money: the employer and the month are known without it,
and what is not paid yet is looked at as if it were paid today. A line that is booked already is compared with what is
booked, under the date it was paid. Where the ledger would refuse a whole remittance for one line, the check leaves that
line out and looks at the others, so that one look finds everything that has to be mended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ledger.days import day_number
from ledger.decisions.remittance_months import HELD, REVERSED, MonthLine
from ledger.errors import Problem, Refused
from ledger.identifiers import KINDS, card_number, month_text
from ledger.ingestion.contributions.check import SPOILED, one_spelling, prepare
from ledger.ingestion.contributions.upload import Upload, employers_of
from ledger.ingestion.door import Door
from ledger.ingestion.readers.reading import Limits, Source, Table, read
from ledger.ingestion.readers.table import Coded
from ledger.receipt import Header, Receipt, Told
from ledger.store import account_index

Mask = NDArray[np.bool_]
PASSES = 5
"""How often lines that spoil the others are left out; what is spoiled after that stays refused."""
_WHOLE = frozenset({"employer-unknown", "month-without-rule", "month-in-future"})
"""What is wrong with every line of the file alike."""
_STRANGE = frozenset({"account-unknown", "no-membership"})


class CheckedLine(NamedTuple):
    """An accepted line: its card's number, kind and amounts in rupiah, the shares filled in where the file left them."""

    card: int
    kind: str
    wage: int
    back_pay: int
    employer: int
    worker: int


class Checked(NamedTuple):
    """What became of a file. `accepted`: file line -> line; `others`: the cards of readable lines that were not;
    `waiting`: how many of the accepted stand in suspense already; `spoiled`: some line would have had the others of its
    remittance refused, had the file been sent as it is."""

    receipt: Receipt
    lines: int
    accepted: dict[int, CheckedLine]
    others: frozenset[int]
    waiting: int
    spoiled: bool


def check(
    door: Door,
    source: Source,
    npp: int,
    month: int,
    booked: Sequence[MonthLine],
    header: Header,
    today: date,
    limits: Limits,
) -> Checked:
    """Check the file of employer `npp` for `month` (a month number); `booked`: what the month's streams hold.

    Raises Refused when the file cannot be read (as `reading.read`), when a line is of another employer or month
    (report-npp-other, report-month-other, telling the line), and for what is wrong with all lines alike
    (employer-unknown, month-without-rule, month-in-future).
    """
    table = read(source, "report", limits)
    lines = len(table)
    _must_be_of(table, npp, month)
    live = _live(booked)
    _complete(table, npp, month, today, live)
    cards = dict(zip(table.lines.tolist(), table.columns["kpj"].tolist(), strict=True))
    told: list[Problem] = []
    whole = table
    dropped = {problem.line: problem for problem in table.bad_lines()}
    table = _rows(table, ~table.bad)
    twice = _twice(table)
    told += twice
    dropped |= {problem.line: problem for problem in twice}
    table = _rows(table, ~np.isin(table.lines, list(dropped)))
    upload, spoiling = _prepared(door, table, header, today)
    told += spoiling.values()
    dropped |= spoiling
    receipt = upload.receipt
    if len(upload.groups):
        door.engine.run(upload, dry_run=True)
    whole.tell_unreadable(receipt)
    for problem in told:
        receipt.problem(problem, "refused")
    receipt.rejected_lines |= dropped
    receipt.count(refused=len(dropped))
    _say_strangers(door, cards, receipt, npp)
    kept = ~np.isin(upload.line, list(receipt.rejected_lines))
    accepted = {
        line: CheckedLine(card, KINDS[kind], *amounts)
        for line, card, kind, *amounts in zip(
            upload.line[kept].tolist(), upload.card[kept].tolist(), upload.kind[kept].tolist(),
            upload.wage[kept].tolist(), upload.back_pay[kept].tolist(), upload.employer[kept].tolist(),
            upload.worker[kept].tolist(), strict=True,
        )
    }  # fmt: skip
    others = {card for line, card in cards.items() if line not in accepted and card >= 0}
    waiting = sum(
        1
        for key in zip(upload.kind[kept].tolist(), upload.card[kept].tolist(), strict=True)
        if key in live and live[key].state == HELD
    )
    return Checked(receipt, lines, accepted, frozenset(others), waiting, bool(dropped))


_Key = tuple[int, int]


def _live(booked: Sequence[MonthLine]) -> dict[_Key, MonthLine]:
    """(place in KINDS, card) -> the first line that counts now, whatever its division."""
    found: dict[_Key, MonthLine] = {}
    for line in booked:
        if line.state != REVERSED:
            found.setdefault((KINDS.index(line.kind), card_number(line.kpj)), line)
    return found


def _must_be_of(table: Table, npp: int, month: int) -> None:
    for column, wanted, empty, code, details in (
        ("npp", npp, 0, "report-npp-other", {"npp": f"{npp:08d}"}),
        ("month", month, -1, "report-month-other", {"month": month_text(month)}),
    ):
        values = table.columns[column]
        # A cell that cannot be read is told with its own code.
        other = np.flatnonzero((values != wanted) & (values != empty) & (values >= 0))
        if len(other):
            raise Refused(code, line=int(table.lines[other[0]]), column=column, **details)


def _complete(table: Table, npp: int, month: int, today: date, live: dict[_Key, MonthLine]) -> None:
    """Fill in what an employer's file may leave out."""
    columns = table.columns
    columns["npp"] = np.where(columns["npp"] == 0, npp, columns["npp"])
    columns["month"] = np.where(columns["month"] < 0, month, columns["month"])
    unpaid = (columns["paid_on"] < 0) & ~table.bad
    if live:
        _as_booked(table, unpaid, live)
    columns["paid_on"] = np.where(columns["paid_on"] < 0, day_number(today), columns["paid_on"])


def _as_booked(table: Table, unpaid: Mask, live: dict[_Key, MonthLine]) -> None:
    """Give lines that are booked already the date and reference they were booked with."""
    columns = table.columns
    reference = columns["reference"]
    paid_on, codes, texts = columns["paid_on"].copy(), reference.codes.copy(), list(reference.texts)
    places = {text: code for code, text in enumerate(texts)}
    for row in np.flatnonzero(unpaid).tolist():
        line = live.get((int(columns["kind"][row]), int(columns["kpj"][row])))
        if line is None:
            continue
        paid_on[row] = day_number(line.paid_on)
        if not texts[codes[row]] and line.reference:
            code = places.setdefault(line.reference, len(texts))
            if code == len(texts):
                texts.append(line.reference)
            codes[row] = code
    columns["paid_on"], columns["reference"] = paid_on, Coded(codes, texts)


def _rows(table: Table, kept: Mask) -> Table:
    """The readable rows of a table that a mask keeps."""
    columns: dict[str, Any] = {}
    for name, values in table.columns.items():
        if isinstance(values, Coded):
            columns[name] = Coded(values.codes[kept], values.texts)
        elif isinstance(values, list):
            columns[name] = [text for text, keep in zip(values, kept.tolist(), strict=True) if keep]
        else:
            columns[name] = values[kept]
    return Table(table.layout, table.lines[kept], columns, [], np.zeros(int(kept.sum()), np.bool_))


def _twice(table: Table) -> list[Problem]:
    """Payments that come again - the same worker, kind, paid day and reference: all but their first line."""
    seen: dict[tuple[int, ...], int] = {}
    found = []
    columns = table.columns
    reference = columns["reference"]
    named = [columns[name].tolist() for name in ("kind", "kpj", "paid_on")]
    keys = zip(*named, one_spelling(reference.codes.tolist(), reference.texts), strict=True)
    for line, key in zip(table.lines.tolist(), keys, strict=True):
        other = seen.setdefault(key, line)
        if other != line:
            found.append(Problem("worker-twice", line, "kpj", {"line": line, "other": other}))
    return found


def _prepared(door: Door, table: Table, header: Header, today: date) -> tuple[Upload, dict[int, Problem]]:
    """The upload of what is left when the lines that spoil the others are taken out, and those lines."""
    with door.log.database.read() as tx:
        registered = account_index.employers(tx, employers_of(table))
    spoiling: dict[int, Problem] = {}
    for last in (False,) * PASSES + (True,):
        receipt = Receipt("contributions", header.request, dry_run=True)
        upload = prepare(table, header, receipt, today=today, backdate=False, registered=registered)
        causes = {line: one for line, one in receipt.rejected_lines.items() if one.code not in SPOILED}
        whole = next((problem for problem in causes.values() if problem.code in _WHOLE), None)
        if whole is not None:
            details: dict[str, Any] = dict(whole.details)
            raise Refused(whole.code, **details)
        if not causes or last:
            break
        spoiling |= causes
        table = _rows(table, ~np.isin(table.lines, list(causes)))
    return upload, spoiling


def _say_strangers(door: Door, cards: dict[int, int], receipt: Receipt, npp: int) -> None:
    """Tell a card that never was a worker's of this employer one way, whether it exists or not: nobody can search for
    numbers here."""
    lines = {line for line, problem in receipt.rejected_lines.items() if problem.code in _STRANGE}
    with door.log.database.read() as tx:
        known = account_index.cards(tx, {cards[line] for line in lines})
    own = {card for card, held in known.items() if any(membership.npp == npp for membership in held.memberships)}
    foreign = {line for line in lines if cards[line] not in own}

    def said(problem: Problem) -> Problem:
        return Problem("worker-not-yours", problem.line, "kpj")

    for line in foreign:
        receipt.codes["suspended", receipt.rejected_lines[line].code] -= 1
        receipt.codes["suspended", "worker-not-yours"] += 1
        receipt.rejected_lines[line] = said(receipt.rejected_lines[line])
    receipt.codes = +receipt.codes
    receipt.problems = [
        Told(told.verdict, said(told.problem))
        if told.verdict == "suspended" and told.problem.code in _STRANGE and told.problem.line in foreign
        else told
        for told in receipt.problems
    ]
