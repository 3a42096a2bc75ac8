"""Text input a block of whole lines at a time, with file line numbers; the checks every line of text must pass."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np

from ledger.errors import Refused
from ledger.ingestion.readers.source import Limits, Stream
from ledger.ingestion.readers.table import Ints

T = TypeVar("T")
_AHEAD = 3
_ENDS = re.compile("[\r\x0b\x0c\x85\u2028\u2029]")


class Lines(NamedTuple):
    """Whole lines: `text` ends with a line feed; `first` is the file line number of the first."""

    first: int
    text: bytes


class LineReader:
    """A stream cut at line feeds, or at carriage returns where there are no line feeds."""

    def __init__(self, stream: Stream, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._rest = b""
        self._ended = False
        self.line = 1
        head = stream.peek(limits.max_line)
        # Old Macs, and programs that imitate them, end lines with a carriage return alone.
        self._only_returns = b"\r" in head and b"\n" not in head

    def _fill(self) -> bool:
        piece = self._stream.read(self._limits.block)
        self._ended = not piece
        if self._only_returns:
            piece = piece.replace(b"\r", b"\n")
        self._rest += piece
        return bool(piece)

    def one(self) -> Lines | None:
        """The next line alone, or None at the end. Raises Refused `line-too-long`."""
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            if searched > self._limits.max_line + 1:
                raise Refused("line-too-long", line=self.line, limit=self._limits.max_line)
            if self._ended or not self._fill():
                if not self._rest:
                    return None
                self._rest += b"\n"
        lines = Lines(self.line, self._rest[: end + 1])
        self._rest = self._rest[end + 1 :]
        self.line += 1
        return lines

    def blocks(self) -> Iterator[Lines]:
        """The rest, in blocks. Never holds more than a block and a line; raises Refused `line-too-long`."""
        while True:
            cut = self._rest.rfind(b"\n") + 1
            if cut:
                text, self._rest = self._rest[:cut], self._rest[cut:]
                yield Lines(self.line, text)
                self.line += text.count(b"\n")
            if len(self._rest) > self._limits.max_line + 1:
                raise Refused("line-too-long", line=self.line, limit=self._limits.max_line)
            if not self._fill():
                if self._rest:
                    text, self._rest = self._rest + b"\n", b""
                    yield Lines(self.line, text)
                    self.line += 1
                return


def sign_inside(text: str) -> str:
    """The first sign inside a line that other programs end lines with, as `U+000D`; "" where there is none."""
    found = _ENDS.search(text.strip())
    return f"U+{ord(found[0]):04X}" if found else ""


def check_line(line: bytes, number: int, max_line: int) -> str:
    """The text of one line without its end. Raises Refused: `line-too-long`, `file-encoding`."""
    line = line.removesuffix(b"\n").removesuffix(b"\r")
    if len(line) > max_line:
        raise Refused("line-too-long", line=number, limit=max_line)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("file-encoding", line=number) from error
    if "\0" in text:
        raise Refused("file-encoding", line=number)
    return text


def ends_when_sound(text: bytes, max_line: int) -> Ints | None:
    """Where the line feeds of a block stand, or None when some line of it would not pass `check_line`."""
    if b"\0" in text or not (text.isascii() or _is_utf8(text)):
        return None
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == 10)
    longest = np.diff(ends, prepend=-1).max(initial=0)
    return None if longest - 1 > max_line else ends


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def in_order(blocks: Iterator[Lines], work: Callable[[Lines], T]) -> Iterator[T]:
    """`work` on every block, two at a time, results in the order of the input; so is the first refusal."""
    first = next(blocks, None)
    if first is None:
        return
    refused: Refused | None = None
    second: Lines | None = None
    try:
        second = next(blocks, None)
    except Refused as error:
        refused = error
    if second is None:
        yield work(first)
    else:
        with ThreadPoolExecutor(2, thread_name_prefix="read") as pool:
            waiting: deque[Future[T]] = deque((pool.submit(work, first), pool.submit(work, second)))
            try:
                while True:
                    try:
                        block = next(blocks, None)
                    except Refused as error:
                        refused = error
                        break
                    if block is None:
                        break
                    waiting.append(pool.submit(work, block))
                    if len(waiting) >= _AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()
    if refused:
        raise refused
