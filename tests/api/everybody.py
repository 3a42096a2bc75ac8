"""Everybody who may stand at one of the service's doors, over one small ledger whose names are hostile.

BUDI holds CARD at NPP, ANI holds ANIS at OTHER_NPP. Each request of a cookie's role begins with a session of its own, so
that no act of one request (a log-out) changes the next.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from httpx2 import Response
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.access import guard
from api.access.keys import SCOPES
from api.access.sessions import EMPLOYER, HALF, MEMBER, STAFF, Session
from api.web import register
from api.web.office.views import View, handle_of
from ledger.clock import jakarta_date
from ledger.identifiers import card_number
from ledger.members import Acting
from ledger.settings import Settings
from ledger.store.answer_codes import Question
from ledger.store.log import Log
from tests.api.peopled import hashed
from tests.api.web.site import PASSWORD, Site
from tests.conftest import NOW
from tests.office import NPP, OTHER_NPP, csv_of, line, nik, person

CARD, ANIS = "26000000017", "26000000033"
EVIL = "<img src=x onerror=alert(1)>\"'&{{7*7}}"
EVIL_COMPANY = "PT <script>alert(1)</script>\"'&${7*7}"
GATEWAY = "kunci-gateway"
UNKNOWN_HANDLE = "u0b7Wf0aTz2nCq5m8xKd1g"
SECRETS = (nik(1), nik(2), "570.000", "570000", "285.000", "285000", "onerror", "alert(1)", "budi1@", "budi2@")
"""What only the right role may see: numbers, names, money, addresses."""


class Role(NamedTuple):
    """Who asks. `kind` of a session ("": none) and `who` it belongs to; or `headers` that are sent instead."""

    name: str
    kind: str = ""
    who: str = ""
    headers: Mapping[str, str] = MappingProxyType({})


class Everybody(Site):
    """`Site` with everybody in it."""

    def __init__(self, settings: Settings, **changes: Any) -> None:
        # Under a name, so that the pages of passkeys are there.
        given = {"sms_gateway_password": SecretStr(GATEWAY), "public_url": "http://localhost:8099"}
        super().__init__(settings, **given, **changes)
        self.roles: dict[str, Role] = {}

    def fill(self) -> None:
        names = ("npp", "name", "registered_on")
        self.office.ingest("employers", csv_of(names, [
            {"npp": npp, "name": EVIL_COMPANY, "registered_on": "2024-01-02"} for npp in (NPP, OTHER_NPP)
        ]))  # fmt: skip
        self.office.register(
            person(CARD, name=EVIL, registered_on="2026-06-01"),
            person(ANIS, 2, name=EVIL, npp=OTHER_NPP, registered_on="2026-06-01"),
        )
        for number, (kpj, npp) in enumerate(((CARD, NPP), (ANIS, OTHER_NPP))):
            rows = (
                line(kpj, npp=npp, month=m, paid_on=p)
                for m, p in (("2026-08", "2026-09-10"), ("2026-09", "2026-10-10"))
            )
            self.office.contribute(*rows, request=f"e{number}")
        self.office.contribute(line(CARD, month="2026-10", paid_on="2026-11-10", nik=nik(99)), request="e9")
        self.budi, self.ani = (
            self.join(n, kpj, f"budi{n}@contoh.id", password=hashed(PASSWORD)) for n, kpj in ((1, CARD), (2, ANIS))
        )
        self.requests = [
            self.application.members.request_data(who, "correct", EVIL, Acting("member", "website", NOW))
            for who in (self.budi, self.ani)
        ]
        self.letters()
        self.follow()
        users = self.application.identity.users
        users.create("sari", STAFF, hashed(PASSWORD), NOW, roles=["counter"])
        users.create("dewi", STAFF, hashed(PASSWORD), NOW, roles=["supervisor"])
        users.create("hrd", EMPLOYER, hashed(PASSWORD), NOW, npps=[int(NPP)])
        users.create("hrd2", EMPLOYER, hashed(PASSWORD), NOW, npps=[int(OTHER_NPP)])
        coded = base64.b64encode(f"kannel:{GATEWAY}".encode()).decode()
        found = [
            Role("nobody"), Role("budi", MEMBER, self.budi), Role("ani", MEMBER, self.ani),
            Role("counter", STAFF, "sari"), Role("supervisor", STAFF, "dewi"), Role("half", HALF, "dewi"),
            Role("employer", EMPLOYER, "hrd"), Role("other employer", EMPLOYER, "hrd2"),
            Role("gateway", headers={"Authorization": f"Basic {coded}"}), Role("app", headers={"device": self.budi}),
            Role("all scopes", headers=self.key()),
            *(Role(scope, headers=self.key(scope)) for scope in SCOPES),
        ]  # fmt: skip
        self.roles = {role.name: role for role in found}

    @classmethod
    @contextmanager
    def opened_at_once(cls, settings: Settings) -> Iterator[Everybody]:
        """A new ledger with everybody in it; answers that wait for a steady time do not wait."""
        Log.open(settings, create=True).close()
        with pytest.MonkeyPatch.context() as patch, cls(settings) as made:
            patch.setattr(guard, "SLOW_SECONDS", (0.0,) * 5)
            patch.setattr(register, "SENT_SECONDS", 0.0)
            made.fill()
            yield made

    def code(self) -> str:
        """An answer code of CARD."""
        asked = Question(card_number(CARD), "balance", jakarta_date(self.clock), self.log.head(), "id")
        return self.application.codes.seal(asked)

    def visit(self, role: str) -> Visitor:
        return Visitor(self, self.roles[role])


class Visitor:
    """A role at the moment of one request: with a session or token that has just begun."""

    def __init__(self, everybody: Everybody, role: Role) -> None:
        self.everybody, self.role = everybody, role
        self.client = TestClient(everybody.app, raise_server_exceptions=False, follow_redirects=False)
        self.client.portal = everybody.client.portal
        self.session: Session | None = None
        self.guest = ""
        self.headers = dict(role.headers)
        identity = everybody.application.identity
        if role.kind:
            epoch = 0
            if role.kind == MEMBER:
                login = everybody.application.members.login_of(role.who)
                assert login is not None
                epoch = login.epoch
            started = identity.sessions.create(role.kind, role.who, epoch, "test", everybody.clock)
            self.session = started.session
            self.client.cookies.set(identity.cookies.session_name, started.token, domain="testserver.local")
        elif device := self.headers.pop("device", ""):
            login = everybody.application.members.login_of(device)
            assert login is not None
            pair = identity.tokens.begin(device, login.epoch, "HP", everybody.clock)
            self.headers["Authorization"] = f"Bearer {pair.access_token}"

    def csrf(self) -> str:
        """The token of this visitor's own forms."""
        identity = self.everybody.application.identity
        if self.session is None and not self.guest:
            self.guest = "g" * 32
            self.client.cookies.set(identity.cookies.guest_name, self.guest, domain="testserver.local")
        return str(identity.csrf.token(self.session, self.guest))

    def address(self, path: str, owner: str = "") -> str:
        """An address of a route, about what belongs to `owner` (a person id or an NPP; "": the visitor's own)."""
        members = self.everybody.application.members
        mine = self.role.who if self.role.kind == MEMBER else self.everybody.budi
        whose = owner if owner in {self.everybody.budi, self.everybody.ani} else mine
        fill: dict[str, Callable[[], str]] = {
            "kpj": lambda: CARD if whose == self.everybody.budi else ANIS,
            "handle": lambda: (
                "abcdefghijklmnopqrst" if path.startswith("/perusahaan") else members.cards(whose)[0].handle
            ),
            "person": lambda: whose,
            "token": lambda: "A" * 43,
            "code": self.everybody.code,
            "view": lambda: self.view(whose),
            "number:int": lambda: str(self.everybody.requests[0]),
            "npp": lambda: owner or NPP,
            "file": lambda: "diterima.csv" if path.startswith("/perusahaan") else "2026.csv",
            "card:int": lambda: "1",
            "month": lambda: "2026-09",
            "language": lambda: "id",
            "name": lambda: "style.css",
        }
        for name, made in fill.items():
            if f"{{{name}}}" in path:
                path = path.replace(f"{{{name}}}", made())
        return path

    def view(self, person: str) -> str:
        """An office's view of a person, in this visitor's session if there is one."""
        application = self.everybody.application
        view = View.begin(person, CARD, "counter-visit", self.everybody.clock)
        session = self.session or Session(b"x" * 32, STAFF, "sari", 0, "", "", NOW, NOW, NOW)
        return handle_of(application.members.vault, session, view)

    def ask(self, method: str, path: str, owner: str = "", **form: str) -> Response:
        """A request of this role; a form carries the visitor's own token."""
        address = path if "{" not in path else self.address(path, owner)
        if method != "POST":
            return self.client.request(method, address, headers=self.headers)
        return self.send(address, {"csrf": self.csrf(), **form})

    def send(self, address: str, form: dict[str, str], **headers: str) -> Response:
        """Post a form as the page of the address wants it."""
        given = self.headers | headers
        if address.startswith("/perusahaan/1"):
            files = {"berkas": ("a.csv", f"kpj,wage\n{CARD},5000000\n".encode(), "text/csv")}
            return self.client.post(address, data={"bulan": "2026-11", **form}, files=files, headers=given)
        return self.client.post(address, data=form, headers=given)
