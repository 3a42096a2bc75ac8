"""With JHT_OIDC_ISSUER no password of ours opens anything, at no door of a member."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from api.app import create_app
from ledger.members import Claim
from ledger.settings import Settings
from tests.api.mobile.conftest import code
from tests.api.peopled import hashed
from tests.api.web.branch import BARE, CARD, Branch
from tests.api.web.site import PASSWORD, faults
from tests.conftest import MASTER_KEY, NOW
from tests.office import nik

CHANGES = {"oidc_issuer": "https://id.example", "oidc_client_id": "jht", "oidc_client_secret": SecretStr("x" * 32)}

OWN = ["/oidc/data", "/oidc/kembali", "/oidc/mulai"]


@pytest.fixture
def branch(settings: Settings) -> Iterator[Branch]:
    with Branch(settings, **CHANGES) as made:
        yield made


def test_the_app_is_made_before_anything_is_opened() -> None:
    paths = [route.path for route in create_app(Settings(master_key=MASTER_KEY, **CHANGES)).routes]
    assert paths.index("/masuk") < len(paths) - 1 - paths[::-1].index("/masuk"), "the provider's stands first"


def test_the_providers_pages_are_known_and_closed_to_who_did_not_come_from_there(branch: Branch) -> None:
    usual = {(r.path, *r.methods) for r in create_app(Settings(master_key=MASTER_KEY)).routes}
    here = {(route.path, *route.methods) for route in branch.api.app.routes}
    assert sorted({path for path, *_ in here - usual if path.startswith("/oidc")}) == OWN
    for role in (branch.browser(), branch.staff(), branch.supervisor(), branch.employer()):
        for path in ("/oidc/kembali", "/oidc/kembali?code=a&state=b", "/oidc/data"):
            role.get(path)
            assert (role.status, faults(role.page)) == (422, []), path
            assert role.headers["cache-control"] == "no-store"
            assert "default-src 'none'" in role.headers["content-security-policy"]
        role.page = ""
        role.post("/oidc/data", nik=nik(1))
        assert (role.status, "form-foreign" in role.page) == (403, True)


def test_a_password_is_refused_with_what_to_do_instead(branch: Branch) -> None:
    body = {"identifier": "budi1@contoh.id", "password": PASSWORD, "device": "HP"}
    answer = branch.api.client.post("/v1/mobile/login", json=body)
    assert code(answer) == (403, "login-by-provider")
    assert "identity provider" in answer.json()["detail_en"]
    visitor = branch.browser()
    visitor.get("/masuk?kabar=keluar")
    visitor.post("/masuk", identifier="budi1@contoh.id", password=PASSWORD)
    assert visitor.status == 403 or visitor.headers["location"] == "/oidc/mulai"


def test_a_device_from_before_the_provider_ends_with_its_access_token(branch: Branch) -> None:
    branch.active()
    login = branch.application.members.login_of(branch.budi)
    assert login is not None
    pair = branch.application.identity.tokens.begin(branch.budi, login.epoch, "HP", NOW)
    answer = branch.api.client.post("/v1/mobile/refresh", json={"refresh_token": pair.refresh_token})
    assert code(answer) == (403, "login-by-provider")


def test_a_link_from_before_the_provider_opens_nothing(branch: Branch) -> None:
    branch.application.members.register(
        Claim(nik(1), "1990-05-17", CARD, "PU", "budi1@contoh.id"), hashed(PASSWORD), branch.acting()
    )  # fmt: skip
    (verify,) = branch.letters()
    visitor = branch.browser()
    visitor.get(f"/tautan/{verify.details['token']}")
    visitor.post(f"/tautan/{verify.details['token']}", password=PASSWORD)
    assert (visitor.status, "login-by-provider" in visitor.page) == (403, True)
    assert branch.state() == "sent"


def test_the_account_offers_no_password_to_change(branch: Branch) -> None:
    member = branch.member()
    member.get("/akun")
    assert (member.status, faults(member.page)) == (200, [])
    assert 'type="password"' not in member.page


def test_the_branch_neither_offers_nor_takes_a_registration(branch: Branch) -> None:
    clerk = branch.staff()
    address = clerk.search(BARE)
    assert not re.search(r'name="tindakan" value="daftar"', clerk.page)
    clerk.post(address, tindakan="daftar", kartu=BARE, email="baru@contoh.id", ktp="ya")
    assert clerk.status == 403
    assert "penyedia identitas" in clerk.text
    assert faults(clerk.page) == []
    assert branch.letters() == []
    assert branch.api.clock == NOW
