"""`jht months`: a card's years month by month, and why a month has not come, on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from api.cli.balance import day_of
from api.cli.console import moment, print_json, span_text
from api.cli.read_side import AS_OF, KNOWN_AT, card_of, caught_up, known_of
from api.month_groups import Group, grouped
from api.reasons import OTHERS, why, why_blank, why_several
from api.terminal import out
from ledger.clock import jakarta_date, read_now
from ledger.identifiers import month_text
from ledger.money import rupiah
from ledger.store.vault import Vault
from projections import month_grid
from projections.card_months import months_at, months_of
from projections.month_grid import Missing, Part, Year
from projections.received import Received, awaited, missing_sum, received

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
_LISTED = {month_grid.POSTED, month_grid.ABSENT, month_grid.HELD, month_grid.REVERSED}
_AWAITED = "It is past its due day, but not all payments up to that day are in, so it need not be missing."
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def months(
    kpj: Annotated[str, typer.Argument(help="The membership number on the card.")],
    year: Annotated[int | None, typer.Option(help="Only this year.", min=1970, max=2200)] = None,
    as_of: Annotated[str, typer.Option(help=AS_OF)] = "",
    known_at: Annotated[str, typer.Option(help=KNOWN_AT)] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, as the API answers.")] = False,
) -> None:
    """The months of a card: what came, what has not come and why."""
    card, now = card_of(kpj), read_now()
    asked = day_of(as_of) if as_of else None
    with caught_up() as (log, reader):
        known = known_of(log, reader, known_at, now)
        today = asked or (known.day if known else jakarta_date(now))
        vault = Vault.open(log)
        if asked or known:
            row, facts, _ = months_at(log, reader, vault, card, now, today, known)
        else:
            row, facts = months_of(log, reader, vault, card, now)
        log_id = log.log_id
    if as_json:
        from api import schemas  # with the web framework behind it
        from api.months_answer import Telling, months_answer

        place = schemas.as_of(log_id, row, today)
        telling = Telling("en", OTHERS, lambda npp, name: name)
        print_json(months_answer(facts, today, place, row.kpj, year, telling).model_dump())
        return
    years = [one for one in month_grid.years([facts], today) if year is None or one.year == year]
    out.print(
        Text(f"KPJ {row.kpj}"), f"  as of {today}, log position {row.position} (recorded {moment(row.recorded_at)})"
    )
    if not years:
        starts = min((membership.since for membership in facts.memberships), default="")
        out.print(
            f"  No month yet: the membership begins in {starts}." if starts and year is None else "  No month is known."
        )
        return
    out.print(_table(years))
    out.print(f"  {_KEY}", style="dim")
    groups, single = grouped(month_grid.missing(years))
    for group in groups:
        out.print(_group(group))
    for one in single:
        out.print(_line(one))
    for line in _others(years):
        out.print(line)
    total = missing_sum(years)
    if total.amount:
        covered = "" if total.covered == total.months else f" {total.covered} of"
        out.print(f"  Not come: about {rupiah(total.amount)} for{covered} {total.months} months.")
    if not groups and not single and not awaited(years):
        out.print("  Nothing is missing and nothing waits.")
    out.print(Text(f"  {_until(received([facts]))}"))


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
    about = f" About {rupiah(part.estimate)}." if part.estimate else ""
    return Text.assemble((f"  {sign} ", style), f"{month_text(one.month)}  {_why(part)}{about}")


def _group(one: Group) -> Text:
    sign, style = _SIGNS[one.part.state]
    amount = f" {rupiah(one.amount)}." if one.amount else f" About {rupiah(one.estimate)}." if one.estimate else ""
    said = why_several(one.part, "en", OTHERS, _payer(one.part))
    return Text.assemble((f"  {sign} ", style), f"{span_text(one.months)}  {said}{amount}")


def _why(part: Part) -> str:
    return why(part, "en", OTHERS, _payer(part))


def _payer(part: Part) -> str:
    return " ".join(filter(None, (part.employer, f"(NPP {part.npp})"))) if part.npp else ""


def _others(years: list[Year]) -> Iterator[Text]:
    """Why the other months are not there, each cause once with its months."""
    found: dict[tuple[str, str], list[int]] = {}
    for cell in (cell for year in years for cell in year.cells if cell.state not in _LISTED):
        part = next((part for part in cell.parts if part.state == cell.state), None)
        if cell.state == month_grid.AWAITED:
            told = _AWAITED
        else:
            told = why_blank(cell.cause, "en") if part is None or cell.state == month_grid.LATER else _why(part)
        found.setdefault((cell.state, told), []).append(cell.month)
    for (state, told), months in found.items():
        sign, style = _SIGNS[state]
        yield Text.assemble((f"  {sign} ", style), f"{span_text(months)}  {told}")
