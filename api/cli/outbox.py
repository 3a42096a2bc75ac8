"""`jht outbox`: the letters that wait to be sent."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Annotated

import typer

from api.cli.console import moment, opened, print_json
from api.cli.read_side import read_side
from api.cli.typed_line import Commands
from api.log_lines import start_logging
from api.mail.sender import Sender
from api.terminal import TRY_AGAIN, out
from ledger.clock import read_now
from ledger.errors import Refused
from ledger.members import Members
from ledger.store.log import Log
from ledger.store.outbox import Outbox
from ledger.store.vault import Vault
from projections.notices import Teller
from projections.queries import Queries

outbox = Commands(
    help="The letters (mails, SMS) that wait to be sent.", invoke_without_command=True, no_args_is_help=False
)


def _outbox(log: Log) -> Outbox:
    return Members.open(log, Vault.open(log)).outbox


@outbox.callback()
def show(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False
) -> None:
    """How many letters wait, since when the oldest is due, and what went wrong last."""
    if context.invoked_subcommand is not None:
        return
    with opened() as log:
        state = _outbox(log).state()
    if as_json:
        print_json(state._asdict())
        return
    out.print(f"{state.waiting:,} waiting." + (f" The next is due at {moment(state.oldest)}." if state.oldest else ""))
    for error in state.errors:
        out.print(f"  {error}")


@outbox.command()
def send() -> None:
    """Send what is due now, also when no server runs. Ends with 75 when some must wait for another try."""
    with read_side() as (log, store):
        start_logging(log.settings.log_level)
        members = Members.open(log, Vault.open(log))
        with closing(Queries(log, store)) as reader:
            as_it_is = Teller(members, reader).as_it_is
            sender = Sender(log.settings, members.outbox, read_now, asyncio.to_thread, as_it_is)
            if not sender.ways:
                raise Refused("mail-server-missing")
            total = asyncio.run(_all(sender))
    out.print(f"{total[0]:,} sent, {total[1]:,} wait for another try, {total[2]:,} given up.")
    if total[1]:
        raise typer.Exit(TRY_AGAIN)


async def _all(sender: Sender) -> tuple[int, int, int]:
    sent = waiting = dropped = 0
    while sum(done := await sender.send_due()):
        sent, waiting, dropped = sent + done.sent, waiting + done.waiting, dropped + done.dropped
    return sent, waiting, dropped
