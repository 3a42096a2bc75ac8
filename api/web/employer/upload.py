"""A form with a file: taken in pieces and limited; a large file lies on disk without a name and goes with the request."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import NamedTuple

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from api.request_body import IN_MEMORY, Body
from ledger.errors import Refused

_KIND = "multipart/form-data"
_FORM_ROOM = 16 * 1024
"""What the other fields and the boundaries may take."""
_NAME = 80
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


class Sent(NamedTuple):
    """What a form with a file brought; `body` None when no file was chosen. Close the body."""

    fields: dict[str, str]
    name: str
    body: Body | None


async def read_upload(request: Request, limit: int) -> Sent:
    """Take a form with at most one file of `limit` bytes.

    Raises Refused: content-type-unknown, body-too-large, request-invalid.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _KIND:
        raise Refused("content-type-unknown", kinds=_KIND)
    most = limit + _FORM_ROOM
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and len(said) < 19 and int(said) > most:
        raise Refused("body-too-large", limit=f"{limit} bytes")
    parser = MultiPartParser(
        request.headers, _limited(request, limit, most), max_files=1, max_fields=8, max_part_size=_FORM_ROOM
    )
    try:
        form = await parser.parse()
    except MultiPartException:
        raise Refused("request-invalid", what=_KIND) from None
    fields: dict[str, str] = {}
    file: UploadFile | None = None
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields[name] = value.replace("\0", "")
        else:
            file = value
    if file is None:
        return Sent(fields, "", None)
    name, size = _shown(file.filename), file.size or 0
    if not name and not size:
        await file.close()
        return Sent(fields, "", None)
    if size <= IN_MEMORY:
        data = await file.read()
        await file.close()
        return Sent(fields, name, Body("", data, None, "", size))
    file.file.flush()
    return Sent(fields, name, Body("", b"", file.file, "", size))


async def _limited(request: Request, limit: int, most: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise Refused("body-too-large", limit=f"{limit} bytes")
        yield piece


def _shown(name: str | None) -> str:
    """A file's own name, as far as it can be shown."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return _NOT_SHOWN.sub("", last).strip()[:_NAME]
