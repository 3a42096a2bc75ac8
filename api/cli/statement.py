"""`jht statement`: one card's statement, now or as it was known then, on the command line or as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from api.cli.balance import day_of
from api.cli.console import moment, print_json, span_text
from api.cli.read_side import AS_OF, KNOWN_AT, card_of, caught_up, known_of
from api.cli.typed_line import one_of
from api.statement.code import code_of, question_of
from api.statement.forms import FILES, LANGUAGES, Form, file_of
from api.statement.paper import Head, holder_of
from api.statement.run import write
from api.statement.texts import texts
from api.terminal import out
from ledger.clock import jakarta_date, read_now
from ledger.identifiers import month_number
from ledger.money import rupiah
from ledger.output_file import writing
from ledger.store.answer_codes import AnswerCodes
from ledger.store.log import position_text
from ledger.store.vault import Vault
from projections import card_statement
from projections.statement import Gap, Statement, period_of


def statement(
    kpj: Annotated[str, typer.Argument(help="The membership number on the card.")],
    year: Annotated[
        int | None, typer.Option(help="This calendar year; else --from and --to.", min=1970, max=2200)
    ] = None,
    since: Annotated[str, typer.Option("--from", help="The first day, YYYY-MM-DD.")] = "",
    until: Annotated[str, typer.Option("--to", help="The last day, YYYY-MM-DD.")] = "",
    as_of: Annotated[str, typer.Option(help=AS_OF)] = "",
    known_at: Annotated[str, typer.Option(help=KNOWN_AT)] = "",
    to: Annotated[
        Path | None, typer.Option("--out", help=f"A file to write, by its ending: {', '.join(FILES)}.")
    ] = None,
    language: Annotated[str, typer.Option("--lang", help=f"Of a file: {', '.join(LANGUAGES)}.")] = LANGUAGES[0],
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, as the API answers.")] = False,
) -> None:
    """The statement of a card: opening, every line, yield, what was paid out, closing, and the months that are missing."""
    one_of(language, LANGUAGES, "--lang")
    form = one_of(to.suffix, [f".{ending}" for ending in FILES], "--out").removeprefix(".") if to else FILES[0]
    card, now = card_of(kpj), read_now()
    first, last, day = (_day(text, name) for text, name in ((since, "from"), (until, "to"), (as_of, "as-of")))
    with caught_up() as (log, reader):
        vault = Vault.open(log)
        known = known_of(log, reader, known_at, now)
        told = day or (known.day if known else jakarta_date(now))
        period = period_of(year, first, last, told)
        if day or known:
            row, found = card_statement.read_at(log, reader, vault, card, now, period, told, known)
        else:
            row, found = card_statement.read(log, reader, vault, card, now, period)
        code = code_of(AnswerCodes(log, vault), question_of(row, period, language, told))
        if to is not None:
            with log.database.read() as tx:
                person = vault.data_of(tx, [row.person]).of(row.person)
            place = position_text(log.log_id, row.position)
            at = datetime.fromisoformat(known.recorded_at) if known else now
            holder = holder_of(person[0]) if person else None
            head = Head(row.kpj, row.segment, holder, at, place, code, log.settings.printed_url)
            content = file_of(Form(form, language, lambda npp, name: name), found, head)
        log_id = log.log_id
    if to is not None:
        with writing():
            write(to, content)
    if as_json:
        from api import schemas  # with the web framework behind it
        from api.statement.answer import statement_answer

        as_known = schemas.as_of(log_id, row, told)
        print_json(statement_answer(found, row.kpj, as_known, lambda npp, name: name, code).model_dump())
        return
    out.print(Text(f"KPJ {row.kpj}"), f"  {period.since} to {period.until}")
    out.print(f"  as of {told}, log position {row.position} (recorded {moment(row.recorded_at)})")
    out.print(_table(found))
    for line in _gaps(found.gaps):
        out.print(Text(f"  {line}"))
    if code:
        out.print(Text(f"  answer code {code}", style="dim"))


def _day(text: str, name: str) -> date | None:
    return day_of(text, name) if text else None


def _gaps(gaps: Sequence[Gap]) -> Iterator[str]:
    """The months of one payer and reason in one line, wherever they are."""
    alike: dict[tuple[str, str], list[Gap]] = {}
    for gap in gaps:
        alike.setdefault((gap.npp, gap.reason), []).append(gap)
    for (npp, _), some in alike.items():
        said = texts("en").why(some[0]) if len(some) == 1 else texts("en").why_several(some[0])
        payer = f"NPP {npp}: " if npp and len({gap.npp for gap in gaps}) > 1 else ""
        months = [number for gap in some if (number := month_number(gap.month)) is not None]
        yield f"{span_text(months)}  {payer}{said}"


def _table(found: Statement) -> Grid:
    grid = Grid("", "paid on", "payer", box=None)
    grid.add_column("amount", justify="right")
    grid.add_row("opening", "", "", rupiah(found.opening.total))
    for line in found.lines:
        what = line.month if line.type == "posted" else f"{line.month} ({line.type})"
        grid.add_row(what, line.paid_on, line.npp or "participant", rupiah(line.amount))
    for one in found.yields:
        grid.add_row(f"yield of {one.year}", f"{one.year}-12-31", "", rupiah(one.amount))
    for year in found.undeclared:
        grid.add_row(f"yield of {year}", "", "", "not declared")
    if found.paid_out:
        grid.add_row("paid out", "", "", rupiah(-found.paid_out))
    grid.add_row("closing", "", "", rupiah(found.closing.total))
    return grid
