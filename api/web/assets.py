"""The files of the pages: served under a name that holds their content's hash, so they may be kept for ever."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from api.route import PlainRoute
from ledger.errors import NotFound

FOLDER = Path(__file__).parent / "static"
PREFIX = "/aset/"
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


class Asset(NamedTuple):
    """A file, as it is and compressed."""

    content: bytes
    packed: bytes
    kind: str


@cache
def _files() -> tuple[dict[str, str], dict[str, Asset]]:
    """Plain name -> hashed name, and hashed name -> file."""
    names, files = {}, {}
    for path in sorted(FOLDER.iterdir()):
        content = path.read_bytes()
        hashed = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"
        names[path.name] = hashed
        files[hashed] = Asset(content, gzip.compress(content, 9, mtime=0), _KINDS[path.suffix])
    return names, files


def asset(name: str) -> str:
    """The address of a file: `style.css` -> `/aset/style.<hash>.css`."""
    return PREFIX + _files()[0][name]


def find(name: str) -> Asset | None:
    """The file of a name that holds its hash."""
    return _files()[1].get(name)


async def _serve(request: Request) -> Response:
    found = find(request.path_params["name"])
    if found is None:
        raise NotFound("route-unknown")
    packed = "gzip" in request.headers.get("accept-encoding", "")
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Vary": "Accept-Encoding",
        **({"Content-Encoding": "gzip"} if packed else {}),
    }
    return Response(found.packed if packed else found.content, media_type=found.kind, headers=headers)


ROUTES = [PlainRoute(PREFIX + "{name}", _serve, methods=["GET"])]
