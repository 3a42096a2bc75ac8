"""`jht reverse`: lines taken back, a receipt out."""

from __future__ import annotations

import hashlib
from typing import Annotated

import typer
from rich.text import Text

from api.cli.console import door, header, print_json
from api.terminal import SOME_REFUSED, out, say
from ledger.acts.reversal import Target
from ledger.decisions.remittance import CORRECTION_REASONS
from ledger.errors import Refused
from ledger.identifiers import (
    KINDS,
    clean_division,
    clean_kpj,
    clean_npp,
    employer_remittance_stream,
    month_number,
    own_remittance_stream,
)


def reverse(
    reason: Annotated[str, typer.Option(help=f"Why: {', '.join(CORRECTION_REASONS)}.")] = "",
    receipt: Annotated[str, typer.Option(help="Everything that one upload posted or suspended.")] = "",
    npp: Annotated[str, typer.Option(help="The employer of the remittance.")] = "",
    division: Annotated[str, typer.Option(help="The employer's division.")] = "",
    month: Annotated[str, typer.Option(help="The remittance's month, YYYY-MM.")] = "",
    kpj: Annotated[str, typer.Option(help="Only this worker; without --npp: what the holder paid.")] = "",
    kind: Annotated[str, typer.Option(help=f"Only this kind: {', '.join(KINDS)}; opening: of --kpj.")] = "",
    backdate: Annotated[
        bool, typer.Option("--backdate", help="Also what was paid in years whose yield is declared.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be reversed, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the receipt as JSON.")] = False,
) -> None:
    """Take posted or suspended lines back: a receipt, a remittance, one worker's line in it, or an opening balance.

    Exit code 3: what could be read of a receipt was taken back, a remittance that cannot be read was not.
    """
    target = target_of(receipt=receipt, npp=npp, division=division, month=month, kpj=kpj, kind=kind)
    request = hashlib.sha256(f"cli\0reverse\0{'/'.join(target)}\0{reason}".encode()).hexdigest()[:32]
    with door() as entrance:
        done = entrance.reverse(target, header(request, reason), dry_run=dry_run, backdate=backdate)
        unreadable = done.totals["refused"]
        if as_json:
            print_json(done.as_json(entrance.log.log_id))
            raise typer.Exit(SOME_REFUSED if unreadable else 0)
    out.print(Text(f"{'Would reverse' if dry_run else 'Reversed'} {done.totals['posted']:,} lines"), end="")
    where = "opening balances" if target.opening else "remittances"
    out.print(f" in {done.outcomes_total - unreadable:,} {where}; {done.totals['already']:,} were reversed before.")
    for told in done.problems:
        say(told.problem)
    if unreadable:
        raise typer.Exit(SOME_REFUSED)


def target_of(*, receipt: str, npp: str, division: str, month: str, kpj: str, kind: str) -> Target:
    """What to reverse, from its names as people write them.

    Raises Refused: reversal-unclear, month-unreadable, npp-unreadable, kpj-unreadable, division-unreadable,
    kind-unknown.
    """
    number = clean_kpj(kpj) if kpj else ""
    if number is None:
        raise Refused("kpj-unreadable", column="kpj")
    if receipt:
        if npp or month:
            raise Refused("reversal-unclear")
        return Target(receipt=receipt, kpj=number, kind=_kind(kind))
    if kind == "opening" and number and not npp:
        # A card has one opening balance; its month adds nothing.
        return Target(kpj=number, kind=kind)
    if not month or not (npp or kpj):
        raise Refused("reversal-unclear")
    if month_number(month) is None:
        raise Refused("month-unreadable", column="month")
    if not npp:
        return Target(stream=own_remittance_stream(number, month.strip()), kpj=number, kind=_kind(kind))
    employer, part = clean_npp(npp), clean_division(division)
    if employer is None:
        raise Refused("npp-unreadable", column="npp")
    if part is None:
        raise Refused("division-unreadable", column="division")
    stream = employer_remittance_stream(employer, month.strip())
    return Target(stream=stream, kpj=number, kind=_kind(kind), division=part if division else "")


def _kind(kind: str) -> str:
    if kind and kind not in KINDS:
        raise Refused("kind-unknown", column="kind")
    return kind
