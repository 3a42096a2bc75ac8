"""`jht explain`: how a card's yield was worked out, for whoever wants to follow it with a pocket calculator."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from api.cli.balance import day_of
from api.cli.console import print_json
from api.cli.read_side import AS_OF, KNOWN_AT, card_of, caught_up, known_of
from api.cli.yields import MODEL
from api.terminal import out
from ledger.clock import jakarta_date, read_now
from ledger.money import rupiah
from ledger.numbers import percent
from projections.explanation import DECLARED, Account, Worked


def explain(
    kpj: Annotated[str, typer.Argument(help="The membership number on the card.")],
    as_of: Annotated[str, typer.Option(help=AS_OF)] = "",
    known_at: Annotated[str, typer.Option(help=KNOWN_AT)] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, as the API answers.")] = False,
) -> None:
    """The working of a card's yield, line by line: opening, each payment's months, rate, result."""
    card, now = card_of(kpj), read_now()
    today = jakarta_date(now)
    asked = day_of(as_of) if as_of else None
    with caught_up() as (log, reader):
        known = known_of(log, reader, known_at, now)
        found = reader.explanation(card, today, now, asked, known)
        group = reader.group(card, today, now, asked, known) if found.row.grouped else None
        log_id = log.log_id
    day = asked or (known.day if known else today)
    if as_json:
        from api.schemas import balance_fields  # with the web framework behind it

        print_json({"balance": balance_fields(log_id, found.row, day, group), "accounts": found.accounts})
        return
    for account in found.accounts:
        _show(account)
    row = found.row
    out.print(f"Contributions {rupiah(row.employer + row.worker)} + yield {rupiah(row.credited)}", end="")
    out.print(f" - paid out {rupiah(row.paid_out)}" if row.paid_out else "", end="")
    out.print(Text(f" = balance {rupiah(row.total)}", style="bold"))
    if row.estimated is not None:
        out.print(f"Estimated on top of it, not in the balance: {rupiah(row.estimated)}")
    out.print(Text(f"{MODEL} Each result: rate x (months x opening + products) / 12, a half up.", style="dim"))


def _show(account: Account) -> None:
    epoch = f", epoch {account.epoch}" if account.epoch else ""
    out.print(Text(f"{account.sub_account}{epoch}", style="bold"))
    for year in account.years:
        out.print(f"  {year.year}: opening {rupiah(year.opening)}")
        if year.parts:
            out.print(_parts(year))
        out.print(f"    {_result(year)}; closing {rupiah(year.closing)}")


def _parts(year: Worked) -> Grid:
    grid = Grid("", "paid on", "what", "for", box=None)
    for heading in ("amount", "months", "product"):
        grid.add_column(heading, justify="right")
    for part in year.parts:
        grid.add_row(
            "   ", part.paid_on, part.type, part.month, rupiah(part.amount), str(part.months), rupiah(part.product)
        )  # fmt: skip
    return grid


def _result(year: Worked) -> str:
    if year.rate is None:
        return "no rate, no yield"
    products = sum(part.product for part in year.parts)
    base = f"({year.months} x {rupiah(year.opening)} + {rupiah(products)})"
    how = "yield" if year.kind == DECLARED else "estimate"
    return f"{percent(year.rate, 'en')} x {base} / 12 = {how} {rupiah(year.earned)}"
