"""Sessions: a new token at every login, gone when idle, old, logged out, or when the epoch has moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from api.access import sessions
from api.access.login import Entered
from api.access.sessions import EMPLOYER, HALF, MEMBER, STAFF, Session, Started
from api.application import ApplicationState
from ledger.errors import Refused, StoreFailed
from ledger.members import Claim
from tests.api.access.conftest import HOME, RIGHT, WRONG, Lobby
from tests.conftest import NOW
from tests.ledger.members.conftest import CARD, ON_FILE
from tests.office import nik

REALLY_REMEMBERED = sessions.REMEMBER_SECONDS


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "REMEMBER_SECONDS", -1.0)


async def start(lobby: Lobby, application: ApplicationState, old: str = "") -> Started:
    entered = Entered(MEMBER, lobby.person, _epoch(lobby, application))
    return await application.identity.login.start(entered, lobby.acting(), old)


def _epoch(lobby: Lobby, application: ApplicationState) -> int:
    login = application.members.login_of(lobby.person)
    assert login is not None
    return login.epoch


async def found(lobby: Lobby, application: ApplicationState, token: str) -> Session | None:
    return await application.identity.session(token, NOW + lobby.later)


def test_a_session_is_found_by_its_token_and_by_nothing_else(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        started = await start(lobby, application)
        session = await found(lobby, application, started.token)
        assert session == started.session
        assert (session.kind, session.who, session.channel) == (MEMBER, lobby.person, "website")
        assert len(started.token) >= 43
        with application.log.database.read() as tx:
            assert started.token not in repr(tx.rows("select * from sessions"))
        for other in (
            "",
            "x",
            started.token[:-1],
            started.token + "A",
            started.session.key.hex(),
            "\ud800",
            "a" * 10**5,
        ):
            assert await found(lobby, application, other) is None

    lobby.run(act)


def test_a_planted_token_is_worth_nothing_after_the_login(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        first = await start(lobby, application)
        second = await start(lobby, application, old=first.token)
        assert second.token != first.token
        assert second.session.csrf != first.session.csrf
        assert await found(lobby, application, first.token) is None
        third = await start(lobby, application, old="planted-by-somebody")
        assert third.token != "planted-by-somebody"
        assert await found(lobby, application, "planted-by-somebody") is None
        assert await found(lobby, application, second.token) is not None

    lobby.run(act)


Ending = Callable[[Lobby, ApplicationState], None]
ENDINGS: dict[str, Ending] = {
    "another password": lambda lobby, application: application.members.change_password(
        lobby.person, "$argon2id$x", lobby.acting()
    ),
    "logged out everywhere": lambda lobby, application: application.members.end_sessions(lobby.person),
    "closed": lambda lobby, application: application.members.close(lobby.person, "asked", lobby.acting()),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_session_of_a_member_ends_in_every_process(lobby: Lobby, ending: str) -> None:
    async def act(application: ApplicationState) -> None:
        async with lobby.open() as second:
            tokens = [(await start(lobby, application)).token for _ in range(2)]
            assert [await found(lobby, second, token) is not None for token in tokens] == [True, True]
            ENDINGS[ending](lobby, application)
            for where in (application, second):
                assert [await found(lobby, where, token) for token in tokens] == [None, None]

    lobby.run(act)


def test_a_new_registration_revives_no_session_of_the_one_before(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        token = (await start(lobby, application)).token
        application.members.close(lobby.person, "asked", lobby.acting())
        claim = Claim(nik(1), "1990-05-17", CARD, "PU", ON_FILE)
        application.members.register(claim, await application.identity.passwords.hash(RIGHT), lobby.acting())
        (letter,) = [letter for letter in lobby.letters(application) if letter.kind == "verify"]
        application.members.use_link(letter.details["token"], lobby.acting())
        assert await lobby.enter(application) == "in"
        assert await found(lobby, application, token) is None

    lobby.run(act)


def test_logging_out_ends_one_session(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        first, second = await start(lobby, application), await start(lobby, application)
        application.identity.sessions.end(first.token)
        application.identity.sessions.end("unknown")
        assert await found(lobby, application, first.token) is None
        assert await found(lobby, application, second.token) is not None

    lobby.run(act)


def test_an_idle_session_ends_and_a_used_one_lasts_for_hours_but_not_longer(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        idle, used = await start(lobby, application), await start(lobby, application)
        for minutes in range(0, 12 * 60, 20):
            lobby.later = timedelta(minutes=minutes)
            assert await found(lobby, application, used.token) is not None, minutes
        assert await found(lobby, application, idle.token) is None
        lobby.later = timedelta(hours=12)
        assert await found(lobby, application, used.token) is None
        lobby.later = timedelta()
        assert await found(lobby, application, idle.token) is not None
        lobby.later = timedelta(minutes=30)
        assert await found(lobby, application, idle.token) is None

    lobby.run(act)


def test_the_settings_say_how_long(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        started = await start(lobby, application)
        lobby.later = timedelta(minutes=6)
        assert await found(lobby, application, started.token) is None
        assert started.session.expires_at == NOW + timedelta(hours=1)

    lobby.run(act, session_idle_minutes=6, session_hours=1)


def test_being_there_is_written_every_five_minutes_at_most_and_may_fail(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(application: ApplicationState) -> None:
        held = application.identity.sessions
        touched, touch = [], held.touch
        monkeypatch.setattr(held, "touch", lambda *given: (touched.append(given), touch(*given)))
        token = (await start(lobby, application)).token
        for minutes in (1, 5, 6, 7, 11, 12):
            lobby.later = timedelta(minutes=minutes)
            assert await found(lobby, application, token) is not None
        assert [given[1] - NOW for given in touched] == [timedelta(minutes=6), timedelta(minutes=12)]

        def fails(*_: object) -> None:
            raise StoreFailed("store-failed", what="test")

        monkeypatch.setattr(held, "touch", fails)
        lobby.later = timedelta(minutes=20)
        assert await found(lobby, application, token) is not None

    lobby.run(act)


def test_a_session_is_remembered_for_a_second_but_not_over_its_own_end(
    lobby: Lobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert REALLY_REMEMBERED <= 1
    monkeypatch.setattr(sessions, "REMEMBER_SECONDS", 60.0)

    async def act(application: ApplicationState) -> None:
        held, asked = application.identity.sessions, []
        find = held.find
        monkeypatch.setattr(held, "find", lambda *given: (asked.append(1), find(*given))[1])
        first, second = await start(lobby, application), await start(lobby, application)
        for _ in range(5):
            assert await found(lobby, application, first.token) is not None
            assert await found(lobby, application, second.token) is not None
        assert len(asked) == 2
        held.end(first.token)
        assert await found(lobby, application, first.token) is None
        application.members.end_sessions(lobby.person)
        held.forget(MEMBER, lobby.person)
        assert await found(lobby, application, second.token) is None
        third = await start(lobby, application)
        assert await found(lobby, application, third.token) is not None
        lobby.later = timedelta(hours=12)
        assert held.cached(third.token, NOW + lobby.later) is None

    lobby.run(act)


def test_sessions_that_are_over_are_removed(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        old = await start(lobby, application)
        lobby.later = timedelta(hours=13)
        application.identity.sessions._swept = float("-inf")
        await start(lobby, application)
        with application.log.database.read() as tx:
            keys = {bytes(row[0]) for row in tx.rows("select hash from sessions")}
        assert len(keys) == 1
        assert old.session.key not in keys

    lobby.run(act)


def test_users_come_in_by_their_own_door_with_roles_and_employers_as_they_are_now(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        identity, now = application.identity, NOW
        hashed = await identity.passwords.hash(RIGHT)
        identity.users.create("Ani", STAFF, hashed, now, roles=["counter"])
        identity.users.create("pt.satu", EMPLOYER, hashed, now, npps=[10000001, 10000002])

        async def enter(kind: str, name: str, password: str = RIGHT) -> str:
            try:
                entered = await identity.login.user(kind, name, password, HOME, lobby.acting())
            except Refused as refused:
                return refused.code
            return (await identity.login.start(entered, lobby.acting())).token

        ani, satu = await enter(STAFF, " ANI "), await enter(EMPLOYER, "pt.satu")
        session = await found(lobby, application, ani)
        assert session is not None
        # The password of staff opens a half session only: `factors` asks for more.
        assert (session.kind, session.who, session.roles, session.npps) == (HALF, "ani", {"counter"}, frozenset())
        session = await found(lobby, application, satu)
        assert session is not None
        assert (session.kind, session.roles, session.npps) == (EMPLOYER, frozenset(), {10000001, 10000002})
        before = identity.passwords.verified
        wrong = [(EMPLOYER, "ani", RIGHT), (STAFF, "pt.satu", RIGHT), (STAFF, "ani", WRONG), (STAFF, "nobody", RIGHT),
                 (STAFF, "\0", RIGHT), (STAFF, "\ud800", RIGHT), (STAFF, lobby.person, RIGHT)]  # fmt: skip
        assert [await enter(*each) for each in wrong] == ["login-wrong"] * len(wrong)
        assert identity.passwords.verified - before == len(wrong)
        identity.users.set_password("ani", await identity.passwords.hash(WRONG))
        assert await found(lobby, application, ani) is None
        ani = await enter(STAFF, "ani", WRONG)
        assert await found(lobby, application, ani) is not None
        identity.users.disable("ani", now)
        assert await found(lobby, application, ani) is None
        assert await enter(STAFF, "ani", WRONG) == "login-wrong"
        assert await enter(STAFF, "ani", WRONG) == "login-wrong"

    lobby.run(act)


def test_a_session_of_one_kind_is_never_one_of_another(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        identity = application.identity
        identity.users.create("ani", STAFF, "x", NOW, roles=["counter"])
        identity.users.create("hrd", EMPLOYER, "x", NOW, npps=[10000001])
        forged = [
            (EMPLOYER, "ani", 0), (STAFF, lobby.person, 0), (STAFF, "ani", 1), (HALF, "ani", 1), (HALF, lobby.person, 0),
            (HALF, "hrd", 0),
        ]  # fmt: skip
        for kind, who, epoch in forged:
            token = identity.sessions.create(kind, who, epoch, "website", NOW).token
            assert await found(lobby, application, token) is None, (kind, who, epoch)

    lobby.run(act)
