"""What is frozen: `frozen.sha256` holds the digest of everything that a ledger of a released version has stored for ever.

    sample    a stored sample of an event or of a sealed payload
    shape     the fields of a present fact: their order, types, bounds and defaults
    step      a numbered step of the migrations
    store     the store of a release

`python -m tests.ledger.regenerate` adds what is new and never changes a line that stands. Only what was not released yet may
be changed, and then by hand: take its line out first, so that the change is seen in a review.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from ledger.events import FACTS
from ledger.store import migrations
from tests.ledger import test_golden, test_golden_sealed
from tests.upgrade.freeze import STORES

LOCK = Path(__file__).parent / "frozen.sha256"
REMEDY = {
    "sample": "what is stored is never edited: a changed fact is a new version with a sample of its own",
    "shape": "a changed fact is a new version, an added optional field as well: give the class the next version and write "
    "the step from this one into ledger/events/upcasters.py",
    "step": "a released step is never edited: write the next one",
    "store": "the store of a release is never made again: freeze the next release under its own number",
}


def shape(name: str) -> str:
    """The digest of a present fact's fields, whatever their classes are called and their docstrings say."""
    (schema,), parts = msgspec.json.schema_components([FACTS[name]])
    return sha256(json.dumps(_bare(schema, parts)).encode()).hexdigest()


def _bare(schema: Any, parts: dict[str, Any]) -> Any:
    """A schema without words about it, with its parts in their places."""
    if isinstance(schema, list):
        return [_bare(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _bare(parts[schema["$ref"].rpartition("/")[2]], parts)
    words = {key for key in ("title", "description") if isinstance(schema.get(key), str)}
    return {key: _bare(value, parts) for key, value in schema.items() if key not in words}


def _files() -> Iterator[tuple[str, Path]]:
    for folder in (test_golden.GOLDEN, test_golden_sealed.GOLDEN):
        yield from (("sample", path) for path in folder.iterdir())
    yield from (("step", path) for path in migrations.FOLDER.glob("*/*.sql"))
    yield from (("store", path) for path in STORES.iterdir())


def present() -> dict[tuple[str, str], str]:
    """(kind, name) -> digest of everything that is there."""
    found = {("shape", name): shape(name) for name in FACTS}
    for kind, path in _files():
        name = path.name if kind != "step" else f"{path.parent.name}/{path.name}"
        found[kind, name] = sha256(path.read_bytes()).hexdigest()
    return found


def locked() -> dict[tuple[str, str], str]:
    """What the lock says."""
    lines = (line.split() for line in LOCK.read_text("utf-8").splitlines())
    return {(kind, name): digest for digest, kind, name in lines}


def write(entries: dict[tuple[str, str], str]) -> None:
    """The lock with these entries."""
    lines = (f"{digest}  {kind} {name}\n" for (kind, name), digest in sorted(entries.items()))
    LOCK.write_text("".join(lines), "utf-8")


def wrong(there: dict[tuple[str, str], str], lock: dict[tuple[str, str], str], older: frozenset[str]) -> list[str]:
    """A sentence for everything frozen that is not as it was, or gone. `older`: names of facts that are upgraded now,
    whose samples stay and whose classes need not."""
    told = []
    for (kind, name), digest in lock.items():
        found = there.get((kind, name))
        if found != digest and not (found is None and kind == "shape" and name in older):
            told.append(f"{kind} {name} {'is gone' if found is None else 'was changed'}: {REMEDY[kind]}")
    return told
