"""What a member does behind the login: cards, who looked, requests about the own data, settings, help."""

from __future__ import annotations

from tests.system.browser.conftest import Visit
from tests.system.browser.town import BOTH_BALANCES, PASSWORD, SECOND_BALANCE, Town, words_of
from tests.system.browser.visitor import Visitor

OTHER_PASSWORD = "tujuh gajah hijau"


def test_another_card_of_ones_own_is_linked_and_anybody_elses_is_not(visitor: Visitor, town: Town) -> None:
    who, t, page = visitor.member(), visitor.t, visitor.page
    visitor.follow("saldo.card_more")
    for kpj in (town.somebody().kpj, "26999999999"):
        visitor.fill("register.kpj", kpj)
        visitor.press("cards.submit")
        assert visitor.path == "/kartu"
        assert page.get_by_role("alert").inner_text()
    visitor.fill("register.kpj", who.other)
    visitor.press("cards.submit")
    assert visitor.path == "/saldo"
    assert visitor.balance() == BOTH_BALANCES
    visitor.said(t("saldo.heading", n=2), who.kpj, "Rp855.000", who.other, SECOND_BALANCE)
    assert who.other[-4:] in words_of(town.letter(who.email))
    with visitor.going():
        page.locator("a.card").filter(has_text=who.other).click()
    assert visitor.heading == t("saldo.heading_card", kpj=who.other)
    assert visitor.balance() == SECOND_BALANCE
    assert who.other not in page.url, "an address holds a handle, no card number"
    visitor.follow("saldo.all_cards")
    assert visitor.balance() == BOTH_BALANCES


def test_a_member_sees_who_looked_asks_for_the_data_and_logs_out_everywhere(
    visitor: Visitor, visit: Visit, town: Town
) -> None:
    who, t = visitor.member(), visitor.t
    elsewhere = visit(visitor.language)
    elsewhere.log_in(who.kpj)
    assert elsewhere.balance() == "Rp855.000"
    # Records of a member's own reads are durable within a second.
    visitor.page.wait_for_timeout(1100)
    visitor.follow("site.tab_account")
    visitor.said(f"{who.nik[:4]}", t("account.phone_none"))
    assert who.nik not in visitor.text, "the number is masked"
    visitor.follow("account.access_link")
    # Nobody else looked: the own reads are folded.
    visitor.page.locator("#sendiri summary").click()
    visitor.said(t("looks.member"), t("looks.channel_website"), t("looks.card", kpj=who.kpj))
    visitor.follow("looks.back")
    visitor.follow("account.data_link")
    for kind, text in (("export", ""), ("correct", ""), ("correct", "Nama saya Budi S. <b>"), ("erase", "")):
        visitor.page.get_by_label(t(f"requests.{kind}")).check()
        visitor.fill("requests.text", text)
        visitor.press("requests.submit")
        if kind == "correct" and not text:
            visitor.said(t("requests.empty_text"))
        else:
            visitor.said(t("requests.notice_terkirim"))
            assert words_of(town.letter(who.email))
    visitor.said(t("requests.export"), t("requests.correct"), t("requests.erase"), "Nama saya Budi S. <b>")
    assert visitor.text.count(t("requests.open")) == 3
    visitor.open("/akun")
    visitor.press("account.everywhere")
    visitor.said(t("login.notice_semua"))
    # A process remembers a session for a second.
    elsewhere.page.wait_for_timeout(1100)
    for one in (visitor, elsewhere):
        one.open("/saldo")
        assert one.path.startswith("/masuk")


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(visitor: Visitor, visit: Visit, town: Town) -> None:
    who, t = visitor.member(), visitor.t
    elsewhere = visit(visitor.language)
    elsewhere.log_in(who.email)
    visitor.open("/akun")
    visitor.fill("account.old", "bukan kata sandinya")
    visitor.fill("register.password", OTHER_PASSWORD)
    visitor.press("account.save")
    visitor.said(t("account.wrong_old"))
    visitor.fill("account.old", PASSWORD)
    visitor.fill("register.password", OTHER_PASSWORD)
    visitor.press("account.save")
    visitor.said(t("account.notice_sandi"))
    assert words_of(town.letter(who.email))
    elsewhere.page.wait_for_timeout(1100)
    elsewhere.open("/saldo")
    assert elsewhere.path.startswith("/masuk")
    visitor.open("/saldo")
    assert visitor.balance() == "Rp855.000"


def test_the_language_is_switched_on_any_page_and_stays(visit: Visit) -> None:
    visitor = visit("id")
    visitor.open("/bantuan")
    visitor.follow("site.other_language")
    assert visitor.path == "/bantuan"
    english = visit("en")
    assert visitor.heading == english.t("help.title")
    visitor.open("/masuk")
    assert visitor.heading == english.t("login.title")
    assert visitor.page.locator("html").get_attribute("lang") == "en"


def test_the_first_page_says_how_to_ask_by_sms_and_help_names_call_centre_and_office(each_visitor: Visitor) -> None:
    visitor, t = each_visitor, each_visitor.t
    visitor.open("/")
    visitor.said("DAFTAR SALDO#NIK#TANGGAL LAHIR#NOMOR PESERTA#EMAIL", "2757", t("start.sms_wait"), t("start.app_how"))
    with visitor.going():
        visitor.page.get_by_role("navigation").get_by_role("link", name=t("site.help")).click()
    visitor.said(t("help.call"), t("help.office"), t("help.data"))
    for number in range(1, 7):
        question = visitor.page.locator("summary").get_by_text(t(f"help.q{number}"), exact=True)
        question.click()
        assert t(f"help.a{number}") in visitor.text
