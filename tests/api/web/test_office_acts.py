"""What the branch does for a member, and what a supervisor does about requests for personal data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from api.access.users import writer_of
from ledger.events import PersonCorrected, PersonErased
from ledger.identifiers import card_number, member_stream, person_stream
from ledger.members import Phone
from ledger.settings import Settings
from tests.api.web.branch import CARD, HASH, ON_FILE, OTHERS, SECOND, Branch, Browser
from tests.api.web.site import faults
from tests.office import line, nik, person

NEW, TODAY = "budi.baru@contoh.id", "21 November 2026"


@pytest.fixture
def branch(settings: Settings) -> Iterator[Branch]:
    with Branch(settings) as made:
        yield made


def act(browser: Browser, address: str, name: str, **fields: str) -> str:
    """Send one form of the member's page, as a clerk who has seen the identity card."""
    browser.get(address)
    browser.post(address, tindakan=name, **{"ktp": "ya", **fields})
    return browser.page


def by(branch: Branch, name: str) -> str:
    """What events call a user by: never the name."""
    called = writer_of(branch.application.log, name)
    assert name not in called
    assert branch.application.identity.users.names_of(branch.application.log)[called] == name
    return called


def done(branch: Branch, number: int = -1) -> tuple[str, str, str]:
    """(name, by, channel) of the newest event of Budi's access."""
    event = branch.application.log.events(member_stream(branch.budi))[number]
    return event.fact.NAME, event.by, event.channel


def test_an_assisted_registration_sends_a_link_to_choose_a_password(branch: Branch) -> None:
    clerk = branch.staff()
    address = clerk.search()
    act(clerk, address, "daftar", kartu=CARD, email=f" {NEW} ")
    assert (clerk.status, clerk.headers["location"]) == (303, f"{address}?kabar=daftar")
    assert "Tautan sudah dikirim" in clerk.follow()
    assert "Menunggu tautan dibuka" in clerk.text
    (letter,), notices = (
        [one for one in told if (one.to == NEW) is invited] for told in [branch.letters()] for invited in (True, False)
    )
    assert (letter.kind, letter.to, letter.language) == ("office-invite", NEW, "id")
    assert [one.kind for one in notices] == ["access-assisted"] * 2
    assert done(branch) == ("member-registered.v1", by(branch, "sari"), "office")
    branch.application.members.reset(letter.details["token"], HASH, branch.acting())
    assert branch.state() == "active"
    act(clerk, address, "daftar", kartu=CARD, email=NEW)
    assert (clerk.status, "Gunakan lupa kata sandi" in clerk.text) == (409, True)


def test_an_address_that_cannot_be_read_or_is_anothers_is_told_at_its_field(branch: Branch) -> None:
    branch.active()
    clerk = branch.staff()
    address = clerk.search(OTHERS)
    for email, status in (("budi", 422), ("", 422), ("a@b\nBcc: c@d.id", 422), (ON_FILE, 409)):
        said = act(clerk, address, "daftar", kartu=OTHERS, email=email)
        assert clerk.status == status
        assert 'aria-invalid="true"' in said
    assert branch.letters() == []


def test_what_changes_an_access_needs_the_person_and_the_identity_card(branch: Branch) -> None:
    branch.register(NEW)
    assert branch.state() == "waiting"
    clerk = branch.staff()
    address = clerk.search(CARD, "phone-call")
    assert ("1 kontak menunggu" in clerk.text, NEW in clerk.text) == (True, False)
    assert 'name="ktp"' not in clerk.page
    for where, ktp in ((address, "ya"), (clerk.search(CARD, "complaint"), "")):
        for name in ("daftar", "setujui", "hp", "kartu", "minta"):
            said = act(clerk, where, name, ktp=ktp, kartu=SECOND, email=NEW, what="export")
            assert (clerk.status, "KTP aslinya" in said) == (403, True)
    assert branch.state() == "waiting"
    assert branch.application.members.requests_of(branch.budi) == []


def test_a_waiting_registration_opens_when_the_branch_has_seen_who_it_is(branch: Branch) -> None:
    branch.register(NEW)
    branch.letters()
    clerk = branch.staff()
    address = clerk.search()
    assert NEW in clerk.text, "whole: the clerk reads it out"
    act(clerk, address, "setujui")
    assert "Pendaftaran dikonfirmasi" in clerk.follow()
    assert (branch.state(), done(branch)) == ("sent", ("member-confirmed.v1", by(branch, "sari"), "office"))
    assert [(letter.kind, letter.to) for letter in branch.letters()] == [("verify", NEW)]
    act(clerk, address, "setujui", pendaftaran="1")
    assert clerk.status == 410  # there is nothing to confirm any more


def test_a_phone_that_waits_is_bound_and_a_card_is_linked(branch: Branch) -> None:
    branch.active()
    asked = Phone("+6281299990000", nik(1), CARD)
    assert branch.application.members.ask_phone(asked, branch.acting()) == "waiting"
    clerk = branch.staff()
    address = clerk.search()
    act(clerk, address, "hp")
    assert "Nomor HP diikat" in clerk.follow()
    assert branch.application.members.phone_owner("+6281299990000") == branch.budi
    act(clerk, address, "kartu", kartu=SECOND)
    assert "Kartu dikaitkan" in clerk.follow(), clerk.text
    assert card_number(SECOND) in {one.card for one in branch.application.members.cards(branch.budi)}
    assert done(branch) == ("card-linked.v1", by(branch, "sari"), "office")


def test_a_form_cannot_reach_another_persons_card(branch: Branch) -> None:
    branch.active()
    clerk = branch.staff()
    address = clerk.search()
    for name, kpj in (("kartu", OTHERS), ("daftar", OTHERS), ("kartu", "26000000999"), ("kartu", "")):
        said = act(clerk, address, name, kartu=kpj, email=NEW)
        assert (clerk.status, "tidak dapat ditambahkan" in said) == (422, True)
    assert len(branch.application.members.cards(branch.budi)) == 1
    act(clerk, address, "pindah")
    assert clerk.status == 422


def test_a_supervisor_closes_an_access_and_every_session_of_it_ends(branch: Branch) -> None:
    member, supervisor = branch.member(), branch.supervisor()
    assert branch.application.identity.sessions.find(member.token, branch.api.clock) is not None
    address = supervisor.search()
    act(supervisor, address, "tutup")
    assert "Akses ditutup" in supervisor.follow()
    assert branch.application.identity.sessions.find(member.token, branch.api.clock) is None
    assert done(branch) == ("member-closed.v1", by(branch, "dewi"), "office")
    act(supervisor, address, "tutup")
    assert supervisor.status == 404


# --- requests for personal data


@pytest.mark.parametrize(
    ("what", "text"), [("export", ""), ("correct", "Nama saya <b>Budi</b> Santosa"), ("erase", "")]
)
def test_what_a_member_asks_at_the_desk_waits_for_a_supervisor_and_stands_in_the_members_own_list(
    branch: Branch, what: str, text: str
) -> None:
    member, clerk, supervisor = branch.member(), branch.staff(), branch.supervisor()
    address = clerk.search()
    assert "Peserta dikabari lewat b***1@contoh.id." in clerk.text
    act(clerk, address, "minta", what=what, text=text)
    assert (clerk.status, clerk.headers["location"]) == (303, f"{address}?kabar=minta")
    clerk.follow()
    for said in ("Permintaan dicatat.", "di kantor cabang. Sedang dikerjakan"):
        assert said in clerk.text
    assert faults(clerk.page) == []
    assert done(branch) == ("data-requested.v1", by(branch, "sari"), "office")
    (letter,) = branch.letters()
    assert (letter.kind, letter.to, letter.details) == ("data-request", ON_FILE, {"what": what})
    member.get("/akun/data")
    assert f"Diminta {TODAY} di kantor cabang Sedang dikerjakan" in member.text
    listed = supervisor.get("/kantor/permintaan")
    assert "di kantor cabang" in supervisor.text
    (waiting,) = re.findall(r'href="(/kantor/permintaan/[^"]+)"', listed)
    supervisor.get(waiting)
    assert (supervisor.status, text in supervisor.text) == (200, True)
    clerk.get(waiting)
    assert clerk.status == 403, "a clerk asks and does not answer"
    supervisor.get(waiting)
    supervisor.post(waiting, tindakan="jawab", hasil="refused")
    assert [letter.to for letter in branch.letters()] == [ON_FILE]
    member.get("/akun/data")
    assert f"Diminta {TODAY} di kantor cabang Ditolak {TODAY}" in member.text


def test_a_request_at_the_desk_that_says_nothing_is_told_at_its_field(branch: Branch) -> None:
    clerk = branch.staff()
    address = clerk.search()
    for what, text, field, said in (
        ("", "", "what", "Pilih salah satu"), ("semua", "", "what", "Pilih salah satu"),
        ("correct", " ", "text", "Isi apa yang salah"), ("erase", "x" * 1_001, "text", "terlalu panjang"),
    ):  # fmt: skip
        page = act(clerk, address, "minta", what=what, text=text)
        assert (clerk.status, said in clerk.text, f'id="{field}-e"' in page) == (422, True, True), (what, text[:3])
        assert page.index(f'href="#{field}"') < page.index("<h1"), "a phone shows it first"
        assert faults(page) == []
    act(clerk, address, "minta", what="correct", text="<b>Budi")
    page = act(clerk, address, "minta", what="correct", text="<i>Budi")
    assert (clerk.status, 'id="what-e"' in page, "&lt;i&gt;Budi" in page) == (409, True, True)
    assert len(branch.application.members.requests_of(branch.budi)) == 1


def test_a_request_at_the_desk_is_told_to_nobody_who_only_claims_to_be_the_member(branch: Branch) -> None:
    branch.register(NEW)
    branch.letters()
    assert branch.state() == "waiting"
    clerk, supervisor = branch.staff(), branch.supervisor()
    act(clerk, clerk.search(), "minta", what="erase")
    branch.api.follow()
    supervisor.get("/kantor/permintaan")
    (waiting,) = re.findall(r'href="(/kantor/permintaan/[^"]+)"', supervisor.page)
    supervisor.get(waiting)
    supervisor.post(waiting, tindakan="hapus", yakin="ya", perintah="PN-JKT/12/2026")
    assert supervisor.status == 303
    told = {(letter.kind, letter.to) for letter in branch.letters()}
    assert told == {("data-answered", ON_FILE)}, "what waited to be sent went with the person"


def test_who_has_neither_access_nor_an_address_can_ask_at_the_desk_and_is_told_there(branch: Branch) -> None:
    kpj = "26000000058"
    branch.office.register(person(kpj, 4, email=""))
    branch.api.follow()
    clerk, supervisor = branch.staff(), branch.supervisor()
    address = clerk.search(kpj)
    assert "sampaikan jawabannya langsung" in clerk.text
    act(clerk, address, "minta", what="export")
    assert clerk.status == 303
    supervisor.get("/kantor/permintaan")
    (waiting,) = re.findall(r'href="(/kantor/permintaan/[^"]+)"', supervisor.page)
    supervisor.get(waiting)
    assert "sampaikan jawabannya langsung" in supervisor.text
    supervisor.post(waiting, tindakan="jawab", hasil="done")
    assert (supervisor.status, branch.letters()) == (303, [])
    act(clerk, address, "daftar", kartu=kpj, email=NEW)
    assert clerk.status == 303
    (invite,) = (letter for letter in branch.letters() if letter.kind == "office-invite")
    branch.application.members.reset(invite.details["token"], HASH, branch.acting())
    owner = branch.application.members.find_person(kpj=kpj)
    assert owner is not None
    (request,) = branch.application.members.requests_of(owner)
    assert (request.channel, request.outcome) == ("office", "done"), "a later registration finds it in its list"


def asked(branch: Branch, what: str, text: str = "") -> tuple[Browser, str]:
    """A supervisor on the page of a request that Budi made."""
    branch.active()
    branch.application.members.request_data(branch.budi, what, text, branch.acting())
    branch.letters()
    supervisor = branch.supervisor()
    listed = supervisor.get("/kantor/permintaan")
    assert "Budi" not in listed
    (address,) = re.findall(r'href="(/kantor/permintaan/[^"]+)"', listed)
    supervisor.get(address)
    return supervisor, address


def test_a_copy_of_all_data_is_handed_out_as_a_file_and_recorded(branch: Branch) -> None:
    supervisor, address = asked(branch, "export")
    page = "/kantor/permintaan/{view}/{number:int}"
    before = branch.looks().count((branch.budi, "user:dewi", "office", "data-request", page))
    supervisor.post(address, tindakan="ekspor")
    assert supervisor.headers["content-disposition"].startswith("attachment")
    assert supervisor.headers["cache-control"] == "no-store"
    held = json.loads(supervisor.page)
    assert held["identity"]["nik"] == nik(1)
    assert {card["kpj"] for card in held["cards"]} == {CARD, SECOND}
    assert branch.looks().count((branch.budi, "user:dewi", "office", "data-request", page)) == before + 1
    supervisor.get(address)
    supervisor.post(address, tindakan="jawab", hasil="done")
    assert supervisor.headers["location"] == "/kantor/permintaan?kabar=selesai"
    assert "Permintaan dijawab" in supervisor.follow()
    assert [letter.kind for letter in branch.letters()] == ["data-answered"]
    supervisor.get(address)
    assert supervisor.status == 404


def test_a_correction_changes_only_what_was_filled_in(branch: Branch) -> None:
    supervisor, address = asked(branch, "correct", "Nama saya Budi Santosa")
    assert "Nama saya Budi Santosa" in supervisor.text
    supervisor.post(address, tindakan="koreksi", name="Budi Santosa", nik="", email="")
    assert supervisor.headers["location"] == f"{address}?kabar=koreksi"
    about = branch.application.members.about(branch.budi)
    assert (about.identity.name, about.identity.nik, about.contact.email) == ("Budi Santosa", nik(1), ON_FILE)
    event = branch.application.log.events(person_stream(branch.budi))[-1]
    assert isinstance(event.fact, PersonCorrected)
    assert (event.by, event.channel, event.reason) == (by(branch, "dewi"), "office", "data-request")
    supervisor.get(address)
    supervisor.post(address, tindakan="koreksi", name="Budi Santosa")
    assert supervisor.headers["location"] == f"{address}?kabar=sama"


def test_a_correction_that_cannot_be_is_told_at_its_field(branch: Branch) -> None:
    supervisor, address = asked(branch, "correct", "x")
    for name, typed, status in (
        ("nik", {"nik": "123"}, 422), ("nik", {"nik": nik(2)}, 409), ("sex", {"sex": "X"}, 422),
        ("email", {"email": "budi"}, 422), ("birth_date", {"day": "1", "month": "1", "year": "2090"}, 422),
        ("birth_date", {"day": "31", "month": "2", "year": "1990"}, 422), ("birth_date", {"day": "17"}, 422),
    ):  # fmt: skip
        said = supervisor.post(address, tindakan="koreksi", **typed)
        assert (supervisor.status, f'id="{name}-e"' in said) == (status, True), (name, supervisor.text)
    supervisor.post(address, tindakan="koreksi")
    assert supervisor.status == 422
    assert branch.application.members.about(branch.budi).identity.nik == nik(1)


def test_an_erasure_is_refused_while_there_is_money_unless_a_legal_order_is_recorded(branch: Branch) -> None:
    supervisor, address = asked(branch, "erase")
    branch.api.follow()
    supervisor.post(address, tindakan="hapus")
    assert (supervisor.status, "tidak bisa dibatalkan" in supervisor.text) == (422, True)
    supervisor.post(address, tindakan="hapus", yakin="ya")
    assert (supervisor.status, "masih ada saldo" in supervisor.text.lower()) == (409, True)
    assert branch.application.members.about(branch.budi).identity.name == "Budi Santoso 1"
    supervisor.post(address, tindakan="hapus", yakin="ya", perintah="PN-JKT/12/2026")
    assert supervisor.headers["location"] == "/kantor/permintaan?kabar=hapus"
    assert "Tidak ada permintaan yang menunggu" in supervisor.follow()
    event = branch.application.log.events(person_stream(branch.budi))[-1]
    assert (event.fact, event.by) == (PersonErased("PN-JKT/12/2026"), by(branch, "dewi"))
    assert [(letter.kind, letter.to) for letter in branch.letters()] == [("data-answered", ON_FILE)]
    branch.api.follow()
    supervisor.get("/kantor")
    supervisor.post("/kantor", nomor=CARD, alasan="complaint")
    assert (supervisor.get(supervisor.headers["location"]), supervisor.status)[1] == 410
    assert "person-erased" in supervisor.page
    assert "Budi" not in supervisor.page


def test_an_erasure_waits_until_the_read_side_knows_everything(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.holdings.FRESH_SECONDS", 0.05)
    supervisor, address = asked(branch, "erase")
    branch.office.contribute(line(CARD, month="2026-07", paid_on="2026-08-12"), request="late")
    supervisor.post(address, tindakan="hapus", yakin="ya", perintah="PN-1")
    assert (supervisor.status, "position-not-reached" in supervisor.page) == (503, True)
    assert branch.application.members.about(branch.budi).identity.name == "Budi Santoso 1"


def test_a_request_can_be_refused_and_is_answered_once(branch: Branch) -> None:
    supervisor, address = asked(branch, "erase")
    supervisor.post(address, tindakan="jawab", hasil="maybe")
    assert supervisor.status == 400
    supervisor.post(address, tindakan="jawab", hasil="refused")
    assert supervisor.status == 303
    (letter,) = branch.letters()
    assert letter.details == {"outcome": "refused"}
    supervisor.get("/kantor/permintaan")
    assert "Tidak ada permintaan" in supervisor.text
    supervisor.get("/kantor")
    supervisor.post(address, tindakan="hapus", yakin="ya", perintah="PN-1")
    assert supervisor.status == 404
    branch.api.clock += timedelta(minutes=11)
    supervisor.get(address)
    assert supervisor.status == 410


def test_the_branch_chooses_notices_for_a_member_at_the_desk(branch: Branch) -> None:
    branch.active()
    clerk = branch.staff()
    address = clerk.search()
    act(clerk, address, "kabar", mail_missing="ya")
    assert (clerk.status, clerk.headers["location"]) == (303, f"{address}?kabar=kabar")
    assert "Pilihan kabar iuran disimpan" in clerk.follow()
    assert done(branch) == ("notices-chosen.v1", by(branch, "sari"), "office")
    assert branch.application.members.about(branch.budi).notices.mail == ("missing",)
    assert "notices-chosen" in {letter.kind for letter in branch.letters()}
    act(clerk, address, "kabar", mail_missing="ya", ktp="")
    assert clerk.status == 403
