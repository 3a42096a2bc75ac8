"""One balance asked through every door at one log position is one answer; a read side that is behind is told by each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from api.access import guard
from api.access.sessions import MEMBER
from ledger.clock import jakarta_date
from ledger.settings import Settings
from tests.api.peopled import hashed
from tests.api.sms.conftest import PASSWORD as GATEWAY
from tests.api.sms.conftest import PATH as SMS
from tests.api.sms.conftest import registration
from tests.api.web.branch import BARE, CARD, ON_FILE, Branch, Browser
from tests.api.web.site import PASSWORD
from tests.system.running import jht

PHONE = "+628123456" + "0001"
AMOUNT, WRITTEN = 570_000, "Rp570.000"


@pytest.fixture
def branch(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Branch]:
    """Every door over one ledger; the clock is the real one, because the command line asks it too."""
    monkeypatch.setattr(guard, "SLOW_SECONDS", (0.0,))
    with Branch(settings, live=True, sms_gateway_password=SecretStr(GATEWAY)) as made:
        made.api.clock = datetime.now(UTC)
        made.active()
        login = made.application.members.login_of(made.budi)
        assert login is not None
        made.application.members.change_password(made.budi, hashed(PASSWORD), made.acting())
        made.letters()
        assert sms(made, registration(1, CARD)).startswith("Nomor HP ini terdaftar")
        made.api.follow()
        yield made


def sms(branch: Branch, text: str) -> str:
    """What comes back on the phone."""
    answer = branch.api.client.post(
        SMS, params={"id": f"m-{len(text)}", "smsc": "FAKE", "from": PHONE}, content=text.encode(),
        headers={"Content-Type": 'text/plain; charset="UTF-8"'}, auth=("kannel", GATEWAY),
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def mobile(branch: Branch) -> dict[str, str]:
    """The headers of the member's app."""
    entered = {"identifier": ON_FILE, "password": PASSWORD, "device": "HP"}
    answer = branch.api.client.post("/v1/mobile/login", json=entered)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def website(branch: Branch) -> Browser:
    """The member's browser, logged in."""
    login = branch.application.members.login_of(branch.budi)
    assert login is not None
    return branch.browser().carry(MEMBER, branch.budi, login.epoch)


def test_every_door_says_the_same_amount_on_the_same_day_at_the_same_position(branch: Branch) -> None:
    client, today = branch.api.client, jakarta_date(datetime.now(UTC))
    said = client.get(f"/v1/accounts/{CARD}/balance", headers=branch.api.key("read")).json()
    position = said["as_of"]["position"]
    assert (said["balance"], said["as_of"]["date"]) == (AMOUNT, today.isoformat())

    headers = mobile(branch)
    (card,) = client.get("/v1/mobile/cards", headers=headers).json()["cards"]
    own = client.get(f"/v1/mobile/cards/{card['handle']}/balance", headers=headers).json()
    assert (own["balance"], own["as_of"]["date"], own["as_of"]["position"]) == (AMOUNT, today.isoformat(), position)

    written = f"{today.day} {_MONTHS[today.month - 1]} {today.year}"
    page = website(branch)
    page.get("/saldo")
    assert WRITTEN in page.text
    assert f"Per {written}" in page.text

    assert sms(branch, f"SALDO {CARD}").startswith(f"JHT ***0017 {WRITTEN} per {today:%d-%m-%y}.")

    clerk = branch.staff()
    address = clerk.search()
    assert WRITTEN in clerk.text
    assert written in clerk.text
    clerk.get(f"{address}/surat")
    assert WRITTEN in clerk.text
    assert written in clerk.text
    assert position in clerk.text

    typed = jht(branch.api.settings, "balance", CARD, "--json").json
    assert (typed["balance"], typed["as_of"]["date"], typed["as_of"]["position"]) == (
        AMOUNT, today.isoformat(), position,
    )  # fmt: skip


def test_a_true_zero_says_why_at_every_door(branch: Branch) -> None:
    said = branch.api.client.get(f"/v1/accounts/{BARE}/balance", headers=branch.api.key("read")).json()
    assert (said["balance"], said["reason"]) == (0, "no-contribution-yet")
    typed = jht(branch.api.settings, "balance", BARE, "--json").json
    assert (typed["balance"], typed["reason"]) == (0, "no-contribution-yet")
    clerk = branch.staff()
    clerk.search(BARE)
    assert "Belum ada iuran" in clerk.text


def test_a_read_side_that_is_behind_gives_each_door_its_own_sentence_and_never_an_amount(branch: Branch) -> None:
    client, headers = branch.api.client, mobile(branch)
    handle = client.get("/v1/mobile/cards", headers=headers).json()["cards"][0]["handle"]
    branch.application.reader._fresh_for = timedelta(seconds=-1)
    for path, how in (
        (f"/v1/accounts/{CARD}/balance", branch.api.key("read")),
        (f"/v1/mobile/cards/{handle}/balance", headers),
    ):
        answer = client.get(path, headers=how)
        assert answer.status_code == 503, (path, answer.text)
        assert answer.json()["code"] == "read-side-stale"
    assert sms(branch, f"SALDO {CARD}").startswith("Saldo JHT sedang diperbarui")
    page = website(branch)
    page.get("/saldo")
    clerk = branch.staff()
    clerk.search()
    for seen in (page, clerk):
        assert "Saldo" in seen.text
        assert not re.search(r"Rp\s?\d", seen.text), seen.text
    assert page.status == 503


_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November",
    "Desember",
)  # fmt: skip
