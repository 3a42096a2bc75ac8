"""The list of all events, made from their classes, their docstrings and the stored samples: `ledger/events/README.md`."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from msgspec import Struct

import ledger.events
from ledger.events import (
    FACTS,
    Columns,
    Fact,
    account,
    employer,
    fact,
    idempotency,
    lines,
    member,
    person,
    remittance,
    scheme,
)
from ledger.events.upcasters import UPCASTERS
from tests.ledger import test_golden

README = Path(ledger.events.__file__).parent / "README.md"
STREAMS: tuple[ModuleType, ...] = (employer, person, account, remittance, scheme, member, idempotency)
_WORDS = {
    "Rupiah": "whole rupiah, 0 to 2^63 - 1", "Count": "number from 0", "Month": "month, `yyyy-mm`",
    "Day": "date, `yyyy-mm-dd`", "Year": "year", "Rate": "parts per million, 0 to 1,000,000",
    "Basis": "text of 1 to 200 characters", "Months": "-1, 0 or 1", "str": "text", "int": "number",
    "bool": "true or false",
}  # fmt: skip
_LIST = re.compile(r"(?:list|tuple)\[(\w+)(?:, \.\.\.)?\]")

_HEAD = """# The events

Made by `python -m tests.ledger.regenerate` from the classes, their docstrings and the stored samples; not written by hand.

{about}

Every stored event is one JSON object, compressed with zstd from {from_bytes} bytes on (its first byte is then `z`):
`recorded_at`, `by` (an opaque id: a user, a key, a process kind), `channel`, `reason` (a code, only where a person decided),
`request` (what caused it), and `fact`, whose fields are listed below. An absent field is its default. "Read by" names the
folds that an event concerns: {folds}.
"""


def text() -> str:
    """The whole file."""
    about = (ledger.events.__doc__ or "").strip()
    parts = [_HEAD.format(about=about, from_bytes=512, folds=", ".join(sorted(fact.FOLDS)))]
    for module in STREAMS:
        parts.append(f"## {(module.__doc__ or '').strip()}\n")
        facts = [one for one in FACTS.values() if one.__module__ == module.__name__]
        for one in facts:
            parts.append(_event(one))
        for struct in _structs(facts):
            parts.append(_struct(struct))
    if UPCASTERS:
        parts.append(
            "## Older versions\n\n" + "".join(f"- `{old}` -> `{step.to}`\n" for old, step in UPCASTERS.items())
        )
    return "\n".join(parts)


def _event(one: type[Fact]) -> str:
    sample = (test_golden.GOLDEN / f"{one.NAME}.json").read_text("utf-8")
    stream, version, _, _ = test_golden.MEANT[one.NAME]
    example = json.dumps(json.loads(sample), indent=1, ensure_ascii=False)
    read_by = ", ".join(sorted(one.CONCERNS)) or "no fold"
    return (
        f"### `{one.NAME}`\n\n{inspect.cleandoc(one.__doc__ or '')}\n\nRead by: {read_by}.\n\n{_table(one)}\n"
        f"Sample, event {version} of `{stream}`:\n\n```json\n{example}\n```\n"
    )


def _struct(struct: type[Struct]) -> str:
    about = inspect.cleandoc(struct.__doc__ or "")
    if issubclass(struct, Columns):
        about += f"\n\nOne line: {inspect.cleandoc(struct.ROW.__doc__ or '')}"
    return f"#### {struct.__name__}\n\n{about}\n\n{_table(struct)}"


def _table(struct: type[Struct]) -> str:
    rows = [
        (f"`{field.encode_name}`", _type(_annotation(struct, field.name)), _default(field)) for field in _fields(struct)
    ]
    if not rows:
        return "No fields.\n"
    return "| field | what | absent means |\n|---|---|---|\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _fields(struct: type[Struct]) -> tuple[Any, ...]:
    return msgspec.structs.fields(struct)


def _annotation(struct: type[Struct], name: str) -> str:
    return next(
        str(base.__annotations__[name]) for base in struct.__mro__ if name in vars(base).get("__annotations__", {})
    )


def _type(annotation: str) -> str:
    several = _LIST.fullmatch(annotation)
    if several:
        return f"list of {_WORDS.get(several[1], several[1])}"
    return _WORDS.get(annotation, annotation.replace("|", "or"))


def _default(field: Any) -> str:
    if field.required:
        return "must be there"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "nothing" if value in ("", (), [], {}) else f"`{json.dumps(value)}`"


def _structs(facts: list[type[Fact]]) -> Iterator[type[Struct]]:
    """The structures inside some facts, in the order in which they are met, each once."""
    modules = {**vars(lines), **{name: value for module in STREAMS for name, value in vars(module).items()}}
    seen: dict[str, None] = {}
    for one in facts:
        for field in _fields(one):
            for word in re.findall(r"\w+", _annotation(one, field.name)):
                found = modules.get(word)
                if isinstance(found, type) and issubclass(found, Struct) and word not in seen:
                    seen[word] = None
                    yield found
