"""The site as an app: its manifest and service worker, and what a device shows without a connection.

A device keeps a balance only where its member switched that on, by a mark in a cookie of this device (`Devices`, of the
kind KEPT), which opens nothing. The pages of that member carry the mark in `JHT-Kept`; `static/sw.js` keeps what
`/luring/saldo` says and throws it away with the first page that carries another mark or none. It goes at log-out and at
the session's end also by `Clear-Site-Data`, and after seven days.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache

from starlette.requests import Request
from starlette.responses import Response

from api.access.cookies import KEPT
from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.responses import json_response
from api.route import PlainRoute
from api.web.assets import FOLDER, asset
from api.web.holdings import Holdings
from api.web.page_context import Visits, form_of, visit_of
from api.web.pages import SECURITY, fragment, render, see_other
from api.web.saldo import Sums, note_reads
from api.web.words import LANGUAGES, words
from ledger.errors import NotFound

FILES = ("style.css", "app.js", "ikon.svg")
"""What a page needs; a device keeps it with the page that it shows without a connection."""
PAPER, ACCENT = "#f2f3f8", "#2b3799"
_ICONS = (("ikon-192", 192, "any"), ("ikon-512", 512, "any"), ("ikon-penuh-192", 192, "maskable"),
          ("ikon-penuh-512", 512, "maskable"))  # fmt: skip


@cache
def worker() -> bytes:
    """The service worker; it differs with every file and text that a device keeps, so that a browser takes the new one."""
    files, code = [asset(name) for name in FILES], (FOLDER / "sw.js").read_text("utf-8")
    shells = [fragment(language, "offline.html", path="", here="/", csrf="") for language in LANGUAGES]
    version = hashlib.sha256("".join([code, *files, *shells]).encode()).hexdigest()[:12]
    return f'const VERSION = "{version}";\nconst FILES = {json.dumps(files)};\n{code}'.encode()


def manifest(language: str) -> dict[str, object]:
    """The web app manifest (W3C) in one language."""
    t = words(language)
    return {
        "id": "/saldo", "name": str(t("site.name")), "short_name": str(t("site.name")),
        "description": str(t("start.heading")), "lang": language, "dir": "ltr", "start_url": "/saldo", "scope": "/",
        "display": "standalone", "background_color": PAPER, "theme_color": ACCENT, "categories": ["finance"],
        "icons": [
            {"src": asset(f"{name}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for name, size, purpose in _ICONS
        ],
    }  # fmt: skip


async def _worker(_: Request) -> Response:
    return Response(worker(), 200, SECURITY | {"Cache-Control": "no-cache"}, "text/javascript")


async def _manifest(request: Request) -> Response:
    language = request.path_params["language"]
    if language not in LANGUAGES:
        raise NotFound("route-unknown")
    response = json_response(manifest(language), headers={"Cache-Control": "no-cache"})
    response.headers["content-type"] = "application/manifest+json"
    return response


def routes(application: ApplicationState, visits: Visits, holdings: Holdings) -> list[PlainRoute]:
    """The routes of the app."""

    async def shell(request: Request) -> Response:
        """What is shown instead of a page that cannot be reached."""
        return render(request, "offline.html")

    async def balance(request: Request) -> Response:
        """The balance as a device shows it later: one number and its date, no way in and no token.

        Raises NotFound(route-unknown) where it was not switched on, Unavailable as `/saldo`.
        """
        if not request.scope["kept"]:
            raise NotFound("route-unknown")
        now = application.now()
        cards = (await holdings.look(visit_of(request).who, now)).cards
        await note_reads(application, request, cards)
        for held in cards:
            if held.error is not None:
                raise held.error
        rows = [held.row for held in cards if held.row is not None]
        last = max((row.last.month for row in rows if row.last is not None), default="")
        return render(request, "offline.html", total=Sums.of(rows).total, now=now, last=last, cards=len(rows))

    async def switch(request: Request) -> Response:
        """Keep the last balance on this device from now on, or no more."""
        identity = application.identity
        on, person = form_of(request).get("nyala", "") == "1", visit_of(request).who
        given = identity.cookies.kept(request)
        marks = (identity.devices.marked if on else identity.devices.unmarked)(given, KEPT, person)
        response = see_other(f"/akun?kabar=luring_{'nyala' if on else 'mati'}")
        identity.cookies.set_kept(response, marks)
        return response

    return [
        PlainRoute("/sw.js", _worker, methods=["GET"]),
        PlainRoute("/manifest/{language}", _manifest, methods=["GET"]),
        PlainRoute("/luring", visits.page(shell), methods=["GET"]),
        PlainRoute("/luring/saldo", visits.page(balance, MEMBER), methods=["GET"]),
        PlainRoute("/akun/luring", visits.page(switch, MEMBER), methods=["POST"]),
    ]
