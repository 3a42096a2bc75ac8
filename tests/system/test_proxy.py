"""Behind a proxy everybody has an own count of tries; who is not the proxy cannot say to be somebody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.settings import Settings
from ledger.store.log import Log
from tests.conftest import MASTER_KEY
from tests.system.serving import serving

TRIES = 2


@pytest.mark.parametrize(
    ("proxies", "answered"), [("127.0.0.1", [410, 410, 429, 410]), ("192.0.2.1", [410, 410, 429, 429])]
)
def test_only_a_named_proxy_is_believed_who_asks(tmp_path: Path, proxies: str, answered: list[int]) -> None:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'jht.db'}", master_key=MASTER_KEY, address_tries=TRIES, proxies=proxies
    )
    Log.open(settings, create=True).close()
    with serving(settings, "", tmp_path / "log", until="/livez") as server:
        asked = ("198.51.100.1", "198.51.100.1", "198.51.100.1", "198.51.100.2")
        found = []
        for address in asked:
            # A link that nobody was sent: the door that still counts an address and then shuts.
            found.append(server.ask(f"/tautan/{'A' * 43}", X_Forwarded_For=address).status)
    assert found == answered
