"""A branch office over a running API: members with money, and whoever logs in at its door."""

from __future__ import annotations

import contextlib
import html
import re
from datetime import timedelta
from typing import Any

from starlette.testclient import TestClient

from api.access.sessions import EMPLOYER, MEMBER, STAFF
from api.application import ApplicationState
from ledger.errors import Conflict
from ledger.members import Acting, Claim
from ledger.settings import Settings
from ledger.store.outbox import Letter
from tests.api.conftest import Api
from tests.conftest import NOW
from tests.office import NPP, Office, line, nik, person

CARD, SECOND, OTHERS, BARE = "26000000017", "26000000025", "26000000033", "26000000041"
"""Two cards of Budi Santoso 1, with 570,000 and nothing; person 2's with 285,000; person 3's without money."""
NOBODYS = "26000000090"
ON_FILE, HASH = "budi1@contoh.id", "$argon2id$1"


class Branch:
    """The office's door with its ledger; a client is a browser."""

    def __init__(self, settings: Settings, **changes: Any) -> None:
        self.api = Api(settings, **changes)
        self.office = Office(self.api.log)
        self.office.employers(NPP)
        self.office.register(person(CARD), person(SECOND), person(OTHERS, 2), person(BARE, 3))
        self.office.contribute(line(CARD), line(OTHERS), line("26000000991"))
        self.office.contribute(line(CARD, month="2026-09", paid_on="2026-10-12"), request="r2")
        # Money for a card whose name in the file is another's: it waits.
        self.office.contribute(
            line(SECOND, month="2026-08", paid_on="2026-09-12", nik=nik(9), name="Orang Lain"), request="r3"
        )
        self.office.complete()
        self.api.follow()
        self.application: ApplicationState = self.api.app.state.application

    def __enter__(self) -> Branch:
        self.api.__enter__()
        self.budi = self._person(CARD)
        return self

    def __exit__(self, *_: object) -> None:
        self.office.close()
        self.api.__exit__()

    def _person(self, kpj: str) -> str:
        found = self.application.members.find_person(kpj=kpj)
        assert found is not None
        return found

    # --- people

    def browser(self) -> Browser:
        return Browser(self)

    def staff(self, *roles: str, name: str = "sari") -> Browser:
        """Somebody of the staff, logged in."""
        return self._logged_in(STAFF, name, roles=roles or ("counter",))

    def supervisor(self) -> Browser:
        return self.staff("supervisor", name="dewi")

    def employer(self) -> Browser:
        return self._logged_in(EMPLOYER, "hrd", npps=[int(NPP)])

    def member(self) -> Browser:
        """Budi himself, logged in at the website."""
        self.active()
        login = self.application.members.login_of(self.budi)
        assert login is not None
        return self.browser().carry(MEMBER, self.budi, login.epoch)

    def _logged_in(self, kind: str, name: str, **what: Any) -> Browser:
        with contextlib.suppress(Conflict):
            self.application.identity.users.create(name, kind, HASH, NOW, **what)
        return self.browser().carry(kind, name, 0)

    # --- members

    def acting(self) -> Acting:
        return Acting("member", "website", self.api.clock)

    def register(self, email: str = ON_FILE) -> None:
        """Budi asks for access on the website."""
        self.application.members.register(Claim(nik(1), "1990-05-17", CARD, "PU", email), HASH, self.acting())

    def active(self, email: str = ON_FILE) -> None:
        """Budi registers and opens the link that was sent."""
        self.register(email)
        (letter,) = self.letters()
        self.application.members.use_link(letter.details["token"], self.acting())
        self.letters()

    def letters(self) -> list[Letter]:
        """What was sent since the last call."""
        taken = self.application.outbox.due(self.api.clock, 100)
        for due in taken:
            self.application.outbox.done(due.id)
        return [due.letter for due in taken]

    def state(self) -> str:
        return self.application.members.about(self.budi).state

    def looks(self) -> list[tuple[str, ...]]:
        """(what, key, channel, why, route) of the records of the office."""
        prefix = "access." if self.api.access.dialect == "postgres" else ""
        with self.api.access.read() as tx:
            return tx.rows(
                f"select what, key, channel, why, route from {prefix}records where channel = 'office' order by at, what"
            )

    def wait(self, **time: float) -> None:
        self.api.clock += timedelta(**time)


class Browser:
    """Follows no redirection by itself; `page` is what was seen last."""

    def __init__(self, branch: Branch) -> None:
        self.branch = branch
        self.client = TestClient(branch.api.app, raise_server_exceptions=False, follow_redirects=False)
        # All browsers are served by the one loop that the server was started in.
        self.client.portal = branch.api.client.portal
        self.page = ""
        self.status = 0
        self.headers: Any = {}

    def carry(self, kind: str, who: str, epoch: int) -> Browser:
        """Take the cookie of a new session."""
        identity = self.branch.application.identity
        started = identity.sessions.create(kind, who, epoch, "test", self.branch.api.clock)
        self.client.cookies.set(identity.cookies.session_name, started.token, domain="testserver.local")
        return self

    @property
    def token(self) -> str:
        """The session that the browser carries, "" without one."""
        return self.client.cookies.get(self.branch.application.identity.cookies.session_name) or ""

    def get(self, path: str, language: str = "id") -> str:
        return self._seen(self.client.get(path, headers={"Accept-Language": language}))

    def post(self, path: str, language: str = "id", **form: str) -> str:
        """Send a form with the token of the page that was seen last, and go where the answer leads."""
        fields = self.hidden(form.get("tindakan", "")) | form
        return self._seen(self.client.post(path, data=fields, headers={"Accept-Language": language}))

    def hidden(self, act: str) -> dict[str, str]:
        """What the page's forms carry unseen, above all the first one for an act."""
        forms = re.findall(r"(?s)<form.*?</form>", self.page)
        forms.sort(key=lambda one: f'name="tindakan" value="{act}"' in one)
        named = [one for one in forms if f'name="tindakan" value="{act}"' in one]
        fields = {"csrf": ""}
        for one in [*forms, *named[:1]]:
            fields |= dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', one))
        return fields

    def follow(self) -> str:
        """Go where the last answer led."""
        assert self.status == 303, self.status
        return self.get(self.headers["location"])

    def search(self, number: str = CARD, why: str = "counter-visit") -> str:
        """Search, and the address of the member's page."""
        self.get("/kantor")
        self.post("/kantor", nomor=number, alasan=why)
        assert self.status == 303, self.text
        address = self.headers["location"]
        self.get(address)
        return address

    @property
    def text(self) -> str:
        """The words of the page."""
        body = re.sub(r"(?s)<svg.*?</svg>|<head>.*?</head>", " ", self.page)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())

    def _seen(self, response: Any) -> str:
        self.page, self.status, self.headers = response.text, response.status_code, response.headers
        return self.page
