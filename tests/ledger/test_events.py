"""Every event is known, classified, sampled and described; what is generated is made again without changing a byte."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest

import ledger
from ledger.events import FACTS, FOLDS, Fact
from ledger.events.upcasters import KNOWN, UPCASTERS, passed_over, present_name, stored_names
from tests.ledger import regenerate
from tests.ledger.events_readme import README, text

ABSTRACT = {"Opening", "Remitted"}
"""What several facts have in common: never stored itself."""


def every_subclass(of: type[Fact]) -> Iterator[type[Fact]]:
    for one in of.__subclasses__():
        yield one
        yield from every_subclass(one)


def known_facts() -> list[type[Fact]]:
    """Every fact of the product, also of a module that nobody imported yet."""
    for module in pkgutil.walk_packages(ledger.__path__, "ledger."):
        import_module(module.name)
    return [one for one in every_subclass(Fact) if one.__module__.startswith("ledger.")]


def unclassified(one: type[Fact]) -> str:
    """What a fact does not say of itself, or ''."""
    own = vars(one)
    if "CONCERNS" not in own:
        return f"{one.__name__} does not say which folds it concerns"
    if not one.CONCERNS <= FOLDS:
        return f"{one.__name__} concerns a fold that is not there"
    return "" if own.get("NAME") else f"{one.__name__} has no stored name"


def test_every_fact_says_its_name_and_which_folds_it_concerns() -> None:
    told = [unclassified(one) for one in known_facts() if one.__name__ not in ABSTRACT]
    assert [text for text in told if text] == []


def test_a_fact_that_says_nothing_is_found() -> None:
    class Silent(Fact, frozen=True):
        NAME = "silent.v1"

    class Inherits(FACTS["contributions-posted.v1"], frozen=True):  # type: ignore[misc, name-defined]
        NAME = "inherits.v1"

    assert unclassified(Silent) == "Silent does not say which folds it concerns"
    assert unclassified(Inherits) == "Inherits does not say which folds it concerns"


def test_every_fact_stands_in_the_list_of_facts() -> None:
    there = {one.NAME for one in known_facts() if one.__name__ not in ABSTRACT}
    assert there == FACTS.keys()
    assert all(name == one.NAME for name, one in FACTS.items())


def test_every_older_version_leads_to_a_present_one() -> None:
    assert {present_name(name) for name in KNOWN} == FACTS.keys()
    assert not UPCASTERS.keys() & FACTS.keys()


@pytest.mark.parametrize("fold", sorted(FOLDS))
def test_a_fold_reads_or_passes_over_every_known_name(fold: str) -> None:
    assert stored_names(fold) | passed_over(fold) == KNOWN
    assert not stored_names(fold) & passed_over(fold)


def test_the_samples_and_the_list_of_events_are_made_again_byte_for_byte() -> None:
    changed = [path.name for path, content in regenerate.files().items() if path.read_bytes() != content]
    assert changed == []
    assert README.read_text("utf-8") == text()
