"""All mobile routes; a test walks them as everybody who should not come in."""

from __future__ import annotations

from starlette.routing import BaseRoute

from api.mobile import cards, contacts, devices, me, months, notices, statement, yields

ROUTES: list[BaseRoute] = [
    *cards.short.routes,
    *cards.router.routes,
    *months.router.routes,
    *yields.router.routes,
    *statement.router.routes,
    *devices.router.routes,
    *me.router.routes,
    *notices.router.routes,
    *contacts.router.routes,
]
"""What is asked most stands first."""
