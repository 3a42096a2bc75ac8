"""`jht suspense`: money that waits, and an officer's decision to post one line of it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from api.cli.console import header, moment, npp_number, opened, print_json
from api.cli.typed_line import Commands
from api.terminal import out
from ledger.acts.release import RELEASE_REASONS, Place, release_line
from ledger.clock import read_now
from ledger.days import day_text
from ledger.errors import Refused
from ledger.identifiers import KINDS, clean_kpj, kpj_of, month_text
from ledger.money import rupiah
from ledger.store.account_index import must_be_registered
from ledger.store.log import position_text
from ledger.store.suspense import Case, suspense_page

PAGE = 1_000

suspense = Commands(help="Money that waits: list it, post a line of it.")


@suspense.command("list")
def list_(
    npp: Annotated[list[str] | None, typer.Option(help="Only of this employer; may be given several times.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Every line that waits, oldest first, with its place: what `jht suspense release` is told."""
    npps = [npp_number(one) for one in npp] if npp else None
    cases: list[Case] = []
    # One snapshot: a line released between two pages must not be missing in one and counted in the other.
    with opened() as log, log.database.read() as tx:
        must_be_registered(tx, npps or [])
        after = (0, -1)
        while True:
            page = suspense_page(tx, after, PAGE, npps)
            cases += page
            if len(page) < PAGE:
                break
            after = (page[-1].position, page[-1].line)
    if as_json:
        print_json([_row(case) for case in cases])
        return
    if not cases:
        out.print("Nothing waits.")
        return
    for case in cases:
        row = _row(case)
        out.print(Text(str(row["place"]), style="bold"), soft_wrap=True)
        out.print(
            Text(
                f"  KPJ {row['kpj']}, {row['kind']} {row['month']}, {rupiah(case.employer + case.worker)} paid "
                f"{row['paid_on']}, recorded {moment(case.recorded_at)}: {case.reason}"
            ),
            soft_wrap=True,
        )


def _row(case: Case) -> dict[str, object]:
    return {
        "place": f"{case.stream}/{case.version}/{case.line}", "kpj": kpj_of(case.card), "npp": f"{case.npp:08d}",
        "month": month_text(case.month), "kind": KINDS[case.kind], "paid_on": day_text(case.paid_on),
        "employer": case.employer, "worker": case.worker, "reason": case.reason, "recorded_at": case.recorded_at,
    }  # fmt: skip


@suspense.command()
def release(
    place: Annotated[str, typer.Argument(help="Where the line waits, as `jht suspense list` shows it.")],
    reason: Annotated[str, typer.Option(help=f"Why: {', '.join(RELEASE_REASONS)}.")] = "",
    kpj: Annotated[str, typer.Option(help="The right card, where the line waits under another number.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Post one waiting line with its own paid date: a second payment as a further part, or after a look at the papers."""
    number = clean_kpj(kpj) if kpj else ""
    if number is None:
        raise Refused("kpj-unreadable", column="kpj")
    with opened() as log:
        released = release_line(log, place_of(place), header("", reason), read_now, number)
        position = position_text(log.log_id, released.position)
    if as_json:
        print_json({"released": released.lines, "position": position})
        return
    out.print(f"Posted {released.lines} line at position {position}.")


def place_of(text: str) -> Place:
    """`<remittance>/<event>/<line>`. Raises Refused(place-unreadable)."""
    stream, _, rest = text.strip().partition("/")
    version, _, line = rest.partition("/")
    if not stream.startswith("remittance-") or not (version.isdecimal() and line.isdecimal()) or len(rest) > 20:
        raise Refused("place-unreadable")
    return Place(stream, int(version), int(line))
