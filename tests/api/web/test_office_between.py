"""Every act of the branch with something arriving between the page and the form: it is refused, and the page shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from api.web.office.member import ACTS, PROPOSED
from ledger.acts import person as persons
from ledger.members import Phone
from ledger.settings import Settings
from tests.api.web.branch import CARD, ON_FILE, SECOND, Branch, Browser
from tests.api.web.site import faults
from tests.office import nik

NEW, STRANGE = "budi.baru@contoh.id", "+6281299990000"
CHANGED = "Ada yang berubah sejak halaman ini dibuka"


@pytest.fixture
def branch(settings: Settings) -> Iterator[Branch]:
    with Branch(settings) as made:
        yield made


def stranger_registers(branch: Branch) -> None:
    branch.register("bidi.baru@contoh.id")


def stranger_asks_by_phone(branch: Branch) -> None:
    branch.application.members.ask_phone(Phone("+6281288880000", nik(1), CARD), branch.acting())


def contact_is_corrected(branch: Branch) -> None:
    application = branch.application
    also = application.members.after_correction(branch.budi, branch.acting())
    persons.correct(
        application.log, application.members.vault, branch.budi, {"phone": "+6281277770000"}, "user:dewi", "office",
        branch.api.clock, also=also,
    )  # fmt: skip


def prepared(branch: Branch, act: str) -> None:
    """What must be there so that the act can be done."""
    if act in {"kartu", "tutup", "kabar"}:
        branch.active()
    if act == "setujui":
        branch.register(NEW)
    if act == "hp":
        branch.application.members.ask_phone(Phone(STRANGE, nik(1), CARD), branch.acting())
    branch.letters()


FIELDS = {
    "daftar": {"kartu": CARD, "email": NEW}, "setujui": {}, "hp": {}, "kartu": {"kartu": SECOND},
    "minta": {"what": "export"}, "tutup": {}, "kabar": {"mail_posted": "ya"},
}  # fmt: skip


def test_every_act_of_the_page_has_its_row() -> None:
    # A proposal changes nothing yet: who confirms it is held to the cards as they were when it was made.
    assert FIELDS.keys() == ACTS.keys() - PROPOSED.keys()


@pytest.mark.parametrize("between", [stranger_registers, stranger_asks_by_phone, contact_is_corrected])
@pytest.mark.parametrize("act", FIELDS)
def test_an_act_is_refused_when_something_newer_came(
    branch: Branch, act: str, between: Callable[[Branch], None]
) -> None:
    prepared(branch, act)
    if between is stranger_registers and act in {"kartu", "tutup", "kabar"}:
        between = stranger_asks_by_phone  # nobody registers over an open access
    clerk = branch.supervisor()
    address = clerk.search()
    between(branch)
    branch.letters()
    before = branch.application.log.head()
    page = clerk.post(address, tindakan=act, ktp="ya", **FIELDS[act])
    assert (clerk.status, CHANGED in clerk.text) == (409, True), clerk.text
    assert (branch.application.log.head(), branch.letters()) == (before, [])
    assert faults(page) == []
    if between is stranger_registers:
        assert "bidi.baru@contoh.id" in clerk.text, "and is shown, whole"
    if between is stranger_asks_by_phone:
        assert "0812-8888-0000" in clerk.text
    clerk.post(address, tindakan=act, ktp="ya", **FIELDS[act])
    assert clerk.status == 303, "what is shown now is decided on"


@pytest.mark.parametrize("versi", ["", "0.0", "99.1", "1.1.1", "-1.1", "x", "1" * 40])
def test_a_form_without_what_was_shown_does_nothing(branch: Branch, versi: str) -> None:
    branch.register(NEW)
    clerk = branch.staff()
    address = clerk.search()
    before = branch.application.log.head()
    clerk.post(address, tindakan="setujui", ktp="ya", versi=versi)
    assert (clerk.status, branch.application.log.head()) == (409, before)


def test_two_contacts_that_a_mask_makes_equal_are_told_apart(branch: Branch) -> None:
    for email in ("bxxu@contoh.id", "byyu@contoh.id"):
        branch.register(email)
    for phone in ("+6281234560991", "+6281999990991"):
        branch.application.members.ask_phone(Phone(phone, nik(1), CARD), branch.acting())
    clerk = branch.staff()
    clerk.search()
    for whole in ("bxxu@contoh.id", "byyu@contoh.id", "0812-3456-0991", "0819-9999-0991", ON_FILE, "0812-3456-0001"):
        assert whole in clerk.text
    forms = re.findall(r"(?s)<form.*?</form>", clerk.page)
    for act in ("setujui", "hp"):
        named = [
            re.findall(r'name="(?:pendaftaran|nomor)" value="(\d+)"', one) for one in forms if f'value="{act}"' in one
        ]
        assert len({number for (number,) in named}) == 2


def answering(branch: Branch, what: str) -> tuple[Browser, str]:
    """A supervisor on the page of a request that Budi made."""
    branch.active()
    branch.application.members.request_data(branch.budi, what, "Nama saya lain", branch.acting())
    branch.letters()
    supervisor = branch.supervisor()
    (address,) = re.findall(r'href="(/kantor/permintaan/[^"]+)"', supervisor.get("/kantor/permintaan"))
    supervisor.get(address)
    return supervisor, address


@pytest.mark.parametrize(
    ("what", "form"),
    [
        ("correct", {"tindakan": "koreksi", "email": "lain@contoh.id"}),
        ("erase", {"tindakan": "hapus", "yakin": "ya", "perintah": "PN-1"}),
        ("export", {"tindakan": "jawab", "hasil": "done"}),
    ],
)
@pytest.mark.parametrize("between", [stranger_asks_by_phone, contact_is_corrected])
def test_an_answer_to_a_request_too(
    branch: Branch, what: str, form: dict[str, str], between: Callable[[Branch], None]
) -> None:
    supervisor, address = answering(branch, what)
    between(branch)
    branch.letters()
    branch.api.follow()
    before = branch.application.log.head()
    supervisor.post(address, **form)
    assert (supervisor.status, CHANGED in supervisor.text) == (409, True), supervisor.text
    assert (branch.application.log.head(), branch.letters()) == (before, [])
    supervisor.post(address, **form)
    assert supervisor.status == 303


def test_a_correction_of_the_contact_is_told_to_the_old_and_to_the_new(branch: Branch) -> None:
    supervisor, address = answering(branch, "correct")
    supervisor.post(address, tindakan="koreksi", email="lain@contoh.id")
    told = {(letter.kind, letter.to) for letter in branch.letters()}
    assert told == {("contact-changed", to) for to in (ON_FILE, "lain@contoh.id", "+6281234560001")}
