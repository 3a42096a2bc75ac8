"""Older versions of facts, upgraded on reading, one small function a version; every reader goes through them.

An upcaster takes the stored fact (JSON as Python values) and gives it in the shape of the next version. It is pure and
asks no store. What a step cannot know it leaves out, so that the fact's default says "unknown".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ledger.events import FACTS, Fact

Upcast = Callable[[dict[str, Any]], dict[str, Any]]


class Step(NamedTuple):
    """From an older stored name to the next one."""

    to: str
    upcast: Upcast


UPCASTERS: dict[str, Step] = {}
"""Older stored name -> how it becomes the next version."""


def present_name(name: str) -> str:
    """The present stored name of a fact in any of its versions. Raises KeyError for a name this program does not know."""
    while name not in FACTS:
        name = UPCASTERS[name].to
    return name


def upgraded(name: str, fact: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A stored fact in its present version, with its present name. Raises KeyError for an unknown name."""
    while name not in FACTS:
        step = UPCASTERS[name]
        name, fact = step.to, step.upcast(fact)
    return name, fact


KNOWN: frozenset[str] = frozenset((*FACTS, *UPCASTERS))
"""Every stored name that this program can read."""


def stored_names(fold: str) -> frozenset[str]:
    """Every stored name, present and older, of the facts that a fold reads."""
    return frozenset(name for name in KNOWN if fold in FACTS[present_name(name)].CONCERNS)


def names_of(*facts: type[Fact]) -> frozenset[str]:
    """Every stored name, present and older, of some facts: nobody selects rows by the name of one version."""
    return frozenset(name for name in KNOWN if FACTS[present_name(name)] in facts)


def passed_over(fold: str) -> frozenset[str]:
    """Every stored name that a fold need not read. A reader leaves these out instead of asking for the ones it wants, so
    that a name this program does not know is met and told, never skipped."""
    return KNOWN - stored_names(fold)
