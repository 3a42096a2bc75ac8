"""The app's API over a ledger with two members: BUDI holds CARD, SECOND and MORE (not linked yet), ANI holds OTHERS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Response
from pydantic import BaseModel

from api.access import guard
from ledger.settings import Settings
from tests.api.peopled import Peopled, hashed
from tests.office import NPP, line, person

CARD, SECOND, MORE, OTHERS = "26000000017", "26000000025", "26000000033", "26000000041"
BUDI, ANI = "budi1@contoh.id", "budi2@contoh.id"
PASSWORD = "kuda-lumping-1990"


class App:
    """A member's device: what it holds and how it asks."""

    def __init__(self, api: MobileApi, tokens: dict[str, Any]) -> None:
        self.api = api
        self.tokens = tokens

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens['access_token']}", **more}

    def ask(self, path: str, method: str = "GET", body: object = None, **headers: str) -> Response:
        given = {} if body is None else {"json": body}
        return self.api.client.request(method, f"/v1/mobile/{path}", headers=self.headers(**headers), **given)

    def refresh(self) -> Response:
        return self.api.send("refresh", {"refresh_token": self.tokens["refresh_token"]})

    def handle(self, at: int = 0) -> str:
        """The handle of a card, in the order of their numbers."""
        return str(self.ask("cards").json()["cards"][at]["handle"])


class MobileApi(Peopled):
    """`Api` with members."""

    channel = "mobile"

    def fill(self) -> None:
        """The people, their money, their accesses; the read side up to date."""
        self.office.employers(NPP)
        self.office.register(person(CARD), person(SECOND), person(MORE), person(OTHERS, 2))
        months = (("2026-08", "2026-09-10"), ("2026-09", "2026-10-10"), ("2026-10", "2026-11-14"))
        self.office.contribute(
            *(line(kpj, month=month, paid_on=paid) for month, paid in months for kpj in (CARD, OTHERS))
        )
        self.budi = self.join(1, CARD, BUDI, password=hashed(PASSWORD))
        self.ani = self.join(2, OTHERS, ANI, password=hashed(PASSWORD))
        self.application.members.link_card(self.budi, SECOND, self.acting())
        self.office.complete()
        self.letters()
        self.follow()

    def send(self, path: str, body: object, **headers: str) -> Response:
        return self.client.post(f"/v1/mobile/{path}", json=body, headers=headers)

    def login(self, identifier: str = BUDI, password: str = PASSWORD, device: str = "HP Budi") -> App:
        answer = self.send("login", {"identifier": identifier, "password": password, "device": device})
        assert answer.status_code == 200, answer.text
        return App(self, answer.json())

    def forget(self) -> None:
        """What a process remembers for a second is over; a test does not wait for that."""
        self.application.identity.tokens.forget()

    def table(self, name: str) -> list[tuple[Any, ...]]:
        with self.log.database.read() as tx:
            return tx.rows(f"select * from {name}")


@pytest.fixture
def mobile(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[MobileApi]:
    """The app's API, nobody logged in."""
    monkeypatch.setattr(guard, "SLOW_SECONDS", (0.0,))
    with MobileApi(settings) as api:
        api.fill()
        yield api


@pytest.fixture
def app(mobile: MobileApi) -> App:
    """Budi's device, logged in."""
    return mobile.login()


def code(answer: Response) -> tuple[int, str]:
    """The status and the code of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


def decoded(answer: Response, model: type[BaseModel]) -> Any:
    """The body of an answer, which is exactly what the model describes."""
    found = model.model_validate_json(answer.content)
    assert found.model_dump_json().encode() == answer.content
    return found
