"""The website's fixtures: `site` anew for each test on each store, `still` once a module for tests that change nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.access import guard
from api.web import register
from ledger.settings import Settings
from ledger.store.log import Log
from tests.api.web.site import Site
from tests.conftest import MASTER_KEY


def _at_once(patch: pytest.MonkeyPatch) -> None:
    """Answers that wait for a steady time do not wait here."""
    patch.setattr(guard, "SLOW_SECONDS", (0.0,) * 5)
    patch.setattr(register, "SENT_SECONDS", 0.0)


@pytest.fixture
def site(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The website over its small ledger."""
    _at_once(monkeypatch)
    with Site(settings) as made:
        made.fill()
        yield made


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same on SQLite, shared by the tests of a module."""
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('still') / 'jht.db'}", master_key=MASTER_KEY)
    Log.open(settings, create=True).close()
    with pytest.MonkeyPatch.context() as patch, Site(settings) as made:
        _at_once(patch)
        made.fill()
        yield made
