"""Files beside the ledger are their owner's alone, whatever the umask; and what is warned of before serving."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ledger.settings import Settings
from tests.api.web.site import Site
from tests.office import line


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_no_file_beside_the_ledger_can_be_read_by_others(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        from ledger.store.log import Log

        settings = Settings(database_url=f"sqlite:///{tmp_path}/jht.db")
        Log.open(settings, create=True).close()
        with Site(settings) as site:
            site.fill()
            site.office.contribute(line("26000000017", month="2026-07", paid_on="2026-08-10"), request="r9")
            site.follow()
            found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert len(found) > 4
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


@pytest.mark.parametrize(
    ("host", "public", "warned"),
    [
        ("127.0.0.1", "http://127.0.0.1:8099", False), ("::1", "http://x", False), ("0.0.0.0", "http://x", True),
        ("10.0.0.7", "http://10.0.0.7", True), ("0.0.0.0", "https://saldo.example", False),
    ],
)  # fmt: skip
def test_a_public_address_without_https_is_warned_of(host: str, public: str, warned: bool) -> None:
    assert bool(Settings(public_url=public).warning_of(host)) is warned
