"""Passwords: what may be chosen, and that hashing is argon2id with OWASP's parameters whoever is asked for."""

from __future__ import annotations

import asyncio

import pytest

from api.access.common_passwords import COMMON
from api.access.passwords import LONGEST, Passwords, check_password
from ledger.errors import Refused


@pytest.mark.parametrize(
    "weak",
    [
        "", "kuda benar", "123456789", "1234567890", "0123456789", "abcdefghijkl", "lkjihgfedcba", "aaaaaaaaaaaa",
        "abababababab", "password123", "Password123!", "  Rahasia123 ", "sayangku2024", "Indonesia1945", "qwertyuiop",
        "3171011705900001", "26000000017", "Budi.Santoso@contoh.id", "budi.santoso",
        "kata " * 25 + "satu", "ＱＷＥＲＴＹＵＩＯＰ",
    ],
)  # fmt: skip
def test_a_weak_password_is_refused(weak: str) -> None:
    if weak == "kuda benar":
        weak = "kudabenar"  # nine characters
    with pytest.raises(Refused) as refused:
        check_password(weak, ["3171011705900001", "26000000017", "budi.santoso@contoh.id", ""])
    assert refused.value.code == "password-weak"
    assert weak not in str(refused.value) or not weak


@pytest.mark.parametrize(
    "good",
    ["kuda benar", "x8#kP2!mQz", "saya suka nasi goreng", "ê" + "kudabenar", "kata " * 25 + "sat", "😀kudabenar1"],
)
def test_length_is_enough(good: str) -> None:
    check_password(good, ["3171011705900001", "26000000017", "budi@contoh.id"])


def test_the_list_of_common_passwords_is_compared_in_the_form_it_is_written() -> None:
    assert len(COMMON) > 200
    assert all(word == word.casefold().strip() for word in COMMON)


def test_the_right_password_and_only_it_opens_and_nobody_costs_as_much() -> None:
    async def act() -> None:
        passwords = Passwords()
        hashed = await passwords.hash("café benar sekali")
        assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert hashed != await passwords.hash("café benar sekali")
        assert await passwords.verify("café benar sekali", hashed) == (True, "")
        assert (await passwords.verify("café benar sekali", hashed)).right, "the other way to write é"
        for wrong in ("Café benar sekali", "café benar sekali ", "", "\ud800\0", "é" * 10**6):
            assert not (await passwords.verify(wrong, hashed)).right
        assert passwords._dummy.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert await passwords.verify("anything", "") == (False, "")
        assert passwords.verified == 8
        passwords.close()

    asyncio.run(act())


def test_no_longer_password_can_pass_for_a_long_one() -> None:
    async def act() -> None:
        passwords = Passwords()
        longest = "abcde" * (LONGEST // 5) + "xyz"
        check_password(longest)
        hashed = await passwords.hash(longest)
        assert (await passwords.verify(longest, hashed)).right
        assert not (await passwords.verify(longest + "!", hashed)).right
        passwords.close()

    asyncio.run(act())
