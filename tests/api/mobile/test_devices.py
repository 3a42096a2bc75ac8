"""Logging in and out of the app: what is given, how it changes hands, and when it is worth nothing any more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from api.access import tokens
from api.mobile.schemas import Tokens
from ledger.errors import NotAllowed
from tests.api.mobile.conftest import ANI, BUDI, CARD, PASSWORD, SECOND, App, MobileApi, code, decoded
from tests.conftest import NOW
from tests.office import nik


@pytest.mark.parametrize("identifier", [BUDI, "BUDI1@Contoh.ID", nik(1), CARD, SECOND, "2600 0000 017"])
def test_a_member_logs_in_by_e_mail_nik_or_any_card(mobile: MobileApi, identifier: str) -> None:
    answer = mobile.send("login", {"identifier": identifier, "password": PASSWORD})
    shown = decoded(answer, Tokens)
    assert (shown.token_type, shown.expires_in) == ("Bearer", 600)
    assert answer.headers["cache-control"] == "no-store"
    assert App(mobile, answer.json()).ask("cards").status_code == 200


def test_every_wrong_login_is_the_same_refusal(mobile: MobileApi) -> None:
    refusals = [
        mobile.send("login", {"identifier": identifier, "password": password, "device": "x"})
        for identifier, password in (
            (BUDI, "wrong"),
            ("nobody@contoh.id", PASSWORD),
            ("26000009999", PASSWORD),
            ("", ""),
        )
    ]
    assert {code(refusal) for refusal in refusals} == {(401, "login-wrong")}
    assert len({str(refusal.json() | {"request_id": ""}) for refusal in refusals}) == 1
    assert mobile.table("mobile_devices") == []


def test_the_name_is_locked_after_five_wrong_passwords(mobile: MobileApi) -> None:
    for _ in range(5):
        assert code(mobile.send("login", {"identifier": BUDI, "password": "wrong"})) == (401, "login-wrong")
    assert code(mobile.send("login", {"identifier": BUDI, "password": PASSWORD})) == (429, "too-many-tries")
    mobile.clock = NOW + timedelta(minutes=16)
    assert mobile.login().ask("me").status_code == 200


def test_what_cannot_be_read_is_refused_without_being_repeated(mobile: MobileApi) -> None:
    json = "application/json"
    for body, kind, status, said in (
        (b"{", json, 400, "json-unreadable"),
        (b"\xff", json, 400, "json-unreadable"),
        (b"[" * 4_000, json, 400, "json-unreadable"),
        (b'{"device": ' + b"[" * 4_000, json, 400, "json-unreadable"),
        (b"[]", json, 422, "request-invalid"),
        (b'{"identifier": 1, "password": "kuda-lumping"}', json, 422, "request-invalid"),
        (b'{"identifier": "x", "password": "y", "role": "z"}', json, 422, "request-invalid"),
        (b'{"refresh_token": null}', json, 422, "request-invalid"),
        (b"identifier=x&password=y", "application/x-www-form-urlencoded", 415, "content-type-unknown"),
        (b'"' + b"a" * 5_000 + b'"', json, 413, "body-too-large"),
    ):
        for path in ("login", "refresh"):
            answer = mobile.client.post(f"/v1/mobile/{path}", content=body, headers={"Content-Type": kind})
            assert code(answer) == (status, said), (path, body[:60])
            assert "kuda-lumping" not in answer.text
            assert "role" not in answer.text


def test_a_secret_in_the_address_is_refused(mobile: MobileApi) -> None:
    for path in ("login?password=x", "refresh?refresh_token=x"):
        assert code(mobile.send(path, {})) == (400, "parameter-unknown")


def test_each_refresh_gives_another_pair_and_both_access_tokens_live_on(mobile: MobileApi, app: App) -> None:
    first = dict(app.tokens)
    for minute in (1, 2, 3):
        mobile.clock = NOW + timedelta(minutes=minute)
        before = dict(app.tokens)
        answer = app.refresh()
        decoded(answer, Tokens)
        assert answer.headers["cache-control"] == "no-store"
        app.tokens = answer.json()
        assert app.tokens["refresh_token"] != before["refresh_token"]
        assert app.tokens["access_token"] != before["access_token"]
        assert app.ask("me").status_code == 200
    app.tokens = first
    assert app.ask("me").status_code == 200


def test_a_lost_answer_can_be_asked_for_again_within_half_a_minute(mobile: MobileApi, app: App) -> None:
    lost = app.refresh().json()
    mobile.clock = NOW + tokens.RETRY
    again = app.refresh()
    assert again.status_code == 200
    assert again.json()["refresh_token"] == lost["refresh_token"]
    app.tokens = again.json()
    assert app.refresh().status_code == 200


def test_a_refresh_token_used_again_later_ends_the_whole_family(mobile: MobileApi, app: App) -> None:
    old = dict(app.tokens)
    other = mobile.login(device="tablet")
    app.tokens = app.refresh().json()
    mobile.clock = NOW + tokens.RETRY + timedelta(seconds=1)
    thief = App(mobile, old)
    assert code(thief.refresh()) == (401, "refresh-reused")
    assert code(app.refresh()) == (401, "refresh-reused"), "the owner learns it too"
    for one in (thief, app):
        assert code(one.ask("cards")) == (401, "login-over")
    assert other.ask("me").status_code == 200, "another device of the same member goes on"
    assert other.refresh().status_code == 200
    assert [device["name"] for device in other.ask("me").json()["devices"]] == ["tablet"]


def test_a_token_from_before_the_last_but_one_ends_the_family_at_once(app: App) -> None:
    old = dict(app.tokens)
    for _ in range(2):
        app.tokens = app.refresh().json()
    assert code(App(app.api, old).refresh()) == (401, "refresh-reused")
    assert code(app.refresh()) == (401, "refresh-reused")


def test_a_made_up_refresh_token_ends_nobody(app: App) -> None:
    good = app.tokens["refresh_token"]
    for wrong in (
        "",
        "x",
        "jhtr_",
        "jhtr_a.b",
        good.replace("jhtr_", "jhtr_x"),
        good.partition(".")[0][:-1] + ".",
        "\x00",
        "é" * 500,
    ):
        assert code(app.api.send("refresh", {"refresh_token": wrong})) == (401, "refresh-over"), wrong
    assert app.refresh().status_code == 200


def test_two_refreshes_at_the_same_moment_get_the_same_refresh_token(mobile: MobileApi, app: App) -> None:
    held = mobile.application.identity.tokens
    with ThreadPoolExecutor(8) as pool:
        pairs = list(pool.map(lambda _: held.refresh(app.tokens["refresh_token"], NOW), range(8)))
    assert len({pair.refresh_token for pair in pairs}) == 1
    assert held.refresh(pairs[0].refresh_token, NOW).refresh_token != pairs[0].refresh_token


def test_a_device_ends_after_thirty_idle_days_and_any_after_half_a_year(mobile: MobileApi, app: App) -> None:
    idle = mobile.login(device="drawer")
    day = timedelta(days=29)
    while mobile.clock + day < NOW + tokens.LONGEST:
        mobile.clock += day
        app.tokens = app.refresh().json()
    assert code(idle.refresh()) == (401, "refresh-over")
    mobile.clock = NOW + tokens.LONGEST - timedelta(seconds=1)
    app.tokens = app.refresh().json()
    mobile.clock = NOW + tokens.LONGEST
    assert code(app.refresh()) == (401, "refresh-over")
    assert code(app.ask("me")) == (401, "login-over")


def test_logging_out_ends_this_device_at_once(mobile: MobileApi, app: App) -> None:
    other = mobile.login()
    answer = app.ask("logout", "POST")
    assert (answer.status_code, answer.content) == (204, b"")
    assert code(app.ask("cards")) == (401, "login-over")
    assert code(app.ask("logout", "POST")) == (401, "login-over")
    assert code(app.refresh()) == (401, "refresh-over")
    assert other.ask("me").status_code == 200


def test_logging_out_everywhere_ends_every_device_of_this_member_only(mobile: MobileApi, app: App) -> None:
    other, ani = mobile.login(), mobile.login(ANI)
    assert app.ask("logout-everywhere", "POST").status_code == 204
    for one in (app, other):
        assert code(one.ask("me")) == (401, "login-over")
        assert code(one.refresh()) == (401, "refresh-over")
    assert ani.ask("me").status_code == 200
    assert ani.refresh().status_code == 200
    assert mobile.login().ask("me").status_code == 200


@pytest.mark.parametrize("act", ["change_password", "close", "erase"])
def test_a_new_password_a_closed_access_and_an_erased_person_end_the_devices(
    mobile: MobileApi, app: App, act: str
) -> None:
    members = mobile.application.members
    if act == "change_password":
        members.change_password(mobile.budi, "$argon2id$other", mobile.acting())
    elif act == "close":
        members.close(mobile.budi, "asked", mobile.acting())
    else:
        with mobile.log.database.write() as tx:
            members.vault.erase(tx, mobile.budi)
    mobile.forget()
    assert code(app.ask("cards")) == (401, "login-over")
    assert code(app.refresh()) == (401, "refresh-over")
    assert bool(mobile.table("mobile_devices")) == (act != "erase"), "an erased person leaves no device"


def test_another_process_notices_a_log_out_within_a_second(mobile: MobileApi, app: App) -> None:
    here = mobile.application.identity.tokens
    elsewhere = tokens.Tokens.open(mobile.log, mobile.application.members.vault)
    claims = elsewhere.claims(app.tokens["access_token"], NOW)
    assert elsewhere.cards(claims, NOW)
    here.end(claims.device)
    assert elsewhere.remembered(claims) is not None
    for held, (read_at, cards) in list(elsewhere._cards.items()):
        elsewhere._cards[held] = read_at - tokens.LOOK_SECONDS, cards
    assert elsewhere.remembered(claims) is None
    with pytest.raises(NotAllowed) as refused:
        elsewhere.cards(claims, NOW)
    assert refused.value.code == "login-over"


def test_the_eleventh_device_takes_the_place_of_the_one_unused_for_longest(mobile: MobileApi, app: App) -> None:
    devices = [app]
    for number in range(tokens.MOST_DEVICES):
        mobile.clock = NOW + timedelta(seconds=number + 1)
        devices.append(mobile.login(device=f"device {number}"))
    names = [device["name"] for device in devices[-1].ask("me").json()["devices"]]
    assert names == [f"device {number}" for number in reversed(range(tokens.MOST_DEVICES))]
    assert code(app.refresh()) == (401, "refresh-over")
    assert all(device.refresh().status_code == 200 for device in devices[1:])


def test_only_hashes_of_secrets_and_a_sealed_name_are_stored(mobile: MobileApi, app: App) -> None:
    app.tokens = app.refresh().json()
    selector, _, secret = app.tokens["refresh_token"].removeprefix("jhtr_").partition(".")
    stored = repr(
        [[bytes(x) if isinstance(x, memoryview) else x for x in row] for row in mobile.table("mobile_devices")]
    )
    assert mobile.budi in stored
    for told in (selector, secret, app.tokens["access_token"], "HP Budi", "Budi"):
        assert told not in stored


def test_over_devices_are_swept_by_the_next_login(mobile: MobileApi, app: App) -> None:
    mobile.clock = NOW + tokens.IDLE
    mobile.login(ANI)
    assert [row[1] for row in mobile.table("mobile_devices")] == [mobile.ani]


def test_what_is_remembered_is_bounded(mobile: MobileApi, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "REMEMBERED", 3)
    held = mobile.application.identity.tokens
    for _ in range(6):
        app.tokens = app.refresh().json()
        assert app.ask("me").status_code == 200
        assert len(held._known) <= 3
        assert len(held._cards) <= 3


def test_another_master_key_ends_no_device(mobile: MobileApi, app: App) -> None:
    mobile.application.members.rotate(bytes(range(32)))
    answer = app.refresh()
    assert answer.status_code == 200
    app.tokens = answer.json()
    assert app.ask("me").json()["devices"][0]["name"] == "HP Budi"
