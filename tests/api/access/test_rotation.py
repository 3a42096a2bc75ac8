"""Another master key under a running API: look-ups say so and come again, and everything works with the new key."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from api.app import create_app
from api.application import ApplicationState
from ledger.members import Members
from ledger.settings import Settings
from ledger.store import vault
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.api.access.conftest import RIGHT, WRONG, Lobby
from tests.api.conftest import Api
from tests.conftest import NOW
from tests.ledger.members.conftest import CARD, ON_FILE, Counter
from tests.office import nik, person
from tests.system.running import environment, run

NEW = "77" * 32
BODY = person("26000000777", 7)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "new.key"
    file.write_text(NEW + "\n")
    return file


def renewed(settings: Settings) -> Settings:
    return settings.model_copy(update={"master_key": SecretStr(NEW)})


def begin(settings: Settings) -> None:
    """A rotation that was cut off after its first person."""
    log = Log.open(settings)
    held = Vault.open(log)
    before, vault._ROTATED_AT_ONCE = vault._ROTATED_AT_ONCE, 1
    try:
        held._rotate_some(held._begin_rotation(bytes.fromhex(NEW)), also=[Members.open(log, held)._rehash])
    finally:
        vault._ROTATED_AT_ONCE = before
        log.close()


def test_a_running_api_says_that_the_key_is_being_replaced_and_works_with_the_new_one(
    lobby: Lobby, key_file: Path
) -> None:
    settings = lobby.settings
    with Api(settings) as api:
        headers = api.key()
        assert api.client.post("/v1/registrations", headers=headers, json=[BODY]).status_code == 200
        begin(settings)
        answer = api.client.post("/v1/registrations", headers=headers, json=[person("26000000785", 8)])
        assert (answer.status_code, answer.json()["code"]) == (503, "vault-rotating")
        assert int(answer.headers["retry-after"]) > 0
        done = run(environment(settings), "rotate-master-key", "--new-key-file", key_file)
        assert done.code == 0, done.stderr
        assert "JHT_MASTER_KEY" in done.stdout
        answer = api.client.post("/v1/registrations", headers=headers, json=[person("26000000785", 8)])
        assert answer.status_code == 500, "the old key is no longer a key"
    with Api(renewed(settings)) as api:
        answer = api.client.post("/v1/registrations", headers=api.key(), json=[BODY])
        assert answer.json()["totals"]["already"] == 1


def test_nobody_is_called_unknown_while_the_key_is_being_replaced(lobby: Lobby) -> None:
    async def act(application: ApplicationState) -> None:
        begin(lobby.settings)
        for name in (nik(1), nik(9), ON_FILE, "nobody@contoh.id"):
            for _ in range(6):
                assert await lobby.enter(application, name) == "vault-rotating", "and no try is counted"

    lobby.run(act)


def test_members_and_waiting_letters_survive(lobby: Lobby, key_file: Path) -> None:
    async def before(application: ApplicationState) -> None:
        application.members.ask_reset(ON_FILE, lobby.acting())
        assert await lobby.enter(application, password=WRONG) == "login-wrong"

    async def after(application: ApplicationState) -> None:
        for name in (ON_FILE, nik(1), CARD):
            assert await lobby.enter(application, name) == "in", name
        (letter,) = lobby.letters(application)
        assert (letter.kind, letter.to) == ("reset", ON_FILE)
        new = await application.identity.passwords.hash(WRONG)
        assert application.members.reset(letter.details["token"], new, lobby.acting()) == lobby.person
        assert await lobby.enter(application, password=RIGHT) == "login-wrong"
        assert await lobby.enter(application, password=WRONG) == "in"

    lobby.run(before)
    assert run(environment(lobby.settings), "rotate-master-key", "--new-key-file", key_file).code == 0
    lobby.settings = renewed(lobby.settings)
    lobby.run(after)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_the_command_makes_the_key_goes_on_after_a_cut_and_can_be_repeated(settings: Settings, tmp_path: Path) -> None:
    own = settings.model_copy(update={"master_key": None, "database_url": f"sqlite:///{tmp_path / 'own.db'}"})
    surroundings = environment(settings) | {"JHT_DATABASE_URL": own.database_url}
    del surroundings["JHT_MASTER_KEY"]
    new, elsewhere = tmp_path / "new.key", tmp_path / "elsewhere.key"

    def rotate(file: Path) -> tuple[int, str]:
        done = run(surroundings, "rotate-master-key", "--new-key-file", file)
        return done.code, done.stdout + done.stderr

    assert run(surroundings, "init").code == 0
    log = Log.open(own)
    Counter(log).office.close()
    held = Vault.open(log)
    code, told = rotate(new)
    assert (code, "Done for 2 persons" in told, f"mv {new} {own.beside('key')}" in told) == (0, True, True)
    assert (new.stat().st_mode & 0o777, len(new.read_text().strip())) == (0o600, 64)
    assert new.read_text().strip() not in told
    code, told = rotate(new)
    assert (code, "already" in told, "mv" in told) == (0, True, True)
    code, told = rotate(elsewhere)
    assert (code, "master-key-wrong" in told) == (2, True)
    new.rename(own.beside("key"))
    held = Vault.open(log)
    held._begin_rotation(bytes.fromhex(NEW))
    code, told = rotate(elsewhere)
    assert (code, "vault-rotating" in told, elsewhere.exists()) == (75, True, False), "no other key is made meanwhile"
    elsewhere.write_text("7a" * 32)
    code, told = rotate(elsewhere)
    assert (code, "master-key-wrong" in told) == (2, True), "a rotation under way goes on with its own key only"
    new.write_text(NEW)
    assert rotate(new)[0] == 0
    log.close()
    for wrong in (tmp_path, tmp_path / "nowhere" / "key"):
        assert rotate(wrong)[0] == 2, wrong
    new.write_text("not a key")
    code, told = rotate(new)
    assert (code, "setting-wrong" in told) == (2, True)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_the_app_itself_opens_nothing_with_the_wrong_key(settings: Settings) -> None:
    from starlette.testclient import TestClient

    from ledger.errors import Refused

    log = Log.open(settings)
    Vault.open(log)
    log.close()
    with pytest.raises(Refused) as refused, TestClient(create_app(renewed(settings), now=lambda: NOW)):
        pass
    assert refused.value.code == "master-key-wrong"
