"""Writes the stored samples and the list of events anew: `python -m tests.ledger.regenerate`.

Run it when an event was added. What is frozen (`frozen.py`) is never written again: a changed fact is a new version. Made
again without a change it changes no byte; a test holds that.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ledger.events import FACTS, Event
from ledger.events.upcasters import UPCASTERS
from ledger.store.codec import encode, state_json
from tests.ledger import frozen, test_golden, test_golden_sealed
from tests.ledger.events_readme import README, text


def files() -> dict[Path, bytes]:
    """Every generated file and its content."""
    found = {test_golden.GOLDEN / f"{name}.json": stored(name) for name in FACTS}
    for field in test_golden_sealed.MEANT:
        path = test_golden_sealed.GOLDEN / f"{field}.1.txt"
        found[path] = test_golden_sealed.sample(field).encode() + b"\n"
    return found


def stored(name: str) -> bytes:
    """The stored JSON of an event's sample."""
    stream, version, fact, reason = test_golden.MEANT[name]
    event = Event(
        stream=stream, version=version, fact=fact, by="cli:1000", channel="cli", reason=reason,
        request="9f86d081884c7d65", recorded_at=test_golden.RECORDED_AT,
    )  # fmt: skip
    return state_json(encode(event))


def main() -> list[str]:
    """Write the files that are not there, then the list of events, which shows the samples, and the lock. What is wrong with
    what is frozen, in sentences: then nothing is written."""
    lock = frozen.locked()
    made = {path: content for path, content in files().items() if ("sample", path.name) not in lock}
    told = frozen.wrong(frozen.present(), lock, frozenset(UPCASTERS))
    if told:
        return told
    for path, content in made.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    README.write_text(text(), "utf-8")
    frozen.write({**frozen.present(), **lock})
    return []


if __name__ == "__main__":
    wrong = main()
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    sys.exit(bool(wrong))
