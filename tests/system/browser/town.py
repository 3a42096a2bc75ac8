"""A served ledger with people of every segment, and the letters that reach them. PASSWORD is everybody's.

Every PU worker has Rp855.000 from three months of PT Satu, a month that never came, money on hold, and a second card
with Rp285.000; BPU have Rp80.000, PMI Rp400.000. `NEW` workers of PT Satu have no money yet.
"""

from __future__ import annotations

import re
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from api.access import totp
from ledger.clock import read_now
from ledger.members import Acting, Claim, Members
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.api.mail.post import Post
from tests.api.mail.post import serving as post_office
from tests.api.peopled import hashed
from tests.api.phone import Phone
from tests.api.web.site import PASSWORD
from tests.conftest import MASTER_KEY
from tests.office import CONTRIBUTION, NPP, OTHER_NPP, REGISTRATION, csv_of, line, nik, person
from tests.system.running import environment, jht, run
from tests.system.serving import Server, serving

EMPLOYER = 'PT Satu <b>&amp; "Rekan"'
"""A name that would be markup if it were not escaped."""
NEW = "NEW"
BALANCE = {"PU": "Rp855.000", "BPU": "Rp80.000", "PMI": "Rp400.000"}
SECOND_BALANCE, BOTH_BALANCES = "Rp285.000", "Rp1.140.000"
STAFF, SUPERVISOR, CLERK = "sari", "dewi", "hrd"
_PEOPLE = {"PU": 70, "BPU": 4, "PMI": 4, NEW: 18}
_MEMBERS = 30
_SECONDS = 20.0
_LINK = re.compile(r"http://127\.0\.0\.1:[0-9]+(/(?:tautan|sandi)/\S+)")


class Person(NamedTuple):
    """Somebody of the directory, born on 17 May 1990."""

    segment: str
    nik: str
    kpj: str
    other: str
    email: str


class Town:
    """The people and the server; nobody is given out twice."""

    def __init__(self, settings: Settings, server: Server, post: Post) -> None:
        self.settings, self.server, self._post = settings, server, post
        self._read: Counter[str] = Counter()
        self._people = {segment: deque(_people(segment)) for segment in _PEOPLE}
        self._members = deque(self._people["PU"].popleft() for _ in range(_MEMBERS))
        self._phones: dict[str, Phone] = {}
        self._used: Counter[str] = Counter()

    def has_code(self, name: str) -> bool:
        """Whether the phone of somebody of the staff shows a code that was not used, or will within half a minute."""
        return name in self._phones and self._used[name] <= totp.step_of(read_now())

    def code(self, name: str, page: str) -> str:
        """The next code of a phone, which is set up with the key on the page if there is one."""
        if found := Phone.on(page):
            self._phones[name] = found
        assert name in self._phones, f"no key of {name}'s phone on the page: {page}"
        step = self._used[name] = max(totp.step_of(read_now()), self._used[name] + 1)
        return totp.code_at(self._phones[name].secret, step)

    def forget_phone(self, name: str) -> None:
        """The next log-in sets another phone up, instead of waiting for a code."""
        done = run(environment(self.settings), "users", "reset-factor", name)
        # Nobody may have set one up yet, which is as well.
        assert done.code == 0 or "factor-unknown" in done.stderr, done.stderr
        self.forgotten(name)

    def forgotten(self, name: str) -> None:
        """The service has forgotten the phone."""
        self._phones.pop(name, None)
        self._used[name] = 0

    def somebody(self, segment: str = "PU") -> Person:
        """Somebody who has not registered yet."""
        return self._people[segment].popleft()

    def member(self) -> Person:
        """A worker who has registered and can log in with PASSWORD."""
        return self._members.popleft()

    def letter(self, to: str) -> EmailMessage:
        """The next letter to an address."""
        end = time.monotonic() + _SECONDS
        while True:
            found = [mail for mail in self._post.mails if mail["to"] == to]
            if len(found) > self._read[to]:
                self._read[to] += 1
                return found[self._read[to] - 1]
            assert time.monotonic() < end, f"no letter to {to}"
            time.sleep(0.02)

    def link(self, to: str) -> str:
        """The path of the first link in the next letter to an address."""
        return links(self.letter(to))[0]


def words_of(letter: EmailMessage) -> str:
    """The plain text of a letter."""
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def links(letter: EmailMessage) -> list[str]:
    """The paths of a letter's links."""
    return _LINK.findall(words_of(letter))


def _people(segment: str) -> list[Person]:
    first = 1000 * (1 + list(_PEOPLE).index(segment))
    return [
        Person("PU" if segment == NEW else segment, nik(n), f"26{n:09d}", f"27{n:09d}", f"budi{n}@contoh.id")
        for n in range(first, first + _PEOPLE[segment])
    ]


def _registrations() -> Iterator[dict[str, object]]:
    for segment in _PEOPLE:
        for one in _people(segment):
            employed = one.segment == "PU"
            row = person(one.kpj, int(one.nik[12:]), segment=one.segment, registered_on="2026-06-01")
            yield row | {"email": one.email, "npp": NPP if employed else ""}
            if employed:
                yield row | {
                    "kpj": one.other, "npp": OTHER_NPP, "registered_on": "2025-01-06", "left_on": "2026-03-31",
                    "email": one.email,
                }  # fmt: skip


def _contributions() -> Iterator[dict[str, object]]:
    for one in _people("PU"):
        for month, paid in (("2026-06", "2026-07-10"), ("2026-08", "2026-09-10"), ("2026-09", "2026-10-10")):
            yield line(one.kpj, month=month, paid_on=paid)
        # Another's NIK stands in the file: the money waits.
        yield line(one.kpj, paid_on="2026-11-10", nik=nik(9999))
        yield line(one.other, npp=OTHER_NPP, month="2026-01", paid_on="2026-02-10")
    for month in ("2026-08", "2026-09"):
        for one in _people("BPU"):
            yield line(one.kpj, 2_000_000, npp="", month=month, paid_on=f"{month}-10", worker=40_000, segment="BPU")
        for one in _people("PMI"):
            yield line(one.kpj, "", npp="", month=month, paid_on=f"{month}-10", worker=200_000, segment="PMI")


def fill(settings: Settings) -> None:
    """The ledger of the town, made with the commands of an agency."""
    Log.open(settings, create=True).close()
    employers = [
        {"npp": NPP, "name": EMPLOYER, "registered_on": "2024-01-02"},
        {"npp": OTHER_NPP, "name": "PT Kedua", "registered_on": "2024-01-02"},
    ]
    files = (
        ("employers", csv_of(("npp", "name", "registered_on"), employers)),
        ("registrations", csv_of((*REGISTRATION, "left_on"), _registrations())),
        ("contributions", csv_of((*CONTRIBUTION, "nik", "segment"), _contributions())),
    )
    for layout, body in files:
        jht(settings, "ingest", layout, "-", stdin=body)
    jht(settings, "payments-complete", "2026-11-16")
    jht(settings, "yield", "start", "2025")
    jht(settings, "yield", "declare", "2025", "--rate", "5.63", "--basis", "made up", "--yes")
    jht(settings, "yield", "provisional", "--rate", "5", "--from", "2026-01-01", "--basis", "made up")
    jht(settings, "follow", "--once")


def _users(settings: Settings) -> None:
    for name, how in (
        (STAFF, ("--role", "counter")), (SUPERVISOR, ("--role", "supervisor")),
        (CLERK, ("--kind", "employer", "--npp", NPP)),
    ):  # fmt: skip
        jht(settings, "users", "create", name, *how, stdin=f"{PASSWORD}\n".encode())


def _register(settings: Settings) -> None:
    """The first workers have registered already."""
    log = Log.open(settings)
    members, acting = Members.open(log, Vault.open(log)), Acting("member", "website", read_now())
    for one in _people("PU")[:_MEMBERS]:
        members.register(Claim(one.nik, "1990-05-17", one.kpj, "PU", one.email), hashed(PASSWORD), acting)
        for due in members.outbox.due(acting.now, 10):
            members.outbox.done(due.id)
            if due.letter.kind == "verify":
                members.use_link(due.letter.details["token"], acting)
    log.close()


@contextmanager
def opened(folder: Path, until: str = "/readyz", **changes: object) -> Iterator[Town]:
    """The town in a folder of its own, served; `changes` to the settings of the server, which is there when `until`
    answers.
    """
    made = Settings(database_url=f"sqlite:///{folder / 'jht.db'}", master_key=SecretStr(MASTER_KEY))
    fill(made)
    _users(made)
    _register(made)
    post = Post()
    with post_office(post) as port:
        given = {"smtp_url": SecretStr(f"smtp://127.0.0.1:{port}"), "address_tries": 100_000, **changes}
        settings = made.model_copy(update=given)
        with serving(settings, "", folder / "served", until=until) as server:
            yield Town(settings, server, post)
