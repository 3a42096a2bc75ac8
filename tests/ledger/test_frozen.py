"""Version 1 is frozen: whatever a released ledger has stored stays as it is, and a change of it is told what to be."""

from __future__ import annotations

from typing import Annotated, ClassVar

import pytest
from msgspec import Meta

from ledger.events import FACTS, EmployerRegistered, Fact
from ledger.events.upcasters import UPCASTERS
from tests.ledger import frozen


def test_nothing_that_is_frozen_was_changed() -> None:
    assert frozen.wrong(frozen.present(), frozen.locked(), frozenset(UPCASTERS)) == []


def test_everything_that_is_stored_is_frozen() -> None:
    assert frozen.present().keys() <= frozen.locked().keys(), "run make events: it adds what is new to the lock"


class Later(Fact, frozen=True):
    """The same, with an optional field more."""

    NAME: ClassVar[str] = "employer-registered.v1"
    npp: str
    name: str
    registered_on: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    note: str = ""


class Same(Later, frozen=True):
    """Only what is said about it is another."""


@pytest.mark.parametrize("changed", [Later, Same])
def test_an_optional_field_more_is_told_to_be_a_new_version(
    changed: type[Fact], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = EmployerRegistered.NAME
    monkeypatch.setitem(FACTS, name, changed)
    (told,) = frozen.wrong(frozen.present(), frozen.locked(), frozenset())
    assert told.startswith(f"shape {name} was changed: a changed fact is a new version")
    assert frozen.shape(name) == _shape_of(Later, monkeypatch)


def _shape_of(one: type[Fact], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(FACTS, one.NAME, one)
    return frozen.shape(one.NAME)


@pytest.mark.parametrize("kind", frozen.REMEDY)
def test_a_byte_more_or_a_file_that_is_gone_is_told_with_the_way_out(kind: str) -> None:
    lock = frozen.locked()
    one = next(key for key in lock if key[0] == kind)
    assert frozen.wrong({**lock, one: "0"}, lock, frozenset()) == [
        f"{kind} {one[1]} was changed: {frozen.REMEDY[kind]}"
    ]
    less = {key: digest for key, digest in lock.items() if key != one}
    assert frozen.wrong(less, lock, frozenset()) == [f"{kind} {one[1]} is gone: {frozen.REMEDY[kind]}"]
    # A fact that has a next version has no class any more; its sample stays.
    assert bool(frozen.wrong(less, lock, frozenset([one[1]]))) == (kind != "shape")
