"""A passkey of the browser's own (virtual) authenticator: made, used, removed, and refused where it is known no more."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest

from ledger.errors import sentences
from tests.system.browser.conftest import Look, Visit
from tests.system.browser.town import PASSWORD, Town, words_of
from tests.system.serving import serving

AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def named(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The town under a name: browsers bind no passkey to an address of numbers."""
    with serving(town.settings, "", tmp_path_factory.mktemp("named") / "served", host="localhost") as server:
        found = copy.copy(town)
        found.server = server
        yield found


@pytest.mark.parametrize(("language", "size"), [("id", "phone"), ("en", "desktop")])
def test_a_member_adds_a_passkey_comes_in_with_it_and_removes_it(
    visit: Visit, named: Town, look: Look, language: str, size: str
) -> None:
    visitor = visit(language, size, of=named)
    tools = visitor.page.context.new_cdp_session(visitor.page)
    tools.send("WebAuthn.enable")
    made = tools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]
    who, t = visitor.member(), visitor.t
    visitor.open("/akun")
    visitor.follow("passkey.account_link")
    visitor.said(t("passkey.none"))
    look(visitor, "passkey")
    visitor.fill("account.old", PASSWORD)
    visitor.press("passkey.next")
    look(visitor, "passkey-new")
    visitor.press("passkey.make")
    assert visitor.path == "/akun/passkey?kabar=ditambah"
    visitor.said(t("passkey.notice_ditambah"), t("passkey.unused"))
    look(visitor, "passkey-one")
    assert "passkey" in words_of(named.letter(who.email))

    visitor.log_out()
    visitor.press("passkey.enter")
    assert (visitor.path, visitor.balance()) == ("/saldo", "Rp855.000")
    visitor.open("/akun/passkey")
    assert t("passkey.unused") not in visitor.text
    visitor.press("passkey.remove")
    visitor.said(t("passkey.notice_dihapus"), t("passkey.none"))
    visitor.log_out()
    visitor.press("passkey.enter")
    assert visitor.path == "/masuk/passkey"
    visitor.said(getattr(sentences()["passkey-wrong"], language))

    tools.send("WebAuthn.clearCredentials", {"authenticatorId": made})
    visitor.page.get_by_role("button", name=t("passkey.enter")).click()
    visitor.page.get_by_text(t("passkey.enter_failed")).wait_for()
    look(visitor, "login-passkey")
    visitor.log_in(who.email)
    assert visitor.path == "/saldo", "the password still opens"


def test_without_a_script_no_page_offers_one_and_the_password_opens(visit: Visit, named: Town) -> None:
    visitor = visit(of=named, script=False)
    visitor.open("/masuk")
    assert not visitor.page.get_by_role("button", name=visitor.t("passkey.enter")).count()
    visitor.member()
    visitor.open("/akun/passkey")
    visitor.said(visitor.t("passkey.no_script"))
    assert not visitor.page.get_by_role("button", name=visitor.t("passkey.next")).count()
