"""A person who was registered twice, at the branch: one officer proposes, another one confirms what the first one saw."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.events import PersonsJoined
from ledger.settings import Settings
from tests.api.web.branch import BARE, CARD, OTHERS, SECOND, Branch, Browser
from tests.api.web.site import faults
from tests.api.web.test_office_merge import proposal_of
from tests.conftest import NOW
from tests.office import nik, person


@pytest.fixture
def branch(settings: Settings) -> Iterator[Branch]:
    with Branch(settings) as made:
        yield made


def propose(browser: Browser, **fields: str) -> None:
    path = browser.search()
    browser.post(path, tindakan="satukan", **({"lain": OTHERS, "sebab": "registered-twice", "ktp": "ya"} | fields))


def holder(branch: Branch, kpj: str) -> str | None:
    return branch.application.members.find_person(kpj=kpj)


def test_two_officers_join_two_records_and_the_old_login_is_out_at_once(branch: Branch) -> None:
    clerk, boss, member = branch.staff(), branch.supervisor(), branch.member()
    member.get("/akun")
    assert member.status == 200
    propose(clerk)
    assert (clerk.status, holder(branch, CARD)) == (303, branch.budi)
    assert "Penyatuan data diusulkan" in clerk.follow()
    assert faults(clerk.page) == []
    path = proposal_of(boss)
    for said in (
        "Data yang berakhir",
        "Budi Santoso 1",
        "Budi Santoso 2",
        CARD,
        SECOND,
        "570.000",
        "terdaftar dua kali",
    ):
        assert said in boss.text, said
    assert "Record that stays" in boss.get(path, language="en")
    assert faults(boss.page) == []
    boss.post(path, tindakan="setuju")
    assert boss.headers["location"] == "/kantor/usulan?kabar=setuju"
    other = holder(branch, OTHERS)
    assert [holder(branch, kpj) for kpj in (CARD, SECOND)] == [other, other]
    fact = branch.api.log.events(f"person:{branch.budi}")[-1].fact
    assert isinstance(fact, PersonsJoined)
    assert (fact.into, fact.proposed_by != "") == (other, True)
    assert {("record-ended", "budi1@contoh.id"), ("records-joined", "budi2@contoh.id")} <= {
        (one.kind, one.to) for one in branch.letters()
    }
    member.get("/akun")
    assert member.status == 303, "no session of the record that ended"
    branch.api.follow()
    clerk.search(OTHERS)
    for said in (CARD, SECOND, OTHERS, "Budi Santoso 2"):
        assert said in clerk.text, said


def test_a_page_that_was_open_says_that_the_record_ended(branch: Branch) -> None:
    clerk = branch.staff()
    path = clerk.search()
    other = holder(branch, OTHERS)
    assert other is not None
    branch.application.members.join(branch.budi, other, "registered-twice", branch.acting())
    clerk.get(path)
    assert (clerk.status, "person-joined" in clerk.page) == (410, True)
    answer = branch.api.client.get(f"/v1/persons/{branch.budi}/balance", headers=branch.api.key("persons"))
    assert answer.status_code in {200, 410}, "the read side may be behind"
    branch.api.follow()
    answer = branch.api.client.get(f"/v1/persons/{branch.budi}/balance", headers=branch.api.key("persons"))
    assert (answer.status_code, answer.json()["code"], other in answer.json()["detail"]) == (410, "person-joined", True)
    answer = branch.api.client.get(f"/v1/persons/{other}/balance", headers=branch.api.key("persons"))
    assert [one["kpj"] for one in answer.json()["accounts"]] == [CARD, SECOND, OTHERS]


def test_what_is_proposed_is_checked(branch: Branch) -> None:
    clerk = branch.staff()
    for fields, status, said in (
        ({"lain": CARD}, 422, "orang yang sama"),
        ({"lain": nik(1)}, 422, "orang yang sama"),
        ({"lain": "26000000990"}, 404, "tidak terdaftar"),
        ({"lain": "x"}, 404, "tidak terdaftar"),
        ({"sebab": "because"}, 422, "Alasan tidak dikenal"),
        ({"ktp": ""}, 403, "KTP"),
    ):
        propose(clerk, **fields)
        assert (clerk.status, said in clerk.text) == (status, True), fields
        assert faults(clerk.page) == []
    assert branch.application.identity.proposals.waiting(NOW) == []
    branch.application.members.request_data(branch.budi, "export", "", branch.acting())
    propose(clerk)
    assert (clerk.status, "belum dijawab" in clerk.text) == (409, True)


def test_what_came_since_the_proposal_is_shown_and_refused(branch: Branch) -> None:
    clerk, boss = branch.staff(), branch.supervisor()
    propose(clerk, lain=nik(2))
    path = proposal_of(boss)
    branch.office.register(person("26000000058"))
    boss.post(path, tindakan="setuju")
    assert (boss.status, holder(branch, CARD)) == (409, branch.budi)
    branch.api.follow()
    boss.get(path)
    assert "berubah sejak diusulkan" in boss.text
    boss.post(path, tindakan="tolak")
    propose(clerk, lain=BARE)
    boss.post(proposal_of(boss), tindakan="setuju")
    assert holder(branch, "26000000058") == holder(branch, BARE)


def test_two_officers_take_a_join_back(branch: Branch) -> None:
    clerk, boss = branch.staff(), branch.supervisor()
    other = holder(branch, OTHERS)
    assert other is not None
    branch.application.members.join(branch.budi, other, "registered-twice", branch.acting())
    branch.api.follow()
    path = clerk.search(OTHERS)
    assert faults(clerk.page) == []
    assert "Budi Santoso 1" in clerk.text
    for fields, status in (({"data": other}, 409), ({"data": "x"}, 409), ({"sebab": "because"}, 422)):
        clerk.get(path)
        clerk.post(path, tindakan="urai", ktp="ya", **({"data": branch.budi, "sebab": "joined-by-mistake"} | fields))
        assert clerk.status == status, fields
    clerk.get(path)
    clerk.post(path, tindakan="urai", ktp="ya", data=branch.budi, sebab="joined-by-mistake")
    assert "Pemisahan data diusulkan" in clerk.follow()
    address = proposal_of(boss)
    for said in ("Data yang berdiri lagi", "Budi Santoso 1", "Budi Santoso 2", CARD, SECOND, "570.000"):
        assert said in boss.text, said
    boss.post(address, tindakan="setuju")
    assert boss.headers["location"] == "/kantor/usulan?kabar=setuju"
    assert [holder(branch, kpj) for kpj in (CARD, SECOND, OTHERS)] == [branch.budi, branch.budi, other]
    branch.api.follow()
    clerk.search()
    assert "Budi Santoso 1" in clerk.text
