"""What becomes of one line of a contributions file, decided without a store: its verdict and what is told of it."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Any

import numpy as np

from ledger.decisions.card import Card, Membership
from ledger.identifiers import month_text
from ledger.ingestion.contributions.batch import RemittanceBatch
from ledger.ingestion.contributions.check import prepare
from ledger.ingestion.contributions.decide import decide
from ledger.ingestion.contributions.lookup import LookedUp
from ledger.ingestion.contributions.pipeline import told
from ledger.ingestion.readers.reading import Source, read
from ledger.receipt import Header, Receipt
from tests.conftest import TODAY
from tests.office import CONTRIBUTION, NPP, OTHER_NPP, csv_of, line

KPJ = "26000000017"
Verdict = tuple[str, ...]
"""`posted`, `suspended`, `refused` or `already`, then the codes that are told."""


def verdict(
    row: dict[str, object], card: Card | None = None, *, today: date = TODAY, backdate: bool = False
) -> Verdict:
    """The verdict on a line of its own; one that could post as it stands gets the same a column at a time."""
    found = {_decided(row, card, today, backdate, columns) for columns in (False, True)}
    (one,) = found
    return one


def _decided(row: dict[str, object], card: Card | None, today: date, backdate: bool, columns: bool) -> Verdict:
    receipt = Receipt("contributions", "r")
    table = read(Source.of(csv_of((*CONTRIBUTION, "kind"), [row])), "contributions")
    upload = prepare(
        table, Header("t", "t", "r"), receipt, today=today, backdate=backdate, registered={int(NPP), int(OTHER_NPP)}
    )
    if len(upload.groups):
        batch = RemittanceBatch(upload, upload.groups.tolist())
        cards = {card.card: card} if card else {}
        odd = np.full(batch.lines, not (columns and _postable(batch, card)))
        for one in decide([batch], LookedUp(0, [odd], cards, {}, {}, None)):
            told(one, [])
    (name,) = (name for name in ("posted", "already", "suspended", "refused") if receipt.totals[name])
    return name, *(said.problem.code for said in receipt.problems)


def _postable(batch: RemittanceBatch, card: Card | None) -> bool:
    """What the account index says of the card and an employer's line."""
    ((_, npp, month),) = batch.first
    paid_on = int(np.max(batch.upload.paid_on))
    return bool(npp and card and card.membership(npp, month) and card.opening < paid_on)


def card(segment: str, npp: int = 0, opening: int = 0) -> Card:
    """A member since before any rule, by one membership."""
    return Card(int(KPJ), "p", segment, (Membership(npp, segment, 1977 * 12, 0),), opening=opening)


def paid_in(month: int, **changes: Any) -> dict[str, object]:
    """A payment for a month, on its last day."""
    days = monthrange(month // 12, month % 12 + 1)[1]
    return line(KPJ, month=month_text(month), paid_on=f"{month_text(month)}-{days}", **changes)


def after(month: int) -> date:
    """A day soon after a month, on which its payments are looked at."""
    return date.fromisoformat(f"{month_text(month + 1)}-20")


def employers(month: int, **changes: Any) -> Verdict:
    """The verdict on an employer's payment for a month."""
    return verdict(paid_in(month, **changes), card("PU", int(NPP)), today=after(month))


def own(segment: str, month: int, income: int | str, worker: int | str, **changes: Any) -> Verdict:
    """The verdict on a holder's own payment for a month."""
    row = paid_in(month, npp="", worker=worker, **changes) | {"wage": income}
    return verdict(row, card(segment), today=after(month))
