"""`/saldo/{handle}/hitungan`: how the yield of one card was worked out, so that a pocket calculator gets the same rupiah."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.route import PlainRoute
from api.web.holdings import Holdings
from api.web.page_context import Visits, visit_of
from api.web.pages import render
from api.web.saldo import Sums, note_reads
from ledger.clock import jakarta_date
from ledger.errors import Unavailable
from ledger.yields import thousandths
from projections.explanation import Account, Worked


class Shown(NamedTuple):
    """A year with the sums that its steps name. `base` = months x opening + products, never below 0; `exact`: the yield in
    thousandths of a rupiah, before it is rounded; `carries`: whether the opening holds an estimate already."""

    year: Worked
    amounts: int
    products: int
    base: int
    exact: int
    carries: bool


def routes(application: ApplicationState, visits: Visits, holdings: Holdings) -> list[PlainRoute]:
    """The route of the page."""

    async def working(request: Request) -> Response:
        now = application.now()
        look = await holdings.look(visit_of(request).who, now, request.path_params["handle"])
        await note_reads(application, request, look.cards)
        (held,) = look.cards
        if held.row is None:
            raise held.error or Unavailable("account-incomplete")
        found = await application.ask(application.reader.explanation, held.linked.card, jakarta_date(now), now)
        accounts = [(account, list(shown(account))[::-1]) for account in found.accounts]
        return render(
            request, "working.html", now=now, held=held, sums=Sums.of([found.row]), accounts=accounts
        )  # fmt: skip

    page = visits.page(working, MEMBER)
    return [PlainRoute("/saldo/{handle}/hitungan", page, methods=["GET"])]


def shown(account: Account) -> Iterator[Shown]:
    """An account's years in order."""
    carries = False
    for year in account.years:
        products = sum(part.product for part in year.parts)
        base = max(0, year.months * year.opening + products)
        yield Shown(
            year, sum(part.amount for part in year.parts), products, base, thousandths(year.rate or 0, base), carries
        )  # fmt: skip
        carries = carries or year.kind == "estimated"
