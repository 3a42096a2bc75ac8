"""`jht ingest`: files in, receipts out."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Annotated, NamedTuple, TextIO

import typer
from rich.text import Text

from api.cli.console import door, header, print_json
from api.cli.progress import progress
from api.cli.typed_line import one_of
from api.terminal import REFUSED, SOME_REFUSED, err, out, say
from ledger.decisions.remittance import CORRECTION_REASONS
from ledger.errors import Problem, Refused
from ledger.ingestion.door import Door
from ledger.ingestion.readers.reading import Limits, Source, rows_again
from ledger.layouts import LAYOUTS
from ledger.output_file import writing
from ledger.receipt import Receipt

SHOWN = 8
Layout = Annotated[str, typer.Argument(help=f"What the files hold: {', '.join(LAYOUTS)}.")]
Files = Annotated[list[str], typer.Argument(help="CSV, NDJSON, JSON or XLSX, also gzipped; - is standard input.")]


def ingest(
    layout: Layout,
    files: Files,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Decide everything, write nothing.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Write refused and suspended rows back here, with a reason column.")
    ] = None,
    backdate: Annotated[
        bool, typer.Option("--backdate", help="Take paid dates and opening balances older than the rule allows.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Opening balances with other content take the place of those recorded.")
    ] = False,
    reason: Annotated[
        str, typer.Option(help=f"Why, for kind=correction and --replace: {', '.join(CORRECTION_REASONS)}.")
    ] = "",
    old_cards: Annotated[
        bool, typer.Option("--old-cards", help="New cards in registrations that are not 11 digits are old ones.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the receipts as JSON.")] = False,
) -> None:
    """Take employers, registrations, contributions or opening balances from files.

    What can be read as money is never refused: a line nobody can be credited with waits in suspense. The same file
    again changes nothing. Exit code 0: everything was taken or already there; 3: some lines were refused; 2: nothing was
    begun, because a file cannot be opened or the command was wrong.
    """
    one_of(layout, list(LAYOUTS), "LAYOUT")
    if reason and reason not in CORRECTION_REASONS:
        raise Refused("reason-unknown", known=", ".join(CORRECTION_REASONS))
    if replace and layout != "opening-balances":
        raise Refused("replace-only-openings")
    if replace and not reason:
        raise Refused("reason-missing", known=", ".join(CORRECTION_REASONS))
    done: list[_Done] = []
    failed = False
    how = _How(dry_run, backdate, replace, reason, old_cards)
    with door() as entrance:
        sources = _sources(files, entrance.limits)
        with _Rejects(rejects, layout) as kept:
            for source in sources:
                try:
                    one = _one(entrance, layout, source, how, kept)
                except Refused as refused:
                    failed = True
                    err.print(Text(source.name, style="bold"))
                    say(refused.problem)
                    continue
                done.append(one)
                if not as_json:
                    show(one.receipt, Path(source.name).name, one.seconds)
        if as_json:
            printed = [one.receipt.as_json(entrance.log.log_id) | {"seconds": round(one.seconds, 3)} for one in done]
            print_json(printed[0] if len(printed) == 1 else printed)
        elif len(done) > 1:
            _show_sum([one.receipt for one in done])
    if failed or any(one.receipt.totals["refused"] for one in done):
        raise typer.Exit(SOME_REFUSED)


class _Done(NamedTuple):
    """A file's receipt, and the seconds from opening it to its last commit."""

    receipt: Receipt
    seconds: float


def _sources(files: list[str], limits: Limits) -> list[Source]:
    """The files, each found and readable; else every one that is not is named, and nothing is begun."""
    found: list[Source] = []
    for name in files:
        try:
            found.append(Source.at(name, limits))
        except Refused as refused:
            err.print(Text(name, style="bold"))
            say(refused.problem)
    if len(found) < len(files):
        raise typer.Exit(REFUSED)
    return found


class _How(NamedTuple):
    """The options that a file is taken with."""

    dry_run: bool
    backdate: bool
    replace: bool
    reason: str
    old_cards: bool


def _one(entrance: Door, layout: str, source: Source, how: _How, kept: _Rejects) -> _Done:
    request = receipt_id(source, layout, entrance.limits)
    started = perf_counter()
    with progress(Path(source.name).name) as bar:
        receipt = entrance.ingest(
            layout, source, header(request, how.reason), dry_run=how.dry_run, backdate=how.backdate, replace=how.replace,
            old_cards=how.old_cards, on_read=bar.expect, on_progress=bar.advance,
        )  # fmt: skip
    seconds = perf_counter() - started
    kept.write(source, receipt, entrance.limits)
    return _Done(receipt, seconds)


def receipt_id(source: Source, layout: str, limits: Limits) -> str:
    """The receipt's id: a hash of what the file holds, so that the same file has the same receipt for ever."""
    digest = hashlib.sha256(f"cli\0{layout}\0".encode())
    with source.open(limits) as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()[:32]


def show(receipt: Receipt, name: str, seconds: float) -> None:
    """Print a receipt: totals, and the problems by code."""
    totals = receipt.totals
    title = f"{name}: {'would be ' if receipt.dry_run else ''}{receipt.layout}"
    out.print(Text(title, style="bold"), Text(f"receipt {receipt.request}", style="dim"))
    counts = [f"{totals[what]:,} {said}" for what, said in _COUNTS.items() if totals[what]]
    lines = sum(totals[what] for what in ("posted", "already", "suspended", "refused"))
    pace = f"{seconds:.1f} s, {lines / max(seconds, 0.001):,.0f} lines/s"
    out.print("  " + (", ".join(counts) or "nothing to do") + ".", Text(pace, style="dim"))
    if not receipt.changed and not totals["refused"]:
        out.print("  Nothing changed: everything was there already.")
    by_code: dict[tuple[str, str], list[Problem]] = {}
    for told in receipt.problems:
        by_code.setdefault((told.verdict, told.problem.code), []).append(told.problem)
    for (verdict, code), problems in sorted(by_code.items(), key=lambda item: _ORDER.index(item[0][0])):
        _show_code(receipt, verdict, code, problems)


def _show_code(receipt: Receipt, verdict: str, code: str, problems: list[Problem]) -> None:
    """One code: how many lines and cells, where the first are, and the sentence of the first."""
    lines, cells = receipt.codes[verdict, code], receipt.cells[verdict, code]
    numbers = list(dict.fromkeys(str(problem.line) for problem in problems))
    more = f" and {lines - SHOWN:,} more" if lines > SHOWN else ""
    counted = "1 line" if lines == 1 else f"{lines:,} lines"
    if cells > lines:
        counted += f", {cells:,} cells"
    names = receipt.columns.get((verdict, code), {})
    columns = f"; {'column' if len(names) == 1 else 'columns'} {', '.join(names)}" if names else ""
    out.print(
        Text(f"  {verdict:<9} {code}", style=_STYLE[verdict]),
        Text(f"{counted}: {', '.join(numbers[:SHOWN])}{more}{columns}", style="dim"),
    )
    out.print(Text(f"            {problems[0].say('id')}"))
    out.print(Text(f"            {problems[0].say('en')}", style="dim"))


_ORDER = ("refused", "suspended", "warning")
_COUNTS = {
    "posted": "posted", "already": "already there", "suspended": "suspended", "refused": "refused",
    "warnings": "warnings",
}  # fmt: skip
_STYLE = {"refused": "red", "suspended": "yellow", "warning": "cyan"}


def _show_sum(receipts: list[Receipt]) -> None:
    totals: Counter[str] = sum((receipt.totals for receipt in receipts), Counter())
    counts = [f"{totals[what]:,} {said}" for what, said in _COUNTS.items() if totals[what]]
    out.print(Text(f"{len(receipts)} files: {', '.join(counts)}.", style="bold"))


class _Rejects:
    """The file of rejects: the rows of all files that were refused or suspended, with the code and both sentences."""

    def __init__(self, path: Path | None, layout: str) -> None:
        self._path, self._layout = path, layout
        self._file: TextIO | None = None

    def __enter__(self) -> _Rejects:
        if self._path is not None:
            with writing():
                self._file = self._path.open("w", newline="", encoding="utf-8")
            self._writer = csv.writer(self._file)
            self._names = [column.name for column in LAYOUTS[self._layout]]
            self._writer.writerow([*self._names, "line", "reason", "sentence"])
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with writing():
                self._file.close()

    def write(self, source: Source, receipt: Receipt, limits: Limits) -> None:
        """Add a receipt's rejected rows, read again from the source."""
        if self._file is None or not receipt.rejected_lines:
            return
        for line, cells in self._again(source, receipt, limits):
            problem = receipt.rejected_lines[line]
            with writing():
                self._writer.writerow([*cells, line, problem.code, f"{problem.say('id')} / {problem.say('en')}"])

    def _again(self, source: Source, receipt: Receipt, limits: Limits) -> Iterator[tuple[int, list[str]]]:
        names, rows = rows_again(source, self._layout, set(receipt.rejected_lines), limits)
        places = {name: place for place, name in enumerate(names)}
        for line, cells in rows:
            yield line, [cells[places[name]] if name in places else "" for name in self._names]
