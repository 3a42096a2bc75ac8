"""What the app shows of the member, and who looked at the data."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from api.access.log import Record
from api.mobile.schemas import AccessLog, Me, Notices
from tests.api.mobile.conftest import ANI, CARD, OTHERS, App, MobileApi, code, decoded
from tests.conftest import NOW


def test_a_member_sees_the_name_and_masked_contact_in_the_asked_language(mobile: MobileApi, app: App) -> None:
    answer = app.ask("me", **{"Accept-Language": "en"})
    shown = decoded(answer, Me)
    assert (shown.name, shown.email, shown.phone, shown.segment) == ("Budi Santoso 1", "b***1@contoh.id", None, "PU")
    assert (shown.language, app.ask("me").json()["language"]) == ("en", "id")
    for secret in ("budi1@", "317101", "1990-05-17", "26000", mobile.budi):
        assert secret not in answer.text
    assert mobile.login(ANI).ask("me").json()["name"] == "Budi Santoso 2"


def test_the_devices_are_named_and_this_one_is_marked(mobile: MobileApi, app: App) -> None:
    mobile.login(device="  tab\u202elet\n" + "x" * 100)
    devices = app.ask("me").json()["devices"]
    assert {device["since"] for device in devices} == {f"{NOW:%Y-%m-%dT%H:%M:%S.%fZ}"}
    names = {device["name"]: device["this"] for device in devices}
    assert names == {"HP Budi": True, "tablet" + "x" * 54: False}


def looked(mobile: MobileApi, *looks: tuple[str, str, str]) -> None:
    """Record reads by others: (key, channel, what), one a second before NOW."""
    for number, (key, channel, what) in enumerate(looks, 1):
        at = (NOW - timedelta(seconds=number)).isoformat()
        record = Record(at, key, channel, "counter-visit", "/x", what, 1, "")
        asyncio.run_coroutine_threadsafe(
            mobile.application.recorder.write(record), mobile.application.recorder._loop
        ).result(5)


def test_a_member_sees_who_looked_and_nothing_of_who_looked_at_others(mobile: MobileApi, app: App) -> None:
    looked(
        mobile,
        ("user:rina", "office", mobile.budi), ("0011aabb", "partner", CARD), ("sms", "sms", CARD),
        ("user:hrd", "employer", CARD), ("user:rina", "office", OTHERS), ("user:rina", "office", mobile.ani),
    )  # fmt: skip
    answer = app.ask("access-log")
    shown = decoded(answer, AccessLog)
    assert [(read.by, read.channel, read.what) for read in shown.reads] == [
        ("office", "office", "person"), ("partner", "partner", "***0017"), ("sms", "sms", "***0017"),
        ("employer", "employer", "***0017"),
    ]  # fmt: skip
    assert {read.why for read in shown.reads} == {"counter-visit"}
    assert shown.next is None
    for secret in ("rina", "hrd", "0011aabb", CARD, mobile.budi):
        assert secret not in answer.text
    assert [read["by"] for read in mobile.login(ANI).ask("access-log").json()["reads"]] == ["office", "office"]


def test_the_access_log_comes_in_pages(mobile: MobileApi, app: App) -> None:
    looked(mobile, *(("user:rina", "office", CARD) for _ in range(5)))
    found, cursor = [], ""
    while cursor is not None:
        page = app.ask(f"access-log?limit=2{cursor and '&cursor=' + cursor}").json()
        found += page["reads"]
        cursor = page["next"]
    times = [read["at"] for read in found if read["by"] == "office"]
    assert len(times) == 5
    assert times == sorted(times, reverse=True)
    for wrong in ("x", "!!", "e30", "MjAyNi0xMS0yMQ", "a" * 500):
        assert code(app.ask(f"access-log?cursor={wrong}")) == (400, "parameter-unreadable"), wrong


def test_the_member_s_own_reads_are_in_the_log_within_a_second(mobile: MobileApi, app: App) -> None:
    app.ask(f"cards/{app.handle()}/balance")
    mobile.flush()
    reads = app.ask("access-log").json()["reads"]
    assert {(read["by"], read["channel"]) for read in reads} == {("member", "mobile")}
    assert {read["what"] for read in reads} == {"***0017", "***0025"}


def test_what_cannot_be_recorded_is_not_told(mobile: MobileApi, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = app.handle()

    def cannot(records: object) -> None:
        raise OSError

    # What was noted before is written meanwhile, and its success would say that all is well again.
    monkeypatch.setattr(mobile.application.recorder, "_insert", cannot)
    for path in ("cards", f"cards/{handle}/balance", f"cards/{handle}/entries", "me", "access-log"):
        mobile.application.recorder._failing = True
        answer = app.ask(path)
        assert code(answer) == (503, "record-unavailable"), path
        assert "Budi" not in answer.text
        assert "855000" not in answer.text


def test_a_member_chooses_notices_in_the_app_and_an_sms_needs_a_phone(mobile: MobileApi, app: App) -> None:
    assert decoded(app.ask("notices"), Notices) == Notices(mail=[], sms=[], phone=False)
    assert code(app.ask("notices", "PUT", {"mail": [], "sms": ["posted"]})) == (422, "notices-no-phone")
    assert code(app.ask("notices", "PUT", {"mail": ["yields"], "sms": []})) == (422, "request-invalid")
    mobile.letters()
    chosen = {"mail": ["missing", "posted"], "sms": []}
    assert app.ask("notices", "PUT", chosen, **{"Accept-Language": "en"}).status_code == 204
    assert app.ask("notices").json() == {"mail": ["posted", "missing"], "sms": [], "phone": False}
    assert mobile.application.members.about(mobile.budi).notices.language == "en"
    assert {letter.kind for letter in mobile.letters()} == {"notices-chosen"}
    assert mobile.login(ANI).ask("notices").json()["mail"] == []
