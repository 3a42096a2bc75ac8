"""A forgotten password, a locked account, an address that is not on file."""

from __future__ import annotations

import re

from api.access.guard import WRONG_TRIES
from tests.system.browser.town import PASSWORD, Town, links, words_of
from tests.system.browser.visitor import Visitor

OTHER_PASSWORD = "tujuh gajah hijau"


def test_a_forgotten_password_is_chosen_anew_by_letter(each_visitor: Visitor, town: Town) -> None:
    visitor = each_visitor
    who, t = visitor.member(), visitor.t
    visitor.log_out()
    visitor.follow("login.forgotten")
    visitor.fill("login.identifier", who.nik)
    visitor.press("password.forgot_send")
    assert visitor.heading == t("password.sent")
    link = town.link(who.email)
    visitor.open(link)
    assert visitor.path.startswith("/sandi/")
    visitor.fill("register.password", OTHER_PASSWORD)
    visitor.press("password.save")
    visitor.said(t("login.notice_sandi"))
    visitor.log_in(who.email)
    assert visitor.path == "/masuk", "the old password is refused"
    visitor.log_in(who.email, OTHER_PASSWORD)
    assert visitor.balance() == "Rp855.000"
    assert visitor.open(link) == 410, "the link is used up"


def test_after_five_wrong_passwords_one_waits_and_a_letter_tells(visitor: Visitor, town: Town) -> None:
    who, t, page = visitor.member(), visitor.t, visitor.page
    visitor.log_out()
    for _ in range(WRONG_TRIES):
        visitor.log_in(who.email, "bukan kata sandinya")
        wrong = page.get_by_role("alert").inner_text()
    visitor.log_in(who.email)
    assert page.get_by_role("alert").inner_text() != wrong
    assert visitor.path == "/masuk", "even the right one is not looked at"
    assert re.search(r"\b1 (menit|minute)", page.get_by_role("alert").inner_text())
    letter = town.letter(who.email)
    assert who.email not in words_of(letter)
    assert page.title().startswith(t("site.error_title", title="").strip())


def test_another_address_waits_until_the_one_on_file_says_yes(visitor: Visitor, town: Town) -> None:
    who, t = town.somebody(), visitor.t
    new = f"baru-{who.email}"
    visitor.register(who, new)
    assert links(town.letter(new)) == [], "nothing to verify before somebody has said yes"
    visitor.log_in(new)
    assert visitor.path == "/masuk", "a stranger who knows NIK and KPJ sees nothing"
    asked = town.letter(who.email)
    assert new in words_of(asked), "the new address is whole: it is decided about"
    confirm, deny = links(asked)
    assert visitor.open(deny) == 200
    assert visitor.heading == t("link.deny-login")
    visitor.use(confirm)
    visitor.said(t("login.notice_confirm-login"))
    visitor.use(town.link(new))
    assert visitor.balance() == "Rp855.000"
    assert visitor.open(deny) == 410, "the question is answered"


def test_the_address_on_file_can_refuse_another(visitor: Visitor, town: Town) -> None:
    who = town.somebody()
    new = f"asing-{who.email}"
    visitor.register(who, new)
    visitor.use(links(town.letter(who.email))[1])
    visitor.said(visitor.t("login.notice_deny-login"))
    visitor.log_in(new, PASSWORD)
    assert visitor.path == "/masuk"
