"""The member's cards in the app: what is told, to whom, and what is said when it cannot be told."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from api import schemas
from api.mobile import cards
from api.mobile.schemas import Cards, LinkedCard
from api.months_answer import Months
from ledger.acts import merge
from ledger.identifiers import card_number
from ledger.members.rows import drop_card
from ledger.receipt import Header
from tests.api.declared import declare
from tests.api.mobile.conftest import CARD, MORE, OTHERS, SECOND, App, MobileApi, code, decoded
from tests.api.v1.test_known_at import figures
from tests.conftest import NOW
from tests.office import NPP, line, person

READS = ("cards", "cards/{handle}/balance", "cards/{handle}/entries", "cards/{handle}/months", "cards/{handle}/explain")


def paths(app: App) -> list[str]:
    handle = app.handle()
    return [path.format(handle=handle) for path in READS]


def test_the_cards_say_what_each_holds_and_the_sum(mobile: MobileApi, app: App) -> None:
    answer = app.ask("cards")
    shown = decoded(answer, Cards)
    first, second = shown.cards
    assert (first.kpj, first.segment, first.status, first.balance) == ("***0017", "PU", "aktif", 855_000)
    assert (second.kpj, second.status, second.balance, second.reason) == (
        "***0025", "belum-ada-iuran", 0, "no-contribution-yet",
    )  # fmt: skip
    assert shown.balance == 855_000
    assert (shown.as_of.date, shown.as_of.position) == ("2026-11-21", answer.headers["jht-position"])
    assert len({first.handle, second.handle}) == 2
    for secret in (CARD, SECOND, OTHERS, mobile.budi, "Budi"):
        assert secret not in answer.text


def test_a_balance_is_what_every_channel_says_at_the_same_position(mobile: MobileApi, app: App) -> None:
    answer = app.ask(f"cards/{app.handle()}/balance")
    shown = decoded(answer, schemas.Balance)
    other = mobile.client.get(f"/v1/accounts/{CARD}/balance", headers=mobile.key("read")).json()
    assert other.pop("kpj") == CARD
    assert answer.json() == {"kpj": "***0017"} | other
    assert (shown.balance, shown.contributed.employer, shown.contributed.worker) == (855_000, 555_000, 300_000)
    assert len(answer.content) < 550


def test_what_was_said_is_said_again_whatever_was_recorded_since(mobile: MobileApi, app: App) -> None:
    here, handle = f"{mobile.log.log_id}-{mobile.log.head()}", app.handle()
    what = [
        f"cards/{handle}/{one}" for one in ("balance", "entries?limit=50", "months", "explain", "statement?year=2026")
    ]
    before = {path: figures(app.ask(path).json()) for path in what}
    mobile.office.contribute(line(CARD, month="2026-07", paid_on="2026-08-10", reference="LATE"), request="late")
    mobile.follow()
    time.sleep(0.12)  # for so long a process may believe what it saw last
    for path in what:
        then = f"{path}{'&' if '?' in path else '?'}known_at="
        assert figures(app.ask(path).json()) != before[path], path
        assert figures(app.ask(then + here).json()) == before[path], path
        assert code(app.ask(f"{then}2020-01-01T00:00Z"))[1] == "known-at-before-log"
        assert code(app.ask(f"{then}{mobile.log.log_id}-1"))[1] == "account-not-yet-known"
    earlier = app.ask(f"cards/{handle}/balance?as_of=2026-09-10&known_at={here}").json()
    assert (earlier["balance"], earlier["as_of"]["date"]) == (285_000, "2026-09-10")


def test_merged_cards_are_told_with_their_sum_and_masked(mobile: MobileApi, app: App) -> None:
    why = Header("user:1", "office", "", "member-asked")
    merge.merge(mobile.log, card_number(CARD), card_number(SECOND), why, lambda: NOW)
    mobile.follow()
    cards = [
        {"kpj": "***0017", "balance": 855_000, "into": "***0025"}, {"kpj": "***0025", "balance": 0, "into": None},
    ]  # fmt: skip
    for handle in (app.handle(), app.handle(1)):
        for body in (app.ask(f"cards/{handle}/balance").json(), app.ask(f"cards/{handle}/explain").json()["balance"]):
            assert body["group"] == {"into": "***0025", "balance": 855_000, "cards": cards}


def test_a_card_without_money_says_zero_with_the_reason(app: App) -> None:
    shown = decoded(app.ask(f"cards/{app.handle(1)}/balance"), schemas.Balance)
    assert (shown.balance, shown.reason, shown.last_contribution) == (0, "no-contribution-yet", None)


def test_the_months_say_what_came_from_whom_and_what_has_not(app: App) -> None:
    shown = decoded(app.ask(f"cards/{app.handle()}/months?year=2026"), Months)
    told = {month.month[5:]: (month.state, month.reason) for month in shown.months}
    assert told["10"] == ("posted", None)
    assert told["07"] == ("absent", "not-received")
    assert told["11"] == ("later", "not-due")
    (part,) = shown.months[3].parts
    assert (shown.months[3].month, part.employer, part.amount, part.paid_on) == (
        "2026-09", f"PT {NPP}", 285_000, ["2026-10-10"],
    )  # fmt: skip
    assert shown.kpj == "***0017"
    july = next(month for month in shown.months if month.month == "2026-07")
    assert july.detail == july.parts[0].detail
    assert (july.detail or "").startswith(
        f"Iuran bulan ini dari PT {NPP} belum kami terima. Jatuh tempo 18 Agustus 2026."
    )
    assert (shown.complete_until, shown.awaited) == ("2026-11-20", 0)
    assert app.ask(f"cards/{app.handle()}/months").json()["missing"] == shown.missing > 0


def test_the_working_is_what_every_channel_tells(mobile: MobileApi, app: App) -> None:
    declare(mobile)
    answer = app.ask(f"cards/{app.handle()}/explain")
    shown = decoded(answer, schemas.Explained)
    other = mobile.client.get(f"/v1/accounts/{CARD}/explain", headers=mobile.key("read")).json()
    assert other["balance"].pop("kpj") == CARD
    assert answer.json() == {"balance": {"kpj": "***0017"} | other["balance"], "accounts": other["accounts"]}
    (account,) = shown.accounts
    assert [(part.paid_on, part.amount, part.months) for part in account.years[-1].parts] == [
        ("2026-09-10", 285_000, 2), ("2026-10-10", 285_000, 1), ("2026-11-14", 285_000, 0),
    ]  # fmt: skip
    assert CARD not in answer.text


def test_the_statement_comes_in_pages_newest_first(app: App) -> None:
    path = f"cards/{app.handle()}/entries"
    whole = decoded(app.ask(path), schemas.Entries)
    assert [entry.month for entry in whole.entries] == ["2026-10", "2026-09", "2026-08"]
    assert (whole.next, whole.kpj) == (None, "***0017")
    newest = whole.entries[0]
    assert (newest.type, newest.paid_on, newest.npp, newest.wage, newest.employer, newest.worker, newest.total) == (
        "posted", "2026-11-14", "10000001", 5_000_000, 185_000, 100_000, 285_000,
    )  # fmt: skip
    pages, cursor = [], ""
    while cursor is not None:
        page = decoded(app.ask(f"{path}?limit=1{cursor and '&cursor=' + cursor}"), schemas.Entries)
        pages += page.entries
        cursor = page.next
    assert pages == whole.entries


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=x", "limit=1&limit=2"])
def test_a_parameter_that_cannot_be_read_is_refused(app: App, query: str) -> None:
    assert code(app.ask(f"cards/{app.handle()}/entries?{query}")) == (400, "parameter-unreadable")


def test_an_unknown_parameter_is_refused(app: App) -> None:
    for path in (*paths(app), "me", "logout"):
        method = "POST" if path == "logout" else "GET"
        assert code(app.ask(f"{path}?kpj={CARD}", method)) == (400, "parameter-unknown")


def test_a_known_etag_is_answered_without_a_body_until_the_card_changes(mobile: MobileApi, app: App) -> None:
    for path in paths(app):
        etag = app.ask(path).headers["etag"]
        assert etag.startswith('W/"')
        again = app.ask(path, **{"If-None-Match": etag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert app.ask(path, **{"If-None-Match": etag, "Accept-Language": "en"}).status_code == 200
    known = {path: app.ask(path).headers["etag"] for path in paths(app)}
    mobile.office.contribute(line(CARD, month="2026-07", paid_on="2026-08-10"), request="late")
    mobile.follow()
    for path, etag in known.items():
        assert app.ask(path, **{"If-None-Match": etag}).status_code == 200, path


def test_no_cache_may_show_one_member_s_answer_to_another(mobile: MobileApi, app: App) -> None:
    for path in (*paths(app), "me", "access-log"):
        answer = app.ask(path)
        assert answer.headers["cache-control"] in {"private, no-cache", "no-store"}
        vary = {name.strip() for name in answer.headers["vary"].split(",")}
        assert {"Authorization", "Accept-Language"} <= vary, path
    assert code(mobile.client.get("/v1/mobile/cards", headers={"If-None-Match": "*"})) == (401, "login-missing")


def test_a_stale_read_side_is_a_sentence_and_never_a_number(mobile: MobileApi, app: App) -> None:
    asked = paths(app)
    mobile.clock = NOW + timedelta(seconds=61)
    for path in asked:
        answer = app.ask(path)
        assert code(answer) == (503, "read-side-stale")
        assert answer.headers["retry-after"]
        assert 'balance"' not in answer.text
        assert answer.json()["detail"].startswith("Saldo belum bisa")
        assert app.ask(path, **{"Accept-Language": "en"}).json()["detail"].startswith("The balance cannot")


def test_a_card_under_review_is_told_as_such_beside_the_others(mobile: MobileApi, app: App) -> None:
    path = paths(app)[1]
    live = mobile.store.pointers().live["balances"]
    with mobile.store.database(live).write() as tx:
        tx.insert(f"{live.table}_incomplete", {"card": [card_number(CARD)], "since": [3]}, "bigint bigint")
    shown = decoded(app.ask("cards"), Cards)
    assert shown.cards[0].problem.code == "account-incomplete"
    assert shown.cards[1].balance == 0
    body = app.ask("cards").json()
    assert (body["balance"], body["as_of"]) == (None, None), "no sum without one of the cards"
    assert {name for name, value in body["cards"][0].items() if value is not None} == {"handle", "kpj", "problem"}
    assert code(app.ask(path)) == (503, "account-incomplete")


def test_a_card_the_read_side_has_not_reached_yet_is_not_a_zero(mobile: MobileApi, app: App) -> None:
    mobile.office.register(person("26000000058"))
    assert app.ask("cards", "POST", {"kpj": "26000000058"}).status_code == 201
    first, second, third = app.ask("cards").json()["cards"]
    assert (first["balance"], second["balance"]) == (855_000, 0)
    assert third["problem"]["code"] == "position-not-reached"
    assert code(app.ask(f"cards/{third['handle']}/balance")) == (503, "position-not-reached")
    mobile.follow()
    assert app.ask(f"cards/{third['handle']}/balance").json()["reason"] == "no-contribution-yet"


def test_a_read_can_wait_for_a_position(mobile: MobileApi, app: App) -> None:
    reached = app.ask("cards").headers["jht-position"]
    log_id, _, number = reached.partition("-")
    for path in paths(app):
        assert app.ask(f"{path}?min_position={reached}").status_code == 200
        assert code(app.ask(f"{path}?min_position={log_id}-{int(number) + 10_000}")) == (400, "position-ahead")
        assert code(app.ask(f"{path}?min_position=x")) == (400, "position-unreadable")


def test_another_own_card_is_linked_by_its_number(mobile: MobileApi, app: App) -> None:
    before = app.ask("cards")
    answer = app.ask("cards", "POST", {"kpj": " 2600.0000.033 "})
    assert answer.status_code == 201
    linked = decoded(answer, LinkedCard)
    assert linked.kpj == "***0033"
    after = app.ask("cards", **{"If-None-Match": before.headers["etag"]})
    assert [card["handle"] for card in after.json()["cards"]][2] == linked.handle
    assert app.ask("cards", "POST", {"kpj": MORE}).json() == answer.json(), "again changes nothing"
    assert app.ask(f"cards/{linked.handle}/balance").json()["balance"] == 0
    letters = mobile.letters()
    assert {letter.kind for letter in letters} == {"card-linked"}
    assert "budi1@contoh.id" in {letter.to for letter in letters}
    assert len(letters) == len({letter.to for letter in letters}) == 2, "the phone on file is told too"


def test_as_many_cards_that_are_others_are_another_answer(mobile: MobileApi, app: App) -> None:
    """One went to its right holder and one was added: no balance is newer than before."""
    before = app.ask("cards")
    with mobile.log.database.write() as tx:
        drop_card(tx, mobile.budi, card_number(SECOND))
    assert app.ask("cards", "POST", {"kpj": MORE}).status_code == 201
    mobile.forget()
    after = app.ask("cards", **{"If-None-Match": before.headers["etag"]})
    assert [card["kpj"] for card in after.json()["cards"]] == ["***0017", "***0033"]


def test_the_other_cards_of_the_person_are_offered_and_added_in_one_step(mobile: MobileApi, app: App) -> None:
    first = decoded(app.ask("cards"), Cards)
    (offered,) = first.offered
    assert (offered.kpj, offered.segment, offered.employer, offered.until) == ("***0033", "PU", f"PT {NPP}", None)
    answer = app.ask("cards", "POST", {"offer": offered.handle})
    assert (answer.status_code, answer.json()["kpj"]) == (201, "***0033")
    after = decoded(app.ask("cards"), Cards)
    assert (len(after.cards), after.offered) == (3, [])
    assert {letter.kind for letter in mobile.letters()} == {"card-linked"}
    assert code(app.ask("cards", "POST", {"offer": offered.handle})) == (404, "card-unknown"), "it is no offer any more"


def test_an_offer_is_the_member_s_own(mobile: MobileApi, app: App) -> None:
    (offered,) = app.ask("cards").json()["offered"]
    ani = mobile.login("budi2@contoh.id")
    assert ani.ask("cards").json()["offered"] == []
    assert code(ani.ask("cards", "POST", {"offer": offered["handle"]})) == (404, "card-unknown")
    for body in ({}, {"kpj": MORE, "offer": offered["handle"]}, {"kpj": None}):
        assert code(app.ask("cards", "POST", body)) == (422, "request-invalid"), body
    assert mobile.letters() == []


def test_another_s_card_and_an_unknown_one_are_refused_alike(mobile: MobileApi, app: App) -> None:
    refusals = [app.ask("cards", "POST", {"kpj": kpj}) for kpj in (OTHERS, "26000099999")]
    assert [code(refusal) for refusal in refusals] == [(422, "card-not-yours")] * 2
    assert refusals[0].json() | {"request_id": ""} == refusals[1].json() | {"request_id": ""}
    assert OTHERS not in refusals[0].text
    assert code(app.ask("cards", "POST", {"kpj": "!!"})) == (422, "kpj-unreadable")
    assert mobile.letters() == []


def test_card_numbers_cannot_be_searched_for(mobile: MobileApi, app: App) -> None:
    tries = int(cards.LINKS.partition("/")[0])
    answers = [code(app.ask("cards", "POST", {"kpj": f"260000990{n:02d}"})) for n in range(tries + 1)]
    assert answers == [(422, "card-not-yours")] * tries + [(429, "too-many-tries")]
    assert mobile.login("budi2@contoh.id").ask("cards", "POST", {"kpj": OTHERS}).status_code == 201


def test_a_member_s_reads_are_recorded_with_the_card(mobile: MobileApi, app: App) -> None:
    for path in paths(app):
        app.ask(path)
    app.ask("cards/unknown/balance")
    mobile.flush()
    found = [(what, key, route) for what, _, key, _, route in mobile.records() if "{handle}" in route]
    assert sorted(found) == [
        (CARD, "member", "/v1/mobile/cards/{handle}/balance"), (CARD, "member", "/v1/mobile/cards/{handle}/entries"),
        (CARD, "member", "/v1/mobile/cards/{handle}/explain"), (CARD, "member", "/v1/mobile/cards/{handle}/months"),
    ]  # fmt: skip
    listed = {what for what, _, _, _, route in mobile.records() if route == "/v1/mobile/cards"}
    assert listed == {CARD, SECOND}
