"""`jht balance`: what one card has, on the command line, the same truth as every other channel."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from api.cli.console import moment, print_json
from api.cli.read_side import AS_OF, KNOWN_AT, card_of, caught_up, known_of
from api.terminal import out
from ledger.clock import jakarta_date, read_now
from ledger.errors import Refused
from ledger.identifiers import kpj_of
from ledger.money import rupiah
from ledger.numbers import percent
from projections.queries import Queries
from projections.results import Entry

if TYPE_CHECKING:
    from rich.table import Table as Grid

PAGE = 500


def balance(
    kpj: Annotated[str, typer.Argument(help="The membership number on the card.")],
    as_of: Annotated[str, typer.Option(help=AS_OF)] = "",
    known_at: Annotated[str, typer.Option(help=KNOWN_AT)] = "",
    entries: Annotated[bool, typer.Option("--entries", help="Also the months behind it, newest first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, as the API answers.")] = False,
) -> None:
    """The balance of a card: amount, as-of line, what it is made of. Never 0 because something is unknown."""
    card, now = card_of(kpj), read_now()
    today = jakarta_date(now)
    day = day_of(as_of) if as_of else None
    with caught_up() as (log, reader):
        known = known_of(log, reader, known_at, now)
        row = reader.balance(card, today, now, day, known_at=known)
        group = reader.group(card, today, now, day, known) if row.grouped else None
        asked = day or (known.day if known else None)
        lines = _entries(reader, card, row.position, asked) if entries else []
        log_id = log.log_id
    told = asked or today
    if as_json:
        from api.schemas import balance_fields  # with the web framework behind it

        answer = balance_fields(log_id, row, told, group)
        print_json({"balance": answer, "entries": lines} if entries else answer)
        return
    out.print(
        Text(rupiah(row.total), style="bold"),
        Text(f"  KPJ {row.kpj}, {row.segment}, {row.status}", style="dim"),
    )
    out.print(f"  as of {told}, log position {row.position} (recorded {moment(row.recorded_at)})")
    if row.last is None:
        out.print("  No contribution has come yet." if not row.total else "  No contribution counts now.")
    else:
        payer = f"by NPP {row.last.npp}" if row.last.npp else "by the participant"
        out.print(f"  last: {row.last.month}, paid on {row.last.paid_on} {payer}; {row.months} months contributed")
    for said, amount in (
        ("worker", row.worker), ("employer", row.employer), ("yield in the opening balance", row.brought),
        ("yield of declared years", row.credited - row.brought),
        ("paid out", -row.paid_out),
    ):  # fmt: skip
        if amount or said in ("worker", "employer"):
            out.print(f"  {said:<28}  {rupiah(amount):>20}")
    if row.estimated is not None and row.terms.provisional is not None:
        until = f"{row.terms.year}-{row.terms.month:02d}"
        rate = percent(row.terms.provisional, "en")
        out.print(f"  not in it: {rupiah(row.estimated)} estimated until {until} at {rate}")
    if row.terms.declared or row.estimated is not None:
        out.print(Text("  yield by this project's model of an unpublished rule: jht explain", style="dim"))
    if group is not None:
        out.print(f"  merged with other cards: together {rupiah(group.total)}")
        for one in group.rows:
            into = group.pointers.get(one.card)
            out.print(f"    KPJ {one.kpj}  {rupiah(one.total)}{f'  (merged into {kpj_of(into)})' if into else ''}")
    if entries:
        out.print(_statement(lines))


def _entries(reader: Queries, card: int, upto: int, paid_by: date | None) -> list[Entry]:
    found: list[Entry] = []
    read = partial(reader.entries, upto=upto, paid_by=paid_by)
    while page := read(card, read_now(), found[-1].key if found else None, PAGE):
        found.extend(page)
    return found


def _statement(entries: list[Entry]) -> Grid:
    from rich.table import Table as Grid  # only who asks for entries waits for it

    grid = Grid("month", "paid on", "what", "payer", box=None)
    for heading in ("wage", "employer", "worker"):
        grid.add_column(heading, justify="right")
    for entry in entries:
        what = entry.type if entry.kind == "regular" else f"{entry.type} ({entry.kind})"
        grid.add_row(
            entry.month, entry.paid_on, what, entry.npp or "participant",
            rupiah(entry.wage + entry.back_pay), rupiah(entry.employer), rupiah(entry.worker),
        )  # fmt: skip
    return grid


def day_of(text: str, name: str = "as-of") -> date:
    """A day as it was typed for an option. Raises Refused(parameter-unreadable)."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("parameter-unreadable", name=name, expected="YYYY-MM-DD") from None
