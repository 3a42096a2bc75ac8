"""What becomes of one line of a contributions file, decided without a store: its verdict and what is told of it."""

from __future__ import annotations

from datetime import date

import numpy as np

from ledger.ingestion.contributions.check import prepare
from ledger.ingestion.contributions.decide import decide
from ledger.ingestion.contributions.lookup import LookedUp, RemittanceBatch
from ledger.ingestion.contributions.pipeline import told
from ledger.ingestion.readers.reading import Source, read
from ledger.receipt import Header, Receipt
from ledger.store.account_index import Card
from tests.conftest import TODAY
from tests.office import CONTRIBUTION, NPP, OTHER_NPP, csv_of

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
        odd = set() if columns and _postable(batch, card) else set(range(batch.lines))
        for one in decide([batch], LookedUp(0, [odd], cards, {}, {}, None)):
            told(one, [])
    (name,) = (name for name in ("posted", "already", "suspended", "refused") if receipt.totals[name])
    return name, *(said.problem.code for said in receipt.problems)


def _postable(batch: RemittanceBatch, card: Card | None) -> bool:
    """What the account index says of the card and an employer's line."""
    ((_, npp, month),) = batch.first
    paid_on = int(np.max(batch.upload.paid_on))
    return bool(npp and card and card.membership(npp, month) and card.opening < paid_on)
