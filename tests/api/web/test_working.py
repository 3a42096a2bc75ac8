from __future__ import annotations

import re
from fractions import Fraction

import pytest

from api import formats
from ledger.clock import jakarta_date
from ledger.identifiers import card_number
from ledger.yields import earned, thousandths
from projections.results import BalanceRow
from tests.api.declared import declare
from tests.api.web.site import ANI, BUDI, DEWI, OTHER_CARD, Site, faults, text
from tests.office import OTHER_NPP, line

PAID = (("2025-03", "2025-04-10"), ("2025-11", "2025-12-10"))


def earning(site: Site) -> str:
    """Let OTHER_CARD earn in 2025, and the address of its working."""
    site.office.contribute(
        *(line(OTHER_CARD, 7_654_321, npp=OTHER_NPP, month=month, paid_on=paid) for month, paid in PAID),
        request="early", backdate=True,
    )  # fmt: skip
    declare(site)
    site.application.members.link_card(site.budi, OTHER_CARD, site.acting())
    handles = {linked.card: linked.handle for linked in site.application.members.cards(site.budi)}
    return f"/saldo/{handles[card_number(OTHER_CARD)]}/hitungan"


def balance(site: Site) -> BalanceRow:
    """What OTHER_CARD has."""
    now = site.clock
    return site.application.reader.balance(card_number(OTHER_CARD), jakarta_date(now), now)


def numbers(words: str) -> list[Fraction]:
    """The numbers of a line, written as on the page: `Rp4.608.295,750`."""
    return [Fraction(one.replace(".", "").replace(",", ".")) for one in re.findall(r"\d[\d.]*(?:,\d+)?", words)]


def test_a_pocket_calculator_gets_the_rupiah_of_the_balance(site: Site) -> None:
    page = site.browser(BUDI).get(earning(site)).text
    assert faults(page) == []
    steps = [
        text(f"<main>{one}") for one in re.findall(r"<li>(.*?)</li>", page, re.S) if "×" in one or "Dibulatkan" in one
    ]
    credited = estimated = Fraction(0)
    for base_step, rate_step, rounded in zip(*[iter(steps)] * 3, strict=True):
        months, opening, products, base = numbers(base_step)
        assert months * opening + products == base
        factor, rate, _, _, exact = numbers(rate_step)
        assert factor == base
        assert 0 <= base * rate / 100 / 12 - exact < Fraction(1, 1000)
        (made,) = numbers(rounded)
        assert made == int(exact + Fraction(1, 2))
        if months == 12:
            credited += made
        else:
            estimated += made
    row = balance(site)
    assert (credited, estimated) == (row.credited, row.estimated)
    assert credited > 0


def test_the_working_says_whose_model_it_is_in_both_languages(site: Site) -> None:
    address = earning(site)
    for language, said in (("id", "Dihitung dengan model layanan ini"), ("en", "with this service's own model")):
        words = text(site.browser(BUDI, language).get(address).text)
        assert said in words
    assert "Rp" in words
    assert "10 Apr 2025 Contribution of March 2025 Rp436.296 × 8 Rp3.490.368" in words
    assert "Not included in the balance." in words


def test_the_balance_leads_to_its_working(site: Site) -> None:
    address = earning(site)
    browser = site.browser(BUDI)
    assert f'href="{address}"' in browser.get(address.removesuffix("/hitungan")).text
    assert "/hitungan" not in browser.get("/saldo").text, "two cards, each with a working of its own"
    assert "/hitungan" in site.browser(ANI).get("/saldo").text


def test_before_any_declaration_and_without_money_no_yield_is_made_up(site: Site) -> None:
    for who, email in ((site.budi, BUDI), (site.dewi, DEWI)):
        handle = site.application.members.cards(who)[0].handle
        page = site.browser(email).get(f"/saldo/{handle}/hitungan").text
        assert faults(page) == []
        assert ("2026: tanpa hasil" in text(page)) == (email == BUDI)


def test_nobody_sees_the_working_of_another(site: Site) -> None:
    answer = site.browser(ANI).get(earning(site))
    assert (answer.status_code, OTHER_CARD in answer.text) == (404, False)


def test_who_looked_at_the_working_is_recorded(site: Site) -> None:
    site.browser(BUDI).get(earning(site))
    site.flush()
    assert (OTHER_CARD, "/saldo/{handle}/hitungan") in [(what, route) for what, _, _, _, route in site.records()]


@pytest.mark.parametrize(("rate", "base"), [(56_300, 982_230_000), (57_000, 1), (1, 11_999_999), (0, 5), (57_000, -4)])
def test_what_the_calculator_shows_rounds_to_what_is_earned(rate: int, base: int) -> None:
    assert (thousandths(rate, base) + 500) // 1000 == earned(rate, base)
    assert formats.rupiah_exact(4_649_347_812) == "Rp4.649.347,812"
