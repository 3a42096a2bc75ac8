"""Writes the stored samples and the list of events anew: `python -m tests.ledger.regenerate`.

Run it only when an event of this release was changed before the release, or a new one was added: a sample that was
released is never changed. Made again without a change it changes no byte; a test holds that.
"""

from __future__ import annotations

from pathlib import Path

from ledger.events import Event
from ledger.store.codec import encode, state_json
from tests.ledger import test_golden, test_golden_sealed
from tests.ledger.events_readme import README, text


def files() -> dict[Path, bytes]:
    """Every generated file and its content."""
    found = {test_golden.GOLDEN / f"{name}.json": stored(name) for name in test_golden.MEANT}
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


def main() -> None:
    """Write every file, the list of events last, because it shows the samples."""
    for path, content in files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    README.write_text(text(), "utf-8")


if __name__ == "__main__":
    main()
