"""A month's file checked: what the page shows of it, and how long that is kept.

The file itself is gone when the check is done. What is kept are counts, the first problems with their cells, and the
two files to take home, for as long as a person needs to fetch them and for the session that sent the file; logging out
drops them at once. They stand in the access store, sealed with a key of the master key, because the next page may be
asked of another process.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import string
import time
import zlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.access.keys import schema_prefix
from api.application import ApplicationState
from api.formats import sentence
from api.web.employer.files import write
from ledger.acts.remittance_months import months_of, read_lines
from ledger.clock import jakarta_date
from ledger.decisions.month_difference import Difference, Worked, difference, gathered
from ledger.decisions.remittance_months import REVERSED, MonthLine
from ledger.errors import NotFound, Problem, StoreFailed
from ledger.identifiers import card_number, month_number, month_text
from ledger.ingestion.contributions.check import SPOILED
from ledger.ingestion.preview import CheckedLine, check
from ledger.ingestion.readers.reading import Limits, Source
from ledger.receipt import Header, Told
from ledger.store.database import make_tables

KEPT_SECONDS = 15 * 60
MOST_OF_A_SESSION = 3
MOST_KEPT = 1_000
SHOWN = 200
SHOWN_WARNINGS = 50
MONTHS_BACK = 12
"""How far before the checked month another one is looked for to compare with."""
MAX_LINES = 100_000
"""Each becomes some kilobytes while it is looked at."""
MAX_UNPACKED = 4
"""How much larger than the largest body a file may be when it is unpacked."""
_CELL = 80
_HANDLE = 20
_NONCE = 12
_LOCK = 7430818
_SCHEMA = """
create table if not exists {table} (
    session bytea not null, handle text primary key, at double precision not null, shown bytea not null,
    accepted bytea not null, others bytea not null);
create index if not exists employer_checks_session on {table} (session);
create index if not exists employer_checks_at on {table} (at)
"""


class Shown(NamedTuple):
    """A problem with what the file says there. `head` and `rest` of its sentence by `said`."""

    verdict: str
    problem: Problem
    kpj: str
    name: str
    value: str

    def said(self, language: str) -> tuple[str, str]:
        """The first sentence, and what follows it."""
        head, point, rest = sentence(self.problem, language).partition(". ")
        return (f"{head}." if point else head), rest


class Result(NamedTuple):
    """What is shown of a check. Amounts in rupiah; `spoiled`: sent as it is, the file would be refused
    with all its lines; `compared`: the earlier month, "" when there is none."""

    npp: str
    month: str
    name: str
    at: datetime
    position: int
    lines: int
    accepted: int
    already: int
    waiting: int
    held: int
    refused: int
    warnings: int
    employer: int
    worker: int
    problems: tuple[Shown, ...]
    warned: tuple[Shown, ...]
    codes: tuple[tuple[str, str, int], ...]
    spoiled: bool
    compared: str
    difference: Difference

    @property
    def total(self) -> int:
        """The contributions of the accepted lines."""
        return self.employer + self.worker


class Examined(NamedTuple):
    """A check as it was made: what is shown, and the files to take home as CSV, the accepted rows and the others."""

    result: Result
    accepted: bytes
    others: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Result).decode


def examine(
    application: ApplicationState, source: Source, name: str, npp: int, month: int, by: str, now: datetime
) -> Examined:
    """Check a file. Blocking. Raises Refused as `report.check`."""
    log, settings = application.log, application.settings
    limits: Limits = replace(
        application.door.limits,
        max_lines=min(settings.max_lines, MAX_LINES),
        max_bytes=min(settings.max_file, MAX_UNPACKED * settings.max_body),
    )
    position = log.head()
    months = months_of(log, f"{npp:08d}")
    booked = read_lines(log, months.get(month_text(month), {}))
    header = Header(by, "employer")
    checked = check(application.door, source, npp, month, booked, header, jakarta_date(now), limits)
    earlier = next((one for one in months if _is_before(one, month)), "")
    before = _worked(read_lines(log, months[earlier])) if earlier else {}
    now_worked = gathered((line.card, _one(line)) for line in checked.accepted.values())
    told = checked.receipt.problems
    problems = _first(told, ("refused", "suspended"), SHOWN)
    warned = _first(told, ("warning",), SHOWN_WARNINGS)
    wanted = {one.problem.line for one in (*problems, *warned)}
    good, bad, cells = write(source, checked, npp, month, limits, wanted)
    totals, held = checked.receipt.totals, checked.accepted.values()
    result = Result(
        f"{npp:08d}", month_text(month), name, now, position, checked.lines, len(checked.accepted), totals["already"],
        checked.waiting, totals["suspended"], totals["refused"], totals["warnings"],
        sum(line.employer for line in held), sum(line.worker for line in held),
        tuple(_shown(one, cells) for one in problems), tuple(_shown(one, cells) for one in warned),
        tuple((verdict, code, lines) for (verdict, code), lines in sorted(checked.receipt.codes.items())),
        checked.spoiled, earlier, difference(before, now_worked, checked.others),
    )  # fmt: skip
    with closing(good), closing(bad):
        return Examined(result, good.as_csv(), bad.as_csv())


def _is_before(text: str, month: int) -> bool:
    number = month_number(text)
    return number is not None and month - MONTHS_BACK <= number < month


def _worked(lines: Iterable[MonthLine]) -> dict[int, Worked]:
    return gathered((card_number(line.kpj), _one(line)) for line in lines if line.state != REVERSED)


def _one(line: MonthLine | CheckedLine) -> Worked:
    # What is paid beside the regular wage does not make it another wage.
    wage = line.wage if line.kind == "regular" else 0
    return Worked(wage, line.back_pay + line.wage - wage, line.employer, line.worker)


def _first(told: Iterable[Told], verdicts: tuple[str, ...], most: int) -> list[Told]:
    """The first problems of some kinds, in the file's order; what only follows from another line comes last."""
    found = [one for one in told if one.verdict in verdicts]
    found.sort(key=lambda one: (one.problem.code in SPOILED, one.problem.line))
    return found[:most]


def _shown(told: Told, cells: dict[int, dict[str, str]]) -> Shown:
    texts = cells.get(told.problem.line, {})
    kpj, name, value = (texts.get(column, "")[:_CELL] for column in ("kpj", "name", told.problem.column))
    return Shown(told.verdict, told.problem, kpj, name, value)


class Checks:
    """What is kept of the checks of a ledger. Blocking."""

    def __init__(self, application: ApplicationState) -> None:
        self._application = application

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(self._application.members.vault.derived(b"employer checks"))

    @cached_property
    def _table(self) -> str:
        database = self._application.access
        table = schema_prefix(database) + "employer_checks"
        make_tables(database, table, _LOCK, _SCHEMA.format(table=table))
        return table

    def keep(self, session: bytes, examined: Examined) -> str:
        """Keep a check for a while; its handle, which is worth nothing in another session."""
        handle = "".join(secrets.choice(string.ascii_lowercase) for _ in range(_HANDLE))
        parts = {"shown": _encode(examined.result), "accepted": examined.accepted, "others": examined.others}
        row: dict[str, Sequence[object]] = {"session": [session], "handle": [handle], "at": [time.time()]}
        row |= {part: [self._sealed(session, handle, part, data)] for part, data in parts.items()}
        table = self._table
        with self._application.access.write() as tx:
            tx.run(f"delete from {table} where at <= ?", [time.time() - KEPT_SECONDS])
            for where, params, most in (("where session = ?", [session], MOST_OF_A_SESSION), ("", [], MOST_KEPT)):
                tx.run(
                    f"delete from {table} where handle in "
                    f"(select handle from {table} {where} order by at desc, handle limit {MOST_KEPT} offset {most - 1})",
                    params,
                )
            tx.insert(table, row, "bytea text float8 bytea bytea bytea")
        return handle

    def get(self, session: bytes, npp: str, handle: str) -> Result:
        """A kept check of this session and employer. Raises NotFound(report-over)."""
        result = _decode(self._part(session, handle, "shown"))
        if result.npp != npp:
            raise NotFound("report-over")
        return result

    def file(self, session: bytes, handle: str, part: str) -> bytes:
        """The CSV `accepted` or `others` of a check that `get` found. Raises NotFound(report-over)."""
        return self._part(session, handle, part)

    def forget(self, session: bytes) -> None:
        """Drop everything of a session, and what is over."""
        table = self._table  # before the transaction: the first use of a process may make it
        with self._application.access.write() as tx:
            tx.run(f"delete from {table} where session = ? or at <= ?", [session, time.time() - KEPT_SECONDS])

    def sweep(self) -> None:
        """Drop what is over."""
        table = self._table
        with contextlib.suppress(StoreFailed), self._application.access.write() as tx:
            tx.run(f"delete from {table} where at <= ?", [time.time() - KEPT_SECONDS])

    def _part(self, session: bytes, handle: str, part: str) -> bytes:
        table = self._table
        with self._application.access.read() as tx:
            rows = tx.rows(
                f"select {part} from {table} where session = ? and handle = ? and at > ?",
                [session, handle, time.time() - KEPT_SECONDS],
            )
        try:
            sealed = bytes(rows[0][0])
            data = self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], _place(session, handle, part))
        except (IndexError, InvalidTag):  # the master key may have changed meanwhile
            raise NotFound("report-over") from None
        return zlib.decompress(data)

    def _sealed(self, session: bytes, handle: str, part: str, data: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, zlib.compress(data, 1), _place(session, handle, part))


def _place(session: bytes, handle: str, part: str) -> bytes:
    return b" ".join([session, handle.encode(), part.encode()])
