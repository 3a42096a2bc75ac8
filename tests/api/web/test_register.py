from __future__ import annotations

import re

import pytest

from tests.api.web.site import CARD, OTHER_CARD, PASSWORD, Browser, Site, faults, text, title
from tests.office import nik, person

NEW = "26000000058"
DETAILS = {"segment": "PU", "nik": nik(4), "day": "17", "month": "5", "year": "1990", "kpj": NEW}
CONTACT = {"email": "budi4@contoh.id", "password": PASSWORD}


@pytest.fixture
def guest(site: Site) -> Browser:
    """Somebody whom the agency knows and who has no access yet."""
    site.office.register(person(NEW, 4))
    site.follow()
    return site.browser()


def send(guest: Browser, **changes: str) -> str:
    answer = guest.post("/daftar/terkirim", "/daftar", **DETAILS | CONTACT | changes)
    assert answer.status_code == 303, text(answer.text)
    return str(answer.headers["location"])


def test_the_three_steps_carry_what_was_entered_in_the_form_and_never_in_an_address(still: Site) -> None:
    guest = still.browser()
    second = guest.post("/daftar/data", "/daftar", segment="PU")
    assert title(second.text) == "Daftar, langkah 2 dari 3 – Saldo JHT"
    assert '<input type="hidden" name="segment" value="PU">' in second.text
    third = guest.post("/daftar/email", "/daftar", **DETAILS)
    assert title(third.text) == "Daftar, langkah 3 dari 3 – Saldo JHT"
    for name, value in DETAILS.items():
        assert f'<input type="hidden" name="{name}" value="{value}">' in third.text
    back = guest.post("/daftar/data", "/daftar", **DETAILS, edit="1")
    assert f'value="{nik(4)}"' in back.text
    for page in (second, third, back):
        assert faults(page.text) == []
        assert nik(4) not in "".join(re.findall(r'(?:href|action)="([^"]*)"', page.text))


def test_a_registration_that_matches_is_proven_by_the_link_in_the_mail_and_opens_the_balance(
    site: Site, guest: Browser
) -> None:  # fmt: skip
    assert send(guest) == "/daftar/terkirim"
    assert "b***4@contoh.id" in guest.get("/daftar/terkirim").text
    (letter,) = site.letters()
    address = f"/tautan/{letter.details['token']}"
    assert "Verifikasi email" in guest.get(address).text
    assert guest.get(address).status_code == 200, "looking at a link does not use it"
    assert guest.post(address, password=PASSWORD).headers["location"] == "/saldo"
    assert site.browser().login("budi4@contoh.id").headers["location"] == "/saldo"
    assert "Belum ada iuran yang masuk" in guest.get("/saldo").text
    used = guest.get(address)
    assert (used.status_code, "link-used" in used.text) == (410, True)


def test_nothing_on_the_page_tells_whether_a_registration_matched(site: Site, guest: Browser) -> None:
    pages = set()
    for changes in (
        {}, {"nik": nik(9)}, {"day": "18"}, {"kpj": OTHER_CARD}, {"kpj": "26999999999"}, {"segment": "BPU"},
        {"nik": nik(1), "kpj": CARD},
    ):  # fmt: skip
        browser = site.browser()
        # Another address each time with the same mask: a letter to the address on file would say that it is.
        assert send(
            browser, **changes | {"email": f"budi{len(pages)}x{len(changes)}{changes.get('day', '')}4@contoh.id"}
        )
        pages.add(re.sub(r'name="csrf" value="[^"]+"', "", browser.get("/daftar/terkirim").text))
    assert len(pages) == 1
    told = [letter.kind for letter in site.letters() if letter.to.endswith("4@contoh.id") and "x" in letter.to]
    assert told == ["register-received"] * 7, "neither do letters to an address that is not on file"


def test_the_number_of_the_phone_on_file_is_taken_on_the_same_page(site: Site, guest: Browser) -> None:
    send(guest, email="lain@contoh.id")
    (number,) = [letter.details["number"] for letter in site.letters() if "number" in letter.details]
    stranger = site.browser()
    send(stranger, nik=nik(9), email="lain@contoh.id")
    site.letters()
    wrong = {
        text(browser.post("/daftar/nomor", "/daftar/terkirim", number=given).text)
        for browser, given in ((guest, "1111 1111"), (stranger, "1111 1111"), (stranger, number), (guest, "YA"))
    }
    assert len(wrong) == 1, "a registration that fits nobody looks the same"
    assert "Angka ini tidak cocok" in wrong.pop()
    right = guest.post("/daftar/nomor", "/daftar/terkirim", number=number)
    assert right.headers["location"] == "/daftar/terkirim?kabar=cocok"
    page = guest.get("/daftar/terkirim?kabar=cocok").text
    assert ("Kodenya cocok" in page, faults(page)) == (True, [])
    (verify,) = site.letters()
    assert (verify.kind, verify.to) == ("verify", "lain@contoh.id")
    assert guest.post(f"/tautan/{verify.details['token']}", password=PASSWORD).headers["location"] == "/saldo"


def test_a_browser_may_try_few_numbers(site: Site, guest: Browser) -> None:
    send(guest, email="lain@contoh.id")
    answers = [guest.post("/daftar/nomor", "/daftar/terkirim", number="1111 1111").status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]


WRONG = (
    ({"segment": "X"}, 1, "Pilih salah satu segmen."),
    ({"nik": "317101170590000"}, 2, "NIK berisi 15 angka, seharusnya 16."),
    ({"nik": ""}, 2, "Isi NIK Anda: 16 angka di KTP."),
    ({"nik": " "}, 2, "Isi NIK Anda: 16 angka di KTP."),
    ({"day": "", "month": "", "year": ""}, 2, "Isi tanggal lahir: tanggal, bulan, dan tahun."),
    ({"month": ""}, 2, "Isi tanggal lahir: tanggal, bulan, dan tahun."),
    ({"kpj": ""}, 2, "Isi nomor peserta (KPJ) Anda."),
    ({"email": " "}, 3, "Isi alamat email Anda."),
    ({"password": ""}, 3, "Isi kata sandi."),
    ({"nik": "31710117059000O1"}, 2, "NIK hanya berisi angka."),
    ({"day": "30", "month": "2"}, 2, "Tanggal lahir ini tidak ada di kalender."),
    ({"year": "2030"}, 2, "Tanggal lahir ini tidak ada di kalender."),
    ({"year": "1800"}, 2, "Tanggal lahir ini tidak ada di kalender."),
    ({"day": "١٧"}, 2, "Tanggal lahir ini tidak ada di kalender."),
    ({"kpj": "12"}, 2, "Nomor peserta (KPJ) ini tidak lengkap."),
    ({"email": "budi"}, 3, "Alamat email ini tidak lengkap."),
    ({"password": "pendek"}, 3, "Kata sandi ini terlalu mudah ditebak."),
    ({"password": nik(4)}, 3, "Kata sandi ini terlalu mudah ditebak."),
)


def test_what_cannot_be_right_is_told_at_its_field_with_a_link_to_it(still: Site) -> None:
    guest = still.browser()
    still.letters()
    for changes, step, sentence in WRONG:
        answer = guest.post("/daftar/terkirim", "/daftar", **DETAILS | CONTACT | changes)
        assert answer.status_code == 422, changes
        assert faults(answer.text) == [], changes
        assert title(answer.text) == f"Ada isian yang perlu diperbaiki. Daftar, langkah {step} dari 3 – Saldo JHT"
        assert text(answer.text).count(sentence.rstrip(".")) == 2, "in the summary and at the field"
        assert PASSWORD not in answer.text
    assert still.letters() == []


def test_a_step_opened_by_its_address_begins_anew(still: Site) -> None:
    guest = still.browser()
    for address in ("/daftar/data", "/daftar/email"):
        assert guest.get(address).headers["location"] == "/daftar"


def test_what_was_typed_is_escaped(still: Site) -> None:
    guest = still.browser()
    answer = guest.post("/daftar/email", "/daftar", **DETAILS | {"nik": '"><script>x</script>', "kpj": "'<b>"})
    assert "<script>" not in answer.text
    assert faults(answer.text) == []


def test_one_address_gets_few_letters_in_an_hour(site: Site, guest: Browser) -> None:
    for _ in range(5):
        send(guest, nik=nik(9))
    answer = guest.post("/daftar/terkirim", "/daftar", **DETAILS | CONTACT)
    assert "Terlalu banyak percobaan" in text(answer.text)
    assert len(site.letters()) == 5
