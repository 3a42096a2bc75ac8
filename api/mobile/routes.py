"""All mobile routes; a test walks them as everybody who should not come in."""

from __future__ import annotations

from starlette.routing import BaseRoute

from api.application import ApplicationState
from api.mobile import cards, devices, me


def routes(application: ApplicationState) -> list[BaseRoute]:
    """The routes over what the process holds open, what is asked most first."""
    return [route for part in (cards, devices, me) for route in part.routes(application).routes]
