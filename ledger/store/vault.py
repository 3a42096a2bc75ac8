"""The vault: the persons' keys and look-up hashes, in tables beside the log that no event ever quotes.

Identity and contact stand in events sealed (`sealing`) with a random key of their person, bound to the place they stand
in: person, stream, version, field; so do the names of employers (`employer_names`). The vault holds that key, wrapped by
the master key, and hashes (HMAC-SHA256, 16 bytes) of NIK, phone and e-mail under keys derived from the master key. Deleting
a person's row erases the person: what the log still holds can never be read again.

Keys are not cached: a key kept in another process would outlive an erasure, and unwrapping costs less than the look-up
that proves the row is still there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from ledger.decisions.person import Contact, Identity, Person, contact_bytes, identity_bytes
from ledger.errors import BrokenLog, NotFound, Refused, Unavailable
from ledger.identifiers import person_stream
from ledger.store import employer_names, joined_persons
from ledger.store.database import SqliteDatabase, Transaction, failures_told
from ledger.store.employer_names import EmployerNames
from ledger.store.log import Log
from ledger.store.master_key import Master, master_key
from ledger.store.sealing import KEY as _KEY
from ledger.store.sealing import NONCE as _NONCE
from ledger.store.sealing import sealed_with, unseal

TABLES = ("vault_meta", "vault_persons", "vault_employers", "vault_joined")
_COLUMNS = ("person", "wrapped", "nik_hash", "phone_hash", "email_hash", "master")
_TYPES = "text bytea bytea bytea bytea bigint"
_LOOKED_UP_AT_ONCE = 10_000
_ROTATED_AT_ONCE = 1_000
_LOCK = 7430812
_EMPTYING_MS = 3_000
_ERASED = (
    "vault_persons", "vault_joined", "outbox", "member_logins", "member_links", "member_numbers", "member_requests",
    "member_passkeys", "notice_choices", "notice_waiting", "notice_told", "notice_missing",
)  # fmt: skip
"""The tables whose rows about a person hold a key, a secret or what was written."""
_OF_LOG = "log_secret"


class People(NamedTuple):
    """Person id -> identity and contact, of those that are not erased. `broken`: whose record cannot be read."""

    data: dict[str, tuple[Identity, Contact]]
    broken: dict[str, BrokenLog]

    def of(self, person: str) -> tuple[Identity, Contact] | None:
        """One person's, None when they are erased. Raises BrokenLog."""
        if person in self.broken:
            raise self.broken[person]
        return self.data.get(person)

    def whole(self) -> dict[str, tuple[Identity, Contact]]:
        """Everybody's. Raises BrokenLog."""
        for error in self.broken.values():
            raise error
        return self.data


class NewPerson(Struct, frozen=True, gc=False):
    """A person about to be registered: the sealed texts for the event, the row for the vault."""

    person: str
    identity: str
    contact: str
    row: tuple[str, bytes, bytes, bytes | None, bytes | None, int]


Rotated = Callable[[Transaction, Mapping[str, bytes], Master], None]
"""Told of a batch of a rotation: the transaction, person id -> key, and the new master key."""


def new_ids(count: int) -> list[str]:
    """Ids for new persons: 128 random bits as 32 hex digits, so that nothing about a person can be read from one."""
    chance = os.urandom(16 * count).hex()
    return sorted(chance[at : at + 32] for at in range(0, 32 * count, 32))


class Vault:
    """The vault of a log. Thread-safe; look-ups and writes join the caller's transaction."""

    def __init__(self, log: Log, key: bytes) -> None:
        """Raises Refused(master-key-wrong) when the vault was made with another master key."""
        self.log = log
        self._master = Master(key, 0)
        self._recognise()
        self._open_secret()
        self.employers = EmployerNames(log.database, lambda: self._master, self._must_be_current)

    @classmethod
    def open(cls, log: Log) -> Vault:
        """The vault with the settings' master key; a SQLite ledger's first opening makes its key file."""
        return cls(log, master_key(log.settings, create=not _is_claimed(log)))

    def _recognise(self) -> None:
        mine = self._master.fingerprint
        if not _is_claimed(self.log):
            with self.log.database.write() as tx:
                tx.insert(
                    "vault_meta",
                    {"name": ["master", "fingerprint.1"], "value": ["1", mine]},
                    "text text",
                    "on conflict do nothing",
                )
        with self.log.database.read() as tx:
            meta = _meta(tx)
        number = int(meta["master"])
        expected = meta[f"fingerprint.{number}"]
        if mine != expected:
            raise Refused("master-key-wrong", found=mine, expected=expected)
        self._master.number = number

    def _open_secret(self) -> None:
        """Give the log its secret: random, made once, in `log_meta` wrapped by the master key, and so kept with the log."""
        with self.log.database.read() as tx:
            held = _log_secret(tx)
        if held is None:
            made = self._master.wrap(_OF_LOG, os.urandom(_KEY), os.urandom(_NONCE))
            with self.log.database.write() as tx:
                tx.run("insert into log_meta values (?, ?) on conflict (name) do nothing", [_OF_LOG, made.hex()])
                held = _log_secret(tx)
        assert held is not None
        self.log.secret = self._master.unwrap(_OF_LOG, held)

    def _must_be_current(self, tx: Transaction) -> None:
        """No look-up and no write while hashes are being computed anew, or with a key that was replaced since."""
        meta = _meta(tx)
        if "next" in meta:
            raise Unavailable("vault-rotating")
        if meta["master"] != str(self._master.number):
            expected = meta[f"fingerprint.{meta['master']}"]
            raise Refused("master-key-wrong", found=self._master.fingerprint, expected=expected)

    def derived(self, purpose: bytes) -> bytes:
        """A key of 32 bytes for one purpose, another with every master key."""
        return self._master.derive(purpose)

    def address_hash(self, tx: Transaction, address: str) -> bytes:
        """What an e-mail address (in any letter case) is looked up by, in this transaction.

        Raises Unavailable(vault-rotating).
        """
        self._must_be_current(tx)
        return self._master.email(address.lower())

    def phone_hash(self, tx: Transaction, phone: str) -> bytes:
        """What a normalised phone number is looked up by, in this transaction. Raises Unavailable(vault-rotating)."""
        self._must_be_current(tx)
        return self._master.phone(phone)

    # --- finding persons

    def people_by_nik(self, tx: Transaction, niks: Sequence[str]) -> dict[str, str]:
        """NIK -> person id, of those that are registered."""
        return self.people_by_hash(tx, self.nik_hashes(niks))

    def nik_hashes(self, niks: Iterable[str]) -> dict[str, bytes]:
        """NIK -> the hash it is looked up by; good until the master key is replaced."""
        hashed = self._master.nik
        return {nik: hashed(nik) for nik in niks}

    def people_by_hash(self, tx: Transaction, hashes: Mapping[str, bytes]) -> dict[str, str]:
        """`people_by_nik` of NIKs that were hashed before."""
        if not hashes:
            return {}
        self._must_be_current(tx)
        by_hash = {hashed: nik for nik, hashed in hashes.items()}
        return {by_hash[found]: person for found, person in _by_hash(tx, "nik_hash", by_hash)}

    def by_phone(self, tx: Transaction, phone: str) -> list[str]:
        """The persons with that (normalised) phone number."""
        self._must_be_current(tx)
        return sorted(person for _, person in _by_hash(tx, "phone_hash", [self._master.phone(phone)]))

    def by_email(self, tx: Transaction, email: str) -> list[str]:
        """The persons with that e-mail address, in any letter case."""
        self._must_be_current(tx)
        hashed = self._master.email(email.lower())
        return sorted(person for _, person in _by_hash(tx, "email_hash", [hashed]))

    def keys_of(self, tx: Transaction, persons: Iterable[str]) -> dict[str, bytes]:
        """Person id -> key, of those that are not erased."""
        wanted = sorted(set(persons))
        if not wanted:
            return {}
        given, params = tx.relation(person=("text", wanted))
        rows = tx.rows(
            f"select v.person, v.wrapped, v.master from {given} q join vault_persons v on v.person = q.person",
            params,
        )
        if any(row[2] != self._master.number for row in rows):
            self._must_be_current(tx)
        return {row[0]: self._master.unwrap(row[0], bytes(row[1])) for row in rows}

    def joined_into(self, tx: Transaction, person: str) -> str:
        """The person with whom the key of a joined record is kept, "" when there is none."""
        return joined_persons.into_of(tx, person)

    def joined_keys(self, tx: Transaction, person: str) -> dict[str, bytes]:
        """Person id -> key, of the records that were joined into a person's."""
        rows = joined_persons.wrapped_of(tx, person)
        if any(row[2] != self._master.number for row in rows):
            self._must_be_current(tx)
        return {joined: self._master.unwrap(joined, wrapped) for joined, wrapped, _ in rows}

    # --- reading what is sealed

    def open_sealed(self, person: str, stream: str, version: int, field: str, sealed: str) -> bytes:
        """What was sealed for that place. Raises NotFound(person-erased) when the person's key is gone."""
        with self.log.database.read() as tx:
            key = self.keys_of(tx, [person]).get(person)
        if key is None:
            raise NotFound("person-erased")
        return unseal(key, person, stream, version, field, sealed)

    def data_of(self, tx: Transaction, persons: Iterable[str]) -> People:
        """Identity and contact of persons as they stand now."""
        return self._people(tx, self.keys_of(tx, persons))

    def joined_data(self, tx: Transaction, person: str) -> People:
        """Identity and contact of the records that were joined into a person's, as they stood then."""
        return self._people(tx, self.joined_keys(tx, person))

    def _people(self, tx: Transaction, keys: Mapping[str, bytes]) -> People:
        found = People({}, {})
        if keys:
            streams = self.log.streams_in(tx, [person_stream(person) for person in keys])
            for person, key in keys.items():
                try:
                    found.data[person] = self._data(key, Person.of(person, streams.of(person_stream(person))))
                except BrokenLog as error:
                    found.broken[person] = error
        return found

    def _data(self, key: bytes, state: Person) -> tuple[Identity, Contact]:
        stream = person_stream(state.person)
        identity = unseal(key, state.person, stream, state.identity_version, "identity", state.identity)
        contact = (
            msgspec.json.decode(
                unseal(key, state.person, stream, state.contact_version, "contact", state.contact),
                type=Contact,
            )
            if state.contact
            else Contact()
        )
        return msgspec.json.decode(identity, type=Identity), contact

    # --- writing, inside the append transaction

    def new_people(
        self,
        people: Sequence[tuple[Identity, Contact]],
        ids: Sequence[str] | None = None,
        nik_hashes: Mapping[str, bytes] | None = None,
    ) -> list[NewPerson]:
        """Keys and sealed texts (stream version 1) for new persons; nothing is stored yet.

        `ids`: from `new_ids`, drawn before; `nik_hashes`: when the NIKs were hashed before.
        """
        size = _KEY + 3 * _NONCE
        chance = os.urandom(size * len(people))
        master, made = self._master, []
        hashes = nik_hashes if nik_hashes is not None else self.nik_hashes(identity.nik for identity, _ in people)
        drawn = ids if ids is not None else new_ids(len(people))
        for one, person, (identity, contact) in zip(range(_KEY, len(chance) + _KEY, size), drawn, people, strict=True):
            key = chance[one - _KEY : one]
            two, three, end = one + _NONCE, one + 2 * _NONCE, one + 3 * _NONCE
            cipher, place = AESGCM(key), f"{person}|person:{person}|1|"
            sealed = sealed_with(cipher, chance[one:two], place + "identity", identity_bytes(identity))
            reach = ""
            if contact.email or contact.phone:
                reach = sealed_with(cipher, chance[two:three], place + "contact", contact_bytes(contact))
            wrapped = master.wrap(person, key, chance[three:end])
            row = (person, wrapped, hashes[identity.nik], *master.reach(contact), master.number)
            made.append(NewPerson(person, sealed, reach, row))
        return made

    def insert(self, tx: Transaction, people: Sequence[NewPerson]) -> None:
        """Store new persons. A NIK that is there already breaks the unique key: the append says VersionTaken."""
        if not people:
            return
        self._must_be_current(tx)
        columns = zip(*sorted(new.row for new in people), strict=True)
        tx.insert("vault_persons", dict(zip(_COLUMNS, columns, strict=True)), _TYPES)

    def recorrect(self, tx: Transaction, person: str, identity: Identity, contact: Contact) -> bool:
        """Bring a person's hashes up to corrected data; False when the person was erased meanwhile."""
        self._must_be_current(tx)
        return bool(
            tx.run(
                "update vault_persons set nik_hash = ?, phone_hash = ?, email_hash = ? where person = ?",
                [*self._master.hashes(identity, contact), person],
            )
        )

    def join(self, tx: Transaction, person: str, into: str) -> None:
        """A record ends: nothing finds it any more, and its key is kept with the person whose record stays."""
        self._must_be_current(tx)
        joined_persons.put(tx, person, into)

    def part(self, tx: Transaction, person: str, data: tuple[Identity, Contact], along: Sequence[str]) -> None:
        """A record stands again, with its NIK and contacts. A NIK that is there already breaks the unique key: the append
        says VersionTaken. `along`: the records that had been joined into this one before."""
        self._must_be_current(tx)
        row = (person, joined_persons.take(tx, person), *self._master.hashes(*data), self._master.number)
        tx.insert("vault_persons", {name: [value] for name, value in zip(_COLUMNS, row, strict=True)}, _TYPES)
        joined_persons.keep_with(tx, along, person)

    def erase(self, tx: Transaction, person: str) -> None:
        """Delete a person's key and hashes; `after_erasing` follows the commit."""
        tx.run("delete from vault_persons where person = ?", [person])

    def after_erasing(self) -> str:
        """Take the deleted row out of the store's files as far as that goes; the code that says what is left, "" for
        nothing.

        SQLite: its write-ahead log is emptied, unless somebody who reads or writes kept it from that for some seconds
        (erase-traces-left); a later checkpoint, or the last process that closes the ledger, empties it. PostgreSQL: the
        rows are vacuumed, and their bytes stay until the server writes over them (erase-traces-in-pages).
        """
        if not isinstance(self.log.database, SqliteDatabase):
            from ledger.store.postgres import PostgresDatabase  # noqa: PLC0415  # a ledger in a file does not wait for it

            database = self.log.database
            assert isinstance(database, PostgresDatabase)
            database.vacuum(_ERASED, _EMPTYING_MS / 1000)
            return "erase-traces-in-pages"
        connection = self.log.database.connection()
        with failures_told():
            (usual,) = connection.execute("pragma busy_timeout").fetchone()
            connection.execute(f"pragma busy_timeout = {_EMPTYING_MS}").fetchall()
            try:
                (busy, _, _) = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
            finally:
                connection.execute(f"pragma busy_timeout = {usual}").fetchall()
        return "erase-traces-left" if busy else ""

    # --- another master key

    def rotate(self, new_key: bytes, also: Sequence[Rotated] = (), last: Sequence[Rotated] = ()) -> int:
        """Wrap all keys and compute all hashes with another master key; the number of persons done.

        In batches: a rotation that was cut off goes on when called again with the same keys. Until it has ended
        nobody is looked up or registered (`vault-rotating`), for a NIK could be missed. No event changes.
        `also` is called in each batch's transaction with its persons' keys, `last` in the final one with none, for what
        other tables derive from the master key.
        """
        new = self._begin_rotation(new_key)
        done = 0
        while count := self._rotate_some(new, also):
            done += count
        while self._rewrap_others(new):
            pass
        with self.log.database.write() as tx:
            for rotated in last:
                rotated(tx, {}, new)
            assert self.log.secret is not None
            wrapped = new.wrap(_OF_LOG, self.log.secret, os.urandom(_NONCE))
            tx.run("update log_meta set value = ? where name = ?", [wrapped.hex(), _OF_LOG])
            tx.run("update vault_meta set value = ? where name = 'master'", [str(new.number)])
            tx.run("delete from vault_meta where name = 'next'")
        self._master = new
        return done

    def must_not_rotate(self) -> None:
        """Nothing when no rotation is under way. Raises Unavailable(vault-rotating), Refused(master-key-wrong)."""
        with self.log.database.read() as tx:
            self._must_be_current(tx)

    def _begin_rotation(self, new_key: bytes) -> Master:
        new = Master(new_key, self._master.number + 1)
        if new.fingerprint == self._master.fingerprint:
            raise Refused("setting-wrong", what="the new master key is the present one")
        with self.log.database.write() as tx:
            self.log.recorder.lock(tx)
            meta = _meta(tx)
            if meta["master"] != str(self._master.number):
                self._must_be_current(tx)
            if meta.get("next", new.fingerprint) != new.fingerprint:
                raise Refused("master-key-wrong", found=new.fingerprint, expected=meta["next"])
            tx.insert(
                "vault_meta",
                {"name": ["next", f"fingerprint.{new.number}"], "value": [new.fingerprint] * 2},
                "text text",
                "on conflict (name) do update set value = excluded.value",
            )
        return new

    def _rewrap_others(self, new: Master) -> int:
        with self.log.database.write() as tx:
            return sum(
                some.rewrap(tx, self._master, new, _ROTATED_AT_ONCE) for some in (employer_names, joined_persons)
            )

    def _rotate_some(self, new: Master, also: Sequence[Rotated] = ()) -> int:
        with self.log.database.write() as tx:
            if tx.dialect == "postgres":
                tx.rows("select pg_advisory_xact_lock(?)", [_LOCK])
            rows = tx.rows(
                "select person from vault_persons where master = ? order by person limit ?",
                [self._master.number, _ROTATED_AT_ONCE],
            )
            persons = [row[0] for row in rows]
            keys = self.keys_of(tx, persons)
            for person, (identity, contact) in self.data_of(tx, persons).whole().items():
                wrapped = new.wrap(person, keys[person], os.urandom(_NONCE))
                tx.run(
                    "update vault_persons set wrapped = ?, nik_hash = ?, phone_hash = ?, email_hash = ?, master = ? "
                    "where person = ?",
                    [wrapped, *new.hashes(identity, contact), new.number, person],
                )
            for rotated in also:
                rotated(tx, keys, new)
        return len(persons)


def _by_hash(tx: Transaction, column: str, hashes: Iterable[bytes]) -> list[tuple[bytes, str]]:
    """(hash, person) of the hashes that are there; sorted, so that the index is read in order."""
    wanted, found = sorted(hashes), list[tuple[bytes, str]]()
    for at in range(0, len(wanted), _LOOKED_UP_AT_ONCE):
        some = wanted[at : at + _LOOKED_UP_AT_ONCE]
        if tx.dialect == "postgres":
            given, params = tx.relation(hash=("bytea", some))
            where = f"in (select hash from {given} q)"
        else:
            # json_each, which other look-ups use, cannot carry bytes.
            where, params = f"in ({','.join('?' * len(some))})", list(some)
        rows = tx.rows(f"select {column}, person from vault_persons where {column} {where}", params)
        found.extend((bytes(row[0]), row[1]) for row in rows)
    return found


def _meta(tx: Transaction) -> dict[str, str]:
    return dict(tx.rows("select name, value from vault_meta"))


def _is_claimed(log: Log) -> bool:
    """Whether some master key made this log's vault already."""
    with log.database.read() as tx:
        return "master" in _meta(tx)


def _log_secret(tx: Transaction) -> bytes | None:
    """The log's secret as it is kept."""
    rows = tx.rows("select value from log_meta where name = ?", [_OF_LOG])
    return bytes.fromhex(rows[0][0]) if rows else None
