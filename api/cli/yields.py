"""`jht yield`: the scheme's first year, a year's declared rates, the provisional rate, and what a declaration would do."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from api.cli.console import day as day_of_moment
from api.cli.console import header, opened, print_json
from api.cli.read_side import catch_up_alone, read_side
from api.cli.typed_line import Commands
from api.terminal import err, out
from ledger.acts import scheme as acts
from ledger.clock import jakarta_date, read_now
from ledger.decisions.scheme import REASONS, Scheme, decide_declare, rate_of
from ledger.errors import Conflict, Refused
from ledger.events import Rates
from ledger.identifiers import kpj_of
from ledger.money import rupiah
from ledger.numbers import percent
from ledger.store.log import Log, position_text
from projections.what_if import WhatIf, cards_with_early_bases, what_if

MODEL = "Amounts are by this project's model (monthly-simple.v1) of a rule that the agency does not publish."

yields = Commands(help="Yield: declare a year, set the provisional rate, list both.")

Basis = Annotated[str, typer.Option(help="The decision that sets the rate, as it is cited.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


@yields.command()
def start(year: Annotated[int, typer.Argument(help="The first year whose yield this ledger computes.")]) -> None:
    """Record the first year whose yield is computed; it can be changed until a year is declared."""
    with read_side() as (log, store):
        _done(log, acts.start(log, year, header(), read_now).position, f"Yield is computed from {year} on")
        catch_up_alone(log, store)
        if cards := cards_with_early_bases(store, year):
            err.print(
                f"Warning: opening balances of {cards:,} cards bring bases of years before {year}, which then earn nothing. "
                "Start with the first of these years, or replace those balances.",
                style="yellow",
            )


@yields.command()
def declare(
    year: Annotated[int, typer.Argument(help="The year, which must be over.")],
    rate: Annotated[str, typer.Option(help="Percent a year, with at most four decimals: 5.63.")],
    basis: Basis = "",
    tambahan: Annotated[str, typer.Option(help="The second sub-account's rate; without it the same.")] = "",
    reason: Annotated[str, typer.Option(help=f"Why a declared year is replaced: {', '.join(REASONS)}.")] = "",
    only_tell: Annotated[bool, typer.Option("--what-if", help="Tell what it would change, write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Declare without typing the total.")] = False,
    as_json: AsJson = False,
) -> None:
    """Declare what every account earned in a year: one event credits them all, on 31 December of that year."""
    rates = Rates(rate_of(rate), rate_of(tambahan or rate))
    with read_side() as (log, store):
        today = jakarta_date(read_now())
        scheme = acts.scheme_of(log)
        fact = decide_declare(scheme, year, rates, basis or ("-" if only_tell else ""), today, reason=reason)
        if fact is None:
            _done(log, 0, "")
            return
        if not yes or only_tell:
            catch_up_alone(log, store)
            found = what_if(store, scheme, scheme.after(fact, scheme.version + 1), today)
            _tell(found, as_json=as_json)
            if only_tell:
                return
            _confirm(found)
        done = acts.declare(log, year, rates, basis, header("", reason), read_now)
        _done(log, done.position, f"Declared {year}: {_both(rates)}")


@yields.command()
def provisional(
    rate: Annotated[str, typer.Option(help="Percent a year, with at most four decimals: 5.")],
    since: Annotated[str, typer.Option("--from", help="The first day it is used, YYYY-MM-DD.")],
    basis: Basis = "",
) -> None:
    """Set the rate for estimates, and for claims, of what has no declared rate yet."""
    try:
        day = date.fromisoformat(since)
    except ValueError:
        raise Refused("parameter-unreadable", name="from", expected="YYYY-MM-DD") from None
    with opened() as log:
        done = acts.set_provisional(log, day, rate_of(rate), basis, header(), read_now)
        _done(log, done.position, f"Provisional from {day} on: {percent(rate_of(rate), 'en')}")


@yields.command("list")
def list_(as_json: AsJson = False) -> None:
    """The scheme's first year, the declared years with their basis, the provisional rates."""
    with opened() as log:
        scheme = acts.scheme_of(log)
    if as_json:
        print_json(_listed(scheme))
        return
    if not scheme.first_year:
        out.print("Nothing yet: jht yield start YEAR records the first year.")
        return
    out.print(f"Yield is computed from {scheme.first_year} on.")
    grid = Grid("year", "utama", "tambahan", "recorded", "basis", box=None)
    for year, one in sorted(scheme.declared.items()):
        rates = one.fact.rates
        grid.add_row(
            str(year), percent(rates.utama, "en"), percent(rates.tambahan, "en"), day_of_moment(one.recorded_at),
            Text(one.fact.basis),
        )  # fmt: skip
    if scheme.declared:
        out.print(grid)
    for since, rate in scheme.provisional:
        out.print(f"Provisional from {since} on: {percent(rate, 'en')}")
    out.print(Text(MODEL, style="dim"))


def _listed(scheme: Scheme) -> dict[str, object]:
    return {
        "first_year": scheme.first_year or None,
        "declared": [
            {
                "year": year, "utama": one.fact.rates.utama, "tambahan": one.fact.rates.tambahan, "basis": one.fact.basis,
                "policy": one.fact.policy, "rule": one.fact.rule, "recorded_at": one.recorded_at,
            }
            for year, one in sorted(scheme.declared.items())
        ],
        "provisional": [{"from": since, "rate": rate} for since, rate in scheme.provisional],
    }  # fmt: skip


def _tell(found: WhatIf, *, as_json: bool) -> None:
    if as_json:
        largest = [{"kpj": kpj_of(card), "change": change} for change, card in found.largest]
        print_json({**found._asdict(), "largest": largest})
        return
    out.print(f"Of {found.cards:,} cards {found.gaining:,} gain and {found.losing:,} lose; the total is")
    out.print(Text(f"  {rupiah(found.total)}", style="bold"))
    if found.largest:
        out.print("The largest changes:")
    for change, card in found.largest:
        out.print(f"  KPJ {kpj_of(card)}  {rupiah(change)}")
    out.print(Text(MODEL, style="dim"))


def _confirm(found: WhatIf) -> None:
    """The total typed again. Raises Conflict(yield-total-differs)."""
    err.print("Type the total to declare it:", end=" ")
    typed = typer.prompt("", prompt_suffix="", default="", show_default=False, err=True)
    digits = typed.strip().removeprefix("-").removeprefix("Rp").replace(".", "").replace(",", "")
    if not digits.isdecimal() or int(digits) != abs(found.total) or typed.strip().startswith("-") != (found.total < 0):
        raise Conflict("yield-total-differs")


def _both(rates: Rates) -> str:
    utama, tambahan = percent(rates.utama, "en"), percent(rates.tambahan, "en")
    return utama if utama == tambahan else f"{utama}, tambahan {tambahan}"


def _done(log: Log, position: int, what: str) -> None:
    out.print(f"{what}, at position {position_text(log.log_id, position)}." if position else "It is recorded already.")
