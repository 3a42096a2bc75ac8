"""Merging at the branch: one officer proposes, a supervisor who is somebody else confirms what the first one saw."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.access.users import writer_of
from ledger.acts import merge as acts
from ledger.events import CardsMerged, CardsUnmerged
from ledger.identifiers import account_stream
from ledger.receipt import Header
from ledger.settings import Settings
from tests.api.web.branch import CARD, OTHERS, SECOND, Branch, Browser
from tests.api.web.site import faults
from tests.conftest import NOW
from tests.office import person


@pytest.fixture
def branch(settings: Settings) -> Iterator[Branch]:
    with Branch(settings) as made:
        yield made


def propose(browser: Browser, act: str = "gabung", **fields: str) -> None:
    path = browser.search()
    form = {"tindakan": act, "lama": CARD, "tujuan": SECOND, "sebab": "member-asked", "ktp": "ya"} | fields
    browser.post(path, **form)


def proposal_of(browser: Browser) -> str:
    """The address of the only proposal that waits; its page is open."""
    page = browser.get("/kantor/usulan")
    assert faults(browser.page) == []
    (path,) = {part.split('"')[0] for part in browser.page.split('href="') if part.startswith("/kantor/usulan/")}
    browser.get(path)
    assert page
    assert faults(browser.page) == []
    return path


def pointer(branch: Branch) -> int:
    return acts.look(branch.api.log, int(CARD)).cards[int(CARD)].merged


def test_two_officers_merge_two_cards_and_take_them_apart(branch: Branch) -> None:
    clerk, boss = branch.staff(), branch.supervisor()
    propose(clerk)
    assert (clerk.status, pointer(branch)) == (303, 0)
    assert "Penggabungan diusulkan" in clerk.follow()
    path = proposal_of(boss)
    for said in ("Budi Santoso 1", CARD, SECOND, "570.000", "sari", "Diminta peserta"):
        assert said in boss.text, said
    boss.post(path, tindakan="setuju")
    assert boss.headers["location"] == "/kantor/usulan?kabar=setuju"
    assert pointer(branch) == int(SECOND)
    last = branch.api.log.events(account_stream(CARD))[-1]
    names = [writer_of(branch.api.log, name) for name in ("dewi", "sari")]
    assert [last.by, last.fact.proposed_by] == names  # type: ignore[attr-defined]
    assert (last.reason, last.channel, type(last.fact)) == ("member-asked", "office", CardsMerged)
    assert "Tidak ada usulan" in boss.follow()
    branch.api.follow()
    clerk.search()
    assert f"Digabung ke kartu {SECOND}" in clerk.text
    assert "Jumlah semuanya Rp570.000" in clerk.text
    assert faults(clerk.page) == []
    propose(clerk, "pisah", sebab="merged-by-mistake")
    path = proposal_of(boss)
    boss.post(path, tindakan="setuju")
    assert pointer(branch) == 0
    assert isinstance(branch.api.log.events(account_stream(CARD))[-1].fact, CardsUnmerged)
    boss.get(path, language="en")
    assert (boss.status, "proposal-unknown" in boss.page) == (404, True)


def test_nobody_confirms_the_own_proposal_and_only_a_supervisor_confirms(branch: Branch) -> None:
    boss, clerk = branch.supervisor(), branch.staff()
    propose(boss)
    path = proposal_of(boss)
    assert "usulan Anda sendiri" in boss.text
    (waiting,) = branch.application.identity.proposals.waiting(branch.api.clock)
    boss.post(path, tindakan="setuju", versi=waiting.seen)
    assert (boss.status, "penyelia lain" in boss.text, pointer(branch)) == (403, True, 0)
    assert "Tidak ada usulan" in clerk.get("/kantor/usulan"), "a clerk sees the own ones"
    clerk.get(path)
    assert (clerk.status, "role-missing" in clerk.page) == (403, True)
    clerk.get("/kantor")
    for act in ("setuju", "tolak", "tarik"):
        clerk.post(path, tindakan=act, versi=waiting.seen)
        assert (clerk.status, pointer(branch)) == (403, 0), act
    boss.get(path)
    boss.post(path, tindakan="tolak")
    assert (boss.status, len(branch.application.identity.proposals.waiting(branch.api.clock))) == (403, 1)


def test_who_proposed_it_withdraws_it_and_nobody_else(branch: Branch) -> None:
    clerk, boss = branch.staff(), branch.supervisor()
    propose(clerk)
    proposals = branch.application.identity.proposals
    boss.get(proposal_of(boss))
    path = proposal_of(clerk)
    assert "Tarik usulan" in clerk.text
    assert "Tarik usulan" not in boss.text
    boss.post(path, tindakan="tarik")
    assert (boss.status, len(proposals.waiting(branch.api.clock))) == (404, 1)
    # A clerk confirms nothing, the own proposal neither.
    (waiting,) = proposals.waiting(branch.api.clock)
    clerk.post(path, tindakan="setuju", versi=waiting.seen)
    assert (clerk.status, pointer(branch)) == (403, 0)
    clerk.get(path)
    clerk.post(path, tindakan="tarik")
    assert clerk.headers["location"] == "/kantor/usulan?kabar=tarik"
    assert "Usulan ditarik" in clerk.follow()
    assert (proposals.waiting(branch.api.clock), pointer(branch)) == ([], 0)
    boss.get(path)
    assert (boss.status, "proposal-unknown" in boss.page) == (404, True)


def test_what_came_since_the_proposal_is_shown_and_refused(branch: Branch) -> None:
    clerk, boss = branch.staff(), branch.supervisor()
    propose(clerk)
    path = proposal_of(boss)
    # The person leaves the employer while the page is open.
    branch.office.register(person(CARD, left_on="2026-10-31"))
    boss.post(path, tindakan="setuju")
    assert (boss.status, pointer(branch)) == (409, 0)
    assert "berubah sejak diusulkan" in boss.text
    assert faults(boss.page) == []
    (waiting,) = branch.application.identity.proposals.waiting(branch.api.clock)
    for version in (waiting.seen, "", "1.2", acts.look(branch.api.log, int(CARD), int(SECOND)).version(1, 2)):
        boss.get(path)
        boss.post(path, tindakan="setuju", versi=version)
        assert (boss.status, pointer(branch)) == (409, 0), version
    boss.get(path)
    boss.post(path, tindakan="tolak")
    propose(clerk)
    boss.post(proposal_of(boss), tindakan="setuju")
    assert pointer(branch) == int(SECOND)


def test_what_is_proposed_is_checked_and_the_same_proposal_waits_once(branch: Branch) -> None:
    clerk = branch.staff()
    for fields, status, said in (
        ({"lama": CARD, "tujuan": CARD}, 422, "dirinya sendiri"),
        ({"tujuan": OTHERS}, 422, "tidak dapat ditambahkan"),
        ({"lama": OTHERS}, 422, "tidak dapat ditambahkan"),
        ({"lama": "x"}, 422, "tidak dapat ditambahkan"),
        ({"sebab": "because"}, 422, "Alasan tidak dikenal"),
        ({"ktp": ""}, 403, "KTP"),
    ):
        propose(clerk, **fields)
        assert (clerk.status, said in clerk.text) == (status, True), fields
    propose(clerk, "pisah")
    assert (clerk.status, "tidak sedang digabung" in clerk.text) == (409, True)
    proposals = branch.application.identity.proposals
    assert proposals.waiting(branch.api.clock) == []
    propose(clerk)
    propose(clerk)
    assert len(proposals.waiting(branch.api.clock)) == 1
    branch.wait(days=7, minutes=1)
    assert proposals.waiting(branch.api.clock) == []


def test_two_supervisors_who_confirm_at_once_do_it_once(branch: Branch) -> None:
    clerk, boss = branch.staff(), branch.supervisor()
    other = branch.staff("supervisor", name="wati")
    propose(clerk)
    path = proposal_of(boss)
    proposal_of(other)
    acts.merge(branch.api.log, int(CARD), int(SECOND), Header("u", "cli", "", "member-asked"), lambda: NOW)
    boss.post(path, tindakan="setuju")
    assert boss.status == 409
    boss.get(path)
    boss.post(path, tindakan="tolak")
    other.post(path, tindakan="setuju")
    assert (other.status, "sudah diputuskan" in other.text) == (404, True)


def test_two_officers_give_a_card_to_the_person_it_belongs_to(branch: Branch) -> None:
    clerk, boss = branch.staff(), branch.supervisor()
    branch.active()
    assert [one.card for one in branch.application.members.cards(branch.budi)] == [int(CARD)]
    for fields, status in (
        ({"nomor": "26000000990"}, 404), ({"nomor": SECOND}, 409), ({"lama": OTHERS, "nomor": OTHERS}, 422),
        ({"nomor": OTHERS, "sebab": "because"}, 422),
    ):  # fmt: skip
        propose(clerk, "pindah", **{"sebab": "wrong-person"} | fields)
        assert (clerk.status, branch.application.identity.proposals.waiting(NOW)) == (status, []), fields
    propose(clerk, "pindah", sebab="wrong-person", nomor=OTHERS)
    assert clerk.status == 303
    path = proposal_of(boss)
    for said in ("Budi Santoso 1", "Budi Santoso 2", CARD, "570.000", "Tercatat pada orang yang salah"):
        assert said in boss.text, said
    boss.post(path, tindakan="setuju")
    assert boss.headers["location"] == "/kantor/usulan?kabar=setuju"
    assert branch.application.members.find_person(kpj=CARD) == branch.application.members.find_person(kpj=OTHERS)
    assert branch.application.members.cards(branch.budi) == []
    told = {(one.kind, one.to) for one in branch.letters()}
    assert {("card-taken", "budi1@contoh.id"), ("card-given", "budi2@contoh.id")} <= told
