"""A letter as a MIME message."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest

from api.mail.message import composed, sender_of
from api.mail.texts import LANGUAGES, kinds, said
from ledger.errors import Refused
from ledger.store.outbox import Letter
from tests.api.mail.letters import TOKEN, URL, letter
from tests.conftest import NOW

FROM = Address("Saldo JHT", addr_spec="kabar@saldo.example")


def received(sent: Letter) -> EmailMessage:
    """The mail as a receiver reads it."""
    message = message_from_bytes(composed(sent, "f" * 32, NOW, URL, FROM).as_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_the_headers_are_these_and_no_others() -> None:
    message = received(letter())
    assert {name: str(value) for name, value in message.items() if name != "Content-Type"} == {
        "Subject": "Verifikasi email Anda",
        "From": "Saldo JHT <kabar@saldo.example>",
        "To": "budi@contoh.id",
        "Date": "Sat, 21 Nov 2026 03:00:00 +0000",
        "Message-ID": f"<{'f' * 32}@saldo.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "id",
        "MIME-Version": "1.0",
    }
    assert message.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", kinds("mail"))
def test_both_parts_say_everything_and_load_nothing(kind: str, language: str) -> None:
    sent = letter(kind, language=language)
    message, words = received(sent), said(sent, URL)
    plain, html = part(message, "plain"), part(message, "html")
    for text in (words.heading, *words.paragraphs, *words.steps, words.until, words.foot, words.promise):
        assert text in plain
        assert text in html.replace("&#34;", '"').replace("&#39;", "'")
    for button in words.buttons:
        assert button.address in plain
        assert f'href="{button.address}"' in html
    addresses = re.findall(r"https?://[^\s\"'<)]+", html + plain)
    assert addresses
    assert all(address.startswith(f"{URL}/") for address in addresses)
    assert not re.search(r"<(img|link|script|iframe|object|form)\b|url\(|@import|@font-face|\son\w+=", html)
    assert f'<html lang="{language}">' in html
    assert "\n\n\n" not in plain.replace("\r\n", "\n")


def test_a_line_break_in_an_address_makes_no_header() -> None:
    for address in ("budi@contoh.id\r\nBcc: lain@contoh.id", "budi@contoh.id\nX: y", "a b@contoh.id", "", "budi"):
        with pytest.raises(Refused) as refused:
            composed(letter(to=address), "f" * 32, NOW, URL, FROM)
        assert refused.value.code == "email-unreadable"


def test_a_detail_can_write_neither_a_header_nor_markup_nor_a_template() -> None:
    evil = "x\r\nBcc: lain@contoh.id\r\n\r\n<script>alert(1)</script>{{ 7*7 }}{token.__class__}"
    message = received(letter("confirm-login", asks=evil))
    assert message["Bcc"] is None
    html = part(message, "html")
    assert "<script" not in html
    assert "{{ 7*7 }}{token.__class__}" in html


def test_a_display_name_cannot_break_out_of_the_sender() -> None:
    assert str(sender_of("Saldo JHT <kabar@saldo.example>")) == "Saldo JHT <kabar@saldo.example>"
    assert str(sender_of("kabar@saldo.example")) == "kabar@saldo.example"
    for wrong in ("", "Saldo JHT", "Saldo\r\nBcc: x@y.id <kabar@saldo.example>", "a@b@c"):
        with pytest.raises(Refused) as refused:
            sender_of(wrong)
        assert refused.value.code == "setting-wrong"


def test_no_line_on_the_wire_is_longer_than_smtp_allows() -> None:
    wire = composed(letter(token=TOKEN * 3), "f" * 32, NOW, URL, FROM).as_bytes()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 100
    assert wire.isascii()
