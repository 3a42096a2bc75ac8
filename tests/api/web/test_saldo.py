from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from api.web import saldo
from ledger.acts import scheme
from ledger.errors import Unavailable
from ledger.receipt import Header
from tests.api.web.site import ANI, ANIS, BUDI, CARD, DEWI, EMPLOYER, OTHER_CARD, Site, faults, text


def link(site: Site) -> None:
    """Let BUDI see OTHER_CARD too."""
    site.application.members.link_card(site.budi, OTHER_CARD, site.acting())


def test_the_balance_comes_with_its_date_what_it_is_made_of_and_what_is_missing(site: Site) -> None:
    words = text(site.browser(BUDI).get("/saldo").text)
    assert "Saldo JHT Anda, 1 kartu" in words
    assert "Rp 855.000 Per 21 November 2026, pukul 10.00 WIB Iuran terakhir yang masuk: September 2026" in words
    assert "Iuran perusahaan Rp555.000 Iuran Anda Rp300.000 Saldo Rp855.000" in words
    assert "1 bulan belum masuk, 1 bulan ditahan" in words
    assert "Juli 2026 ± Rp285.000 Belum masuk Iuran bulan ini dari PT Sandang" in words
    assert "Jatuh tempo 18 Agustus 2026." in words, "the 15th is a Saturday, the 17th Independence Day"
    assert "tidak dilaporkan" not in words.lower(), "no reports are known, so nobody is accused"


def test_without_complete_payments_no_month_is_called_missing_and_the_pages_say_until_when_they_are(site: Site) -> None:
    browser = site.browser(BUDI)
    assert "Data pembayaran lengkap sampai 20 November 2026." in text(browser.get("/saldo").text)
    who = Header("test", "test", "", "feed-incomplete")
    scheme.complete(site.log, date(2026, 8, 17), who, lambda: site.clock)
    site.follow()
    for address in ("/saldo", "/iuran"):
        page = browser.get(address).text
        assert faults(page) == []
        words = text(page)
        assert "bulan belum masuk" not in words
        assert "Data pembayaran lengkap sampai 17 Agustus 2026." in words
        assert "Lewat jatuh tempo dan masih ditunggu: Juli 2026." in words
    assert "Juli 2026 Masih ditunggu" in text(browser.get("/iuran").text)


def test_the_amount_of_money_that_may_be_somebody_elses_is_not_on_the_page(site: Site) -> None:
    words = text(site.browser(BUDI).get("/saldo").text)
    assert "Oktober 2026 Ditahan Uang dari PT Sandang" in words
    assert "untuk kartu ini datang 10 November 2026 dengan NIK orang lain. Mungkin bukan uang Anda" in words


def test_an_employers_name_is_text_and_never_markup(site: Site) -> None:
    page = site.browser(BUDI).get("/saldo").text
    assert EMPLOYER not in page
    assert "PT Sandang &lt;b&gt;&amp;amp; Pangan" in page


def test_a_zero_says_why(site: Site) -> None:
    words = text(site.browser(DEWI).get("/saldo").text)
    assert "Rp 0 Per 21 November 2026, pukul 10.00 WIB Belum ada iuran yang masuk." in words
    assert "Iuran perusahaan" not in words, "nobody pays for the self-employed"


def test_several_cards_are_shown_one_by_one_and_in_sum(site: Site) -> None:
    link(site)
    browser = site.browser(BUDI)
    page = browser.get("/saldo").text
    assert "Saldo JHT Anda, 2 kartu" in text(page)
    assert "Rp 1.140.000" in text(page)
    assert text(page).index(CARD) < text(page).index(OTHER_CARD), "the one that gets money comes first"
    totals = []
    for handle in re.findall(r'href="/saldo/([\w-]{22})"', page):
        one = browser.get(f"/saldo/{handle}").text
        assert faults(one) == []
        totals.append(re.search(r"Saldo JHT kartu (\d+) Rp ([\d.]+)", text(one)).groups())  # type: ignore[union-attr]
    assert totals == [(CARD, "855.000"), (OTHER_CARD, "285.000")]


def test_a_handle_of_another_member_is_a_page_that_does_not_exist(site: Site) -> None:
    (anis,) = site.application.members.cards(site.ani)
    answer = site.browser(BUDI).get(f"/saldo/{anis.handle}")
    assert answer.status_code == 404
    assert ANIS not in answer.text
    assert site.browser(ANI).get(f"/saldo/{anis.handle}").status_code == 200


def test_no_page_is_kept_for_another_member(site: Site) -> None:
    budi, ani = site.browser(BUDI), site.browser(ANI)
    for _ in range(2):
        assert CARD in budi.get("/saldo").text
        assert CARD not in ani.get("/saldo").text
        assert ANIS in ani.get("/saldo").text


def test_new_money_shows_at_once(site: Site) -> None:
    browser = site.browser(BUDI)
    assert "Rp 855.000" in text(browser.get("/saldo").text)
    site.office.contribute({"npp": "10000001", "month": "2026-07", "kpj": CARD, "wage": 5_000_000,
                            "paid_on": "2026-11-20"}, request="late")  # fmt: skip
    site.follow()
    words = text(browser.get("/saldo").text)
    assert "Rp 1.140.000" in words
    assert "bulan belum masuk" not in words


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_read_side_that_is_not_sure_shows_no_number_at_all(site: Site, language: str) -> None:
    browser = site.browser(BUDI, language)
    browser.get("/saldo")
    site.clock += timedelta(minutes=10)
    for address in ("/saldo", "/iuran"):
        answer = browser.get(address)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert faults(answer.text) == []
        words = text(answer.text)
        assert "Rp" not in words
        assert {"id": "Ini bukan berarti saldo Anda nol.", "en": "does not mean that your balance is zero"}[
            language
        ] in words
        assert "read-side-stale" in words
        assert {"id": "Terakhir pasti 21 November 2026, pukul 10.00", "en": "Last known for certain 21 November 2026"}[
            language
        ] in words
        assert "jht" not in words.lower().replace("saldo jht", "").replace("jht balance", ""), "no command to a member"


def test_one_card_that_is_being_checked_hides_the_sum_and_not_the_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    link(site)
    answered = site.application.balance

    async def balance(card: int, *given: object) -> object:
        if card == int(OTHER_CARD):
            raise Unavailable("account-incomplete", position=7)
        return await answered(card, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(site.application, "balance", balance)
    browser = site.browser(BUDI)
    answer = browser.get("/saldo")
    words = text(answer.text)
    assert answer.status_code == 503
    assert f"Saldo JHT kartu {OTHER_CARD} Belum bisa ditampilkan" in words
    assert f"{CARD} , Rp855.000 (Per 21 November 2026, pukul 10.00 WIB)" in words
    assert faults(answer.text) == []
    assert browser.get("/iuran").status_code == 503


def test_a_read_that_cannot_be_recorded_is_not_served(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def note(_: object) -> None:
        raise Unavailable("record-unavailable")

    browser = site.browser(BUDI)
    monkeypatch.setattr(site.application.recorder, "note", note)
    for address in ("/saldo", "/iuran"):
        answer = browser.get(address)
        assert (answer.status_code, "855.000" in answer.text) == (503, False)


def test_every_look_at_the_own_balance_is_recorded_with_its_door(site: Site) -> None:
    browser = site.browser(BUDI)
    browser.get("/saldo")
    browser.get("/iuran")
    site.flush()
    assert [(what, key, route) for what, _, key, _, route in site.records()] == [
        (CARD, "member", "/saldo"), (CARD, "member", "/iuran"),
    ]  # fmt: skip


def test_a_card_that_went_to_somebody_else_is_not_shown(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    (anis,) = site.application.members.cards(site.ani)
    monkeypatch.setattr("api.web.holdings.cards_of_each", lambda _, persons: {key: [anis] for key in persons})
    answer = site.browser(BUDI).get("/saldo")
    assert (answer.status_code, ANIS in answer.text) == (404, False)


def test_a_card_is_added_with_a_notice_and_anothers_is_not(site: Site) -> None:
    browser = site.browser(BUDI)
    for kpj in (ANIS, "26999999999"):
        answer = browser.post("/kartu", kpj=kpj)
        assert answer.status_code == 422
        assert "kartu atas nama orang lain tidak bisa ditambahkan" in text(answer.text)
    assert "Nomor peserta (KPJ) ini tidak lengkap" in text(browser.post("/kartu", kpj="1").text)
    assert browser.post("/kartu", kpj=f"{OTHER_CARD[:4]} {OTHER_CARD[4:]}").headers["location"] == "/saldo"
    assert OTHER_CARD in browser.get("/saldo").text
    assert [letter.kind for letter in site.letters()] == ["card-linked"] * 2, "by e-mail and by SMS"


def test_who_searches_for_card_numbers_is_stopped(site: Site) -> None:
    browser = site.browser(BUDI)
    for number in range(10):
        browser.post("/kartu", kpj=f"2699999990{number}")
    assert "Terlalu banyak percobaan" in text(browser.post("/kartu", kpj=ANIS).text)
    assert browser.post("/kartu", kpj=OTHER_CARD).headers["location"] == "/saldo", "an offered card is no search"


def test_the_other_cards_of_the_person_are_offered_and_added_with_one_press(site: Site) -> None:
    browser = site.browser(BUDI)
    for address in ("/saldo", "/kartu"):
        page = browser.get(address).text
        assert faults(page) == []
        assert f"1 kartu lagi atas nama Anda {OTHER_CARD} PU, PT Kedua, sampai Maret 2026 Tambahkan kartu" in text(page)
        assert ANIS not in page
    assert "One more card is in your name" in text(site.browser(BUDI, "en").get("/saldo").text)
    assert browser.post("/kartu", "/saldo", kpj=OTHER_CARD).headers["location"] == "/saldo"
    page = text(browser.get("/saldo").text)
    assert "Saldo JHT Anda, 2 kartu" in page
    assert "kartu lagi atas nama Anda" not in page
    assert {letter.kind for letter in site.letters()} == {"card-linked"}
    assert "atas nama Anda" not in text(site.browser(ANI).get("/saldo").text), "nobody is offered another's card"


def test_the_years_before_the_newest_ones_are_summed_up_and_one_step_away(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(saldo, "SHOWN_YEARS", 1)
    link(site)
    browser = site.browser(BUDI)
    page = browser.get("/saldo").text
    assert 'aria-label="2026"' in page
    assert 'aria-label="2025"' not in page
    found = re.search(r'<a class="link-row" href="(/iuran\?tahun=2025)">([^<]*)</a>', page)
    assert found is not None
    assert found[2] == "Tahun 2025: 0 dari 12 bulan masuk"
    assert "Iuran per bulan, 2025" in text(browser.get(found[1]).text)


def test_the_months_of_a_year_show_wage_shares_and_days(site: Site) -> None:
    link(site)
    browser = site.browser(BUDI)
    words = text(browser.get("/iuran").text)
    assert "Iuran per bulan, 2026" in words
    assert "Rp5.000.000 Rp185.000 Rp100.000 10 Okt 2026 21 Nov 2026 Rp285.000" in words
    assert f"Kartu {OTHER_CARD}" in words
    assert "Juli 2026 Belum masuk" in words
    older = text(browser.get("/iuran?tahun=2025").text)
    assert "Iuran dari" not in older
    assert "belum kami terima" in older
    assert "Data pembayaran lengkap" in older
    for address in ("/iuran?tahun=1999", "/iuran?tahun=x", "/iuran?tahun=%00"):
        assert browser.get(address).status_code == 404


@pytest.mark.parametrize("complete", ["2026-11-20", "2024-12-31"])
def test_a_silent_year_is_told_in_one_sentence_with_its_months(site: Site, complete: str) -> None:
    link(site)
    scheme.complete(
        site.log, date.fromisoformat(complete), Header("test", "test", "", "feed-incomplete"), lambda: site.clock
    )
    site.follow()
    page = site.browser(BUDI).get("/iuran?tahun=2025").text
    assert faults(page) == []
    words = text(page)
    assert words.count("atuh temponya sudah lewat") == 1
    assert words.count("PT Kedua") == (2 if complete == "2026-11-20" else 1)
    assert re.search(r"Des 2025 Nov 2025 .* Jan 2025", words), words
    assert [f'id="b{number}"' in page for number in range(1, 13)] == [True] * 12, "the grid leads to them"
