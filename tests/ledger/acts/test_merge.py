"""Merging on the store: what is decided under the lock, and what the account index keeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from ledger.acts import merge as acts
from ledger.errors import JhtError
from ledger.identifiers import account_stream
from ledger.receipt import Header
from ledger.store.log import Log
from tests.conftest import NOW
from tests.office import NPP, Office, person

FIRST, SECOND, THIRD, OTHERS = "26000000017", "26000000025", "26000000033", "26000000041"
ONE, TWO, THREE = int(FIRST), int(SECOND), int(THIRD)
WHY = Header("user:1", "office", "", "member-asked")


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    made = Office(log)
    made.employers(NPP)
    made.register(person(FIRST), person(SECOND), person(THIRD), person(OTHERS, 2))
    yield made
    made.close()


def merge(log: Log, old: int, new: int, **how: str) -> int:
    return acts.merge(log, old, new, WHY, lambda: NOW, **how)


def unmerge(log: Log, old: int, **how: str) -> int:
    return acts.unmerge(log, old, WHY, lambda: NOW, **how)


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(JhtError) as refused:
        act()
    return refused.value.code


def pointers(log: Log) -> dict[int, int]:
    return {card: held.merged for card, held in acts.look(log, ONE, TWO, THREE).cards.items() if held.merged}


def test_a_pointer_is_set_with_who_and_why_and_taken_away(log: Log, office: Office) -> None:
    merge(log, ONE, TWO, proposed_by="user:2")
    assert pointers(log) == {ONE: TWO}
    last = log.events(account_stream(FIRST))[-1]
    assert (last.by, last.reason, last.fact.proposed_by) == ("user:1", "member-asked", "user:2")  # type: ignore[attr-defined]
    assert code_of(lambda: merge(log, ONE, THREE)) == "merge-already"
    assert code_of(lambda: merge(log, TWO, ONE)) == "merge-circle"
    assert code_of(lambda: merge(log, TWO, int(OTHERS))) == "merge-two-persons"
    merge(log, TWO, THREE)
    assert code_of(lambda: merge(log, THREE, ONE)) == "merge-circle"
    unmerge(log, ONE)
    assert pointers(log) == {TWO: THREE}
    merge(log, THREE, ONE)
    assert code_of(lambda: unmerge(log, ONE)) == "merge-not-there"
    assert log.check_account_index() == (0, [])


def test_without_a_reason_nothing_is_done(log: Log, office: Office) -> None:
    head = log.head()
    bare = Header("user:1", "office")
    assert code_of(lambda: acts.merge(log, ONE, TWO, bare, lambda: NOW)) == "reason-missing"
    assert code_of(lambda: acts.unmerge(log, ONE, bare, lambda: NOW)) == "reason-missing"
    assert log.head() == head


def test_what_was_shown_is_what_is_decided(log: Log, office: Office) -> None:
    seen = acts.look(log, ONE, TWO).version(ONE, TWO)
    merge(log, TWO, THREE)
    assert code_of(lambda: merge(log, ONE, TWO, seen=seen)) == "changed-since"
    merge(log, ONE, TWO, seen=acts.look(log, ONE, TWO).version(ONE, TWO))
    seen = acts.look(log, ONE).version(ONE, TWO)
    unmerge(log, TWO)
    assert code_of(lambda: unmerge(log, ONE, seen=seen)) == "changed-since"
    unmerge(log, ONE, seen=acts.look(log, ONE).version(ONE, TWO))


def test_of_two_who_merge_in_a_circle_at_one_moment_one_is_refused(
    log: Log, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All three look before any of them appends: only what is asked under the lock can tell."""
    everybody = threading.Barrier(3)
    plain, first = acts.look, threading.local()

    def look(*given: object) -> acts.Looked:
        found = plain(*given)  # type: ignore[arg-type]
        if not getattr(first, "done", False):
            first.done = True
            everybody.wait(30)
        return found

    monkeypatch.setattr(acts, "look", look)
    outcomes: list[str] = []

    def act(old: int, new: int) -> None:
        try:
            merge(log, old, new)
            outcomes.append("merged")
        except JhtError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=act, args=pair) for pair in ((ONE, TWO), (TWO, THREE), (THREE, ONE))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["merge-circle", "merged", "merged"]
    monkeypatch.undo()
    assert len(pointers(log)) == 2
    assert log.check_account_index() == (0, [])


def test_an_index_that_lost_a_pointer_is_mended_from_the_log(log: Log, office: Office) -> None:
    merge(log, ONE, TWO)
    with log.database.write() as tx:
        tx.run("update account_index_cards set merged = 0 where card = ?", [ONE])
    assert log.check_account_index() == (2, [])
    assert pointers(log) == {ONE: TWO}
