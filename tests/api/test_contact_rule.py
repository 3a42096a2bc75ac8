"""The contact rule as one table: contact on file x contact given x door, each through the door itself.

What must come out is computed from the rule's one sentence: a contact that is on file opens, another one waits for those
on file, and where none is on file only the branch opens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from httpx2 import Response
from pydantic import SecretStr

from api.sms import replies
from ledger.members import Claim
from ledger.settings import Settings
from ledger.store.outbox import Letter
from tests.api.peopled import HASH
from tests.api.web.site import PASSWORD, Site
from tests.office import nik, person

ON_FILE = ("none", "mail", "phone", "both")
GIVEN_AT = {
    "web": ("mail", "other mail"), "provider": ("mail", "other mail"), "branch": ("mail", "other mail"),
    "mobile": ("mail", "other mail"), "sms": ("phone", "other phone"),
}  # fmt: skip
ROWS = [(on_file, given, door) for on_file in ON_FILE for door, contacts in GIVEN_AT.items() for given in contacts]


class Someone(NamedTuple):
    """A person of the table; `mail` and `phone` are the person's, on file or not."""

    number: int
    kpj: str
    mail: str
    phone: str
    on_file: str

    @property
    def known(self) -> set[str]:
        """The contacts on file."""
        mail, phone = self.on_file in {"mail", "both"}, self.on_file in {"phone", "both"}
        return ({self.mail} if mail else set()) | ({self.phone} if phone else set())

    def contact(self, given: str) -> str:
        return {
            "mail": self.mail, "other mail": f"lain{self.number}@contoh.id", "phone": self.phone,
            "other phone": f"+6281300{self.number:06d}",
        }[given]  # fmt: skip


class Table(Site):
    """A site with an SMS gateway, and a person for every row."""

    def someone(self, number: int, on_file: str) -> Someone:
        kpj = f"{27_000_000_000 + number}"
        made = Someone(number, kpj, f"orang{number}@contoh.id", f"+628120000{number:04d}", on_file)
        self.office.register(
            person(
                kpj, number, email=made.mail if made.mail in made.known else "",
                phone=made.phone if made.phone in made.known else "",
            )
        )  # fmt: skip
        return made

    def who(self, someone: Someone) -> str:
        found = self.application.members.find_person(kpj=someone.kpj)
        assert found is not None
        return found

    def is_open(self, someone: Someone, contact: str) -> bool:
        """Whether the contact gets the person's balance."""
        members = self.application.members
        if "@" not in contact:
            return members.phone_owner(contact) == self.who(someone)
        login = members.find(contact) or members.of_issuer("https://id.example", contact)
        return login is not None and login.person == self.who(someone)

    # --- doors

    def web(self, someone: Someone, contact: str) -> None:
        browser = self.browser()
        answer = browser.post(
            "/daftar/terkirim", "/daftar", segment="PU", nik=nik(someone.number), day="17", month="5", year="1990",
            kpj=someone.kpj, email=contact, password=PASSWORD,
        )  # fmt: skip
        assert answer.headers["location"] == "/daftar/terkirim"

    def provider(self, someone: Someone, contact: str) -> None:
        claim = Claim(nik(someone.number), "1990-05-17", someone.kpj, "PU", contact)
        self.application.members.register_issuer(claim, "https://id.example", contact, self.acting())

    def branch(self, someone: Someone, contact: str) -> None:
        self.application.members.register_at_office(
            someone.kpj, contact, self.acting()._replace(by="user:sari", channel="office")
        )

    def mobile(self, someone: Someone, contact: str) -> None:
        """The app registers nobody: it lets in whom another door has opened."""
        self.web(someone, contact)
        assert self.mobile_login(contact).status_code == 401

    def mobile_login(self, contact: str) -> Response:
        body = {"identifier": contact, "password": PASSWORD, "device": "HP"}
        return self.client.post("/v1/mobile/login", json=body)

    def sms(self, someone: Someone, contact: str) -> None:
        text = f"DAFTAR SALDO#{nik(someone.number)}#17-05-1990#{someone.kpj}"
        answer = self.say(text, contact)
        assert answer in {replies.bound(someone.kpj), replies.ASKED}

    def say(self, text: str, sender: str) -> str:
        self.sent = getattr(self, "sent", 0) + 1
        return self.client.post(
            "/channels/sms/kannel", params={"id": f"m-{self.sent}", "from": sender}, content=text.encode(),
            headers={"Content-Type": 'text/plain; charset="UTF-8"'}, auth=("kannel", "kunci"),
        ).text  # fmt: skip

    def open_links(self, letters: list[Letter], contact: str) -> None:
        """Whoever holds the given contact opens the links that came there."""
        for letter in letters:
            if letter.to == contact and letter.kind == "verify":
                browser = self.browser()
                browser.post(f"/tautan/{letter.details['token']}", password=PASSWORD)
            if letter.to == contact and letter.kind == "office-invite":
                self.application.members.reset(letter.details["token"], HASH, self.acting())


@pytest.fixture
def table(settings: Settings) -> Iterator[Table]:
    with Table(settings, sms_gateway_password=SecretStr("kunci")) as made:
        made.office.employers("10000001")
        yield made


def test_every_row_of_the_table(table: Table) -> None:
    for number, (on_file, given, door) in enumerate(ROWS, 100):
        someone = table.someone(number, on_file)
        contact = someone.contact(given)
        getattr(table, door)(someone, contact)
        letters = table.letters()
        table.open_links(letters, contact)
        row = (on_file, given, door)
        if contact in someone.known or door == "branch":
            assert table.is_open(someone, contact), row
            if door == "mobile":
                assert table.mobile_login(contact).status_code == 200
            told = {letter.to for letter in [*letters, *table.letters()]}
            assert told >= someone.known - {contact}, row
            continue
        assert not table.is_open(someone, contact), row
        asked = {letter.to for letter in letters if letter.kind in {"confirm-login", "confirm-phone"}}
        assert asked == someone.known, row
        about = table.application.members.about(table.who(someone))
        assert len(about.waiting) + len(about.waiting_phones) == 1, row
        confirm(table, someone, letters)
        table.open_links(table.letters(), contact)
        assert table.is_open(someone, contact), row
        table.letters()


def confirm(table: Table, someone: Someone, letters: list[Letter]) -> None:
    """The holder of a contact on file says yes, or the branch where there is none."""
    members, who = table.application.members, table.who(someone)
    if someone.mail in someone.known:
        (token,) = [
            letter.details["token"] for letter in letters if letter.to == someone.mail and "deny" in letter.details
        ]
        table.browser().post(f"/tautan/{token}")
    elif someone.phone in someone.known:
        assert table.say("YA", someone.phone) == replies.HELP
        (number,) = [letter.details["number"] for letter in letters if "number" in letter.details]
        assert re.match("Terima kasih", table.say(f"KODE {number}", someone.phone))
    else:
        about = members.about(who)
        clerk = table.acting()._replace(by="user:sari", channel="office", seen=about.seen)
        for registered, _ in about.waiting:
            members.confirm(who, registered, clerk)
        for asked, _ in about.waiting_phones:
            members.confirm_phone(who, asked, clerk)
