"""A request's body: an upload (in pieces, limited, hashed, large ones in a file without a name), or one JSON object."""

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
_PACKED = (b"\x1f\x8b", b"PK")
_PIECE = 4_096
MOST_JSON = 4_096
"""Bytes of a body that is one JSON object."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = ("application/json", "text/csv", "application/x-ndjson", XLSX)
"""What an upload may be."""


class _Rows(msgspec.Struct, forbid_unknown_fields=True):
    rows: msgspec.Raw


def _array_in(data: bytes) -> bytes:
    """The array in `{"rows": [...]}`."""
    try:
        rows = bytes(msgspec.json.decode(data, type=_Rows).rows)
    except msgspec.ValidationError:
        raise Refused("request-invalid", what='[...], {"rows": [...]}') from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("json-unreadable") from None
    # Of a member that stands twice the decoder keeps the last one only.
    before, _, after = data.partition(rows)
    if before.count(b":") != 1 or after.strip() != b"}":
        raise Refused("column-twice", columns="rows")
    return rows


class Body:
    """A spooled body; close it when the write is done. `digest` is the SHA-256 of its bytes."""

    def __init__(self, kind: str, data: bytes, file: BinaryIO | None, digest: str, size: int) -> None:
        self.kind = kind
        self.size = size
        self.digest = digest
        self._data = data
        self._file = file

    @property
    def is_packed(self) -> bool:
        """Whether its size says little about what it holds: gzip, zip, XLSX."""
        if self._file is None:
            return self._data[:2] in _PACKED
        self._file.seek(0)
        return self._file.read(2) in _PACKED

    def bytes(self) -> bytes:
        """All of it."""
        if self._file is None:
            return self._data
        self._file.seek(0)
        return self._file.read()

    def source(self) -> Source:
        """What the readers read. Raises Refused: json-unreadable, request-invalid."""
        if self.kind == "application/json" and self._is_object:
            return Source.of(_array_in(self.bytes()))
        if self._file is None:
            return Source.of(self._data)
        file = self._file
        # Each reading gets a view of its own from the start, and the file has no name to be left behind.
        return Source("", lambda: cast(BinaryIO, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)))

    @property
    def _is_object(self) -> bool:
        """Whether its first sign is a brace."""
        if self._file is None:
            return self._data.lstrip()[:1] == b"{"
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            if first := piece.lstrip()[:1]:
                return first == b"{"
        return False

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


async def spooled(request: Request, limit: int, kinds: tuple[str, ...] = KINDS) -> Body:
    """Take a request's body. Raises Refused: content-type-unknown, body-too-large (`limit` bytes, chunked or not)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in kinds:
        raise Refused("content-type-unknown")
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and len(announced) < 19 and int(announced) > limit:
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


class JsonRequest(Request):
    """A request whose body is one JSON object of at most MOST_JSON bytes.

    FastAPI reads the body before it asks who sends it. What is wrong with it is therefore kept in
    `scope["body_problem"]`, and told only after the caller was let in: to FastAPI the body is absent.
    """

    _value: Any = None

    async def body(self) -> bytes:
        """The bytes, b"" when they cannot be used."""
        if not hasattr(self, "_body"):
            try:
                self._body = await self._read()
            except Refused as refused:
                self.scope["body_problem"] = refused.problem
                self._body = b""
        return self._body

    async def json(self) -> Any:
        """The decoded body."""
        return self._value

    async def _read(self) -> bytes:
        body = await spooled(self, MOST_JSON, ("application/json",))
        try:
            data = body.bytes()
            self._value = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Refused("json-unreadable") from None
        finally:
            body.close()
        return data
