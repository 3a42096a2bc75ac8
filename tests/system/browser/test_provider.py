"""Members come in through an identity provider, in a town that has one: log in there, say once who one is, look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Request

from tests.system import oidc
from tests.system.browser import town as towns
from tests.system.browser.conftest import Look, Visit
from tests.system.browser.town import Person, Town
from tests.system.browser.visitor import Visitor


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Town]:
    """The town of this file, for `visit` and all that come by it."""
    del chromium
    with (
        oidc.running() as provider,
        towns.opened(tmp_path_factory.mktemp("provider"), **provider.settings) as made,
    ):
        provider.send_back_to(made.server.address)
        yield made


def name_of(who: Person) -> str:
    """The name at the provider whose address there is the one on file."""
    return who.email.partition("@")[0]


def log_in_there(visitor: Visitor, name: str) -> None:
    """Go to the provider from the page that explains it, log in as `name`, agree, come back."""
    visitor.follow("provider.go")
    visitor.page.get_by_placeholder("Enter any login").fill(name)
    visitor.page.get_by_placeholder("and password").fill("x")
    for button in ("Sign-in", "Continue"):
        with visitor.going():
            visitor.page.get_by_role("button", name=button).click()


def say_who(visitor: Visitor, who: Person, **changes: str) -> None:
    """Fill in the page that the first login leads to."""
    assert visitor.path == "/oidc/data"
    visitor.choose_segment(who.segment)
    visitor.fill_in_data(who, **changes)
    visitor.press("provider.data_send")


def test_the_first_login_asks_who_it_is_and_the_next_leads_to_the_balance(visitor: Visitor, town: Town) -> None:
    who, t = town.somebody(), visitor.t
    visitor.open("/")
    visitor.follow("start.register")
    visitor.said(t("provider.lead", host=(town.settings.oidc_issuer or "").partition("://")[2]), t("provider.first"))
    log_in_there(visitor, name_of(who))
    say_who(visitor, who)
    assert visitor.path == "/saldo"
    assert visitor.balance() == "Rp855.000"
    visitor.said(who.kpj)
    visitor.log_out()
    assert visitor.heading == t("provider.title"), "or the provider would log in again at once"
    visitor.said(t("login.notice_keluar"))
    visitor.follow("provider.go")
    assert visitor.path == "/saldo", "nothing is asked a second time"
    assert visitor.balance() == "Rp855.000"


def test_a_form_whose_session_is_gone_leads_to_the_login(visitor: Visitor, town: Town) -> None:
    who = town.somebody()
    visitor.open("/daftar")
    log_in_there(visitor, name_of(who))
    say_who(visitor, who)
    visitor.open("/akun")
    visitor.page.context.clear_cookies()
    visitor.press("account.everywhere")
    visitor.said(visitor.t("login.notice_lewat"), visitor.t("provider.first"))


def test_pages_of_the_login_through_a_provider(visit: Visit, town: Town, look: Look) -> None:
    visitor, who = visit("id"), town.somebody()
    visited: list[str] = []

    def came(request: Request) -> None:
        visited.append(request.url)

    visitor.page.on("request", came)
    visitor.open("/masuk?kabar=keluar")
    look(visitor, "provider")
    log_in_there(visitor, name_of(who))
    look(visitor, "provider-data")
    visitor.press("provider.data_send")
    visitor.said(visitor.t("register.wrong_segment"), visitor.t("register.empty_born"))
    look(visitor, "provider-data-wrong")
    [back] = [address for address in visited if "/oidc/kembali?" in address]
    assert visitor.open(back) == 422
    visitor.said(visitor.t("error.next_provider-refused"))
    look(visitor, "provider-used-code")
    with visitor.going():
        visitor.page.locator("main").get_by_role("link", name=visitor.t("error.log_in")).click()
    # The provider still knows who it is.
    say_who(visitor, who)
    visitor.open("/akun")
    visitor.said(who.email[:2])
    look(visitor, "provider-account")

    stranger = visit("en", "desktop")
    stranger.open("/masuk?kabar=keluar")
    log_in_there(stranger, "orang-lain")
    say_who(stranger, who, nik=town.somebody().nik)
    assert stranger.heading == stranger.t("provider.waits_title")
    look(stranger, "provider-waits")

    unverified = visit("id")
    unverified.open("/daftar")
    log_in_there(unverified, "new-budi")
    unverified.said(unverified.t("error.next_provider-email-missing"))
    look(unverified, "provider-not-verified")
