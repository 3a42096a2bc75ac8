"""The vault, on both stores."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ledger.decisions.person import Contact, Identity
from ledger.errors import BrokenLog, JhtError, NotFound, Refused
from ledger.events import Event, PersonRegistered
from ledger.identifiers import person_stream
from ledger.settings import Settings
from ledger.store.log import Log, VersionTaken
from ledger.store.master_key import fingerprint, master_key
from ledger.store.sealing import seal, unseal
from ledger.store.vault import Vault
from tests.conftest import MASTER_KEY, NOW
from tests.office import names_of

OLD, NEW = bytes.fromhex(MASTER_KEY), bytes(range(32))
SITI = Identity("3174015203900001", "Siti", "1990-03-12", "P")


def register(log: Log, vault: Vault, identity: Identity = SITI, contact: Contact | None = None) -> str:
    (new,) = vault.new_people([(identity, contact or Contact("Siti@contoh.id", "+62812"))])
    fact = PersonRegistered(new.identity, new.contact)
    event = Event(stream=person_stream(new.person), version=1, fact=fact, by="t", channel="t")
    log.append([event], NOW, writes=[lambda tx: vault.insert(tx, [new])])
    return new.person


def test_what_is_sealed_opens_at_its_own_place_only() -> None:
    key = bytes(32)
    sealed = seal(key, "p", "s", 1, "identity", b"secret")
    assert unseal(key, "p", "s", 1, "identity", sealed) == b"secret"
    for place in (
        ("q", "s", 1, "identity"),
        ("p", "t", 1, "identity"),
        ("p", "s", 2, "identity"),
        ("p", "s", 1, "contact"),
    ):
        with pytest.raises(BrokenLog):
            unseal(key, *place, sealed)


def test_a_person_is_found_by_nik_phone_and_email(log: Log) -> None:
    vault = Vault(log, OLD)
    person = register(log, vault)
    with log.database.read() as tx:
        assert vault.people_by_nik(tx, [SITI.nik, "0" * 16]) == {SITI.nik: person}
        assert vault.by_phone(tx, "+62812") == [person]
        assert vault.by_email(tx, "siti@CONTOH.id") == [person]
        assert vault.by_email(tx, "budi@contoh.id") == []


def test_a_nik_belongs_to_one_person(log: Log) -> None:
    vault = Vault(log, OLD)
    register(log, vault)
    with pytest.raises(VersionTaken):
        register(log, vault)


def test_another_master_key_is_refused_by_its_fingerprint(log: Log) -> None:
    Vault(log, OLD)
    with pytest.raises(Refused) as refused:
        Vault(log, NEW)
    assert refused.value.code == "master-key-wrong"
    assert refused.value.problem.details == {"found": fingerprint(NEW), "expected": fingerprint(OLD)}


def test_a_rotation_keeps_everybody_and_shuts_the_old_key_out(log: Log) -> None:
    vault = Vault(log, OLD)
    people = [register(log, vault, Identity(f"{n:016d}", f"Orang {n}", "1990-01-01", "L")) for n in range(3)]
    stale = Vault(log, OLD)
    assert vault.rotate(NEW) == 3
    again = Vault(log, NEW)
    with log.database.read() as tx:
        assert again.people_by_nik(tx, [f"{n:016d}" for n in range(3)]) == {
            f"{n:016d}": p for n, p in enumerate(people)
        }
        assert len(again.by_phone(tx, "+62812")) == 3
    assert names_of(again, people)[people[2]] == "Orang 2"
    with pytest.raises(JhtError, match="not this ledger's"), log.database.read() as tx:
        stale.people_by_nik(tx, ["0" * 16])


def test_a_rotation_that_was_cut_off_shuts_look_ups_and_goes_on(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.store.vault._ROTATED_AT_ONCE", 1)
    vault = Vault(log, OLD)
    people = [register(log, vault, Identity(f"{n:016d}", f"Orang {n}", "1990-01-01", "L")) for n in range(3)]
    vault._rotate_some(vault._begin_rotation(NEW))
    restarted = Vault(log, OLD)
    with pytest.raises(JhtError, match="being replaced"), log.database.read() as tx:
        restarted.people_by_nik(tx, ["0" * 16])
    with pytest.raises(Refused) as refused:
        restarted.rotate(bytes(32))
    assert refused.value.code == "master-key-wrong"
    assert restarted.rotate(NEW) == 2
    assert len(names_of(Vault(log, NEW), people)) == 3


def test_an_erased_person_cannot_be_read(log: Log) -> None:
    vault = Vault(log, OLD)
    person = register(log, vault)
    sealed = log.events(person_stream(person))[0].fact.identity  # type: ignore[attr-defined]
    assert b"Siti" in vault.open_sealed(person, person_stream(person), 1, "identity", sealed)
    with log.database.write() as tx:
        vault.erase(tx, person)
    with pytest.raises(NotFound) as gone:
        vault.open_sealed(person, person_stream(person), 1, "identity", sealed)
    assert gone.value.code == "person-erased"
    assert names_of(vault, [person]) == {}


def test_a_sqlite_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'jht.db'}")
    with pytest.raises(Refused) as refused:
        master_key(settings, create=False)
    assert refused.value.code == "master-key-missing"
    key = master_key(settings, create=True)
    path = tmp_path / "jht.db.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert master_key(settings, create=True) == key == bytes.fromhex(path.read_text())
    assert [one.name for one in tmp_path.iterdir()] == ["jht.db.key"]


def test_a_master_key_of_the_wrong_shape_is_refused_without_being_told(tmp_path: Path) -> None:
    for text in ("abc", "zz" * 32):
        with pytest.raises(Refused) as refused:
            master_key(Settings(master_key=text), create=True)
        assert refused.value.code == "setting-wrong"
        assert text not in str(refused.value)
    with pytest.raises(Refused) as refused:
        master_key(Settings(database_url="postgresql://h/n"), create=True)
    assert refused.value.code == "master-key-missing"
    (tmp_path / "k").write_text(MASTER_KEY + "\n")
    assert master_key(Settings(master_key_file=tmp_path / "k"), create=False) == OLD
