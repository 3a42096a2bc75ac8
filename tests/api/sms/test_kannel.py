"""The door for Kannel: who may use it, and how its requests are read."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from api.sms import replies
from api.sms.kannel import LARGEST
from ledger.settings import Settings
from tests.api.conftest import Api
from tests.api.sms.conftest import BALANCE, BUDI, CARD, PASSWORD, PATH, Texts, bare, registration
from tests.office import nik

AUTH = ("kannel", PASSWORD)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_without_a_password_in_the_settings_the_door_is_closed(settings: Settings) -> None:
    with Api(settings) as api:
        for auth in (("kannel", PASSWORD), ("kannel", ""), ("kannel", "None")):
            answer = api.client.post(PATH, params={"id": "1", "from": BUDI}, content=b"INFO", auth=auth)
            assert (answer.status_code, answer.json()["code"]) == (404, "route-unknown")


def test_a_forged_text_is_refused_and_leaves_nothing(texts: Texts) -> None:
    texts.say(registration(1, CARD))
    wrong = ["", "Basic", "Basic !!", "Basic a3VuY2k=", "Bearer " + PASSWORD, "Basic " + "A" * 5000, "Basic \xff"]
    for authorization in wrong:
        answer = texts.client.post(
            PATH, params={"id": "1", "from": BUDI}, content=b"STOP",
            headers={"Authorization": authorization.encode("latin-1")} if authorization else {},
        )  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (401, "gateway-wrong"), authorization
    for auth in (("kannel", PASSWORD + "x"), ("kannel", ""), ("admin", PASSWORD), (PASSWORD, "kannel")):
        assert texts.client.post(PATH, params={"id": "1", "from": BUDI}, content=b"STOP", auth=auth).status_code == 401
    assert texts.say(f"SALDO {CARD}") == BALANCE


@pytest.fixture
def bound(texts: Texts) -> Texts:
    """The door, with a phone bound."""
    texts.say(registration(1, CARD))
    return texts


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_text_in_utf_16_is_read_from_the_body(bound: Texts) -> None:
    answer = bound.client.post(
        f"{PATH}?id=u1&smsc=FAKE&charset=UTF-16BE&coding=2&text=%00S%00a&from=%2B62{BUDI[1:]}",
        content=f"saldo\u2003{CARD}\u2020".replace("\u2020", "").encode("utf-16-be"),
        headers={"Content-Type": 'text/plain; charset="UTF-16BE"'},
        auth=AUTH,
    )
    assert bare(answer.text) == BALANCE


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_text_in_the_address_is_read_in_its_charset_when_there_is_no_body(bound: Texts) -> None:
    for number, (text, charset) in enumerate(
        ((f"SALDO {CARD}".encode(), "UTF-8"), (f"SALDO {CARD}".encode("utf-16-be"), "UTF-16BE"),
         (f"SALDO {CARD} \xe9".encode("latin-1")[:-2], "ISO-8859-1"), (f"SALDO {CARD}".encode(), "no-such-charset"))
    ):  # fmt: skip
        address = f"{PATH}?id=q{number}&charset={charset}&text={quote(text)}&from={quote('+62' + BUDI[1:])}"
        assert bare(bound.client.post(address, auth=AUTH).text) == BALANCE, charset


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_the_sender_is_taken_from_the_header_when_the_address_does_not_name_one(bound: Texts) -> None:
    headers = {"X-Kannel-From": "+62" + BUDI[1:], "Content-Type": "text/plain"}
    answer = bound.client.post(f"{PATH}?id=h1", content=f"SALDO {CARD}", headers=headers, auth=AUTH)
    assert bare(answer.text) == BALANCE


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_bytes_that_are_no_text_are_answered_like_unknown_words(bound: Texts) -> None:
    for number, (data, kind) in enumerate(
        ((b"\xff\xfe\x00\x80", "text/plain"), (b"\xd8\x00\xd8", "text/plain; charset=UTF-16BE"),
         (bytes(range(256)), "application/octet-stream"), (b"\xff", "text/plain; charset=zlib"))
    ):  # fmt: skip
        answer = bound.client.post(
            PATH, params={"id": f"b{number}", "from": BUDI}, content=data, headers={"Content-Type": kind}, auth=AUTH
        )
        assert (answer.status_code, answer.text) == (200, replies.HELP)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_request_of_another_shape_is_refused_with_its_code(bound: Texts) -> None:
    def code(query: str, body: bytes = b"INFO", kind: str = "text/plain") -> tuple[int, str]:
        answer = bound.client.post(f"{PATH}?{query}", content=body, headers={"Content-Type": kind}, auth=AUTH)
        return answer.status_code, answer.json()["code"]

    sender = f"from={BUDI}"
    assert code(sender) == (400, "parameter-unreadable")
    assert code(f"{sender}&id=") == (400, "parameter-unreadable")
    assert code(f"{sender}&id={'x' * 101}") == (400, "parameter-unreadable")
    assert code(f"{sender}&id=%00") == (400, "parameter-unreadable")
    assert code("&".join(["id=1"] * 21)) == (400, "parameter-unreadable")
    assert code(f"{sender}&id=1", b"x" * (LARGEST + 1)) == (413, "body-too-large")
    assert code(f"{sender}&id=1", b"{}", "application/json") == (415, "content-type-unknown")
    assert bound.client.get(f"{PATH}?{sender}&id=1&text=INFO", auth=AUTH).status_code == 405


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_no_log_line_holds_a_number_or_a_text(bound: Texts) -> None:
    with capture_logs() as lines:
        bound.client.post(f"{PATH}?id=l1&from=%2B62{BUDI[1:]}&text=SALDO+{CARD}", auth=AUTH)
        bound.client.post(f"{PATH}?id=l2&from=%2B62{BUDI[1:]}&text=SALDO+{CARD}", auth=("kannel", "salah"))
        bound.post(registration(1, CARD))
        bound.client.post(f"{PATH}?from={BUDI}&text=x", auth=AUTH)
    said = str(lines)
    assert said.count(PATH) == 4
    for clear in (BUDI, BUDI[1:], CARD, nik(1), "SALDO", "DAFTAR", PASSWORD):
        assert clear not in said, clear


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_the_password_is_a_secret_among_the_settings(settings: Settings) -> None:
    assert PASSWORD not in repr(settings.model_copy(update={"sms_gateway_password": SecretStr(PASSWORD)}))
