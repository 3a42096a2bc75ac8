"""`/akun/kontak`: the member changes the own e-mail address and phone."""

from __future__ import annotations

from tests.api.web.site import BUDI, PASSWORD, Site, faults, text

NEW, PHONE = "baru@contoh.id", "+6281299990000"


def test_a_new_address_is_agreed_to_by_the_old_one_and_proven_with_the_password(site: Site) -> None:
    browser = site.browser(BUDI)
    asked = browser.post("/akun/kontak", contact=f" {NEW} ", old=PASSWORD)
    assert asked.headers["location"] == "/akun/kontak?kabar=diminta"
    page = browser.get(asked.headers["location"]).text
    assert faults(page) == []
    assert f"{NEW} Menunggu persetujuan" in text(page)
    letters = site.letters()
    agree = next(letter.details["token"] for letter in letters if letter.to == BUDI)
    other = site.browser()
    assert NEW in other.get(f"/tautan/{agree}").text
    assert other.post(f"/tautan/{agree}").headers["location"] == "/masuk?kabar=confirm-contact"
    assert "Langkah terakhir" in text(other.get("/masuk?kabar=confirm-contact").text)
    assert "Tinggal dibuktikan" in text(browser.get("/akun/kontak").text)
    (prove,) = [letter for letter in site.letters() if letter.kind == "prove-contact"]
    assert prove.to == NEW
    address = f"/tautan/{prove.details['token']}"
    for wrong in ("", "salah sekali ini"):
        said = other.post(address, password=wrong)
        assert (said.status_code, faults(said.text)) == (422, [])
        assert NEW in said.text
    assert site.browser().login(NEW).status_code == 401
    assert other.post(address, password=PASSWORD).headers["location"] == "/masuk?kabar=prove-contact"
    assert site.browser().login(NEW).headers["location"] == "/saldo"
    assert site.browser().login(BUDI).status_code == 401
    assert {letter.kind for letter in site.letters()} == {"contact-replaced"}
    assert other.get(address).status_code == 410


def test_a_new_phone_is_agreed_to_by_the_number_on_the_old_one_and_proven_by_its_own(site: Site) -> None:
    browser = site.browser(BUDI)
    browser.post("/akun/kontak", contact="0812 9999 0000", old=PASSWORD)
    (waiting,) = site.application.members.asked_contacts(site.budi)
    assert (waiting.contact, waiting.is_agreed) == (PHONE, False)
    (number,) = [letter.details["number"] for letter in site.letters() if "number" in letter.details]
    for wrong, said in (("", "Isi kode 8 angka"), ("1111 1111", "tidak cocok")):
        page = browser.post("/akun/kontak/kode", "/akun/kontak", diminta=str(waiting.asked), number=wrong)
        assert (page.status_code, said in page.text, faults(page.text)) == (422, True, [])
    fields = {"diminta": str(waiting.asked), "number": number}
    assert browser.post("/akun/kontak/kode", "/akun/kontak", **fields).headers["location"].endswith("kabar=setuju")
    (proof,) = site.letters()
    assert proof.to == PHONE
    fields["number"] = proof.details["number"]
    done = browser.post("/akun/kontak/kode", "/akun/kontak", **fields)
    assert done.headers["location"].endswith("kabar=diganti")
    assert "diberi tahu" in text(browser.get(done.headers["location"]).text)
    assert site.application.members.about(site.budi).contact.phone == PHONE


def test_what_cannot_be_a_contact_is_told_at_its_field(site: Site) -> None:
    browser = site.browser(BUDI)
    for fields, said in (
        ({"contact": "", "old": PASSWORD}, "Isi email atau nomor HP yang baru."),
        ({"contact": "budi@", "old": PASSWORD}, "Ini bukan alamat email atau nomor HP yang lengkap."),
        ({"contact": "12", "old": PASSWORD}, "Ini bukan alamat email atau nomor HP yang lengkap."),
        ({"contact": NEW, "old": ""}, "Isi kata sandi Anda sekarang."),
        ({"contact": NEW, "old": "salah sekali ini"}, "Kata sandi sekarang tidak cocok."),
        ({"contact": BUDI, "old": PASSWORD}, "Kontak ini sudah tercatat pada data Anda."),
    ):
        page = browser.post("/akun/kontak", **fields)
        assert page.status_code in {409, 422}, fields
        assert faults(page.text) == [], fields
        assert said in text(page.text), fields
    assert site.letters() == []
    assert site.application.members.asked_contacts(site.budi) == []
