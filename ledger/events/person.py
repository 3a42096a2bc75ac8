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
