"""The branch: a search with a reason, the member's page, an assisted registration, the letter on paper."""

from __future__ import annotations

from tests.system.browser.conftest import Look, Visit
from tests.system.browser.town import PASSWORD, STAFF, SUPERVISOR, Town, words_of
from tests.system.browser.visitor import Visitor


def search(clerk: Visitor, number: str, why: str = "counter-visit") -> None:
    """Ask for a member."""
    clerk.open("/kantor")
    clerk.fill("office.number", number)
    clerk.page.get_by_label(clerk.t("office.reason"), exact=True).select_option(why)
    clerk.press("office.find")


def test_a_clerk_finds_a_member_helps_to_register_and_prints_the_letter(
    each_visitor: Visitor, visit: Visit, town: Town
) -> None:
    clerk, who, t = each_visitor, town.somebody(), each_visitor.t
    clerk.enter("office", STAFF)
    assert clerk.path == "/kantor"
    clerk.fill("office.number", who.kpj)
    clerk.press("office.find")
    clerk.said(t("office.reason_missing"))
    search(clerk, "26999999999")
    clerk.said(t("office.nobody"))
    search(clerk, who.nik)
    clerk.said(t("office.state_none"), who.kpj, "Rp855.000", "Rp285.000")
    assert clerk.balance() in {"Rp855.000", "Rp285.000"}
    for clear in (who.nik, who.email):
        assert clear not in clerk.text, "masked"
    for part in (who.nik, who.kpj):
        assert part not in clerk.page.url
    own = f"diri-{who.email}"
    clerk.fill("office.email", own)
    if clerk.page.locator("#dk").count():
        clerk.page.locator("#dk").select_option(who.kpj)
    clerk.page.locator("#dks").check()
    clerk.press("office.send_link")
    clerk.said(t("office.done_daftar"), t("office.state_sent"))
    page = clerk.path.partition("?")[0]

    member = visit(clerk.language)
    member.open(town.link(own))
    member.fill("register.password", PASSWORD)
    member.press("password.save")
    member.log_in(own)
    assert member.balance() == "Rp855.000", "the same as at the desk"
    member.open("/akun/akses")
    member.said(
        member.t("looks.staff", name=STAFF), member.t("looks.channel_office"), member.t("office.reason_counter-visit")
    )

    clerk.open(page)
    clerk.said(t("office.state_active"))
    clerk.follow("office.letter")
    assert clerk.heading == t("office.letter_title")
    clerk.said(who.kpj, "Rp855.000", "Rp1.140.000", t("saldo.answer"))
    assert who.nik not in clerk.text
    clerk.press("site.log_out")
    clerk.open(page)
    assert clerk.path.startswith("/kantor/masuk")


def test_a_supervisor_answers_a_request_about_the_own_data(visitor: Visitor, visit: Visit, town: Town) -> None:
    member = visit(visitor.language)
    who, t = member.member(), visitor.t
    member.open("/akun/data")
    member.page.get_by_label(t("requests.correct")).check()
    member.fill("requests.text", "Nama saya Budi Santosa")
    member.press("requests.submit")
    assert words_of(town.letter(who.email))
    visitor.enter("office", SUPERVISOR)
    search(visitor, who.kpj)
    visitor.follow("office.answer")
    visitor.said("Nama saya Budi Santosa")
    visitor.fill("office.field_name", "Budi Santosa")
    visitor.press("office.correct_do")
    visitor.said("Budi Santosa")
    visitor.press("office.outcome_done")
    assert words_of(town.letter(who.email))
    member.open("/akun")
    member.said("Budi Santosa")


def test_a_phone_is_set_up_lost_and_forgotten_by_another_supervisor(
    each_visitor: Visitor, visit: Visit, town: Town, look: Look
) -> None:
    clerk, t = each_visitor, each_visitor.t
    town.forget_phone(STAFF)
    clerk.half_way("office", STAFF)
    assert clerk.heading == t("office.set_up")
    look(clerk, "kantor-kode-baru")
    clerk.fill("office.code", "000000")
    clerk.press("office.enter")
    clerk.said(t("office.code_wrong"))
    clerk.fill("office.code", town.code(STAFF, clerk.page.content()))
    clerk.press("office.enter")
    assert clerk.path == "/kantor"
    clerk.press("site.log_out")
    clerk.half_way("office", STAFF)
    assert clerk.heading == t("office.code_title")
    look(clerk, "kantor-kode")
    clerk.press("office.lost_ask")
    boss = visit(clerk.language)
    boss.enter("office", SUPERVISOR)
    boss.follow("office.phones")
    look(boss, "kantor-hp-hilang")
    boss.press("office.phone_forget", name=STAFF)
    boss.said(boss.t("office.phone_gone"), boss.t("office.no_phones"))
    clerk.half_way("office", STAFF)
    clerk.said(t("office.set_up_why"), SUPERVISOR)
    town.forgotten(STAFF)
