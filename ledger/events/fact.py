"""What every fact is: frozen, past tense, with a stored name, and a word about which folds it concerns."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

Rupiah = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Month = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Year = Annotated[int, Meta(ge=1977, le=9999)]
"""A calendar year; the scheme's forerunner began in 1977 (PP 33/1977)."""

BALANCES, ENTRIES, DIRECTORY, INDEX = "balances", "entries", "directory", "index"
FOLDS = frozenset((BALANCES, ENTRIES, DIRECTORY, INDEX))
"""What is folded from the log: the three projections, and the account index beside the log."""
NOWHERE: frozenset[str] = frozenset()
"""Said of a fact that no fold reads."""


class Fact(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What happened. `NAME` is the stored name, never an import path; `CONCERNS` names the folds that read it.

    Every subclass says both; a subclass that is silent about its folds fails a test, so that no new fact is folded to
    nothing unnoticed.
    """

    NAME: ClassVar[str] = ""
    CONCERNS: ClassVar[frozenset[str]]
