"""The member's website put together: `routes(opened)`."""

from __future__ import annotations

from starlette.routing import Route

from api.application import ApplicationState
from api.web import (
    account,
    answer_check,
    assets,
    cards,
    contacts,
    links,
    login,
    months,
    offline,
    outlook,
    passkeys,
    provider,
    public,
    register,
    saldo,
    statement,
    working,
)  # fmt: skip
from api.web.holdings import Holdings
from api.web.page_context import Visits


def routes(application: ApplicationState) -> list[Route]:
    """All pages of the member's website over what the process holds open (it must have started)."""
    visits, holdings = Visits(application), Holdings(application)
    return [
        *public.routes(application, visits),
        *answer_check.routes(application, visits),
        *provider.routes(application, visits),
        *register.routes(application, visits),
        *links.routes(application, visits),
        *login.routes(application, visits),
        *passkeys.routes(application, visits),
        *saldo.routes(application, visits, holdings),
        *working.routes(application, visits, holdings),
        *statement.routes(application, visits, holdings),
        *outlook.routes(application, visits, holdings),
        *months.routes(application, visits, holdings),
        *cards.routes(application, visits),
        *account.routes(application, visits),
        *offline.routes(application, visits, holdings),
        *contacts.routes(application, visits),
        *assets.ROUTES,
    ]
