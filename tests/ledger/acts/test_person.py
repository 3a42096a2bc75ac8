"""Correcting, erasing and exporting persons, on both stores."""

from __future__ import annotations

import json
from datetime import date

import pytest

from ledger.acts.person import correct, erase, export
from ledger.decisions.correction import decide_correct
from ledger.decisions.person import Contact, Identity, Person, decide_erase, nik_warnings
from ledger.errors import JhtError
from ledger.events import PersonErased
from ledger.ingestion import registrations
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.postgres import PostgresDatabase
from ledger.store.vault import Vault
from tests.conftest import NOW, TODAY
from tests.ledger.ingestion.registered import HEADER, registration, registrations_table, with_employer
from tests.scenario import given


def nothing_more(tx: object, before: object, after: object) -> None:
    """Nobody is told."""


SITI = Identity("3174015203900001", "Siti", "1990-03-12", "P")
REACH = Contact("siti@contoh.id", "+62812")
KNOWN = Person("a" * 32, version=1)


@pytest.mark.parametrize(
    ("nik", "codes"),
    [
        ("3174015203900001", []),
        ("9674015203900001", []),
        ("9974015203900001", ["nik-structure"]),
        ("3174017203900001", ["nik-structure"]),
        ("3174018103900001", ["nik-structure"]),
        ("3174015303900001", ["nik-birth-date-differs"]),
        ("3174011203900001", ["nik-sex-differs"]),
    ],
)
def test_a_nik_is_held_against_province_birth_date_and_sex(nik: str, codes: list[str]) -> None:
    assert nik_warnings(nik, date(1990, 3, 12), "P", TODAY) == codes


def test_a_correction_changes_only_what_is_named() -> None:
    given(SITI, REACH).when(decide_correct, {"name": " Siti A ", "phone": "0812-3456-789", "email": ""}, TODAY).then(
        Identity(SITI.nik, "Siti A", SITI.birth_date, "P"), Contact("", "+628123456789")
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nik": "123"}, "nik-unreadable"),
        ({"sex": "X"}, "sex-unknown"),
        ({"birth_date": "2026-11-22"}, "birth-date-impossible"),
        ({"name": ""}, "cell-empty"),
        ({"kpj": "26000000001"}, "column-unknown"),
    ],
)
def test_a_correction_that_cannot_be_read_is_refused(changes: dict[str, str], code: str) -> None:
    given(SITI, REACH).when(decide_correct, changes, TODAY).refused(code)


def test_an_erasure_needs_no_money_and_no_retention_or_an_order() -> None:
    def decide(state: Person, money: bool, last: date, order: str) -> PersonErased:
        return decide_erase(state, has_money=money, last_activity=last, order=order, today=TODAY)

    given(KNOWN).when(decide, False, date(2016, 11, 21), "").then(PersonErased())
    given(KNOWN).when(decide, False, date(2016, 11, 22), "").refused("erase-retention")
    given(KNOWN).when(decide, True, date(2000, 1, 1), "").refused("erase-has-money")
    given(KNOWN).when(decide, True, TODAY, "12/PDT/2026").then(PersonErased("12/PDT/2026"))
    given(KNOWN).when(decide, True, TODAY, "a name").refused("parameter-unreadable")
    given(Person("b" * 32)).when(decide, False, date(2000, 1, 1), "").refused("person-unknown")
    given(Person("b" * 32, version=2, erased=True)).when(decide, False, date(2000, 1, 1), "").refused("person-erased")


@pytest.fixture
def vault(log: Log) -> Vault:
    with_employer(log)
    made = Vault.open(log)
    rows = [registration(), registration(kpj="26000000002", nik="3174015203900002", name="Budi")]
    registrations.ingest(log, made, registrations_table(*rows), HEADER, TODAY, NOW)
    return made


def person_of(log: Log, vault: Vault, nik: str) -> str:
    with log.database.read() as tx:
        return vault.people_by_nik(tx, [nik])[nik]


def test_a_corrected_person_is_found_by_the_new_nik_only(log: Log, vault: Vault) -> None:
    person = person_of(log, vault, SITI.nik)
    changes = {"nik": "3174015203900003", "phone": "0899999999"}
    assert correct(log, vault, person, changes, "office", "cli", NOW, also=nothing_more) is not None
    assert correct(log, vault, person, changes, "office", "cli", NOW, also=nothing_more) is None
    with log.database.read() as tx:
        assert vault.people_by_nik(tx, [SITI.nik, "3174015203900003"]) == {"3174015203900003": person}
        assert vault.by_phone(tx, "+62899999999") == [person]
        assert vault.data_of(tx, [person]).data[person][0].name == "Siti Aminah"


def test_the_nik_of_another_person_is_refused(log: Log, vault: Vault) -> None:
    head = log.head()
    with pytest.raises(JhtError) as refused:
        correct(
            log, vault, person_of(log, vault, SITI.nik), {"nik": "3174015203900002"}, "o", "cli", NOW, also=nothing_more
        )
    assert (refused.value.code, log.head()) == ("nik-of-another-person", head)


def test_an_erased_persons_key_and_hashes_are_in_no_file(log: Log, vault: Vault, settings: Settings) -> None:
    people = [registration(kpj=f"2700000{n:04d}", nik=f"317401520391{n:04d}") for n in range(1500)]
    for at in range(0, len(people), 100):
        registrations.ingest(log, vault, registrations_table(*people[at : at + 100]), HEADER, TODAY, NOW)
    columns = "person, wrapped, nik_hash, phone_hash, email_hash"
    with log.database.read() as tx:
        rows = tx.rows(f"select {columns} from vault_persons")[::100]
    assert len(rows) == 16
    for person, *_ in rows:
        done = erase(
            log, vault, person, has_money=False, last_activity=None, order="1", today=TODAY, by="o", channel="c", now=NOW
        )  # fmt: skip
        assert (done.warning and done.warning.code) == (None if settings.sqlite_path else "erase-traces-in-pages")
    with log.database.read() as tx:
        left = tx.rows(f"select {columns} from vault_persons")
    assert not {row[0] for row in rows} & {row[0] for row in left}
    if isinstance(log.database, PostgresDatabase):
        # What the sentence says: no query finds the row, and one statement takes its bytes out of the file too.
        stored = _pages(log.database)
        assert all(bytes(value) in stored for value in left[0][1:])
        assert not [row[0] for row in rows if bytes(row[1]) in stored or bytes(row[2]) in stored]
        return
    assert settings.sqlite_path is not None
    log.close()
    stored = b"".join(path.read_bytes() for path in settings.sqlite_path.parent.iterdir() if path.is_file())
    assert all(bytes(value) in stored for value in left[0][1:])
    # All have the same phone and e-mail address, so those hashes stay for the others.
    assert not [row[0] for row in rows if bytes(row[1]) in stored or bytes(row[2]) in stored]


def test_an_erasure_says_when_a_reader_keeps_the_old_row(
    log: Log, vault: Vault, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.store.vault._EMPTYING_MS", 20)
    reader = Log.open(settings)
    with reader.database.read() as tx:
        tx.rows("select count(*) from vault_persons")
        done = erase(
            log, vault, person_of(log, vault, SITI.nik), has_money=False, last_activity=None, order="1", today=TODAY,
            by="o", channel="c", now=NOW,
        )  # fmt: skip
    reader.close()
    assert done.positions == [log.head()]
    assert [done.warning and done.warning.code] == [
        "erase-traces-left" if settings.sqlite_path else "erase-traces-in-pages"
    ]
    assert vault.after_erasing() == ("" if settings.sqlite_path else "erase-traces-in-pages")


def _pages(database: PostgresDatabase) -> bytes:
    """The file of the persons' keys after `vacuum full`, as it stands on the server's disk."""
    with database.pool.connection() as connection:
        for statement in (b"vacuum full vault_persons", b"checkpoint"):
            connection.execute(statement)
        row = connection.execute(
            b"select pg_read_binary_file(pg_relation_filepath('vault_persons')) as pages"
        ).fetchone()
    assert row is not None
    return bytes(row["pages"])


def test_an_export_holds_all_and_an_erased_person_nothing(log: Log, vault: Vault) -> None:
    person = person_of(log, vault, SITI.nik)
    told = export(log, vault, person)
    assert told["identity"]["name"] == "Siti Aminah"
    assert told["contact"]["email"] == "siti@contoh.id"
    assert [card["kpj"] for card in told["cards"]] == ["26000000001"]
    assert [event["name"] for event in told["events"]] == ["person-registered.v1"]
    assert "Budi" not in json.dumps(told)
    erase(
        log,
        vault,
        person,
        has_money=True,
        last_activity=TODAY,
        order="12/2026",
        today=TODAY,
        by="o",
        channel="cli",
        now=NOW,
    )
    for act in (
        lambda: export(log, vault, person),
        lambda: correct(log, vault, person, {"name": "X"}, "o", "c", NOW, also=nothing_more),
    ):
        with pytest.raises(JhtError) as refused:
            act()
        assert refused.value.code == "person-erased"
    with log.database.read() as tx:
        assert vault.people_by_nik(tx, [SITI.nik]) == {}
