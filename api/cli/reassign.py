"""`jht reassign`: a card that hangs on the wrong person is given to the right one."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.console import header, opened
from api.cli.merge import confirm
from api.cli.read_side import card_of, holder_of
from api.terminal import out
from ledger.clock import read_now
from ledger.decisions.reason import REASONS, REASSIGN, check_reason
from ledger.errors import NotFound
from ledger.identifiers import kpj_of
from ledger.members import Acting, Members
from ledger.store import account_index
from ledger.store.log import Log, position_text
from ledger.store.vault import Vault


def reassign(
    kpj: Annotated[str, typer.Argument(metavar="KPJ", help="The card that hangs on the wrong person.")],
    to: Annotated[str, typer.Option(help="Any other card of the right person, or the person's id.")],
    reason: Annotated[str, typer.Option(help=f"Why: {', '.join(REASONS[REASSIGN])}.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Give a card to the person it belongs to: its money goes with it, the other one sees it no more, both are told."""
    card = card_of(kpj)
    check_reason(REASSIGN, reason)
    with opened() as log:
        seen = _version(log, card)
        person = holder_of(log, to, "to")
        if not yes:
            confirm(kpj_of(card), f"Card {kpj_of(card)} with all its money will be another person's.")
        by = header("", reason)
        acting = Acting(by.by, by.channel, read_now())
        done = Members.open(log, Vault.open(log)).reassign(card, person, reason, acting, seen=seen)
        out.print(f"Reassigned {kpj_of(card)}, at position {position_text(log.log_id, done)}.")


def _version(log: Log, card: int) -> str:
    with log.database.read() as tx:
        found = account_index.cards(tx, [card]).get(card)
    if found is None:
        raise NotFound("account-not-found", column="kpj")
    return str(found.changed_at)
