"""A request's body: taken in pieces, limited, hashed; small ones in memory, large ones in a file without a name."""

from __future__ import annotations

import hashlib
import mmap
import tempfile
from typing import Any, BinaryIO, cast

import msgspec
from starlette.requests import Request

from ledger.errors import Refused
from ledger.ingestion.readers.reading import Source

IN_MEMORY = 1 << 20
KINDS = ("application/json", "text/csv", "application/x-ndjson")


class _Rows(msgspec.Struct, forbid_unknown_fields=True):
    rows: msgspec.Raw


class Body:
    """A spooled body; close it when the write is done. `digest` is the SHA-256 of its bytes."""

    def __init__(self, kind: str, data: bytes, file: BinaryIO | None, digest: str, size: int) -> None:
        self.kind = kind
        self.size = size
        self.digest = digest
        self._data = data
        self._file = file

    def bytes(self) -> bytes:
        """All of it."""
        if self._file is None:
            return self._data
        self._file.seek(0)
        return self._file.read()

    def source(self) -> Source:
        """What the readers read. Raises Refused: json-unreadable, request-invalid."""
        if self.kind == "application/json":
            data = self.bytes()
            if data.lstrip()[:1] != b"{":
                return Source.of(data)
            try:
                rows = bytes(msgspec.json.decode(data, type=_Rows).rows)
                # Of a member that stands twice the decoder keeps the last one only.
                before, after = data.partition(rows)[::2]
                if before.count(b":") != 1 or after.strip() != b"}":
                    raise Refused("column-twice", columns="rows")
                return Source.of(rows)
            except msgspec.ValidationError:
                raise Refused("request-invalid", what='[...], {"rows": [...]}') from None
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                raise Refused("json-unreadable") from None
        if self._file is None:
            return Source.of(self._data)
        file = self._file
        # Each reading gets a view of its own from the start, and the file has no name to be left behind.
        return Source("", lambda: cast(BinaryIO, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


async def spooled(request: Request, limit: int, kinds: tuple[str, ...] = KINDS) -> Body:
    """Take a request's body. Raises Refused: content-type-unknown, body-too-large (`limit` bytes, chunked or not)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in kinds:
        raise Refused("content-type-unknown")
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and len(said) < 19 and int(said) > limit:
        raise Refused("body-too-large", limit=f"{limit} bytes")
    digest = hashlib.sha256()
    pieces: list[bytes] = []
    file: Any = None
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise Refused("body-too-large", limit=f"{limit} bytes")
            digest.update(piece)
            if file is None and size > IN_MEMORY:
                file = tempfile.TemporaryFile()  # noqa: SIM115
                file.writelines(pieces)
                pieces = []
            if file is None:
                pieces.append(piece)
            else:
                file.write(piece)
        if file is not None:
            file.flush()
    except BaseException:
        if file is not None:
            file.close()
        raise
    return Body(kind, b"".join(pieces), file, digest.hexdigest(), size)
