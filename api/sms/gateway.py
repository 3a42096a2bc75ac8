"""What an adapter of an SMS gateway has to do: read a request strictly, and put a reply into the gateway's form.

Everything else is the same for all gateways and stands in `answering`. An adapter is one file beside `kannel` and one
line in `doors`.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response


class Message(Struct, frozen=True):
    """A text that came. `id`: the gateway's own, the same when it tries again; `sender` as the gateway writes it."""

    gateway: str
    id: str
    sender: str
    text: str


class Gateway(Protocol):
    """An adapter. `path`: where the gateway sends to."""

    path: str

    async def read(self, request: Request) -> Message:
        """The message in a request of the gateway, and of nobody else.

        Raises NotFound(route-unknown) when this gateway is not set up, NotAllowed(gateway-wrong), Refused.
        """

    def answer(self, reply: str) -> Response:
        """A response that makes the gateway send `reply` to the sender, or nothing when it is empty."""
