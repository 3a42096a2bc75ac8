"""Stream `person:<id>`; the id is random and says nothing about the person."""

from __future__ import annotations

from typing import ClassVar

from ledger.events.fact import DIRECTORY, Fact


class PersonRegistered(Fact, frozen=True):
    """Identity and contact are sealed with the person's own key (`vault.py`)."""

    NAME: ClassVar[str] = "person-registered.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY,))
    identity: str
    contact: str = ""


class PersonCorrected(Fact, frozen=True):
    """New sealed identity or contact; an absent one stays as it was."""

    NAME: ClassVar[str] = "person-corrected.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY,))
    identity: str = ""
    contact: str = ""


class PersonErased(Fact, frozen=True):
    """The key was destroyed; nothing sealed for this person can be read again. `order`: a legal order's number."""

    NAME: ClassVar[str] = "person-erased.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY,))
    order: str = ""


class PersonsJoined(Fact, frozen=True):
    """This person was registered twice: the record ends, and `into` is the one that stays.

    `cards`: what the record held, given to `into` in the same append (`AccountReassigned`), their money and merges with
    them. What is sealed in this record stays readable as long as `into` is not erased. `proposed_by`: the officer who asked
    for it, where another one (the header's `by`) confirmed it; "" where one person did it alone.
    """

    NAME: ClassVar[str] = "persons-joined.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY,))
    into: str
    cards: tuple[str, ...] = ()
    proposed_by: str = ""


class PersonsParted(Fact, frozen=True):
    """This record was joined into that of `before` by mistake, and stands again.

    `cards`: those that it had brought along and that `before` still held, given back in the same append. Its access is not
    open again: the person registers as everybody. `proposed_by` as in `PersonsJoined`.
    """

    NAME: ClassVar[str] = "persons-parted.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY,))
    before: str
    cards: tuple[str, ...] = ()
    proposed_by: str = ""
