"""Logging in: one refusal for everything, the same work and time for known and unknown, locks that hold."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher
from structlog.testing import capture_logs

from api.access import guard, login, passwords
from api.access.login import clean_identifier
from api.application import ApplicationState
from ledger.errors import Refused, StoreFailed
from tests.api import peopled
from tests.api.access.conftest import HOME, NAMES, RIGHT, UNKNOWN, UNVERIFIED, WRONG, Lobby
from tests.conftest import NOW
from tests.ledger.members.conftest import CARD, ON_FILE, OTHERS
from tests.office import nik


def test_a_member_comes_in_by_e_mail_nik_or_card(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        for name in NAMES:
            assert await lobby.enter(application, name) == "in", name
        assert lobby.letters(application) == []

    lobby.run(act)


def test_every_cause_gives_the_same_refusal_after_one_verification(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        tried = [(name, WRONG) for name in NAMES] + [(name, RIGHT) for name in UNKNOWN]
        tried += [
            (UNVERIFIED, RIGHT),
            (OTHERS, RIGHT),
            ("budi2@contoh.id", RIGHT),
            (ON_FILE, ""),
            (ON_FILE, "x" * 10**6),
        ]
        for number, (name, password) in enumerate(tried, 1):
            assert await lobby.enter(application, name, password) == "login-wrong", name[:50]
            assert application.identity.passwords.verified == number, name[:50]

    lobby.run(act)


def test_a_closed_member_looks_like_nobody(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        application.members.close(lobby.person, "asked", lobby.acting())
        assert await lobby.enter(application) == "login-wrong"
        assert application.identity.passwords.verified == 1

    lobby.run(act)


@pytest.mark.parametrize("name", [ON_FILE, CARD, UNVERIFIED, "nobody@contoh.id", "26000000999"])
def test_from_the_fifth_wrong_password_on_one_waits_longer_each_time_whether_the_name_is_known_or_not(
    lobby: Lobby, name: str
) -> None:
    async def four(application: ApplicationState) -> None:
        assert [await lobby.enter(application, name, WRONG) for _ in range(4)] == ["login-wrong"] * 4
        assert lobby.letters(application) == []

    async def fifth(application: ApplicationState) -> None:
        assert await lobby.enter(application, name, WRONG) == "login-wrong"
        told = lobby.letters(application)
        if name in {ON_FILE, CARD}:
            assert [(letter.kind, letter.to) for letter in told] == [("locked", ON_FILE)]
        assert await lobby.enter(application, name, RIGHT) == "too-many-tries 1"
        assert application.identity.passwords.verified == 1

    async def waits(application: ApplicationState) -> None:
        for minutes in (1, 2, 4, 8, 15, 15):
            lobby.later += timedelta(minutes=minutes) - timedelta(seconds=1)
            assert await lobby.enter(application, f" {name.upper()}", RIGHT) == "too-many-tries 1", minutes
            lobby.later += timedelta(seconds=1)
            assert await lobby.enter(application, name, WRONG) == "login-wrong", minutes
        assert lobby.letters(application) == [], "told once"

    async def over(application: ApplicationState) -> None:
        lobby.later += timedelta(minutes=15)
        assert await lobby.enter(application, name, RIGHT) == ("in" if name in {ON_FILE, CARD} else "login-wrong")

    for act in (four, fifth, waits, over):
        lobby.run(act)


def test_a_stranger_never_holds_up_a_device_that_the_owner_knows(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        devices = application.identity.devices
        marks = devices.marked("", "member", lobby.person)
        for _ in range(5):
            await lobby.enter(application, password=WRONG)
        assert await lobby.enter(application) == "too-many-tries 1"
        for foreign in ("", marks[:-1] + "0", devices.marked("", "member", "a" * 32), "x" * 10_000, "\0"):
            assert await lobby.enter(application, marks=foreign) == "too-many-tries 1", foreign[:60]
        assert await lobby.enter(application, marks=devices.marked(marks, "staff", "sari")) == "in"
        for _ in range(5):
            assert await lobby.enter(application, password=WRONG, marks=marks) == "login-wrong"
        assert await lobby.enter(application, marks=marks) == "too-many-tries 1", "a stolen mark guesses no faster"

    lobby.run(act)


def test_what_is_logged_of_a_login_leads_to_nobody_but_staff(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        application.identity.users.create("sari", "staff", peopled.hashed(RIGHT), NOW, roles=["counter"])
        acting = lobby.acting()._replace(request="r-77")
        login = application.identity.login
        with capture_logs() as lines:
            await lobby.enter(application)
            await lobby.enter(application, CARD)
            await lobby.enter(application, CARD, WRONG, "198.51.100.9")
            await lobby.enter(application, "kata sandi saya", WRONG)
            await login.user("staff", "sari", RIGHT, HOME, acting)
            with pytest.raises(Refused):
                await login.user("staff", "kata sandi saya", RIGHT, HOME, acting)
        first, second, elsewhere, nobody, staff, other = lines
        assert first["who"] == second["who"] == elsewhere["who"] != nobody["who"]
        assert first["source"] == second["source"] != elsewhere["source"]
        assert (staff["who"], staff["request"], staff["outcome"]) == ("sari", "r-77", "accepted")
        assert other["outcome"] == "refused"
        for secret in (lobby.person, ON_FILE, CARD, HOME, "kata sandi saya"):
            assert secret not in repr(lines)

    lobby.run(act)


def test_a_right_password_forgets_the_wrong_ones(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        for _ in range(3):
            assert [await lobby.enter(application, password=WRONG) for _ in range(4)] == ["login-wrong"] * 4
            assert await lobby.enter(application) == "in"

    lobby.run(act)


def test_tries_at_once_in_two_processes_count_as_many(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        async with lobby.open() as second:
            tried = await asyncio.gather(
                *(lobby.enter(where, password=WRONG) for _ in range(10) for where in (application, second))
            )
            assert sorted(tried) == ["login-wrong"] * 5 + ["too-many-tries 1"] * 15
            verified = application.identity.passwords.verified + second.identity.passwords.verified
            assert verified == 5
            assert [letter.kind for letter in lobby.letters(application)] == ["locked"]

    lobby.run(act)


def test_an_address_with_too_many_tries_is_slowed_and_not_shut_out(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "PACE_SECONDS", 0.2)
    monkeypatch.setattr(guard, "MOST_PACED", 4)

    async def act(application: ApplicationState) -> None:
        loop = asyncio.get_running_loop()
        tried = [await lobby.enter(application, f"user{n}@contoh.id", WRONG) for n in range(6)]
        assert tried == ["login-wrong"] * 6
        begun = loop.time()
        honest = await asyncio.gather(*(lobby.enter(application) for _ in range(4)))
        assert (honest, loop.time() - begun >= 0.8) == (["in"] * 4, True), "one after the other"
        crowd = await asyncio.gather(*(lobby.enter(application) for _ in range(6)))
        assert sorted(crowd) == ["in"] * 4 + ["too-many-tries 1"] * 2
        marks = application.identity.devices.marked("", "member", lobby.person)
        begun = loop.time()
        assert await lobby.enter(application, marks=marks) == "in"
        assert await lobby.enter(application, address="203.0.113.8") == "in"
        assert application.identity.guard._queues == {}

    lobby.run(act, address_tries=6)


def test_a_wrong_answer_takes_as_long_for_the_known_as_for_the_unknown_and_longer_each_time(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody waits here: what counts is when each answer was to be given, longer after the question than any work takes.
    monkeypatch.setattr(guard, "SLOW_SECONDS", (600.0, 900.0))
    until: list[float] = []

    async def act(application: ApplicationState) -> None:
        loop = asyncio.get_running_loop()

        async def sleep(seconds: float) -> None:
            until.append(loop.time() + seconds)

        monkeypatch.setattr(login, "asyncio", SimpleNamespace(sleep=sleep, get_running_loop=asyncio.get_running_loop))
        for least in guard.SLOW_SECONDS:
            for name in (ON_FILE, CARD, UNVERIFIED, nik(9), "26000000999"):
                asked = loop.time()
                assert await lobby.enter(application, name, WRONG) == "login-wrong"
                assert 0 <= until.pop() - asked - least < loop.time() - asked
                assert not until

    lobby.run(act)


def test_a_notice_that_cannot_be_queued_changes_no_answer(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(application: ApplicationState) -> None:
        def fails(*_: object, **__: object) -> None:
            raise StoreFailed("store-failed", what="test")

        monkeypatch.setattr(application.members, "tell", fails)
        assert [await lobby.enter(application, password=WRONG) for _ in range(5)] == ["login-wrong"] * 5
        assert await lobby.enter(application) == "too-many-tries 1"

    lobby.run(act)


def test_a_login_renews_a_weak_hash_and_ends_no_session(lobby: Lobby) -> None:
    weak = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash(RIGHT)

    async def act(application: ApplicationState) -> None:
        application.members.change_password(lobby.person, weak, lobby.acting())
        before = application.members.login_of(lobby.person)
        assert await lobby.enter(application) == "in"
        after = application.members.login_of(lobby.person)
        assert before is not None
        assert after is not None
        assert before.password == weak
        assert after.password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        assert after.epoch == before.epoch
        assert await lobby.enter(application) == "in"

    lobby.run(act)


def test_more_logins_than_can_be_hashed_are_told_to_come_again(lobby: Lobby, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "LONGEST_QUEUE", 2)

    async def act(application: ApplicationState) -> None:
        tried = await asyncio.gather(*(lobby.enter(application, f"user{n}@contoh.id", WRONG) for n in range(8)))
        assert set(tried) == {"login-wrong", "login-busy"}
        assert await lobby.enter(application) == "in"
        monkeypatch.setattr(passwords, "LONGEST_QUEUE", 0)
        assert [await lobby.enter(application) for _ in range(10)] == ["login-busy"] * 10, "no try was lost by it"

    lobby.run(act)


def test_letters_to_one_target_are_limited(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        for _ in range(5):
            await application.identity.guard.mail(HOME, "budi@contoh.id")
        with pytest.raises(Refused) as refused:
            await application.identity.guard.mail(HOME, " BUDI@contoh.id")
        assert refused.value.code == "too-many-tries"
        assert 59 <= int(refused.value.problem.details["minutes"]) <= 60
        await application.identity.guard.mail(HOME, "sari@contoh.id")
        await application.identity.guard.mail("198.51.100.9", "budi@contoh.id")

    lobby.run(act)


def test_nothing_personal_stands_in_the_tables_of_tries(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        await lobby.enter(application, nik(1), WRONG)
        with application.log.database.read() as tx:
            rows = tx.rows("select * from login_tries")
            windows = tx.rows("select * from login_windows")
        assert len(rows) == 1
        assert nik(1) not in repr(rows)
        assert len(windows) == 2
        assert nik(1) not in repr(windows)

    lobby.run(act)


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        (" Budi@Contoh.ID ", "budi@contoh.id"), ("3171-0117 0590 0001", "3171011705900001"),
        ("2600 0000-017", "26000000017"), ("ab12345", "AB12345"), ("Siapa?", "siapa?"), ("\ud800@x", "?@x"),
    ],
)  # fmt: skip
def test_what_is_typed_is_counted_and_looked_up_in_one_form(typed: str, clean: str) -> None:
    assert clean_identifier(typed) == clean
