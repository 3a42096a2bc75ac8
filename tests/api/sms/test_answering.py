"""Whole conversations: who is told what, once, recorded, and not too often."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from api.sms import messages, replies
from ledger.errors import StoreFailed, Unavailable
from ledger.members import Acting
from projections.snapshots import REFRESH_SECONDS
from tests.api.sms.conftest import (
    BALANCE,
    BUDI,
    CARD,
    EMPTY,
    EMPTY_HANDED,
    NOBODYS,
    PATH,
    SECOND,
    SITI,
    SITIS,
    Texts,
    registration,
)
from tests.conftest import NOW
from tests.office import line, nik, person

NEW_PHONE = "081355550000"


def test_a_phone_on_file_registers_and_asks(texts: Texts) -> None:
    assert texts.say(f"SALDO {CARD}") == replies.STRANGER
    assert texts.say(registration(1, CARD, email="budi1@contoh.id")) == replies.bound(CARD)
    assert texts.say(f"SALDO {CARD}") == BALANCE
    assert texts.say(f"Saldo<{CARD}>", "+62" + BUDI[1:]) == BALANCE
    assert texts.say(f"saldo {SECOND}", "62" + BUDI[1:]) == (
        "JHT ***0025 Rp114.000 per 21-11-26. Iuran terakhir Okt-26. Nov-26 belum jatuh tempo."
    )
    assert texts.say("SALDO") == (
        "JHT 2 kartu, jumlah Rp684.000 per 21-11-26. Iuran terakhir Okt-26. 1 bln belum masuk: Agu. "
        "Satu kartu: SALDO lalu KPJ."
    )


def test_the_other_layout_registers_too(texts: Texts) -> None:
    assert texts.say(f"daftar saldo#{nik(2)}#budi  santoso 2#17-05-1990#{SITIS}", SITI) == replies.bound(SITIS)
    assert texts.say("saldo", SITI) == (
        "JHT ***0033 Rp285.000 per 21-11-26. Iuran terakhir Okt-26. 3 bln belum masuk: Jul,Agu,Sep."
    )


def test_a_card_without_money_says_why_it_is_zero(texts: Texts) -> None:
    texts.say(registration(3, EMPTY), EMPTY_HANDED)
    said = texts.say("SALDO", EMPTY_HANDED)
    assert said.startswith("JHT ***0041 Rp0 per 21-11-26: belum ada iuran")
    assert said.endswith(" Nov-26 belum jatuh tempo."), "a new member is not told that anything is wrong"


def test_a_card_of_nobody_and_a_card_of_somebody_else_look_the_same(texts: Texts) -> None:
    texts.say(registration(1, CARD))
    assert texts.say(f"SALDO {SITIS}") == texts.say(f"SALDO {NOBODYS}") == replies.STRANGER
    assert texts.say(f"SALDO {CARD}", SITI) == texts.say(f"SALDO {NOBODYS}", SITI) == replies.STRANGER
    assert texts.say("SALDO", SITI) == replies.STRANGER


def test_a_phone_that_is_not_on_file_learns_nothing_and_waits_for_the_contact_on_file(texts: Texts) -> None:
    said = [
        texts.say(registration(1, CARD), NEW_PHONE),
        texts.say(registration(1, CARD, "18-05-1990"), NEW_PHONE),
        texts.say(registration(1, SITIS), NEW_PHONE),
        texts.say(registration(9, CARD), NEW_PHONE),
        texts.say(registration(9, NOBODYS), NEW_PHONE),
    ]
    assert said == [replies.ASKED] * 5
    assert texts.letters() == 2, "by e-mail and with a number to the phone on file"
    assert texts.say(f"SALDO {CARD}", NEW_PHONE) == replies.STRANGER
    person = texts.members.find_person(nik=nik(1))
    assert person is not None
    ((asked, _),) = texts.members.about(person).waiting_phones
    texts.members.confirm_phone(person, asked, Acting("user:sari", "office", NOW))
    assert texts.say(f"SALDO {CARD}", NEW_PHONE) == BALANCE


def test_the_number_that_the_phone_on_file_got_confirms_and_a_bare_yes_never_does(texts: Texts) -> None:
    texts.say(registration(1, CARD), NEW_PHONE)
    due = texts.members.outbox.due(NOW, 100)
    (number,) = [one.letter.details["number"] for one in due if one.way == "sms"]
    assert texts.say("YA", BUDI) == replies.HELP
    assert texts.say("KODE", BUDI) == texts.say("KODE 1234567", BUDI) == replies.MISREAD["number"]
    assert texts.say(f"KODE {number}", SITI) == replies.MISREAD["number"], "another phone knows it by chance only"
    assert texts.say(f"SALDO {CARD}", NEW_PHONE) == replies.STRANGER
    assert texts.say(f"kode {number}", BUDI) == replies.NUMBER_BOUND
    assert texts.say(f"SALDO {CARD}", NEW_PHONE) == BALANCE
    assert texts.say(number, BUDI) == replies.MISREAD["number"], "once"


def test_stop_ends_it_until_the_next_registration(texts: Texts) -> None:
    assert texts.say("STOP") == replies.NOT_BOUND
    texts.say(registration(1, CARD))
    assert texts.say("stop") == replies.STOPPED
    assert texts.say("SALDO") == replies.STRANGER
    assert texts.say(registration(1, CARD)) == replies.bound(CARD)
    assert texts.say(f"SALDO {CARD}") == BALANCE


@pytest.mark.parametrize("text", ["BANTUAN", "info", "halo", "", "\U0001f600"])
def test_who_does_not_know_the_words_is_told_them(texts: Texts, text: str) -> None:
    assert texts.say(text, NEW_PHONE) == replies.HELP


def test_what_cannot_be_read_is_told_by_its_field(texts: Texts) -> None:
    assert texts.say("DAFTAR", NEW_PHONE) == replies.MISREAD["registration"]
    assert texts.say("SALDO satu", NEW_PHONE) == replies.MISREAD["kpj"]


@pytest.mark.parametrize("sender", ["2757", "TELKOMSEL", "", "+", "0812\n3456789x"])
def test_a_machine_is_not_answered(texts: Texts, sender: str) -> None:
    assert texts.say("SALDO", sender) == ""


def test_a_retry_gets_the_same_answer_and_does_nothing_again(texts: Texts) -> None:
    for _ in range(3):
        assert texts.say(registration(1, CARD), NEW_PHONE, name="same") == replies.ASKED
    assert texts.letters() == 2
    events = len(texts.api.log.read(0, 1000))
    texts.say(registration(1, CARD), BUDI, name="bind")
    assert texts.say("STOP", BUDI, name="stop") == replies.STOPPED
    assert texts.say("STOP", BUDI, name="stop") == replies.STOPPED
    assert texts.say(registration(1, CARD), BUDI, name="bind") == replies.bound(CARD)
    assert texts.say("SALDO") == replies.STRANGER
    assert len(texts.api.log.read(0, 1000)) == events + 2


def test_a_retry_is_told_the_balance_of_the_first_try_and_recorded_once(texts: Texts) -> None:
    texts.say(registration(1, CARD))
    assert texts.say(f"SALDO {CARD}", name="same") == BALANCE
    texts.office.contribute({"npp": "10000001", "month": "2026-08", "kpj": CARD, "wage": 5_000_000,
                             "paid_on": "2026-09-14"}, request="r2")  # fmt: skip
    texts.api.follow()
    assert texts.say(f"SALDO {CARD}", name="same") == BALANCE
    assert texts.say(f"SALDO {CARD}") == (
        "JHT ***0017 Rp855.000 per 21-11-26. Iuran terakhir Okt-26. Nov-26 belum jatuh tempo."
    )
    assert len(texts.api.records()) == 2


def test_the_same_id_of_another_sender_is_another_message(texts: Texts) -> None:
    texts.say(registration(1, CARD))
    assert texts.say(f"SALDO {CARD}", name="same") == BALANCE
    assert texts.say(f"SALDO {CARD}", SITI, name="same") == replies.STRANGER


def test_every_balance_is_recorded_before_it_is_told(texts: Texts) -> None:
    texts.say(registration(1, CARD))
    texts.say("SALDO")
    found = {(what, key, route) for what, _, key, _, route in texts.api.records()}
    assert found == {(CARD, "sms", PATH), (SECOND, "sms", PATH)}
    prefix = "access." if texts.api.access.dialect == "postgres" else ""
    with texts.api.access.read() as tx:
        assert tx.rows(f"select distinct channel, why from {prefix}records") == [("sms", "")]


def test_what_cannot_be_recorded_is_not_told_and_works_on_the_next_try(texts: Texts) -> None:
    texts.say(registration(1, CARD))
    table = "access.records" if texts.api.access.dialect == "postgres" else "records"
    with texts.api.access.write() as tx:
        tx.run(f"alter table {table} rename to gone")
    answer = texts.post(f"SALDO {CARD}", name="same")
    assert (answer.status_code, answer.json()["code"]) == (503, "record-unavailable")
    with texts.api.access.write() as tx:
        tx.run("alter table access.gone rename to records" if "." in table else "alter table gone rename to records")
    assert texts.say(f"SALDO {CARD}", name="same") == BALANCE


def test_a_stale_read_side_is_told_as_such_and_never_as_a_number(texts: Texts) -> None:
    texts.say(registration(1, CARD))
    texts.api.follow()
    texts.api.clock = NOW + timedelta(minutes=5)
    for text in ("SALDO", f"SALDO {CARD}"):
        assert texts.say(text) == replies.NOT_TOLD["read-side-stale"]
    # Who may not see the card learns nothing more while it is stale.
    assert texts.say(f"SALDO {SITIS}") == texts.say(f"SALDO {NOBODYS}") == replies.STRANGER
    assert texts.api.records() == []
    texts.api.follow()
    time.sleep(REFRESH_SECONDS)
    assert texts.say(f"SALDO {CARD}") == BALANCE


def test_an_account_with_a_record_that_could_not_be_applied_is_not_told(
    texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts.say(registration(1, CARD))

    async def incomplete(*_: object) -> None:
        raise Unavailable("account-incomplete", position=7)

    monkeypatch.setattr(texts.api.app.state.application, "balance", incomplete)
    assert texts.say("SALDO") == replies.NOT_TOLD["account-incomplete"]


def test_a_store_that_fails_is_for_the_gateway_to_try_again(texts: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    texts.say(registration(1, CARD))
    members = texts.members
    real = members.ask_phone

    def failing(*_: object) -> str:
        raise StoreFailed("store-failed", what="OperationalError")

    monkeypatch.setattr(members, "ask_phone", failing)
    assert texts.post(registration(2, SITIS), SITI, name="same").status_code == 503
    monkeypatch.setattr(members, "ask_phone", real)
    assert texts.say(registration(2, SITIS), SITI, name="same") == replies.bound(SITIS)


def test_a_message_that_is_being_answered_is_not_answered_twice(texts: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    members, going, under_way, calls = texts.members, threading.Event(), threading.Event(), []
    real = members.ask_phone

    def slow(*given: object) -> str:
        calls.append(given)
        under_way.set()
        assert going.wait(10)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(members, "ask_phone", slow)
    said: list[str] = []
    first = threading.Thread(target=lambda: said.append(texts.say(registration(1, CARD), name="same")))
    first.start()
    assert under_way.wait(10)
    again = texts.post(registration(1, CARD), name="same")
    assert (again.status_code, again.json()["code"]) == (409, "idempotency-in-progress")
    going.set()
    first.join()
    assert said == [replies.bound(CARD)]
    assert texts.say(registration(1, CARD), name="same") == replies.bound(CARD)
    assert len(calls) == 1


def test_a_message_whose_process_died_is_done_by_a_later_try(texts: Texts) -> None:
    texts.say("BANTUAN", name="same")
    prefix = "access." if texts.api.access.dialect == "postgres" else ""
    with texts.api.access.write() as tx:
        tx.run(f"update {prefix}sms_messages set reply = null")
    assert texts.post("BANTUAN", name="same").status_code == 409
    texts.api.clock = NOW + timedelta(seconds=messages.WORKING_SECONDS)
    assert texts.say("BANTUAN", name="same") == replies.HELP


def test_a_sender_has_a_limit_and_is_told_so_once(texts: Texts) -> None:
    for _ in range(messages.MOST_SHORT):
        assert texts.say("INFO", NEW_PHONE) == replies.HELP
    assert texts.say("INFO", NEW_PHONE, name="last") == replies.TOO_MANY
    assert texts.say("INFO", NEW_PHONE) == ""
    assert texts.say("INFO", NEW_PHONE, name="last") == replies.TOO_MANY
    assert texts.say("INFO", SITI) == replies.HELP
    texts.api.clock = NOW + timedelta(seconds=messages.SHORT_SECONDS + 1)
    assert texts.say("INFO", NEW_PHONE) == replies.HELP


def test_a_sender_has_a_limit_a_day_and_a_smaller_one_for_registrations(texts: Texts) -> None:
    pause = timedelta(seconds=messages.SHORT_SECONDS + 1)
    for _ in range(messages.MOST_REGISTRATIONS):
        assert texts.say(registration(1, CARD), NEW_PHONE) == replies.ASKED
    assert texts.say(registration(1, CARD), NEW_PHONE) == replies.TOO_MANY
    for number in range(messages.MOST_REGISTRATIONS, messages.MOST_A_DAY):
        if number % messages.MOST_SHORT == 0:
            texts.api.clock += pause
        assert texts.say("INFO", NEW_PHONE) == replies.HELP
    texts.api.clock += pause
    assert texts.say("INFO", NEW_PHONE) == replies.TOO_MANY
    texts.api.clock += timedelta(days=1)
    assert texts.say(registration(1, CARD), NEW_PHONE) == replies.ASKED


def test_what_is_kept_of_a_message_goes_and_is_never_in_clear(texts: Texts) -> None:
    texts.say(registration(1, CARD))
    texts.say(f"SALDO {CARD}")
    prefix = "access." if texts.api.access.dialect == "postgres" else ""
    with texts.api.access.read() as tx:
        rows = tx.rows(f"select id, sender, kind, reply from {prefix}sms_messages")
    kept = (
        b"".join(bytes(cell) for row in rows for cell in (row[0], row[1], row[3])) + str([r[2] for r in rows]).encode()
    )
    for clear in (BUDI, BUDI[1:], CARD, CARD[-4:], nik(1), "570.000", "JHT"):
        assert clear.encode() not in kept, clear
    assert len(rows) == 2
    texts.api.clock = NOW + timedelta(seconds=messages.KEPT_SECONDS + messages._TIDY_SECONDS)
    texts.say("INFO")
    with texts.api.access.read() as tx:
        assert tx.rows(f"select count(*) from {prefix}sms_messages") == [(1,)]


def test_a_phone_that_two_persons_have_on_file_belongs_to_who_registered_last(texts: Texts) -> None:
    shared = "081200009999"
    for number in (7, 8):
        kpj = f"2600000010{number}"
        texts.office.register(person(kpj, number, phone=shared))
    texts.api.follow()
    first, second = "26000000107", "26000000108"
    assert texts.say(registration(7, first), shared) == replies.bound(first)
    assert texts.say(registration(8, second), shared) == replies.bound(second)
    assert texts.say(f"SALDO {first}", shared) == replies.STRANGER
    assert texts.say("SALDO", shared).startswith("JHT ***0108 ")
    assert texts.say(registration(7, first), shared) == replies.bound(first)
    assert texts.say("SALDO", shared).startswith("JHT ***0107 ")


def test_what_was_answered_about_a_person_is_unreadable_once_the_person_is_erased(texts: Texts) -> None:
    texts.say(registration(1, CARD))
    assert texts.say(f"SALDO {CARD}", name="same") == BALANCE
    assert texts.say(f"SALDO {CARD}", name="same") == BALANCE
    person = texts.members.find_person(kpj=CARD)
    assert person is not None
    texts.api.log.append([], NOW, writes=[lambda tx: texts.members.vault.erase(tx, person)])
    assert texts.say(f"SALDO {CARD}", name="same") == replies.STRANGER


def test_one_cards_balance_has_a_code_that_gives_it_again(texts: Texts) -> None:
    texts.say(registration(1, CARD))
    assert texts.say(f"SALDO {CARD}") == BALANCE
    texts.say("SALDO")
    (code,) = texts.codes
    texts.office.contribute(line(CARD, month="2026-08", paid_on="2026-09-14"), request="late")
    texts.api.follow()
    found = texts.client.get(f"/v1/answers/{code}", headers=texts.api.key("read")).json()
    assert (found["kind"], found["language"], found["statement"]) == ("sms", "id", None)
    assert (found["given"]["then"]["balance"], found["given"]["now"]["balance"]) == (570_000, 855_000)


def test_a_balance_does_not_wait_for_its_code(texts: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    def rotating(*_: object) -> list[str]:
        raise Unavailable("vault-rotating")

    texts.say(registration(1, CARD))
    monkeypatch.setattr(texts.api.app.state.application.codes, "seal_all", rotating)
    assert texts.say(f"SALDO {CARD}") == BALANCE
    assert texts.codes == []


def test_notices_are_switched_on_and_off_by_word_and_apart_from_the_phone(texts: Texts) -> None:
    assert texts.say("KABAR") == replies.TELLS_STRANGER
    assert texts.say("STOP KABAR") == replies.NOT_BOUND
    texts.say(registration(1, CARD))
    person = texts.members.phone_owner("+62" + BUDI[1:]) or ""
    before = texts.letters()
    assert texts.say("Kabar") == replies.TOLD_FROM_NOW
    assert texts.members.about(person).notices.sms == ("posted", "missing")
    assert texts.letters() == before + 1, "the e-mail address on file hears of it, the phone knows"
    assert texts.say("stop kabar") == replies.TOLD_NO_MORE
    assert texts.members.about(person).notices.sms == ()
    assert texts.say(f"SALDO {CARD}") == BALANCE, "the phone is still bound"
    texts.say("KABAR IURAN")
    assert texts.say("STOP") == replies.STOPPED
    assert texts.members.about(person).notices.sms == ()
