"""Yield at the office: one supervisor proposes, another one puts in force what both have read."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from api.access.users import writer_of
from api.web.office import yields
from ledger.acts import scheme
from ledger.events import ProvisionalRateSet, Rates, YieldDeclared, YieldProposed
from ledger.receipt import Header
from ledger.settings import Settings
from projections.what_if import what_if
from tests.api.web.branch import CARD, Branch, Browser
from tests.api.web.site import faults
from tests.conftest import NOW
from tests.office import line

PAGE = "/kantor/hasil"
WHO = Header("cli:1000", "cli")
YEAR = {"tindakan": "usul", "year": "2025", "rate": "5,63", "basis": "Perdir 1/2026"}
EARNED = 10_697
"""285,000 for eight months at 5.63 %."""


@pytest.fixture
def branch(settings: Settings) -> Iterator[Branch]:
    with Branch(settings, address_tries=10_000) as made:
        made.office.contribute(line(CARD, month="2025-03", paid_on="2025-04-14"), request="early", backdate=True)
        scheme.start(made.api.log, 2025, WHO, lambda: NOW)
        made.api.follow()
        yield made


def pair(branch: Branch) -> tuple[Browser, Browser]:
    return branch.supervisor(), branch.staff("supervisor", name="wati")


def worked_out(browser: Browser) -> str:
    """The page once the effect is worked out."""
    for _ in range(600):
        if "sedang dihitung" not in browser.get(PAGE):
            return browser.page
        time.sleep(0.02)
    raise AssertionError(browser.page)


def proposed(browser: Browser, **changes: str) -> str:
    browser.get(PAGE)
    browser.post(PAGE, **{**YEAR, **changes})
    assert browser.headers["location"] == f"{PAGE}?kabar=dihitung", browser.text
    return worked_out(browser)


def address(browser: Browser, place: int = -1) -> str:
    """The page of a proposal that waits, the newest one unless said otherwise."""
    return re.findall(r'href="(/kantor/usulan/[0-9a-f]+)"', browser.get(PAGE))[place]


def confirm(browser: Browser, typed: str, of: str = "") -> int:
    """Type a total on the page of a proposal."""
    of = of or address(browser)
    browser.get(of)
    browser.post(of, tindakan="setuju", typed=typed)
    return browser.status


def declared(branch: Branch) -> dict[int, int]:
    return {year: one.fact.rates.utama for year, one in scheme.scheme_of(branch.api.log).declared.items()}


def test_one_proposes_another_types_the_total_and_every_balance_has_its_yield(branch: Branch) -> None:
    first, second = pair(branch)
    assert faults(proposed(first)) == []
    mine = first.get(address(first))
    assert faults(mine) == []
    assert "usulan Anda sendiri" in first.text
    assert 'name="typed"' not in mine
    page = second.get(PAGE)
    assert faults(page) == []
    assert "Diusulkan dewi" in page
    page = second.get(address(second))
    assert faults(page) == []
    for said in ("Rp10.697", CARD, "dewi", "Perdir 1/2026"):
        assert said in page, said
    assert declared(branch) == {}, "nothing is in force yet"
    assert confirm(second, "Rp10.697") == 303
    assert declared(branch) == {2025: 56_300}
    event = branch.api.log.events("scheme")[-1]
    assert isinstance(event.fact, YieldDeclared)
    before = branch.api.log.events("scheme")[-2]
    assert isinstance(before.fact, YieldProposed)
    assert [before.by, event.by] == [writer_of(branch.api.log, name) for name in ("dewi", "wati")]
    assert (before.fact.total, before.fact.rates) == (EARNED, event.fact.rates)
    branch.api.follow()
    answer = branch.api.client.get(f"/v1/accounts/{CARD}/balance", headers=branch.api.key("read")).json()
    assert answer["yield"]["credited"] == EARNED


def test_nobody_puts_their_own_proposal_in_force(branch: Branch) -> None:
    first, _ = pair(branch)
    proposed(first)
    of = address(first)
    first.get(of)
    (waiting,) = branch.application.identity.proposals.waiting(branch.api.clock)
    first.post(of, tindakan="setuju", typed="Rp10.697", versi=waiting.seen)
    assert (first.status, "hanya dapat diputuskan oleh penyelia lain" in first.text) == (403, True)
    assert declared(branch) == {}
    first.get(of)
    first.post(of, tindakan="tarik")
    assert first.headers["location"] == "/kantor/usulan?kabar=tarik"
    assert "Tidak ada usulan" in first.get(PAGE)


def test_another_total_than_the_one_on_the_page_changes_nothing(branch: Branch) -> None:
    first, second = pair(branch)
    proposed(first)
    for typed in ("Rp10.698", "-10697", "", "sepuluh"):
        assert confirm(second, typed) == 409, typed
        assert 'id="typed-e"' in second.page
        assert faults(second.page) == []
    assert declared(branch) == {}


def test_of_two_who_put_it_in_force_at_once_the_second_one_is_told(branch: Branch) -> None:
    first, second = pair(branch)
    third = branch.staff("supervisor", name="tono")
    proposed(first)
    of = address(second)
    assert confirm(second, "Rp10.697", of) == 303
    assert confirm(third, "Rp10.697", of) == 404
    assert "proposal-unknown" in third.page
    assert declared(branch) == {2025: 56_300}


def test_what_was_read_is_what_is_put_in_force_and_of_two_one(branch: Branch) -> None:
    first, second = pair(branch)
    proposed(first)
    branch.wait(minutes=1)
    proposed(first, rate="6")
    one, other = address(second, 0), address(second, 1)
    assert confirm(second, "Rp11.400", one) == 409, "the other one's total"
    assert confirm(second, "Rp11.400", other) == 303
    assert declared(branch) == {2025: 60_000}
    second.get(one)
    assert "berubah sejak diusulkan" in second.text
    (waiting,) = branch.application.identity.proposals.waiting(branch.api.clock)
    second.post(one, tindakan="setuju", typed="Rp10.697", versi=waiting.seen)
    assert (second.status, declared(branch)) == (409, {2025: 60_000})
    second.get(one)
    second.post(one, tindakan="tolak")
    assert second.headers["location"] == "/kantor/usulan?kabar=tolak"


def test_a_declared_year_is_replaced_with_a_reason_and_members_may_lose(branch: Branch) -> None:
    scheme.declare(branch.api.log, 2025, Rates(56_300, 56_300), "x", WHO, lambda: NOW)
    branch.api.follow()
    first, second = pair(branch)
    first.get(PAGE)
    assert first.post(PAGE, **{**YEAR, "rate": "5"})
    assert (first.status, "yield-declared" in first.page or "sudah ditetapkan" in first.page) == (409, True)
    proposed(first, rate="5", reason="wrong-rate")
    assert "-Rp1.197" in second.get(address(second))
    assert confirm(second, "-1.197") == 303
    assert branch.api.log.events("scheme")[-1].reason == "wrong-rate"


@pytest.mark.parametrize(
    ("changes", "field", "status"),
    [
        ({"rate": "56,3"}, "rate", 422), ({"rate": "lima"}, "rate", 422), ({"year": "2026"}, "year", 422),
        ({"year": "2024"}, "year", 422), ({"year": "x"}, "year", 400), ({"basis": " "}, "basis", 422),
        ({"tambahan": "x"}, "tambahan", 422),
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_is_told_beside_its_field_before_anything_is_worked_out(
    branch: Branch, changes: dict[str, str], field: str, status: int
) -> None:
    first, _ = pair(branch)
    first.get(PAGE)
    first.post(PAGE, **{**YEAR, **changes})
    assert (first.status, f'id="{field}-e"' in first.page) == (status, True), first.text
    assert faults(first.page) == []
    assert branch.application.identity.proposals.waiting(branch.api.clock) == []


def test_a_provisional_rate_takes_two_as_well(branch: Branch) -> None:
    first, second = pair(branch)
    first.get(PAGE)
    wish = {
        "tindakan": "usul-sementara",
        "since_day": "1",
        "since_month": "1",
        "since_year": "2026",
        "provisional": "5",
        "provisional_basis": "Perdir 3/2026",
    }
    for wrong in (
        {"since_day": "31", "since_month": "2"},
        {"since_month": ""},
        {"since_year": "26"},
        {"since_day": "x"},
    ):
        first.get(PAGE)
        first.post(PAGE, **wish | wrong)
        assert (first.status, 'id="since-e"' in first.page) == (422, True)
        assert faults(first.page) == []
        assert f'value="{wrong.get("since_year", "2026")}"' in first.page, "what was typed stays"
    first.get(PAGE)
    first.post(PAGE, **wish)
    assert first.headers["location"] == f"{PAGE}?kabar=sementara"
    assert confirm(second, "5,1") == 409
    assert confirm(second, "5") == 303
    fact = branch.api.log.events("scheme")[-1].fact
    assert isinstance(fact, ProvisionalRateSet)
    assert (fact.since, fact.rate) == ("2026-01-01", 50_000)


def test_the_server_answers_while_an_effect_is_worked_out_and_only_one_is(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = []

    def slow(*given: object, **named: object) -> object:
        going.append(1)
        until = time.monotonic() + 30
        while len(going) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        return what_if(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(yields, "what_if", slow)
    first, second = pair(branch)
    first.get(PAGE)
    first.post(PAGE, **YEAR)
    assert "sedang dihitung" in second.get(PAGE)
    assert branch.api.client.get(f"/v1/accounts/{CARD}/balance", headers=branch.api.key("read")).status_code == 200
    second.post(PAGE, **YEAR)
    assert (second.status, "sedang dihitung. Tunggu" in second.text) == (409, True)
    going.append(1)
    worked_out(first)
    assert "Rp10.697" in first.get(address(first))


def test_an_effect_that_could_not_be_worked_out_is_told_and_leaves_no_proposal(
    branch: Branch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*given: object, **named: object) -> object:
        found = what_if(*given, **named)  # type: ignore[arg-type]
        scheme.declare(branch.api.log, 2025, Rates(50_000, 50_000), "x", WHO, lambda: NOW)
        return found

    monkeypatch.setattr(yields, "what_if", overtaken)
    first, _ = pair(branch)
    page = proposed(first)
    assert "Usulan terakhir tidak jadi" in page
    assert branch.application.identity.proposals.waiting(branch.api.clock) == []


def test_it_is_for_supervisors_and_each_look_is_recorded(branch: Branch) -> None:
    clerk = branch.staff()
    clerk.get(PAGE)
    assert (clerk.status, "role-missing" in clerk.page) == (403, True)
    branch.supervisor().get(PAGE)
    assert ("scheme", "user:dewi", "office", "yield", PAGE) in branch.looks()
