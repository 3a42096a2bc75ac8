"""An answer code: the figures again and why today's differ for who may see them, yes or no for everybody else."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import python_calamine

from api.statement.paper import Head, paper
from api.web.answer_check import total_of
from ledger.acts import scheme as acts
from ledger.clock import jakarta_date
from ledger.events import Rates
from ledger.identifiers import card_number
from ledger.receipt import Header
from ledger.settings import Settings
from ledger.store import account_index
from ledger.store.answer_codes import Question
from projections import card_statement, statement
from projections.rebuild import rebuild
from tests.api.web.site import ANIS, CARD, DEWIS, Site, faults, text
from tests.conftest import NOW
from tests.office import line

WHO = Header("cli:1000", "cli")


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    with Site(settings) as made:
        made.fill()
        yield made


def code_of(site: Site, kpj: str = CARD, day: date | None = None, since: date | None = None) -> str:
    """A code of what is known now."""
    kind = "balance" if since is None else "statement"
    asked = Question(card_number(kpj), kind, day or jakarta_date(site.clock), site.log.head(), "id", since)
    return site.application.codes.seal(asked)


def later(site: Site) -> None:
    """A late file, money of later, and a declared year."""
    site.clock = site.office.now = NOW + timedelta(days=40)
    site.office.contribute(line(CARD, month="2026-07", paid_on="2026-08-10", reference="LATE"), request="late")
    site.office.contribute(line(CARD, month="2026-11", paid_on="2026-12-10", reference="NEW"), request="new")
    acts.start(site.log, 2025, WHO, lambda: site.clock)
    acts.declare(site.log, 2025, Rates(57_000, 57_000), "Perdir 1/2026", WHO, lambda: site.clock)
    site.follow()
    time.sleep(0.12)  # for so long a process may believe what it saw last


def ask(site: Site, code: str, headers: dict[str, str] | None = None) -> Any:
    answer = site.client.get(f"/v1/answers/{code}", headers=headers or site.key("read"))
    return answer.status_code, answer.json()


def money(balance: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in balance.items() if name != "as_of"} | {"date": balance["as_of"]["date"]}


def test_a_code_gives_the_same_figures_again_and_says_why_todays_differ(site: Site) -> None:
    headers = site.key("read")
    before = site.client.get(f"/v1/accounts/{CARD}/balance", headers=headers).json()
    code = code_of(site)
    status, first = ask(site, code)
    assert (status, first["given"]["difference"], first["given"]["causes"]) == (200, 0, [])
    assert money(first["given"]["then"]) == money(before)
    later(site)
    for make_again in (lambda: None, lambda: rebuild(site.log, site.store)):
        make_again()
        site.application.reader.refresh()
        status, found = ask(site, code.lower().replace("-", " "))
        assert (status, found["kind"], found["language"], found["since"]) == (200, "balance", "id", None)
        given = found["given"]
        assert money(given["then"]) == money(before)
        assert (
            given["now"]["balance"]
            == site.client.get(f"/v1/accounts/{CARD}/balance", headers=headers).json()["balance"]
        )
        assert [(one["cause"], one["amount"]) for one in given["causes"]] == [
            ("recorded-later", 285_000), ("paid-since", 285_000),
        ]  # fmt: skip
        assert given["then"]["balance"] + sum(one["amount"] for one in given["causes"]) == given["now"]["balance"]
        assert given["causes"][0]["detail"].startswith("Iuran 2026-07 yang dibayar 2026-08-10 baru tercatat")
        assert "recorded only on" in given["causes"][0]["detail_en"]


def test_a_statement_has_the_balance_that_it_began_with(site: Site) -> None:
    code = code_of(site, day=date(2026, 9, 30), since=date(2026, 8, 1))
    later(site)
    _, found = ask(site, code)
    assert (found["kind"], found["since"]) == ("statement", "2026-08-01")
    assert (found["before"]["balance"], found["before"]["as_of"]["date"]) == (285_000, "2026-07-31")
    assert (found["given"]["then"]["balance"], found["given"]["then"]["as_of"]["date"]) == (570_000, "2026-09-30")


@pytest.mark.parametrize(("since", "until"), [("2026-01-01", "2026-11-21"), ("2026-08-01", "2026-09-30")])
def test_a_printed_statement_leads_back_to_its_figures(site: Site, since: str, until: str) -> None:
    headers, days = site.key("read"), {"from": since, "to": until}
    address = f"/v1/accounts/{CARD}/statement"
    stated = site.client.get(address, headers=headers, params=days).json()
    code, closing = stated["answer_code"], stated["closing"]
    assert closing > 0
    # The paper of the same moment is to the byte the one with this code, and says no other address than its own.
    printed = site.client.get(address, headers=headers, params={**days, "format": "pdf"}).content
    application = site.application
    period = statement.days(date.fromisoformat(since), date.fromisoformat(until), jakarta_date(site.clock))
    row, found = card_statement.read(
        site.log, application.reader, application.vault, card_number(CARD), site.clock, period
    )  # fmt: skip
    head = Head(CARD, row.segment, None, site.clock, stated["as_of"]["position"], code)
    assert printed == paper(found, head, lambda npp, name: None, "id")
    assert printed != paper(found, head._replace(code=code[:-1]), lambda npp, name: None, "id")
    table, book = (
        site.client.get(address, headers=headers, params={**days, "format": form}).content for form in ("csv", "xlsx")
    )
    last = table.decode("utf-8-sig").splitlines()[-1].split(";")
    assert (last[0], last[-1], set(last[1:-1])) == ("kode jawaban", code, {""})
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert sheet[-1] == last
    later(site)
    status, answer = ask(site, code)
    again = answer["statement"]
    assert {**again, "as_of": None} == {**stated, "as_of": None}
    assert again["as_of"]["position"] == stated["as_of"]["position"]
    assert (status, answer["kind"], answer["since"], answer["language"]) == (200, "statement", since, "id")
    assert answer["before"]["balance"] == stated["opening"]
    then = answer["given"]["then"]
    assert (then["balance"], then["as_of"]["date"]) == (closing, until)
    assert then["as_of"]["position"] == stated["as_of"]["position"]
    assert "Ya." in check(site, code, f"Rp{closing:,}".replace(",", "."))
    assert "Tidak." in check(site, code, str(closing + 1))


def test_a_statement_of_an_earlier_day_is_told_again_with_the_gaps_of_that_day(site: Site) -> None:
    """July was not due on 10 August; on the day of the last event of the log it was long missing."""
    headers, address = site.key("read"), f"/v1/accounts/{CARD}/statement"
    for asked, missing in (({"year": "2026", "as_of": "2026-08-10"}, []), ({"year": "2026"}, ["2026-07"])):
        stated = site.client.get(address, headers=headers, params=asked).json()
        assert [gap["month"] for gap in stated["gaps"] if gap["reason"] == "not-received"] == missing
        _, answer = ask(site, stated["answer_code"])
        assert {**answer["statement"], "as_of": None} == {**stated, "as_of": None}
        assert answer["statement"]["as_of"]["date"] == stated["as_of"]["date"]
    # A day without events: the log ends yesterday, the statement is made today.
    site.clock = site.office.now = NOW + timedelta(days=30)
    site.follow()
    time.sleep(0.12)
    stated = site.client.get(address, headers=headers, params={"year": "2026"}).json()
    later(site)
    _, answer = ask(site, stated["answer_code"])
    assert {**answer["statement"], "as_of": None} == {**stated, "as_of": None}
    assert answer["statement"]["as_of"]["date"] == stated["as_of"]["date"] == "2026-12-21"


def test_days_before_every_code_and_who_was_erased_have_a_statement_without_one(site: Site) -> None:
    headers = site.key("read")
    address = f"/v1/accounts/{DEWIS}/statement"
    old = site.client.get(address, headers=headers, params={"from": "1969-12-31", "to": "2026-11-21"})
    assert (old.status_code, old.json()["answer_code"]) == (200, None)
    with site.log.database.read() as tx:
        person = account_index.cards(tx, [card_number(DEWIS)])[card_number(DEWIS)].person
    with site.log.database.write() as tx:
        site.application.vault.erase(tx, person)
    for form, status in (("json", 200), ("csv", 200), ("pdf", 200)):
        found = site.client.get(address, headers=headers, params={"year": 2026, "format": form})
        assert found.status_code == status
        assert b"kode jawaban" not in found.content


def test_a_code_is_told_to_who_may_see_the_card(site: Site) -> None:
    code = code_of(site)
    for headers, expected in (
        ({"Authorization": "Bearer jht_000000000000_x"}, (401, "key-wrong")),
        (site.key("post"), (403, "scope-missing")),
        (site.key("read", npps=[10000001]), (403, "key-bound")),
    ):
        status, body = ask(site, code, headers)
        assert (status, body["code"]) == expected
        assert "855000" not in str(body)
    wrong = ("Z" if code[0] != "Z" else "Y") + code[1:]
    for other in (wrong, "x", "U" * 32, "9" * 64, "é", "0" * 300):
        status, body = ask(site, other)
        assert (status, body["code"]) == (404, "answer-code-unknown"), other
    key = site.key("read")
    ask(site, code, key)
    ask(site, wrong, key)
    mine = [record[:2] for record in site.records() if record[2] == key["Authorization"].split("_")[1]]
    assert sorted(mine) == [("", 0), (CARD, site.log.head())]


def test_a_code_is_dead_after_an_erasure(site: Site) -> None:
    code = code_of(site, DEWIS)
    assert ask(site, code)[0] == 200
    with site.log.database.read() as tx:
        person = account_index.cards(tx, [card_number(DEWIS)])[card_number(DEWIS)].person
    with site.log.database.write() as tx:
        site.application.vault.erase(tx, person)
    assert ask(site, code)[1]["code"] == "answer-code-unknown"
    assert "Bukan dari kami" in check(site, code, "0")


def check(site: Site, code: str, total: str, language: str = "id") -> str:
    """What the public page says."""
    answer = site.browser(language=language).post("/periksa", code=code, total=total)
    assert faults(answer.text) == []
    return text(answer.text)


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_public_page_says_whether_the_figure_is_ours_and_nothing_else(site: Site, language: str) -> None:
    code, said = code_of(site, ANIS), {"id": ("Ya.", "Tidak.", "Bukan dari kami"), "en": ("Yes.", "No.", "Not ours")}
    yes, differs, unknown = said[language]
    later(site)
    assert yes in check(site, code, "Rp855.000", language)
    for total in ("855001", "0", "285.000"):
        found = check(site, code, total, language)
        assert differs in found
        assert "855" not in found.replace("855001", "")
    assert unknown in check(site, code[:-1] + ("0" if code[-1] != "0" else "G"), "855000", language)
    for found in (check(site, code, "", language), check(site, "", "855000", language)):
        assert not [one for one in said[language] if one in found]
    assert ANIS not in check(site, code, "855000", language)


def test_a_code_may_be_guessed_at_a_few_times_only(site: Site) -> None:
    code = code_of(site, ANIS)
    for total in range(5):
        assert "Tidak." in check(site, code, str(total))
    for again in (code, code.replace("-", "").lower()):
        answer = site.browser().post("/periksa", code=again, total="855000")
        assert (answer.status_code, "Ya." in text(answer.text)) == (429, False)
    assert "Ya." in check(site, code_of(site, CARD), "855000")


@pytest.mark.parametrize(
    ("given", "total"),
    [
        ("855000", 855_000), ("Rp855.000", 855_000), ("rp 1.855.000", 1_855_000), ("1,855,000", 1_855_000), ("0", 0),
        (" 855 000 ", 855_000), ("855.00", None), ("-5", None), ("", None), ("Rp", None), ("8.55", None), ("1e6", None),
        ("٣٤", None), ("1.855,000", None), ("9" * 17, None), ("855.000,00", None),
    ],
)  # fmt: skip
def test_a_total_is_read_as_it_is_printed(given: str, total: int | None) -> None:
    assert total_of(given) == total


def test_two_answers_may_be_compared_without_a_code(site: Site) -> None:
    headers = site.key("read")
    known = f"{site.log.log_id}-{site.log.head()}"
    later(site)
    address = f"/v1/accounts/{CARD}/difference"
    found = site.client.get(address, headers=headers, params={"known_at": known}).json()
    assert [one["cause"] for one in found["causes"]] == ["recorded-later", "paid-since"]
    same = {"known_at": known, "as_of": "2026-11-21", "until_as_of": "2026-11-21"}
    found = site.client.get(address, headers=headers, params=same).json()
    assert [(one["cause"], one["money"], one["yield"]) for one in found["causes"]] == [("recorded-later", 285_000, 0)]
    nothing = site.client.get(address, headers=headers, params={**same, "until_known_at": known}).json()
    assert (nothing["difference"], nothing["causes"]) == (0, [])
    for params, code in (
        ({}, "parameter-unreadable"),
        ({"known_at": "soon"}, "known-at-unreadable"),
        ({"known_at": known, "until_as_of": "2026-01-01"}, "answers-out-of-order"),
        ({"known_at": known, "until_as_of": "2030-01-01"}, "as-of-in-future"),
        ({"known_at": known, "as_of": "2026-02-30"}, "parameter-unreadable"),
    ):
        answer = site.client.get(address, headers=headers, params=params)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    bound = site.key("read", npps=[10000001])
    assert site.client.get(address, headers=bound, params={"known_at": known}).json()["code"] == "key-bound"
