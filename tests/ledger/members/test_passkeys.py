"""Passkeys in the store: whose they are, how often they were used, and what takes them along."""

from __future__ import annotations

import pytest

from ledger.errors import JhtError
from ledger.members import NewPasskey
from ledger.members.state import Notices
from tests.ledger.members.conftest import CARD, HASH, Counter


def refused(code: str, act: object, *given: object) -> None:
    with pytest.raises(JhtError) as error:
        act(*given)  # type: ignore[operator]
    assert error.value.code == code


def added(counter: Counter, credential: bytes = b"one", count: int = 0) -> int:
    counter.members.add_passkey(counter.person, NewPasskey(credential, b"public", count), counter.acting())
    return counter.members.passkeys_of(counter.person)[-1].added


@pytest.mark.parametrize(
    ("before", "said", "counts"),
    [(0, 0, True), (0, 1, True), (5, 6, True), (5, 5, False), (5, 4, False), (5, 0, False)],
)
def test_a_count_must_grow_unless_nobody_counts(counter: Counter, before: int, said: int, counts: bool) -> None:
    counter.active()
    added(counter, count=before)
    passkey = counter.members.passkey(b"one")
    assert passkey is not None
    assert counter.members.use_passkey(passkey, said, counter.acting()) == counts
    assert counter.members.use_passkey(passkey, said, counter.acting()) == (said == before == 0), "twice at once"
    counter.members.remove_passkey(counter.person, passkey.added, counter.acting())
    assert not counter.members.use_passkey(passkey, said + 9, counter.acting()), "it is gone meanwhile"


def test_a_passkey_is_one_members_and_ends_with_the_access(counter: Counter) -> None:
    members = counter.members
    refused("link-used", members.add_passkey, counter.person, NewPasskey(b"one", b"p", 0), counter.acting())
    counter.active()
    first, second = added(counter), added(counter, b"two")
    refused("passkey-not-kept", members.add_passkey, counter.person, NewPasskey(b"one", b"p", 0), counter.acting())
    refused("passkey-unknown", members.remove_passkey, counter.other, first, counter.acting())
    members.choose_notices(counter.person, Notices(mail=("posted",)), counter.acting())
    members.remove_passkey(counter.person, first, counter.acting())
    refused("passkey-unknown", members.remove_passkey, counter.person, first, counter.acting())
    assert [one.added for one in members.passkeys_of(counter.person)] == [second]
    members.close(counter.person, "asked", counter.acting())
    assert members.passkey(b"two") is None
    members.register(counter.claim(kpj=CARD), HASH, counter.acting())
    (token,) = [letter.details["token"] for _, letter in counter.letters() if letter.kind == "verify"]
    members.use_link(token, counter.acting())
    refused("passkey-unknown", members.remove_passkey, counter.person, second, counter.acting())
    assert members.passkeys_of(counter.person) == []
