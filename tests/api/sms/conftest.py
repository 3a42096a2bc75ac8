"""An API with an SMS door over a small real ledger: three registered persons, contributions, read side up to date."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from pydantic import SecretStr
from starlette.responses import Response
from starlette.testclient import TestClient

from api.sms.kannel import Kannel
from ledger.members import Members
from ledger.settings import Settings
from tests.api.conftest import Api
from tests.office import NPP, OTHER_NPP, Office, line, nik, person

PASSWORD = "kunci-gateway"
PATH = Kannel.path
BUDI, SITI, EMPTY_HANDED = "08123456" + "0001", "08123456" + "0002", "08123456" + "0003"
"""The phones on file of three persons."""
CARD, SECOND, SITIS, EMPTY = "26000000017", "26000000025", "26000000033", "26000000041"
"""Two cards of BUDI with money, one of SITI, one of EMPTY_HANDED without."""
NOBODYS = "26999999996"
BALANCE = "JHT ***0017 Rp570.000 per 21-11-26. Iuran terakhir Okt-26. 1 bln belum masuk: Agu."


CODE = re.compile(r" Kode ([0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{1,4})+|[0-9A-HJKMNP-TV-Z]{31,32})$")


def bare(text: str) -> str:
    """A reply without its answer code, which no two ledgers have alike."""
    return CODE.sub("", text)


def registration(number: int, kpj: str, birth_date: str = "17-05-1990", email: str = "") -> str:
    """What person `number` types to register."""
    return f"DAFTAR SALDO#{nik(number)}#{birth_date}#{kpj}" + (f"#{email}" if email else "")


class Texts:
    """A gateway in front of the API; `api` is the API, `office` its register."""

    def __init__(self, api: Api) -> None:
        self.api, self.office = api, Office(api.log)
        self.numbers, self.codes = itertools.count(1), list[str]()
        office = self.office
        office.employers(NPP, OTHER_NPP)
        office.register(
            person(CARD, registered_on="2026-08-03"), person(SECOND, registered_on="2026-10-01"),
            person(SITIS, 2, registered_on="2026-07-01"), person(EMPTY, 3, registered_on="2026-11-02"),
        )  # fmt: skip
        office.contribute(
            line(CARD), line(SITIS), line(SECOND, wage=2_000_000), line(CARD, month="2026-09", paid_on="2026-10-12")
        )  # fmt: skip
        office.complete()
        api.follow()

    @property
    def client(self) -> TestClient:
        return self.api.client

    def post(self, text: str, sender: str = BUDI, *, name: str = "", password: str = PASSWORD) -> Response:
        """A text as Kannel posts it, retried when `name` was used before."""
        return self.client.post(
            PATH,
            params={"id": name or f"m-{next(self.numbers)}", "smsc": "FAKE", "from": sender},
            content=text.encode(),
            headers={"Content-Type": 'text/plain; charset="UTF-8"'},
            auth=("kannel", password),
        )

    def say(self, text: str, sender: str = BUDI, *, name: str = "") -> str:
        """The text that comes back, "" for none; its answer code goes to `codes`."""
        answer = self.post(text, sender, name=name)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        self.codes += CODE.findall(answer.text)
        return bare(answer.text)

    @property
    def members(self) -> Members:
        found: Members = self.api.app.state.application.members
        return found

    def letters(self) -> int:
        """How many letters wait to be sent."""
        return self.members.outbox.state().waiting


@pytest.fixture
def texts(settings: Settings) -> Iterator[Texts]:
    """The SMS door, open, on each store."""
    with Api(settings, sms_gateway_password=SecretStr(PASSWORD)) as api:
        yield Texts(api)
