"""XML parsed as it is unpacked, in pieces: no document type, no entities of its own, nothing held as a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO
from xml.parsers import expat

from ledger.errors import Refused

_PIECE = 1 << 16
Attributes = dict[str, str]
Start = Callable[[str, Attributes], None]
Text = Callable[[str], None]


def parsed(
    file: BinaryIO, start: Start, end: Callable[[str], None] | None = None, text: Text | None = None
) -> Iterator[None]:
    """Parse a file, calling the handlers with tags as they stand there; comes back after each piece.

    Raises Refused `file-unreadable`; an expat.ExpatError a handler may not swallow.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    if end is not None:
        parser.EndElementHandler = end
    if text is not None:
        parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _no_doctype
    while True:
        piece = file.read(_PIECE)
        try:
            parser.Parse(piece, not piece)
        except expat.ExpatError:
            raise Refused("file-unreadable") from None
        yield
        if not piece:
            return


def parse(file: BinaryIO, start: Start, end: Callable[[str], None] | None = None, text: Text | None = None) -> None:
    """`parsed` to the end."""
    for _ in parsed(file, start, end, text):
        pass


def local(tag: str) -> str:
    """A tag without its prefix: `x:row` -> `row`."""
    return tag.rpartition(":")[2]


def attribute(attributes: Attributes, name: str) -> str:
    """An attribute whatever its prefix, "" when it is not there."""
    found = attributes.get(name)
    if found is not None:
        return found
    return next((value for key, value in attributes.items() if local(key) == name), "")


def is_true(value: str | None) -> bool:
    """Whether an attribute says yes."""
    return value in ("1", "true", "on")


def _no_doctype(*_: object) -> None:
    raise Refused("file-unreadable")
