"""Asking for access: what opens it, what waits, what is never told."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

import pytest

from ledger.acts import person as acts
from ledger.errors import JhtError, NotFound
from ledger.members.numbers import WRONG_NUMBERS
from ledger.members.state import MOST_UNKNOWN
from ledger.store.outbox import Letter
from tests.ledger.members.conftest import CARD, HASH, ON_FILE, OTHERS, PHONE, SECOND, Counter
from tests.office import nik, person


def refused(code: str, act: object, *given: object) -> None:
    with pytest.raises(JhtError) as error:
        act(*given)  # type: ignore[operator]
    assert error.value.code == code


STRANGER = "clerk@contoh.id"


def to(letters: list[tuple[str, Letter]], address: str) -> Letter:
    """The one letter to an address or phone."""
    (found,) = [letter for _, letter in letters if letter.to == address]
    return found


def test_an_address_on_file_opens_the_access_once_it_is_proven(counter: Counter) -> None:
    members = counter.members
    members.register(counter.claim("Budi1@Contoh.id"), HASH, counter.acting())
    assert counter.state() == "sent"
    assert members.find(ON_FILE) is None, "an address that was not proven is nobody's"
    letter = counter.letter()
    assert (letter.kind, letter.to) == ("verify", "Budi1@Contoh.id")
    members.use_link(letter.details["token"], counter.acting())
    assert counter.state() == "active"
    for identifier in (ON_FILE, "BUDI1@CONTOH.ID", nik(1), CARD, SECOND):
        found = members.find(identifier)
        assert found is not None
        assert (found.person, found.password) == (counter.person, HASH)
    assert [(way, letter.kind, letter.to) for way, letter in counter.letters()] == [("sms", "access-opened", PHONE)]


@pytest.mark.parametrize(
    "wrong",
    [{"nik": nik(2)}, {"nik": nik(9)}, {"birth_date": "1990-05-18"}, {"kpj": OTHERS}, {"kpj": "26999999999"},
     {"segment": "BPU"}],
    ids=str,
)  # fmt: skip
def test_a_claim_that_does_not_fit_leaves_nothing_but_a_letter(counter: Counter, wrong: dict[str, str]) -> None:
    before = counter.log.head()
    counter.members.register(counter.claim(**wrong), HASH, counter.acting())
    letter = counter.letter()
    assert (letter.kind, letter.to, letter.details) == ("register-received", ON_FILE, {})
    assert counter.log.head() == before
    assert counter.state() == ""


def test_the_letter_to_an_address_that_is_not_known_is_the_same_whatever_matched(counter: Counter) -> None:
    members = counter.members
    counter.office.register(person("26000000041", 3, email="", phone=""), person("26000000058", 4, email=""))
    claims = [
        counter.claim(STRANGER), counter.claim(STRANGER, nik=nik(9)), counter.claim(STRANGER, birth_date="1990-05-18"),
        counter.claim(STRANGER, segment="BPU"), counter.claim(STRANGER, nik=nik(3), kpj="26000000041"),
        counter.claim(STRANGER, nik=nik(4), kpj="26000000058"),
    ]  # fmt: skip
    told = []
    for claim in claims:
        members.register(claim, HASH, counter.acting())
        told.append(to(counter.letters(), STRANGER))
    counter.active()
    members.register(claims[0], HASH, counter.acting())
    told.append(counter.letter())
    assert told == [Letter("register-received", STRANGER)] * 7


@pytest.mark.parametrize("by", ["email", "number-on-the-site", "number-by-sms", "office"])
def test_another_address_waits_until_a_known_contact_or_the_branch_confirms_it(counter: Counter, by: str) -> None:
    members = counter.members
    members.register(counter.claim(STRANGER), HASH, counter.acting(), "ticket")
    assert counter.state() == "waiting"
    sent = counter.letters()
    assert to(sent, ON_FILE).details["asks"] == STRANGER, "whole, because it is decided about"
    if by == "email":
        members.use_link(to(sent, ON_FILE).details["token"], counter.acting())
        refused("link-used", members.use_link, to(sent, ON_FILE).details["deny"], counter.acting())
    elif by == "number-on-the-site":
        members.confirm_by_number("ticket", counter.number(sent), counter.acting())
    elif by == "number-by-sms":
        assert members.confirm_by_phone(PHONE, counter.number(sent), counter.acting("sms")) == "login-confirmed"
    else:
        members.confirm(counter.person, counter.waiting(), counter.acting("user:rina"))
    assert counter.state() == "sent"
    assert members.find(STRANGER) is None
    verify = counter.letter()
    assert (verify.kind, verify.to) == ("verify", STRANGER)
    refused("number-wrong", members.confirm_by_phone, PHONE, counter.number(sent), counter.acting("sms"))
    members.use_link(verify.details["token"], counter.acting())
    assert counter.state() == "active"
    told = counter.letters()
    assert {(way, letter.kind, letter.to) for way, letter in told} == {
        ("mail", "access-opened", ON_FILE), ("sms", "access-opened", PHONE),
    }  # fmt: skip


def test_a_number_is_secret_short_lived_and_not_to_be_guessed(counter: Counter) -> None:
    members = counter.members
    members.register(counter.claim(STRANGER), HASH, counter.acting(), "ticket")
    number = counter.number(counter.letters())
    wrong = f"{(int(number.replace(' ', '')) + 1) % 10**8:08d}"
    refused("number-wrong", members.confirm_by_number, "another ticket", number, counter.acting())
    refused("number-wrong", members.confirm_by_number, "", number, counter.acting())
    refused("number-wrong", members.confirm_by_phone, "+628999000111", number, counter.acting())
    plain = number.replace(" ", "").encode()
    with counter.log.database.read() as tx:
        kept = [bytes(cell) for row in tx.rows("select sent_to, asked_by, hash from member_numbers") for cell in row]
    assert kept
    assert not {plain, sha256(plain).digest()} & set(kept)
    for given in ("", "YA", "12", wrong):
        refused("number-wrong", members.confirm_by_number, "ticket", given, counter.acting())
    counter.later = timedelta(minutes=10, seconds=1)
    refused("number-wrong", members.confirm_by_number, "ticket", number, counter.acting())
    counter.later = timedelta()
    for _ in range(WRONG_NUMBERS - 1):
        refused("number-wrong", members.confirm_by_number, "ticket", wrong, counter.acting())
    refused("number-wrong", members.confirm_by_number, "ticket", number, counter.acting())
    assert counter.state() == "waiting"


def test_the_contact_on_file_can_deny_another_address(counter: Counter) -> None:
    members = counter.members
    members.register(counter.claim(STRANGER), HASH, counter.acting())
    letter = to(counter.letters(), ON_FILE)
    members.use_link(letter.details["deny"], counter.acting())
    assert counter.state() == ""
    assert members.find(STRANGER) is None
    refused("link-used", members.use_link, letter.details["token"], counter.acting())


def test_who_was_asked_answers_only_while_it_is_a_contact(counter: Counter) -> None:
    members = counter.members
    members.register(counter.claim(STRANGER), HASH, counter.acting(), "ticket")
    sent = counter.letters()
    members.register(counter.claim(), HASH, counter.acting())
    verify = counter.letter().details["token"]
    acts.correct(
        counter.log, counter.office.vault, counter.person, {"email": "baru@contoh.id", "phone": "+6281100000099"},
        "cli", "cli", counter.acting().now, also=members.after_correction(counter.person, counter.acting()),
    )  # fmt: skip
    assert {letter.to for _, letter in counter.letters()} == {ON_FILE, PHONE, "baru@contoh.id", "+6281100000099"}
    refused("link-used", members.use_link, to(sent, ON_FILE).details["token"], counter.acting())
    refused("link-used", members.use_link, to(sent, ON_FILE).details["deny"], counter.acting())
    refused("number-wrong", members.confirm_by_number, "ticket", counter.number(sent), counter.acting())
    refused("link-used", members.use_link, verify, counter.acting())


def test_what_a_stranger_begins_destroys_nothing_and_the_first_proven_wins(counter: Counter) -> None:
    members = counter.members
    members.register_at_office(CARD, ON_FILE, counter.acting("user:rina"))
    invite = to(counter.letters(), ON_FILE).details["token"]
    members.register(counter.claim(), HASH, counter.acting())
    verify = counter.letter().details["token"]
    members.register(counter.claim(STRANGER), "$argon2id$evil", counter.acting())
    asked = to(counter.letters(), ON_FILE).details["token"]
    members.register(counter.claim(), "$argon2id$evil", counter.acting())
    counter.letters()
    for token, purpose in ((invite, "invite"), (verify, "verify"), (asked, "confirm-login")):
        assert members.look_at_link(token, counter.acting().now).purpose == purpose
    members.use_link(verify, counter.acting())
    login = members.find(ON_FILE)
    assert login is not None
    assert login.password == HASH
    for token in (invite, asked):
        refused("link-used", members.look_at_link, token, counter.acting().now)
    assert members.find(STRANGER) is None


def test_too_many_strangers_stop_only_strangers(counter: Counter) -> None:
    members = counter.members
    for number in range(MOST_UNKNOWN):
        members.register(counter.claim(f"x{number}@contoh.id"), HASH, counter.acting())
        assert len(counter.letters()) == 3
    before = counter.log.head()
    members.register(counter.claim("x9@contoh.id"), HASH, counter.acting())
    assert counter.letter() == Letter("register-received", "x9@contoh.id"), "the same letter, and nobody else is asked"
    assert counter.log.head() == before
    assert counter.active() == counter.person, "an address on file always goes through"


def test_where_nothing_is_on_file_only_the_branch_opens(counter: Counter) -> None:
    counter.office.register(person("26000000041", 3, email="", phone=""))
    members = counter.members
    members.register(counter.claim("baru@contoh.id", nik=nik(3), kpj="26000000041"), HASH, counter.acting(), "t")
    assert counter.letter().kind == "register-received"
    owner = members.find_person(kpj="26000000041")
    assert owner is not None
    ((registered, email),) = members.about(owner).waiting
    assert email == "baru@contoh.id"
    members.confirm(owner, registered, counter.acting("user:rina"))
    members.use_link(counter.letter().details["token"], counter.acting())
    assert members.about(owner).state == "active"


def test_an_open_access_is_never_replaced_from_outside(counter: Counter) -> None:
    counter.active()
    for email, kind in ((STRANGER, "register-received"), (ON_FILE, "already-registered")):
        counter.members.register(counter.claim(email), "$argon2id$evil", counter.acting())
        letter = counter.letter()
        assert (letter.kind, letter.to) == (kind, email)
    login = counter.members.login_of(counter.person)
    assert login is not None
    assert login.password == HASH


def test_an_address_belongs_to_one_person(counter: Counter) -> None:
    counter.active()
    claim = counter.claim(nik=nik(2), kpj=OTHERS)
    counter.members.register(claim, HASH, counter.acting())
    assert counter.letter().kind == "register-received", "it is not on file for this person"
    assert counter.members.login_of(counter.other) is None


def test_an_address_proven_by_another_meanwhile_is_not_proven_again(counter: Counter) -> None:
    members = counter.members
    members.register(counter.claim(nik=nik(2), kpj=OTHERS), HASH, counter.acting())
    ((registered, _),) = members.about(counter.other).waiting
    counter.letters()
    members.confirm(counter.other, registered, counter.acting("user:rina"))
    token = counter.letter().details["token"]
    counter.active()
    refused("link-used", members.use_link, token, counter.acting())
    assert members.find(ON_FILE) is not None


def test_a_link_works_once_in_its_time_and_for_its_registration_only(counter: Counter) -> None:
    members = counter.members
    members.register(counter.claim(), HASH, counter.acting())
    first = counter.letter().details["token"]
    members.register(counter.claim(), HASH, counter.acting())
    second = counter.letter().details["token"]
    assert members.look_at_link(first, counter.acting().now).purpose == "verify", "both stand beside each other"
    refused("link-used", members.use_link, "x" * 43, counter.acting())
    counter.later = timedelta(hours=24, seconds=1)
    refused("link-used", members.use_link, second, counter.acting())
    refused("link-used", members.look_at_link, second, counter.acting().now)
    counter.later = timedelta(hours=23)
    assert members.look_at_link(second, counter.acting().now).purpose == "verify"
    members.use_link(second, counter.acting())
    for token in (first, second):
        refused("link-used", members.use_link, token, counter.acting())


def test_assisted_registration_sends_a_link_to_choose_a_password(counter: Counter) -> None:
    members = counter.members
    refused("account-not-found", members.register_at_office, "26999999999", "x@contoh.id", counter.acting("user:rina"))
    members.register_at_office(CARD, "baru@contoh.id", counter.acting("user:rina"))
    sent = counter.letters()
    assert {(letter.kind, letter.to) for _, letter in sent} == {
        ("office-invite", "baru@contoh.id"), ("access-assisted", ON_FILE), ("access-assisted", PHONE),
    }  # fmt: skip
    letter = to(sent, "baru@contoh.id")
    assert members.reset(letter.details["token"], "$argon2id$2", counter.acting()) == counter.person
    login = members.find("baru@contoh.id")
    assert login is not None
    assert login.password == "$argon2id$2"
    refused("member-active", members.register_at_office, CARD, "baru@contoh.id", counter.acting("user:rina"))
    refused("email-taken", members.register_at_office, OTHERS, "baru@contoh.id", counter.acting("user:rina"))


def test_a_forgotten_password_is_replaced_by_a_link_and_ends_every_session(counter: Counter) -> None:
    members = counter.members
    counter.active()
    before = members.login_of(counter.person)
    members.ask_reset("nobody@contoh.id", counter.acting())
    assert counter.letters() == []
    members.ask_reset(nik(1), counter.acting())
    letter = counter.letter()
    assert (letter.kind, letter.to) == ("reset", ON_FILE)
    counter.later = timedelta(minutes=61)
    refused("link-used", members.reset, letter.details["token"], "$argon2id$2", counter.acting())
    counter.later = timedelta(minutes=59)
    members.reset(letter.details["token"], "$argon2id$2", counter.acting())
    refused("link-used", members.reset, letter.details["token"], "$argon2id$3", counter.acting())
    after = members.login_of(counter.person)
    assert before is not None
    assert after is not None
    assert (after.password, after.epoch) == ("$argon2id$2", before.epoch + 1)
    assert {(letter.kind, letter.to) for _, letter in counter.letters()} == {
        ("password-changed", ON_FILE), ("password-changed", PHONE),
    }  # fmt: skip


def test_a_provider_s_subject_is_bound_to_the_person_that_fits(counter: Counter) -> None:
    members = counter.members
    assert not members.register_issuer(counter.claim(nik=nik(9)), "https://id.example", "s1", counter.acting())
    assert members.register_issuer(counter.claim(), "https://id.example", "s1", counter.acting())
    found = members.of_issuer("https://id.example", "s1")
    assert found is not None
    assert (found.person, counter.state()) == (counter.person, "active")
    assert members.of_issuer("https://other.example", "s1") is None
    counter.letters()
    members.ask_reset(CARD, counter.acting())
    assert counter.letters() == [], "who comes in by a provider has no password here"


def test_a_provider_s_other_address_waits_too_and_is_proven_already(counter: Counter) -> None:
    members = counter.members
    claim = counter.claim(STRANGER)
    assert not members.register_issuer(claim, "https://id.example", "s2", counter.acting(), "ticket")
    assert members.is_waiting("https://id.example", "s2", counter.acting().now)
    sent = counter.letters()
    members.confirm_by_number("ticket", counter.number(sent), counter.acting())
    assert counter.state() == "active"
    assert not members.is_waiting("https://id.example", "s2", counter.acting().now)
    assert to(counter.letters(), STRANGER).kind == "confirmed"


def test_cards_of_the_same_person_are_linked_and_no_others(counter: Counter) -> None:
    members = counter.members
    counter.active()
    linked = members.link_card(counter.person, SECOND, counter.acting())
    assert members.link_card(counter.person, SECOND, counter.acting()) == linked
    sent = counter.letters()
    assert {letter.to for _, letter in sent} == {ON_FILE, PHONE}
    assert all(letter.details == {"kpj": SECOND[-4:]} for _, letter in sent)
    assert members.card_of(counter.person, linked.handle) == linked.card
    for kpj in (OTHERS, "26999999999"):
        refused("card-not-yours", members.link_card, counter.person, kpj, counter.acting())
    refused("card-unknown", members.card_of, counter.other, linked.handle)
    assert len(members.cards(counter.person)) == 2


def test_data_requests_are_asked_once_told_and_answered(counter: Counter) -> None:
    members = counter.members
    counter.active()
    number = members.request_data(counter.person, "correct", "Nama saya Budi S.", counter.acting())
    assert counter.letter().kind == "data-request"
    refused("data-request-open", members.request_data, counter.person, "correct", "", counter.acting())
    (waiting,) = members.open_requests()
    assert (waiting.person, waiting.number, waiting.text) == (counter.person, number, "Nama saya Budi S.")
    members.close_request(counter.person, number, "done", counter.acting("user:rina"))
    refused("data-request-unknown", members.close_request, counter.person, number, "done", counter.acting())
    assert members.open_requests() == []
    assert members.requests_of(counter.person)[0].outcome == "done"


def test_what_is_told_about_a_member_stands_in_no_row_in_clear(counter: Counter) -> None:
    counter.active()
    about = counter.members.about(counter.person)
    assert (about.identity.nik, about.contact.phone, about.email, about.state) == (nik(1), PHONE, ON_FILE, "active")
    with counter.log.database.read() as tx:
        for table in ("member_logins", "member_registrations", "member_cards", "member_links", "member_numbers", "outbox",
                      counter.log.table):  # fmt: skip
            text = repr(
                [
                    [bytes(c) if isinstance(c, memoryview) else c for c in row]
                    for row in tx.rows(f"select * from {table}")
                ]
            )
            assert ON_FILE not in text
            assert nik(1) not in text


def test_erasing_a_person_takes_every_row_along(counter: Counter) -> None:
    counter.active()
    counter.members.request_data(counter.person, "erase", "", counter.acting())
    assert counter.members.outbox.state().waiting == 1
    counter.log.append([], counter.acting().now, writes=[lambda tx: counter.office.vault.erase(tx, counter.person)])
    with counter.log.database.read() as tx:
        for table in ("member_logins", "member_cards", "member_phones", "member_links", "member_requests", "outbox"):
            assert tx.rows(f"select count(*) from {table}")[0][0] == 0
    assert counter.members.find(ON_FILE) is None
    with pytest.raises(NotFound):
        counter.members.about(counter.person)


def test_another_master_key_finds_and_opens_everything_as_before(counter: Counter) -> None:
    members = counter.members
    counter.active()
    members.ask_reset(ON_FILE, counter.acting())
    assert members.rotate(bytes(range(32))) == 2
    login = members.find(ON_FILE)
    assert login is not None
    assert login.person == counter.person
    assert counter.letter().kind == "reset", "what waits in the outbox is sealed anew"
    assert members.about(counter.person).email == ON_FILE
