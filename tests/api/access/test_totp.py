"""Codes of the second factor: the standard's own vectors, the window, and that one is good for one time only."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from api.access import totp

SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 15, 3, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
        (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_the_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    # RFC 6238, appendix B, shows eight digits; six are the last six of them.
    moment = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_at(SECRET, totp.step_of(moment)) == code[-6:]


def test_a_code_is_right_in_its_half_minute_and_in_its_neighbours_and_never_after_a_later_one() -> None:
    now = totp.step_of(NOW)
    for away in range(-3, 4):
        found = totp.step_matching(SECRET, totp.code_at(SECRET, now + away), NOW, 0)
        assert found == (now + away if abs(away) <= 1 else None), away
    for away in (-1, 0, 1):
        code = totp.code_at(SECRET, now + away)
        assert totp.step_matching(SECRET, code, NOW, now + away) is None
        assert totp.step_matching(SECRET, code, NOW, now + away - 1) == now + away
        assert totp.step_matching(SECRET, code, NOW + timedelta(minutes=5), 0) is None


@pytest.mark.parametrize("text", ["", " ", "12345", "1234567", "\ud800", "\0" * 6, "x" * 100_000, "١٢٣٤٥٦"])
def test_what_is_no_code_is_none(text: str) -> None:
    assert totp.step_matching(SECRET, text.encode("utf-8", "replace").decode(), NOW, 0) is None


def test_a_code_may_be_typed_with_a_gap_as_apps_show_it_and_the_key_reads_back() -> None:
    code = totp.code_at(SECRET, totp.step_of(NOW))
    assert totp.step_matching(SECRET, f" {code[:3]} {code[3:]} ", NOW, 0) is not None
    assert base64.b32decode(totp.key_text(SECRET).replace(" ", "")) == SECRET


def test_an_app_reads_the_same_key_from_the_picture_as_from_the_text() -> None:
    address = urlsplit(totp.key_address(bytes(range(20)), "sari & co"))
    assert (address.scheme, address.netloc, unquote(address.path)) == ("otpauth", "totp", "/Saldo JHT:sari & co")
    given = parse_qs(address.query)
    assert base64.b32decode(given["secret"][0]) == bytes(range(20))
    assert (given["issuer"], given["digits"]) == (["Saldo JHT"], ["6"])
