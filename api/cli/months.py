"""`jht months`: a card's years month by month, and why a month has not come, on the command line."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from api.cli.console import moment, print_json
from api.cli.read_side import card_of, caught_up
from api.terminal import out
from api.web.held import held_key
from api.web.words import words
from ledger.clock import jakarta_date, read_now
from ledger.identifiers import month_text
from ledger.money import rupiah
from ledger.store.vault import Vault
from projections import month_grid
from projections.card_months import months_of
from projections.month_grid import Missing, Part, Year
from projections.received import Received, awaited, received

_SIGNS = {
    month_grid.POSTED: ("+", "green"), month_grid.HELD: ("=", "yellow"), month_grid.REVERSED: ("<", "red"),
    month_grid.ABSENT: ("x", "bold red"), month_grid.AWAITED: ("~", "yellow"), month_grid.LATER: (".", "dim"),
    month_grid.UNKNOWN: ("?", "dim"), month_grid.OPENED: ("o", "dim"), month_grid.LEFT: ("-", "dim"),
    month_grid.BEFORE: (" ", "dim"),
}  # fmt: skip
_KEY = (
    "+ came   x not come   = on hold   < taken back   ~ awaited   . not due yet   o in the opening balance   "
    "- no member   ? not on record"
)
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def months(
    kpj: Annotated[str, typer.Argument(help="The membership number on the card.")],
    year: Annotated[int | None, typer.Option(help="Only this year.", min=1970, max=2200)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, as the API answers.")] = False,
) -> None:
    """The months of a card: what came, what has not come and why."""
    card, now = card_of(kpj), read_now()
    today = jakarta_date(now)
    with caught_up() as (log, reader):
        row, facts = months_of(log, reader, Vault.open(log), card, now)
        log_id = log.log_id
    if as_json:
        from api import schemas  # with the web framework behind it
        from api.months_answer import months_answer

        as_of = schemas.as_of(log_id, row, today)
        print_json(months_answer(facts, today, as_of, row.kpj, year, lambda npp, name: name).model_dump())
        return
    years = [one for one in month_grid.years([facts], today) if year is None or one.year == year]
    out.print(
        Text(f"KPJ {row.kpj}"), f"  as of {today}, log position {row.position} (recorded {moment(row.recorded_at)})"
    )
    if not years:
        out.print("  No month: there was no membership and no money.")
        return
    out.print(_table(years))
    out.print(f"  {_KEY}", style="dim")
    listed = month_grid.missing(years)
    for one in listed:
        out.print(_line(one))
    waited = awaited(years)
    if not listed and not waited:
        out.print("  Nothing is missing and nothing waits.")
    out.print(Text(f"  {_until(received([facts]))}"))
    if waited:
        out.print(Text(f"  ~ past the due day and awaited: {', '.join(map(month_text, sorted(waited)))}"))


def _until(known: Received) -> str:
    if known.complete:
        return f"Payments are complete up to {known.complete}."
    latest = f" The latest payment for this card is of {known.latest}." if known.latest else ""
    return f"No day was recorded up to which payments are complete, so no month is called missing.{latest}"


def _table(years: list[Year]) -> Grid:
    grid = Grid("year", *_NAMES, "came", box=None)
    for one in years:
        cells = [Text(*_SIGNS[cell.state]) for cell in one.cells]
        grid.add_row(str(one.year), *cells, f"{one.arrived} of {one.expected}" if one.expected else "")
    return grid


def _line(one: Missing) -> Text:
    part = one.part
    sign, style = _SIGNS[part.state]
    payer = f"NPP {part.npp} {part.employer}".rstrip() if part.npp else "the participant"
    return Text.assemble((f"  {sign} ", style), f"{month_text(one.month)}  {payer}: {_why(part)}")


def _why(part: Part) -> str:
    if part.state == month_grid.ABSENT:
        about = f", about {rupiah(part.estimate)}" if part.estimate else ""
        return f"not come, was due on {part.due}{about}"
    if part.state == month_grid.REVERSED:
        return f"came and was taken back, {rupiah(part.amount)}"
    said = words("en")(
        "saldo.held_" + held_key(part), paid=part.paid_days[-1], payer=part.employer or "the participant",
        received=rupiah(part.amount), base=rupiah(part.base), expected=rupiah(part.expected),
    )  # fmt: skip
    return str(said.unescape())
