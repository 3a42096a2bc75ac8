"""Asking for access: what opens it, what waits, what is never told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.errors import JhtError, NotFound
from tests.ledger.members.conftest import CARD, HASH, ON_FILE, OTHERS, PHONE, SECOND, Counter
from tests.office import nik, person


def refused(code: str, act: object, *given: object) -> None:
    with pytest.raises(JhtError) as error:
        act(*given)  # type: ignore[operator]
    assert error.value.code == code


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
    assert [letter.kind for _, letter in counter.letters()] == ["access-opened"]


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
    assert (letter.kind, letter.to, letter.details) == ("not-matched", ON_FILE, {})
    assert counter.log.head() == before
    assert counter.state() == ""


def test_another_address_waits_until_the_one_on_file_confirms_it(counter: Counter) -> None:
    members = counter.members
    members.register(counter.claim("clerk@contoh.id"), HASH, counter.acting())
    members.use_link(counter.letter().details["token"], counter.acting())
    assert counter.state() == "waiting"
    letter = counter.letter()
    assert (letter.kind, letter.to) == ("confirm-old", ON_FILE)
    assert letter.details["masked"] == "c***k@contoh.id"
    members.use_link(letter.details["token"], counter.acting())
    assert counter.state() == "active"
    assert counter.letter().to == "clerk@contoh.id"
    refused("link-used", members.use_link, letter.details["deny"], counter.acting())


def test_the_contact_on_file_can_deny_another_address(counter: Counter) -> None:
    members = counter.members
    members.register(counter.claim("clerk@contoh.id"), HASH, counter.acting())
    members.use_link(counter.letter().details["token"], counter.acting())
    letter = counter.letter()
    members.use_link(letter.details["deny"], counter.acting())
    assert counter.state() == ""
    assert members.find("clerk@contoh.id") is None
    refused("link-used", members.use_link, letter.details["token"], counter.acting())


def test_a_waiting_stranger_does_not_keep_the_owner_out(counter: Counter) -> None:
    members = counter.members
    members.register(counter.claim("clerk@contoh.id"), HASH, counter.acting())
    members.use_link(counter.letter().details["token"], counter.acting())
    old = counter.letter().details["token"]
    counter.active()
    assert counter.state() == "active"
    assert members.find("clerk@contoh.id") is None
    refused("link-used", members.use_link, old, counter.acting())


def test_the_branch_can_confirm_what_waits(counter: Counter) -> None:
    members = counter.members
    members.register(counter.claim("baru@contoh.id"), HASH, counter.acting())
    refused("link-used", members.confirm, counter.person, counter.acting("user:rina"))
    members.use_link(counter.letter().details["token"], counter.acting())
    members.confirm(counter.person, counter.acting("user:rina"))
    assert counter.state() == "active"


def test_where_no_address_is_on_file_a_proven_one_opens_and_the_phone_is_told(counter: Counter) -> None:
    counter.office.register(person("26000000041", 3, email=""))
    members = counter.members
    members.register(counter.claim("baru@contoh.id", nik=nik(3), kpj="26000000041"), HASH, counter.acting())
    members.use_link(counter.letter().details["token"], counter.acting())
    login = members.find("baru@contoh.id")
    assert login is not None
    assert login.state == "active"
    ((way, letter),) = counter.letters()
    assert (way, letter.kind, letter.to) == ("sms", "access-opened", "+6281234560003")


def test_an_open_access_is_never_replaced_from_outside(counter: Counter) -> None:
    counter.active()
    counter.members.register(counter.claim("clerk@contoh.id"), "$argon2id$evil", counter.acting())
    letter = counter.letter()
    assert (letter.kind, letter.to) == ("already-registered", ON_FILE)
    login = counter.members.login_of(counter.person)
    assert login is not None
    assert (login.password, login.state) == (HASH, "active")


def test_an_address_belongs_to_one_person(counter: Counter) -> None:
    counter.active()
    claim = counter.claim(nik=nik(2), kpj=OTHERS)
    counter.members.register(claim, HASH, counter.acting())
    assert counter.letter().kind == "already-registered"
    assert counter.members.login_of(counter.other) is None


def test_an_address_proven_by_another_meanwhile_is_not_proven_again(counter: Counter) -> None:
    members = counter.members
    members.register(counter.claim(nik=nik(2), kpj=OTHERS), HASH, counter.acting())
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
    refused("link-used", members.use_link, first, counter.acting())
    refused("link-used", members.use_link, "x" * 43, counter.acting())
    counter.later = timedelta(hours=24, seconds=1)
    refused("link-used", members.use_link, second, counter.acting())
    refused("link-used", members.look_at_link, second, counter.acting().now)
    counter.later = timedelta(hours=23)
    assert members.look_at_link(second, counter.acting().now).purpose == "verify"
    members.use_link(second, counter.acting())
    refused("link-used", members.use_link, second, counter.acting())


def test_assisted_registration_sends_a_link_to_choose_a_password(counter: Counter) -> None:
    members = counter.members
    refused("account-not-found", members.register_at_office, "26999999999", "x@contoh.id", counter.acting("user:rina"))
    members.register_at_office(CARD, "baru@contoh.id", counter.acting("user:rina"))
    letters = {letter.kind: letter for _, letter in counter.letters()}
    assert letters.keys() == {"office-invite", "access-assisted"}
    assert letters["access-assisted"].to == ON_FILE, "the address on file is told"
    letter = letters["office-invite"]
    assert members.reset(letter.details["token"], "$argon2id$2", counter.acting()) == counter.person
    login = members.find("baru@contoh.id")
    assert login is not None
    assert (login.password, login.state) == ("$argon2id$2", "active")
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
    assert counter.letter().kind == "password-changed"


def test_a_provider_s_subject_is_bound_to_the_person_that_fits(counter: Counter) -> None:
    members = counter.members
    assert not members.register_issuer(counter.claim(nik=nik(9)), "https://id.example", "s1", counter.acting())
    assert members.register_issuer(counter.claim(), "https://id.example", "s1", counter.acting())
    found = members.of_issuer("https://id.example", "s1")
    assert found is not None
    assert (found.person, found.state) == (counter.person, "active")
    assert members.of_issuer("https://other.example", "s1") is None
    counter.letters()
    members.ask_reset(CARD, counter.acting())
    assert counter.letters() == [], "who comes in by a provider has no password here"


def test_a_provider_s_other_address_waits_too(counter: Counter) -> None:
    claim = counter.claim("clerk@contoh.id")
    assert not counter.members.register_issuer(claim, "https://id.example", "s2", counter.acting())
    assert counter.letter().kind == "confirm-old"


def test_cards_of_the_same_person_are_linked_and_no_others(counter: Counter) -> None:
    members = counter.members
    counter.active()
    linked = members.link_card(counter.person, SECOND, counter.acting())
    assert members.link_card(counter.person, SECOND, counter.acting()) == linked
    assert counter.letter().details == {"kpj": SECOND[-4:]}
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
        for table in ("member_logins", "member_cards", "member_links", "outbox", counter.log.table):
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
    counter.log.append([], counter.acting().now, writes=[lambda tx: counter.office.vault.erase(tx, counter.person)])
    with counter.log.database.read() as tx:
        for table in ("member_logins", "member_cards", "member_phones", "member_links", "member_requests"):
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
