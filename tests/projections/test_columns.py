"""Columns go all the way: no line becomes an object of its own from the file to the read models, on both stores."""

from __future__ import annotations

from typing import NoReturn

import pytest

from ledger.events import Columns
from ledger.store.log import Log
from projections.generations import NAMES, Store
from projections.projector import Projector
from projections.queries import Queries
from projections.rebuild import rebuild
from tests.conftest import NOW, TODAY
from tests.office import NPP, Office, line


def taken_apart(*_: object) -> NoReturn:
    raise AssertionError("a line was taken apart")


def test_no_line_is_taken_apart_between_the_file_and_the_read_models(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    kpjs = [f"2600000{n:04d}" for n in range(40)]
    office, store = Office(log), Store.open(log.settings)
    office.employers(NPP)
    office.workers(*kpjs)
    for way in ("__iter__", "__getitem__", "of"):
        monkeypatch.setattr(Columns, way, taken_apart)
    assert office.contribute(*(line(kpj) for kpj in kpjs)).totals["posted"] == 40
    # And the same file again.
    assert office.contribute(*(line(kpj) for kpj in kpjs), request="r2").totals["already"] == 40
    Projector(log, store, now=lambda: NOW).run_once()
    rebuild(log, store, NAMES)
    Projector(log, store, now=lambda: NOW).run_once()
    reader = Queries(log, store)
    assert reader.balance(int(kpjs[0]), TODAY, NOW).total == 285_000
    for one in (reader, store, office):
        one.close()
