"""What `projections/__init__.py` says of adding a read model is true: each of those there are stands in all these places."""

from __future__ import annotations

from projections import compare, condition, folding, projector
from projections.generations import NAMES


def test_a_read_model_stands_in_every_place_that_its_how_to_names() -> None:
    for place in (condition._TABLES, condition._INDEXES, compare._TABLES, projector._APPLY):
        assert sorted(place) == sorted(NAMES)
    assert {*folding._READS, "directory"} == set(NAMES), "money is folded by its columns, people by their events"
