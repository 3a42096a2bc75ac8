"""A notice follower that is killed anywhere: everybody is told, nobody twice, and nothing that is not so any more."""

from __future__ import annotations

import os
import signal
import sys
import threading

import pytest

from ledger.members.state import MISSING, POSTED, Notices
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.vault import Vault
from projections.generations import Store
from projections.notices import NoticeFollower
from tests.conftest import LONG
from tests.ledger.members.conftest import ON_FILE, OTHERS, PHONE, SECOND
from tests.projections.killed import Touches
from tests.projections.notices.conftest import Town, paid


def follow_and_die(town: Town, settings: Settings, touch: int) -> bool:
    """Follow in a fork that is killed before its touch number `touch`; whether it was killed."""
    child = os.fork()
    if not child:
        threading.excepthook = lambda *_: None
        log, store = Log.open(settings), Store.open(settings)
        follower = NoticeFollower(log, store, Vault.open(log), lambda: town.now)
        Touches(touch).watch()
        follower.run_once()
        sys.setprofile(None)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("first", [1, 2, 3] if LONG else [2])
def test_killed_before_every_touch_of_the_store(town: Town, settings: Settings, first: int) -> None:
    town.choose(mail=(POSTED, MISSING), sms=(POSTED,))
    town.members.choose_notices(town.other, Notices((POSTED,)), town.acting())
    town.letters()
    town.pay(paid(), paid(SECOND), paid(OTHERS))
    town.take_back(SECOND)
    if settings.sqlite_path is not None:
        town.log.database.close()  # SQLite's locks are a process's: a fork must not take an open file along
    touch, step = first, 1 if LONG else 3
    while follow_and_die(town, settings, touch):
        touch += step
    assert touch > 10 * step
    told = town.due()
    assert sorted((due.way, due.letter.to) for due in told) == sorted(
        [("mail", ON_FILE), ("sms", PHONE), ("mail", "budi2@contoh.id")]
    )
    assert all(len(due.letter.rows) == 1 for due in told)
    with town.log.database.read() as tx:
        assert tx.rows("select count(*) from notice_waiting") == [(0,)]
