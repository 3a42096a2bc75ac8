"""`jht simulate`: what a card's savings may become, with the assumptions beside the number."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from api.cli.console import print_json
from api.cli.read_side import card_of, caught_up
from api.cli.yields import MODEL
from api.terminal import out
from ledger.clock import jakarta_date, read_now
from ledger.decisions.scheme import rate_of
from ledger.identifiers import month_of, month_text
from ledger.money import rupiah
from ledger.numbers import percent
from ledger.simulation import Simulation
from projections.outlook import LOOKED_AT, YEARS, Wish, simulation_of


def simulate(
    kpj: Annotated[str, typer.Argument(help="The membership number on the card.")],
    years: Annotated[int, typer.Option(help="How many years ahead, 1 to 60.")] = YEARS,
    monthly: Annotated[
        int | None, typer.Option(help="A month's contribution in rupiah; without it the newest one.")
    ] = None,
    growth: Annotated[str, typer.Option(help="Growth of the contribution, percent a year.")] = "3",
    rate: Annotated[str, typer.Option(help="Rate of yield, percent a year; without it the provisional one.")] = "",
    inflation: Annotated[str, typer.Option(help="How fast prices rise, percent a year.")] = "3",
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, as the API answers.")] = False,
) -> None:
    """What a card's savings may become, in the money of then and of today: an estimate, no promise."""
    card, now = card_of(kpj), read_now()
    today = jakarta_date(now)
    wish = Wish(
        years, None, monthly, rate_of(growth), rate_of(rate) if rate else None,
        rate_of(inflation),
    )  # fmt: skip
    with caught_up() as (log, reader):
        row = reader.balance(card, today, now)
        found = simulation_of(row, reader.entries(card, now, None, LOOKED_AT), wish, today)
        log_id = log.log_id
    if as_json:
        from api.simulation_answer import simulation_fields  # with the web framework behind it

        print_json(simulation_fields(log_id, row, row.kpj, found, today))
        return
    assumed = found.assumptions
    until = month_text(month_of(today) + assumed.months)
    out.print(Text(f"Estimate for {until}: {rupiah(found.balance)}", style="bold"))
    out.print(f"  in today's money {rupiah(found.today)}; today's balance {rupiah(row.total)}")
    out.print(
        f"  assumed: {rupiah(assumed.monthly)} a month, {percent(assumed.growth, 'en')} more each January; "
        f"yield {percent(assumed.rate, 'en')}, prices {percent(assumed.inflation, 'en')} a year"
    )
    out.print(_table(found))
    out.print(Text(f"Nobody knows these rates. {MODEL}", style="dim"))


def _table(found: Simulation) -> Grid:
    grid = Grid("year", box=None)
    for heading in ("months", "contributed", "yield", "balance", "in today's money"):
        grid.add_column(heading, justify="right")
    for year in found.years:
        grid.add_row(
            str(year.year), str(year.months), rupiah(year.contributed), rupiah(year.earned), rupiah(year.balance),
            rupiah(year.today),
        )  # fmt: skip
    return grid
