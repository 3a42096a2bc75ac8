"""`jht merge` and `jht unmerge`: a person's cards shown together, and apart again.

Whoever holds the machine may do it alone; in the office it takes two officers.
"""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.console import header, opened
from api.cli.read_side import card_of
from api.terminal import err, out
from ledger.acts import merge as acts
from ledger.clock import read_now
from ledger.decisions.merge import decide_merge, decide_unmerge
from ledger.decisions.reason import MERGE, REASONS, UNMERGE, check_reason
from ledger.errors import Conflict
from ledger.identifiers import kpj_of
from ledger.store.log import position_text

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def merge(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The KPJ of the old card.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The KPJ of the card it belongs to, of the same person.")],
    reason: Annotated[str, typer.Option(help=f"Why: {', '.join(REASONS[MERGE])}.")] = "",
    yes: Yes = False,
) -> None:
    """Merge a person's old card into another: both are told as one sum, no money moves, it can be taken back."""
    one, other = card_of(old), card_of(new)
    check_reason(MERGE, reason)
    with opened() as log:
        looked = acts.look(log, one, other)
        decide_merge(looked.cards, one, other)
        if not yes:
            confirm(kpj_of(one), f"Card {kpj_of(one)} will be shown together with {kpj_of(other)}.")
        done = acts.merge(log, one, other, header("", reason), read_now, seen=looked.version(one, other))
        out.print(f"Merged {kpj_of(one)} into {kpj_of(other)}, at position {position_text(log.log_id, done)}.")


def unmerge(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The KPJ of the card that was merged into another.")],
    reason: Annotated[str, typer.Option(help=f"Why: {', '.join(REASONS[UNMERGE])}.")] = "",
    yes: Yes = False,
) -> None:
    """Take a merge back: every card has what it would have if they had never been merged."""
    one = card_of(old)
    check_reason(UNMERGE, reason)
    with opened() as log:
        looked = acts.look(log, one)
        card = looked.cards.get(one)
        into = decide_unmerge(card).into
        if not yes:
            confirm(kpj_of(one), f"Card {kpj_of(one)} will no longer be shown together with {into}.")
        seen = looked.version(one, card.merged if card else 0)
        done = acts.unmerge(log, one, header("", reason), read_now, seen=seen)
        out.print(f"Un-merged {kpj_of(one)} from {into}, at position {position_text(log.log_id, done)}.")


def confirm(kpj: str, what: str) -> None:
    """The card's number typed again. Raises Conflict(card-differs)."""
    err.print(f"{what} Type {kpj} to confirm:", end=" ")
    if typer.prompt("", prompt_suffix="", default="", show_default=False, err=True).strip().upper() != kpj:
        raise Conflict("card-differs")
