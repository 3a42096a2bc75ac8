"""The second factor at the office's door: set up at the first log-in, a code once only, growing waits, a lost phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import segno
from structlog.testing import capture_logs

from api.access import guard, totp
from api.access.sessions import HALF, STAFF
from ledger.errors import NotFound
from ledger.settings import Settings
from tests.api.peopled import hashed
from tests.api.phone import Phone
from tests.api.web.branch import Branch, Browser
from tests.api.web.site import PASSWORD, faults
from tests.conftest import NOW

MAIL = "dewi@kantor.example"


@pytest.fixture
def branch(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Branch]:
    monkeypatch.setattr(guard, "SLOW_SECONDS", (0.0,))
    with Branch(settings, address_tries=10_000) as made:
        users = made.application.identity.users
        users.create("sari", STAFF, hashed(PASSWORD), NOW, roles=["counter"])
        for name in ("dewi", "wati"):
            users.create(name, STAFF, hashed(PASSWORD), NOW, roles=["supervisor"])
        made.application.identity.factors.set_email("dewi", MAIL)
        yield made


def half_way(branch: Branch, name: str, browser: Browser | None = None) -> Browser:
    """A browser in which somebody gave the password; it sees the page for the code."""
    browser = browser or branch.browser()
    browser.get("/kantor/masuk")
    browser.post("/kantor/masuk", nama=name, sandi=PASSWORD)
    assert browser.headers["location"] == "/kantor/kode"
    browser.follow()
    return browser


def enter(browser: Browser, code: str) -> str:
    """Type a code: "in", or what the page says."""
    browser.post("/kantor/kode", kode=code)
    if browser.status == 303:
        assert browser.headers["location"] == "/kantor"
        return "in"
    assert faults(browser.page) == []
    return "wrong" if "sudah dipakai" in browser.text else "waits" if browser.status == 429 else browser.text


def set_up(branch: Branch, name: str) -> tuple[Phone, Browser]:
    browser = half_way(branch, name)
    phone = Phone.of(browser.page)
    assert enter(browser, phone.code(branch.api.clock)) == "in"
    branch.wait(minutes=2)
    return phone, browser


def letters(branch: Branch) -> list[tuple[str, str, dict[str, str]]]:
    return [(one.kind, one.to, one.details) for one in branch.letters()]


def test_a_password_alone_opens_the_page_for_the_code_and_nothing_else(branch: Branch) -> None:
    browser = half_way(branch, "dewi")
    assert faults(browser.page) == []
    session = branch.application.identity.sessions.find(browser.token, branch.api.clock)
    assert session is not None
    assert session.kind == HALF
    assert browser.client.cookies.get(branch.application.identity.cookies.marks_name) is None, "no known device yet"
    for path in ("/kantor", "/kantor/permintaan", "/kantor/hp-hilang", "/saldo", "/perusahaan"):
        browser.get(path)
        assert browser.status == 303, path
    branch.wait(minutes=11)
    browser.get("/kantor/kode")
    assert browser.headers["location"].startswith("/kantor/masuk"), "the half session is short"


def test_the_first_log_in_sets_a_phone_up_and_the_next_ones_want_its_code_once(branch: Branch) -> None:
    first = half_way(branch, "dewi")
    phone = Phone.of(first.page)
    drawn = re.findall(r'<svg viewBox="0 0 \d+ \d+" class="segno">.*?</svg>', first.page)
    wanted = segno.make(totp.key_address(phone.secret, "dewi"), error="m", micro=False)
    assert drawn == [wanted.svg_inline(border=4, dark="#000", light="#fff", omitsize=True)], "the key of the text"
    assert "style=" not in first.page, "nothing that the policy would refuse"
    assert Phone.of(first.get("/kantor/kode")).secret == phone.secret, "a page that is loaded again shows the same key"
    stranger = half_way(branch, "dewi")
    assert Phone.of(stranger.page).secret != phone.secret, "nobody else with the password sees it"
    theirs = Phone.of(stranger.page).code(branch.api.clock)
    assert enter(first, "000000") == "wrong"
    code = phone.code(branch.api.clock)
    assert enter(first, code) == "in"
    assert "Penyelia" in first.get("/kantor")
    assert letters(branch) == [("factor-enrolled", MAIL, {"name": "dewi"})]
    assert enter(stranger, theirs) == "wrong", "the first one that was set up stands"
    again = half_way(branch, "dewi")
    assert "Kunci" not in again.text
    assert enter(again, code) == "wrong", "a code is used up"
    assert enter(again, phone.code(branch.api.clock, -1)) == "wrong", "and so are the earlier ones"
    branch.wait(seconds=30)
    assert enter(again, phone.code(branch.api.clock)) == "in"
    stored = branch.api.log.database
    with stored.read() as tx:
        ((secret, email),) = tx.rows("select secret, email from user_factors where name = 'dewi'")
    assert phone.secret not in bytes(secret)
    assert MAIL.encode() not in bytes(email)


def test_two_who_type_one_code_at_once_get_in_once(branch: Branch) -> None:
    phone, _ = set_up(branch, "dewi")
    factors, code = branch.application.identity.factors, phone.code(branch.api.clock)
    assert [factors.check("dewi", code, branch.api.clock) for _ in range(2)] == [True, False]


def test_wrong_codes_wait_longer_each_time_and_a_known_device_is_not_held_up(branch: Branch) -> None:
    phone, owner = set_up(branch, "dewi")
    stranger = half_way(branch, "dewi")
    with capture_logs() as lines:
        assert [enter(stranger, "000000") for _ in range(6)] == ["wrong"] * 5 + ["waits"]
        assert enter(stranger, phone.code(branch.api.clock)) == "waits"
    told = [line for line in lines if line["event"] == "second-factor"]
    assert [line["outcome"] for line in told] == ["refused"] * 5 + ["waits"] * 2
    assert {line["who"] for line in told} == {"dewi"}
    assert all(line["source"] and line["request"] for line in told)
    owner.get("/kantor")
    owner.post("/kantor/keluar")
    half_way(branch, "dewi", owner)
    assert enter(owner, phone.code(branch.api.clock)) == "in"
    for minutes in (1, 2, 4, 8, 15, 15):
        branch.wait(minutes=minutes - 1)
        assert enter(half_way(branch, "dewi"), "000000") == "waits", minutes
        branch.wait(minutes=1)
        assert enter(half_way(branch, "dewi"), "000000") == "wrong", minutes


def test_a_lost_phone_takes_the_user_and_another_supervisor_and_ends_every_session(branch: Branch) -> None:
    phone, session = set_up(branch, "dewi")
    _, other = set_up(branch, "wati")
    _, clerk = set_up(branch, "sari")
    letters(branch)
    assert "Tidak ada permintaan" in other.get("/kantor/hp-hilang")
    other.post("/kantor/hp-hilang", nama="dewi", versi=branch.api.clock.isoformat())
    assert other.status == 409, "nobody asked"
    half = half_way(branch, "dewi")
    half.post("/kantor/kode/hilang")
    assert "Datanglah sendiri" in half.follow()
    session.get("/kantor/hp-hilang")
    assert "penyelia lain yang memutuskan" in session.text
    asked = branch.application.identity.factors.of("dewi").asked_at
    session.post("/kantor/hp-hilang", nama="dewi", versi=asked)
    assert (session.status, "factor-own" in session.page) == (403, True)
    clerk.get("/kantor")
    clerk.post("/kantor/hp-hilang", nama="dewi", versi=asked)
    assert clerk.status == 403
    other.get("/kantor/hp-hilang")
    assert faults(other.page) == []
    branch.wait(seconds=31)
    half.post("/kantor/kode/hilang")
    other.post("/kantor/hp-hilang", nama="dewi", versi=asked)
    assert other.status == 409, "not what the page showed"
    other.get("/kantor/hp-hilang")
    other.post("/kantor/hp-hilang", nama="dewi")
    assert (other.status, other.headers["location"]) == (303, "/kantor/hp-hilang?kabar=sudah")
    assert letters(branch) == [("factor-reset", MAIL, {"name": "dewi", "by": "wati"})]
    for ended in (session, half):
        ended.get("/kantor")
        assert ended.headers["location"].startswith("/kantor/masuk")
    again = half_way(branch, "dewi")
    assert "dilupakan oleh wati" in again.text, "told also where no letter goes"
    assert enter(again, phone.code(branch.api.clock)) == "wrong", "the lost phone opens nothing"
    assert enter(again, Phone.of(again.get("/kantor/kode")).code(branch.api.clock)) == "in"


def test_a_request_is_over_after_a_day_and_when_the_phone_is_found(branch: Branch) -> None:
    phone, _ = set_up(branch, "dewi")
    half_way(branch, "dewi").post("/kantor/kode/hilang")
    factors = branch.application.identity.factors
    assert [one.name for one in factors.asking(branch.api.clock)] == ["dewi"]
    assert factors.asking(branch.api.clock + timedelta(hours=25)) == []
    assert enter(half_way(branch, "dewi"), phone.code(branch.api.clock)) == "in"
    assert factors.asking(branch.api.clock) == [], "whoever has the phone needs nobody"


def test_the_operator_can_take_a_phone_away_and_one_that_is_not_there_is_told(branch: Branch) -> None:
    _, session = set_up(branch, "dewi")
    factors = branch.application.identity.factors
    factors.take_away("dewi", branch.api.clock)
    branch.application.identity.sessions.forget(STAFF, "dewi")
    session.get("/kantor")
    assert session.headers["location"].startswith("/kantor/masuk")
    assert "pengelola sistem" in half_way(branch, "dewi").text
    with pytest.raises(NotFound) as refused:
        factors.take_away("dewi", branch.api.clock)
    assert refused.value.code == "factor-unknown"
