"""What JHT_SMTP_URL may be."""

from __future__ import annotations

import pytest

from api.mail.server import Server
from ledger.errors import Refused


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", Server("mail.example", 25, "", "", "none", "")),
        ("smtp://mail.example:2525?tls=starttls", Server("mail.example", 2525, "", "", "starttls", "")),
        ("smtp://u%40x:p%3A%2F@mail.example?tls=starttls", Server("mail.example", 587, "u@x", "p:/", "starttls", "")),
        ("smtps://u:p@mail.example/?ca=own.pem", Server("mail.example", 465, "u", "p", "tls", "own.pem")),
        ("smtp://u:p@localhost", Server("localhost", 25, "u", "p", "none", "")),
    ],
)
def test_an_address_names_host_port_and_protection(url: str, server: Server) -> None:
    assert Server.of(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "mail.example", "http://mail.example", "smtp://", "smtp://mail.example:port", "smtp://mail.example/box",
        "smtp://mail.example?tls=maybe", "smtps://mail.example?tls=none", "smtp://mail.example?verify=no",
        "smtp://mail.example?x",
    ],
)  # fmt: skip
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refused:
        Server.of(url)
    assert refused.value.code == "setting-wrong"


def test_a_password_is_not_sent_in_clear_to_another_machine_nor_told_in_the_error() -> None:
    with pytest.raises(Refused) as refused:
        Server.of("smtp://user:s3cret-word@mail.example")
    assert "s3cret" not in str(refused.value.problem)
    assert "starttls" in str(refused.value)


def test_a_file_of_authorities_that_is_not_there_is_told() -> None:
    with pytest.raises(Refused) as refused:
        Server.of("smtps://mail.example?ca=absent.pem").connection("saldo.example")
    assert refused.value.code == "setting-wrong"
