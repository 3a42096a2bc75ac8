"""The member's website put together: `routes(opened)`."""

from __future__ import annotations

from starlette.routing import Route

from api.opened import Opened
from api.web import account, assets, cards, links, login, months, provider, public, register, saldo
from api.web.holdings import Holdings
from api.web.visits import Visits


def routes(opened: Opened) -> list[Route]:
    """All pages of the member's website over what the process holds open (it must have started)."""
    visits, holdings = Visits(opened), Holdings(opened)
    return [
        *public.routes(opened, visits),
        *provider.routes(opened, visits),
        *register.routes(opened, visits),
        *links.routes(opened, visits),
        *login.routes(opened, visits),
        *saldo.routes(opened, visits, holdings),
        *months.routes(opened, visits, holdings),
        *cards.routes(opened, visits),
        *account.routes(opened, visits),
        *assets.ROUTES,
    ]
