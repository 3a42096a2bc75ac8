"""A zip opened without trusting it: what it declares need not be true, and what is unpacked is counted.

Some programs write the names inside with backslashes, which spreadsheets accept; so they are here.
"""

from __future__ import annotations

import io
import lzma
import struct
import tempfile
import zipfile
import zlib
from typing import IO, Any, BinaryIO, cast

from ledger.errors import Refused
from ledger.ingestion.readers.source import Limits, Stream

MAGIC = b"PK\x03\x04"
_PIECE = 1 << 20
_IN_MEMORY = 1 << 20
_FREE = 16 << 20
_MEMBERS = 10_000
_TABLES = (".csv", ".txt", ".tsv", ".json", ".ndjson", ".jsonl", ".xlsx", ".xlsm")
_DAMAGED = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError, KeyError,
    RuntimeError, struct.error, lzma.LZMAError,
)  # fmt: skip


class Archive:
    """The members of a zip by their names in small letters; a context manager over a copy of the input.

    Raises Refused: `file-unreadable`, `file-too-large`, `file-expands-too-far`, `file-protected`.
    """

    def __init__(self, stream: Stream, limits: Limits) -> None:
        self._copy = cast(BinaryIO, tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115
        self.members: dict[str, zipfile.ZipInfo] = {}
        self._taken = 0
        try:
            size = self._spool(stream, limits)
            self._most = min(limits.max_bytes, max(limits.max_ratio * size, _FREE))
            self._read_names()
        except BaseException:
            self._copy.close()
            raise

    def _spool(self, stream: Stream, limits: Limits) -> int:
        size = 0
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > limits.max_array:
                raise Refused("file-too-large", limit=f"{limits.max_array} bytes")
            self._copy.write(piece)
        self._copy.seek(0)
        return size

    def _read_names(self) -> None:
        try:
            self._zip = zipfile.ZipFile(self._copy)
            members = self._zip.infolist()
        except _DAMAGED as error:
            raise Refused("file-unreadable") from error
        if len(members) > _MEMBERS:
            raise Refused("file-unreadable")
        for member in members:
            name = member.filename.replace("\\", "/").removeprefix("/").lower()
            if name in self.members:
                raise Refused("file-unreadable")
            self.members[name] = member

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._copy.close()

    @property
    def tables(self) -> list[str]:
        """The names of the files in it, without what operating systems add."""
        return [
            name
            for name, member in self.members.items()
            if not member.is_dir() and not name.endswith("/") and not _added(name)
        ]

    @property
    def one_table(self) -> str:
        """The only file in it, when it is a table by its name; else ""."""
        names = self.tables
        return names[0] if len(names) == 1 and names[0].endswith(_TABLES) else ""

    def open(self, name: str) -> BinaryIO:
        """A member, unpacked while it is read; all readings together have one limit."""
        member = self.members.get(name.replace("\\", "/").removeprefix("/").lower())
        if member is None:
            raise Refused("file-unreadable")
        if member.flag_bits & 1:
            raise Refused("file-protected")
        try:
            return io.BufferedReader(_Member(self, self._zip.open(member)))
        except _DAMAGED as error:
            raise Refused("file-unreadable") from error

    def count(self, size: int) -> None:
        """Add to what was unpacked. Raises Refused `file-expands-too-far`."""
        self._taken += size
        if self._taken > self._most:
            raise Refused("file-expands-too-far", limit=f"{self._most} bytes")


def _added(name: str) -> bool:
    last = name.rpartition("/")[2]
    return name.startswith("__macosx/") or last in (".ds_store", "thumbs.db", "desktop.ini")


class _Member(io.RawIOBase):
    """A member whose unpacked bytes are counted; damage is told as Refused."""

    def __init__(self, archive: Archive, file: IO[bytes]) -> None:
        self._archive, self._file = archive, file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            piece = self._file.read(min(len(buffer), _PIECE))
        except _DAMAGED as error:
            raise Refused("file-unreadable") from error
        self._archive.count(len(piece))
        buffer[: len(piece)] = piece
        return len(piece)
