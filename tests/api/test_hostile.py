"""What a hostile caller sends to every door: other hosts, other addresses to go to, markup, line breaks, too much of all.

Each door's own refusals are tested beside it; here is what must hold for all of them alike.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from email.headerregistry import Address

import pytest
from httpx2 import Response

from api.access.passwords import Passwords
from api.mail.message import composed
from api.web import register
from ledger.settings import Settings
from tests.api.everybody import ANIS, EVIL, Everybody
from tests.api.test_walk import FORMS, ROUTES
from tests.conftest import MASTER_KEY, NOW
from tests.office import nik

ELSEWHERE = "jahat.example"
HOSTS = {
    "Host": ELSEWHERE, "X-Forwarded-Host": ELSEWHERE, "X-Forwarded-Proto": "gopher", "Forwarded": f"host={ELSEWHERE}",
    "X-Original-URL": f"https://{ELSEWHERE}/", "Referer": f"https://{ELSEWHERE}/",
}  # fmt: skip
MARKUP = "<script>jahat()</script>{{7*7}}${7*7}\x1b[31m"
GUARDED = ("/masuk", "/kantor/masuk", "/perusahaan/masuk")
"""Doors whose wrong answers take a time that the number of tries alone decides."""
WAYS = ("next", "kembali", "dari", "url", "redirect", "redirect_uri", "return_to", "kabar", "lanjut")


@pytest.fixture
def town(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Everybody]:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/jht.db", master_key=MASTER_KEY)
    with Everybody.opened_at_once(settings) as made:
        yield made


def role_of(kind: str) -> str:
    return {"member": "budi", "mobile": "app"}.get(
        kind, kind if kind in {"half", "counter", "supervisor", "employer"} else "nobody"
    )


def test_no_other_host_gets_into_an_address_or_a_page(town: Everybody) -> None:
    for kind, method, path in ROUTES:
        visitor = town.visit(role_of(kind))
        visitor.headers |= HOSTS
        answer = visitor.ask(method, path)
        assert ELSEWHERE not in answer.text, path
        assert ELSEWHERE not in str(answer.headers), path


def test_the_link_in_a_letter_leads_to_the_set_address_whatever_host_was_asked(town: Everybody) -> None:
    visitor = town.visit("nobody")
    visitor.headers |= HOSTS | {"Referer": ""}
    assert visitor.ask("POST", "/lupa", identifier="budi1@contoh.id").headers["location"] == "/lupa?kabar=terkirim"
    (letter,) = town.letters()
    assert letter.kind == "reset"
    mail = composed(letter, "x@y", NOW, town.settings.public_url, Address("JHT", "jht", "contoh.id")).as_string()
    assert ELSEWHERE not in mail
    assert f"{town.settings.public_url}/sandi/{letter.details['token']}" in mail.replace("=\r\n", "")


def test_no_parameter_leads_to_another_site(town: Everybody) -> None:
    wanted = [
        f"https://{ELSEWHERE}",
        f"//{ELSEWHERE}",
        f"/\\{ELSEWHERE}",
        f"/%2f{ELSEWHERE}",
        f"/saldo\r\nLocation: //{ELSEWHERE}",
    ]
    for kind, method, path in ROUTES:
        if kind not in {"open", "guest", "member"}:
            continue
        visitor = town.visit(role_of(kind))
        for value in wanted:
            answer = visitor.client.request(method, visitor.address(path), params=dict.fromkeys(WAYS, value))
            assert ELSEWHERE not in answer.headers.get("location", ""), (path, value)


def test_what_a_browser_says_of_itself_is_shown_nowhere(town: Everybody, capfd: pytest.CaptureFixture[str]) -> None:
    hostile = {"User-Agent": MARKUP, "Accept-Language": MARKUP, "X-Request-Id": MARKUP, "X-Forwarded-For": MARKUP}
    for kind, method, path in ROUTES:
        visitor = town.visit(role_of(kind))
        visitor.headers |= hostile
        answer = visitor.ask(method, path)
        assert answer.status_code < 500, path
        for sign in ("jahat()", "\x1b"):
            assert sign not in answer.text, (path, sign)
            assert sign not in str(answer.headers), (path, sign)
    assert "jahat()" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(("kind", "path"), FORMS)
def test_markup_and_line_breaks_in_every_field_come_back_as_text_or_not_at_all(
    town: Everybody, kind: str, path: str
) -> None:  # fmt: skip
    names = (
        "identifier", "password", "old", "segment", "nik", "day", "month", "year", "kpj", "email", "what", "text",
        "nomor", "alasan", "nama", "sandi", "tindakan", "hasil", "kartu", "bulan", "credential",
    )  # fmt: skip
    for value in (
        EVIL,
        f"a@contoh.id\r\nBcc: x@{ELSEWHERE}",
        "{{7*7}}{% for x in y %}",
        "\0\ud7ff\uffff" * 50,
        "9" * 15_000,
    ):
        form = dict.fromkeys(names, value) if len(value) < 1_000 else {names[0]: value}
        answer = town.visit(role_of(kind)).ask("POST", path, **form)
        assert answer.status_code < 500, (path, value[:20])
        assert EVIL not in answer.text
        assert "\r\n" not in "".join(answer.headers.values())
    assert [letter for letter in town.letters() if ELSEWHERE in letter.to] == []


def test_a_form_too_large_is_refused_at_every_page(town: Everybody) -> None:
    for kind, path in FORMS:
        visitor = town.visit(role_of(kind))
        answer = visitor.send(visitor.address(path), {"csrf": visitor.csrf(), "text": "x" * 70_000})
        assert answer.status_code in {413, 422}, (path, answer.status_code)


class Counted:
    """How often passwords are hashed or verified."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        for name in ("hash", "verify"):
            monkeypatch.setattr(Passwords, name, self._counting(name, getattr(Passwords, name)))

    def _counting(self, name: str, original: object) -> object:
        def counting(*given: object) -> object:
            self.calls.append(name)
            return original(*given)  # type: ignore[operator]

        return counting


def sent(town: Everybody, path: str, **form: str) -> tuple[int, str, tuple[tuple[str, str], ...], bool]:
    """What a stranger sees of a form's answer, and whether it took the time that tells nothing."""
    began = time.monotonic()
    answer: Response = town.visit("nobody").ask("POST", path, **form)
    own = {"x-request-id", "set-cookie", "content-length"}
    seen = tuple((name, value) for name, value in answer.headers.items() if name not in own)
    return answer.status_code, answer.text, seen, time.monotonic() - began >= register.SENT_SECONDS


def test_no_door_tells_who_is_known_by_its_answer_its_work_or_its_time(
    town: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    counted = Counted(monkeypatch)
    monkeypatch.setattr(register, "SENT_SECONDS", 0.2)
    claim = {
        "segment": "PU", "nik": nik(1), "day": "17", "month": "5", "year": "1990", "kpj": "26000000017",
        "password": "empat kuda benar",
    }  # fmt: skip
    doors: dict[str, list[dict[str, str]]] = {
        "/lupa": [{"identifier": name} for name in ("budi1@contoh.id", nik(2), "x@contoh.id", nik(7), "26999999999")],
        "/daftar/terkirim": [
            claim | {"email": "satu1@contoh.id"}, claim | {"email": "satu2@contoh.id", "nik": nik(7)},
            claim | {"email": "satu3@contoh.id", "kpj": ANIS}, claim | {"email": "satu4@contoh.id", "day": "18"},
        ],
        "/masuk": [{"identifier": name, "password": "salah sekali"} for name in ("budi1@contoh.id", "x@contoh.id")],
        "/kantor/masuk": [{"nama": name, "sandi": "salah sekali"} for name in ("sari", "hrd", "tidak-ada")],
        "/perusahaan/masuk": [{"nama": name, "sandi": "salah sekali"} for name in ("hrd", "sari", "tidak-ada")],
    }  # fmt: skip
    for path, forms in doors.items():
        found = set()
        for form in forms:
            counted.calls.clear()
            status, text, headers, late = sent(town, path, **form)
            # What was typed stands in the form again, and the time of a wrong password has a test of its own.
            for value in form.values():
                text = text.replace(value, "")
            text = re.sub(r'name="csrf" value="[^"]+"|value=""', "", text)
            found.add((status, text, headers, late or path in GUARDED, tuple(counted.calls)))
        assert len(found) == 1, (path, [one[:1] + one[3:] for one in found])
        assert found.pop()[3], path
