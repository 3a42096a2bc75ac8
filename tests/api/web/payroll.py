"""A company's payroll clerk at the employers' door of a running API.

NPP has workers ONE to FOUR, all paid for September 2026 (FOUR with a higher wage), ONE and TWO for October; money of
October for a mistyped card waits, and a line of August was taken back. FIFTH works for OTHER_NPP.
"""

from __future__ import annotations

import re
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from api.access.sessions import EMPLOYER, MEMBER, STAFF
from ledger.acts.reversal import Target
from tests.api.peopled import HASH, Peopled
from tests.api.web import site
from tests.conftest import NOW
from tests.office import NPP, OTHER_NPP, csv_of, line, person

ONE, TWO, THREE, FOUR, FIFTH = "26000000017", "26000000025", "26000000033", "26000000041", "26000000058"
MISTYPED = "26000000999"
HOME = f"/perusahaan/{NPP}"
EVIL = 'PT <script>alert(1)</script> & "Rekan"'


class Payroll(Peopled):
    """`Api` with two employers."""

    def fill(self) -> None:
        names = ("npp", "name", "registered_on")
        self.office.ingest("employers", csv_of(names, [
            {"npp": NPP, "name": EVIL, "registered_on": "2024-01-02"},
            {"npp": OTHER_NPP, "name": "PT Kedua", "registered_on": "2024-01-02"},
        ]))  # fmt: skip
        self.office.register(
            *(person(kpj, number) for number, kpj in enumerate((ONE, TWO, THREE, FOUR), 1)),
            person(FIFTH, 5, npp=OTHER_NPP),
        )
        self.office.contribute(
            *(line(kpj, month="2026-09", paid_on="2026-10-12") for kpj in (ONE, TWO, THREE)),
            line(FOUR, 9_000_000, month="2026-09", paid_on="2026-10-13"),
        )
        self.office.contribute(line(ONE), line(TWO), line(MISTYPED), request="r2")
        self.office.contribute(line(ONE, month="2026-08", paid_on="2026-09-10"), request="r3")
        self.office.contribute(line(FIFTH, npp=OTHER_NPP), request="r4")
        target = Target(stream=f"remittance-e:{NPP}:2026-08", kpj=ONE)
        self.office.door.reverse(target, self.header("wrong-month"))
        self.office.complete()
        self.follow()

    @staticmethod
    def header(reason: str) -> Any:
        from ledger.receipt import Header

        return Header("test", "test", "r9", reason)

    def clerk(self, *npps: str, name: str = "hrd", language: str = "id") -> Clerk:
        """A user of some employers (NPP when none is named), logged in."""
        return self.enter(EMPLOYER, name, language, npps=[int(npp) for npp in npps or (NPP,)])

    def staff(self) -> Clerk:
        return self.enter(STAFF, "sari", roles=["supervisor"])

    def member(self) -> Clerk:
        login = self.application.members.login_of(self.join(1, ONE, "budi1@contoh.id"))
        assert login is not None
        return self.visitor().carry(MEMBER, login.person, login.epoch)

    def enter(self, kind: str, name: str, language: str = "id", **what: Any) -> Clerk:
        users = self.application.identity.users
        if users.find(name) is None:
            users.create(name, kind, HASH, NOW, **what)
        return self.visitor(language).carry(kind, name, 0)

    def visitor(self, language: str = "id") -> Clerk:
        """A browser without a session."""
        client = TestClient(self.app, raise_server_exceptions=False)
        client.portal = self.client.portal  # the event loop that the app was started in
        return Clerk(self, client, language)

    def looks(self) -> list[tuple[str, str, str]]:
        """(what, key, route) of the records of the door, in their order."""
        prefix = "access." if self.access.dialect == "postgres" else ""
        with self.access.read() as tx:
            rows = tx.rows(
                f"select what, key, route from {prefix}records where channel = 'employer' order by at, route"
            )
        return [tuple(row) for row in rows]  # type: ignore[misc]


class Clerk(site.Browser):
    """A browser at the door."""

    def __init__(self, payroll: Payroll, client: TestClient, language: str) -> None:
        super().__init__(client, language)
        self.payroll = payroll

    def carry(self, kind: str, who: str, epoch: int) -> Clerk:
        """Take the cookie of a new session."""
        identity = self.payroll.application.identity
        started = identity.sessions.create(kind, who, epoch, "test", self.payroll.clock)
        self.client.cookies.set(identity.cookies.session_name, started.token, domain="testserver.local")
        return self

    def upload(
        self, body: bytes, month: str = "2026-11", name: str = "november.csv", home: str = HOME, **fields: str
    ) -> Response:
        """Send the form with a file."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(home).text)
        given = {"csrf": found[1] if found else "", "bulan": month, **fields}
        files = {"berkas": (name, body, "application/octet-stream")} if name else {"lain": ("", b"")}
        return self.client.post(home, data=given, files=files, follow_redirects=False)

    def check(self, body: bytes, month: str = "2026-11", **how: Any) -> str:
        """Check a file; the address of its result."""
        sent = self.upload(body, month, **how)
        assert sent.status_code == 303, site.text(sent.text)
        return str(sent.headers["location"])

    def read(self, address: str) -> str:
        """A page that must be whole; its words."""
        page = self.get(address)
        assert page.status_code == 200, site.text(page.text)
        assert site.faults(page.text) == []
        return site.text(page.text)


def file(*rows: dict[str, object], names: tuple[str, ...] = ("kpj", "wage")) -> bytes:
    """A clerk's own file."""
    return csv_of(names, rows)


def wages(*kpjs: str, wage: int | str = 5_000_000) -> bytes:
    """A file of card numbers and one wage."""
    return file(*({"kpj": kpj, "wage": wage} for kpj in kpjs))
