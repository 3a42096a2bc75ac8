"""Text in, text out: a real `jht serve` behind a real Kannel with its fake operator."""

from __future__ import annotations

import asyncio
import re
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from api.mail.sms import send_sms
from api.sms import replies
from ledger.settings import Settings
from tests.office import CONTRIBUTION, NPP, REGISTRATION, csv_of, line, nik, person
from tests.system import kannel as kannels
from tests.system.kannel import BROKEN, Kannel, kannel
from tests.system.lacking import lacking
from tests.system.running import jht
from tests.system.serving import serving

CARD, PHONE, STRANGER = "26000000017", "+6281234560001", "+6281355550000"
PASSWORD = "kunci-gateway"
BALANCE = re.compile(
    r"JHT \*\*\*0017 Rp285\.000 per [0-9]{2}-[0-9]{2}-[0-9]{2}\. Iuran terakhir Okt-26\. "
    r"3 bln belum masuk: Jul,Agu,Sep\. Kode ([0-9A-Z]{4}-){7}[0-9A-Z]{3,4}"
)
REGISTRATION_TEXT = f"Daftar(spasi)Saldo#{nik(1)}#17-05-1990#<{CARD}>#budi1@contoh.id"


@pytest.fixture(autouse=True, scope="module")
def _there() -> None:
    if not kannels.is_there():
        lacking(kannels.MISSING)


@pytest.fixture
def open_door(settings: Settings) -> Settings:
    """A ledger with one worker and one month, whose SMS door is open."""
    employers = csv_of(
        ("npp", "name", "registered_on"), [{"npp": NPP, "name": "PT Satu", "registered_on": "2024-01-02"}]
    )
    jht(settings, "ingest", "employers", "-", stdin=employers)
    worker = person(CARD, registered_on="2026-07-01")
    jht(settings, "ingest", "registrations", "-", stdin=csv_of(REGISTRATION, [worker]))
    jht(settings, "ingest", "contributions", "-", stdin=csv_of(CONTRIBUTION, [line(CARD)]))
    jht(settings, "payments-complete", "2026-11-16")
    jht(settings, "follow", "--once")
    return settings.model_copy(update={"sms_gateway_password": SecretStr(PASSWORD)})


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """Kannel's directory."""
    found = tmp_path / "kannel"
    found.mkdir()
    return found


def door(address: str, password: str = PASSWORD) -> str:
    return f"{address.replace('http://', f'http://kannel:{password}@')}/channels/sms/kannel"


def said(running: Kannel, text: str, sender: str = PHONE, kind: str = "text") -> str:
    """The one reply to a text."""
    (reply,) = running.texts(f"{sender} 2757 {kind} {text}")
    start = f"2757 {sender} text "
    assert reply.startswith(start), reply
    return reply.removeprefix(start)


def ucs2(text: str) -> str:
    return quote(text.encode("utf-16-be"))


def test_a_member_registers_and_asks_by_sms(open_door: Settings, box: Path, tmp_path: Path) -> None:
    log = tmp_path / "served"
    with serving(open_door, "", log) as server, kannel(box, door(server.address)) as running:
        assert said(running, f"SALDO {CARD}") == replies.STRANGER
        assert said(running, "halo @ saldo?", STRANGER) == replies.HELP
        assert said(running, REGISTRATION_TEXT, STRANGER) == replies.ASKED
        assert said(running, REGISTRATION_TEXT) == replies.bound(CARD)
        for text in (f"SALDO {CARD}", f"Saldo<{CARD}>", "saldo", f"Saldo{CARD}"):
            assert BALANCE.fullmatch(said(running, text)), text
        assert BALANCE.fullmatch(said(running, ucs2(f"Saldo “{CARD}” "), kind="ucs2"))
        assert said(running, f"SALDO {CARD}", STRANGER) == replies.STRANGER
        assert said(running, "STOP") == replies.STOPPED
        assert said(running, f"SALDO {CARD}") == replies.STRANGER
        logged = running.logged() + log.read_bytes()
    for clear in (CARD, PHONE[1:], STRANGER[1:], nik(1), "17-05-1990", "contoh.id", "285.000", PASSWORD):
        assert clear.encode() not in logged, clear


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_who_asks_while_nobody_serves_is_told_to_try_again(open_door: Settings, box: Path, tmp_path: Path) -> None:
    with serving(open_door, "", tmp_path / "served") as server:
        address = server.address
    with kannel(box, door(address)) as running:
        assert said(running, f"SALDO {CARD}") == BROKEN


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_gateway_with_another_password_gets_nothing(open_door: Settings, box: Path, tmp_path: Path) -> None:
    with (
        serving(open_door, "", tmp_path / "served") as server,
        kannel(box, door(server.address, "salah")) as running,
    ):
        assert said(running, "INFO") == BROKEN


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_text_that_answers_nothing_goes_out_through_sendsms(settings: Settings, box: Path) -> None:
    with kannel(box, "http://127.0.0.1:9/") as running:
        chosen = settings.model_copy(update={"sms_send_url": SecretStr(running.sendsms)})
        sent: list[str] = []
        listening = threading.Thread(target=lambda: sent.extend(running.texts()))
        listening.start()
        asyncio.run(send_sms(chosen, PHONE, "Kabar #1 @ JHT: Rp1?"))
        listening.join()
        assert sent == [f"2757 {PHONE} text Kabar #1 @ JHT: Rp1?"]
        assert PHONE[1:].encode() not in running.logged()
