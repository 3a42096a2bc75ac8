"""Where input comes from: a file, standard input, a request body; opened as often as needed, always from its start.

Compressed input is unpacked while it is read, and stopped when it grows beyond its limits, so that a small file can
neither fill the memory nor the disk.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
import tempfile
import weakref
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ledger.errors import Refused, StoreFailed

_GZIP = b"\x1f\x8b"
_PIECE = 1 << 20
_PACKED_PIECE = 1 << 18
_RATIO_FROM = 16 << 20


@dataclass(frozen=True)
class Limits:
    """How much input is taken. Sizes in bytes, after unpacking.

    `max_lines`: lines with data. `max_line`: one line. `max_ratio`: unpacked / packed bytes beyond the first 16 MiB.
    `max_array`: a JSON array, which has to be held whole. `max_cells`: cells of a sheet, empty ones between included
    (a full sheet of 13 columns has 13.6 million).
    `block`: how much is parsed at once.
    """

    max_lines: int = 5_000_000
    max_bytes: int = 2 << 30
    max_line: int = 65_536
    max_ratio: int = 200
    max_array: int = 64 << 20
    max_cells: int = 14_000_000
    block: int = 2 << 20

    def check_rows(self, rows: int) -> None:
        """Raise Refused `file-too-large` beyond `max_lines` rows."""
        if rows > self.max_lines:
            raise Refused("file-too-large", limit=f"{self.max_lines} lines")


class Stream:
    """Bytes of a source, unpacked, with a look ahead; a context manager."""

    def __init__(self, raw: BinaryIO, limits: Limits) -> None:
        self._raw = raw
        self._limits = limits
        self._ahead = b""
        self._total = 0
        head = raw.read(2)
        self._read_on = self._plain(head) if head != _GZIP else _Gzip(raw, head, limits).read

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def _plain(self, head: bytes) -> Callable[[int], bytes]:
        waiting = [head]

        def read(size: int) -> bytes:
            if waiting:
                return waiting.pop() + self._raw.read(max(size - len(head), 0))
            return self._raw.read(size)

        return read

    def peek(self, size: int) -> bytes:
        """The next `size` bytes (fewer at the end) without taking them."""
        while len(self._ahead) < size:
            piece = self._more(_PIECE)
            if not piece:
                break
            self._ahead += piece
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """About `size` bytes; empty only at the end. Raises Refused when the input is unreadable or too large."""
        if self._ahead:
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
            return piece
        return self._more(size)

    def _more(self, size: int) -> bytes:
        try:
            piece = self._read_on(size)
        except OSError as error:
            raise Refused("file-unreadable") from error
        self._total += len(piece)
        if self._total > self._limits.max_bytes:
            raise Refused("file-too-large", limit=f"{self._limits.max_bytes} bytes")
        return piece


class _Gzip:
    """Reads gzip members one after the other, counting both sides; zero bytes behind a member are padding."""

    def __init__(self, raw: BinaryIO, head: bytes, limits: Limits) -> None:
        self._raw, self._limits = raw, limits
        self._waiting = head
        self._engine = zlib.decompressobj(31)
        self._taken = self._given = 0

    def read(self, size: int) -> bytes:
        """At most `size` unpacked bytes, none only at the end. Raises Refused when damaged, cut off or too large."""
        while waiting := self._waiting or self._raw.read(_PACKED_PIECE):
            if self._engine.eof:
                self._taken += len(waiting)
                waiting = waiting.lstrip(b"\0")
                self._taken -= len(waiting)
                if not waiting:
                    self._waiting = b""
                    continue
                self._engine = zlib.decompressobj(31)
            try:
                out = self._engine.decompress(waiting, size)
            except zlib.error as error:
                raise Refused("file-unreadable") from error
            self._waiting = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail
            self._taken += len(waiting) - len(self._waiting)
            if out:
                self._count(len(out))
                return out
        if not self._engine.eof:
            raise Refused("file-unreadable")
        return b""

    def _count(self, size: int) -> None:
        self._given += size
        if self._given > self._limits.max_bytes:
            raise Refused("file-expands-too-far", limit=f"{self._limits.max_bytes} bytes")
        if self._given > _RATIO_FROM and self._given > self._limits.max_ratio * self._taken:
            raise Refused("file-expands-too-far", limit=f"{self._limits.max_ratio}:1")


class Source:
    """An input that can be opened again and again. Make one with `at`, `of` or `rows`."""

    def __init__(self, name: str, opener: Callable[[], BinaryIO], rows: list[Any] | None = None) -> None:
        self.name = name
        self.decoded = rows
        self._opener = opener

    @classmethod
    def at(cls, path: str | Path, limits: Limits | None = None) -> Source:
        """A file; `-` is standard input. What cannot be read twice (a pipe) is spooled to a nameless temporary file.

        Raises Refused: `file-unreadable`, `file-too-large`; StoreFailed: `disk-full`.
        """
        try:
            if str(path) == "-":
                return cls._spooled("-", sys.stdin.buffer, limits or Limits())
            mode = os.stat(path).st_mode
            if stat.S_ISREG(mode):
                with open(path, "rb"):
                    pass
                return cls(str(path), lambda: open(path, "rb"))
            with open(path, "rb") as pipe:
                return cls._spooled(str(path), pipe, limits or Limits())
        except (OSError, ValueError) as error:
            raise Refused("file-unreadable") from error

    @classmethod
    def _spooled(cls, name: str, pipe: BinaryIO, limits: Limits) -> Source:
        # The name is gone at once; the copy lives as long as this source does.
        copy = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            size = 0
            while piece := pipe.read(_PIECE):
                size += len(piece)
                if size > limits.max_bytes:
                    raise Refused("file-too-large", limit=f"{limits.max_bytes} bytes")
                copy.write(piece)
            copy.flush()
        except BaseException as error:
            # Closing tries to write again what did not fit.
            with contextlib.suppress(OSError):
                copy.close()
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreFailed("disk-full") from error
            raise
        source = cls(name, lambda: io.BufferedReader(_Copy(copy)))
        weakref.finalize(source, copy.close)
        return source

    @classmethod
    def of(cls, body: bytes, name: str = "") -> Source:
        """A request body, or any bytes at hand."""
        return cls(name, lambda: io.BytesIO(body))

    @classmethod
    def rows(cls, rows: list[Any], name: str = "") -> Source:
        """JSON that is decoded already: one dict for each row."""
        return cls(name, io.BytesIO, rows)

    def open(self, limits: Limits) -> Stream:
        """Its bytes from the start, unpacked. Raises Refused `file-unreadable`."""
        try:
            raw = self._opener()
        except OSError as error:
            raise Refused("file-unreadable") from error
        try:
            return Stream(raw, limits)
        except OSError as error:
            raw.close()
            raise Refused("file-unreadable") from error


class _Copy(io.RawIOBase):
    """A reader of its own, from the start, over a spooled file; closing it leaves the file open."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = os.preadv(self._file.fileno(), [buffer], self._at)
        self._at += size
        return size
