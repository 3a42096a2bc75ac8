"""Every change of access is told to the other contacts: a table of fact x letter, and a fact without a row fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger import events
from ledger.acts import person as acts
from ledger.members import NewPasskey, Phone
from ledger.members.state import Notices
from tests.ledger.members.conftest import CARD, HASH, ON_FILE, PHONE, SECOND, Counter
from tests.office import nik

LOGIN, OTHER_PHONE = "masuk@contoh.id", "+6281299990000"
EVERY = frozenset({ON_FILE, PHONE, LOGIN})
THEIRS = ("budi2@contoh.id", "+628123456" + "0002")
"""The contacts of the other person."""


def with_login(counter: Counter) -> None:
    """An open access with an address that is not on file: three contacts are known."""
    members = counter.members
    members.register(counter.claim(LOGIN), HASH, counter.acting())
    members.confirm(counter.person, counter.waiting(), counter.acting("user:rina"))
    members.use_link(token(counter, "verify"), counter.acting())
    counter.letters()


def token(counter: Counter, kind: str) -> str:
    (found,) = [letter.details["token"] for _, letter in counter.letters() if letter.kind == kind]
    return found


def ask(counter: Counter, phone: str) -> None:
    counter.members.ask_phone(Phone(phone, nik(1), CARD), counter.acting("sms"))


def registered(counter: Counter) -> None:
    counter.members.register(counter.claim(LOGIN), HASH, counter.acting())


def confirmed(counter: Counter) -> None:
    registered(counter)
    counter.letters()
    counter.members.confirm(counter.person, counter.waiting(), counter.acting("user:rina"))


def verified(counter: Counter) -> None:
    confirmed(counter)
    counter.members.use_link(token(counter, "verify"), counter.acting())


def denied(counter: Counter) -> None:
    registered(counter)
    (deny,) = [letter.details["deny"] for _, letter in counter.letters() if "deny" in letter.details]
    counter.members.use_link(deny, counter.acting())


def closed(counter: Counter) -> None:
    with_login(counter)
    counter.members.close(counter.person, "office", counter.acting("user:dewi"))


def password_changed(counter: Counter) -> None:
    with_login(counter)
    counter.members.change_password(counter.person, "$argon2id$2", counter.acting())


def passkey_added(counter: Counter) -> None:
    with_login(counter)
    counter.members.add_passkey(counter.person, NewPasskey(b"id", b"public", 0), counter.acting())


def passkey_removed(counter: Counter) -> None:
    passkey_added(counter)
    counter.letters()
    (passkey,) = counter.members.passkeys_of(counter.person)
    counter.members.remove_passkey(counter.person, passkey.added, counter.acting())


def card_linked(counter: Counter) -> None:
    with_login(counter)
    counter.members.link_card(counter.person, SECOND, counter.acting())


def card_unlinked(counter: Counter) -> None:
    with_login(counter)
    counter.members.reassign(int(CARD), counter.other, "wrong-person", counter.acting("user:dewi"))


def persons_joined(counter: Counter) -> None:
    with_login(counter)
    counter.members.join(counter.person, counter.other, "registered-twice", counter.acting("user:dewi"))


def persons_parted(counter: Counter) -> None:
    persons_joined(counter)
    counter.letters()
    counter.members.part(counter.person, "joined-by-mistake", counter.acting("user:dewi"))


def phone_asked(counter: Counter) -> None:
    with_login(counter)
    ask(counter, OTHER_PHONE)


def phone_bound(counter: Counter) -> None:
    phone_asked(counter)
    counter.letters()
    ((asked, _),) = counter.members.about(counter.person).waiting_phones
    counter.members.confirm_phone(counter.person, asked, counter.acting("user:rina"))


def phone_unbound(counter: Counter) -> None:
    phone_bound(counter)
    counter.letters()
    counter.members.unbind_phone(OTHER_PHONE, counter.acting())


def phone_denied(counter: Counter) -> None:
    phone_asked(counter)
    deny = [letter.details["deny"] for _, letter in counter.letters() if "deny" in letter.details]
    counter.members.use_link(deny[0], counter.acting())


def contact_asked(counter: Counter) -> None:
    with_login(counter)
    counter.members.ask_contact(counter.person, "phone", OTHER_PHONE, counter.acting())


def contact_confirmed(counter: Counter) -> None:
    contact_asked(counter)
    agree = [letter.details["token"] for _, letter in counter.letters() if "deny" in letter.details]
    counter.members.use_link(agree[0], counter.acting())


def contact_replaced(counter: Counter) -> None:
    contact_confirmed(counter)
    number = counter.number(counter.letters(), OTHER_PHONE)
    ((asked, _, _, _),) = counter.members.asked_contacts(counter.person)
    assert counter.members.answer_contact(counter.person, asked, number, counter.acting())


def contact_denied(counter: Counter) -> None:
    contact_asked(counter)
    deny = [letter.details["deny"] for _, letter in counter.letters() if "deny" in letter.details]
    counter.members.use_link(deny[0], counter.acting())


def requested(counter: Counter) -> None:
    with_login(counter)
    counter.members.request_data(counter.person, "export", "", counter.acting())


def answered(counter: Counter) -> None:
    requested(counter)
    counter.letters()
    ((request),) = counter.members.requests_of(counter.person)
    counter.members.close_request(counter.person, request.number, "done", counter.acting("user:dewi"))


def corrected(counter: Counter) -> None:
    with_login(counter)
    acts.correct(
        counter.log, counter.office.vault, counter.person, {"email": "baru@contoh.id"}, "user:dewi", "office",
        counter.acting().now, also=counter.members.after_correction(counter.person, counter.acting()),
    )  # fmt: skip


def notices_chosen(counter: Counter) -> None:
    with_login(counter)
    counter.members.choose_notices(counter.person, Notices(mail=("posted",)), counter.acting())


Row = tuple[Callable[[Counter], None], set[tuple[str, str]]]
TOLD: dict[type[events.Fact], Row] = {
    events.MemberRegistered: (
        registered, {("register-received", LOGIN), ("confirm-login", ON_FILE), ("confirm-login", PHONE)},
    ),
    events.MemberConfirmed: (confirmed, {("verify", LOGIN)}),
    events.MemberVerified: (verified, {("access-opened", ON_FILE), ("access-opened", PHONE)}),
    events.MemberDenied: (denied, set()),  # nothing was open, and the stranger learns nothing
    events.MemberClosed: (closed, {("access-closed", to) for to in EVERY}),
    events.PasswordChanged: (password_changed, {("password-changed", to) for to in EVERY}),
    events.PasskeyAdded: (passkey_added, {("passkey-added", to) for to in EVERY}),
    events.PasskeyRemoved: (passkey_removed, {("passkey-removed", to) for to in EVERY}),
    events.CardLinked: (card_linked, {("card-linked", to) for to in EVERY}),
    events.CardUnlinked: (
        card_unlinked, {("card-taken", to) for to in EVERY} | {("card-given", to) for to in THEIRS},
    ),
    events.PhoneAsked: (phone_asked, {("confirm-phone", to) for to in EVERY}),
    events.PhoneBound: (phone_bound, {("phone-bound", to) for to in EVERY}),
    events.PhoneUnbound: (phone_unbound, {("phone-unbound", to) for to in {*EVERY, OTHER_PHONE}}),
    events.PhoneDenied: (phone_denied, set()),  # a known contact said so itself, and nothing was bound
    events.ContactAsked: (contact_asked, {("confirm-contact", to) for to in EVERY}),
    events.ContactConfirmed: (contact_confirmed, {("prove-contact", OTHER_PHONE)}),
    events.ContactReplaced: (contact_replaced, {("contact-replaced", to) for to in {*EVERY, OTHER_PHONE}}),
    events.ContactDenied: (contact_denied, set()),  # a known contact said so itself, and nothing changed
    events.DataRequested: (requested, {("data-request", LOGIN)}),
    events.DataRequestClosed: (answered, {("data-answered", LOGIN)}),
    events.NoticesChosen: (notices_chosen, {("notices-chosen", to) for to in EVERY}),
    events.PersonsJoined: (
        persons_joined, {("record-ended", to) for to in EVERY} | {("records-joined", to) for to in THEIRS},
    ),
    # The address of the access that had ended is not known any more.
    events.PersonsParted: (persons_parted, {("records-parted", to) for to in {ON_FILE, PHONE, *THEIRS}}),
    events.PersonCorrected: (corrected, {("contact-changed", to) for to in {*EVERY, "baru@contoh.id"}}),
}  # fmt: skip
NOT_AN_ACCESS = {events.PersonRegistered, events.PersonErased}
"""Nobody had a contact before; nobody has one after: the branch's last letter is tested with the office."""


def test_every_fact_about_a_person_or_an_access_has_its_row() -> None:
    about = {
        fact for fact in events.FACTS.values()
        if fact.NAME.startswith(
            (
                "member-", "person-", "persons-", "phone-", "password-", "passkey-", "card-linked", "card-unlinked",
                "contact-",
                "data-request", "notices-",
            )
        )
    }  # fmt: skip
    assert TOLD.keys() | NOT_AN_ACCESS == about


@pytest.mark.parametrize("fact", TOLD)
def test_what_is_told_to_whom(counter: Counter, fact: type[events.Fact]) -> None:
    happens, told = TOLD[fact]
    happens(counter)
    stream = counter.log.events(f"member:{counter.person}") or counter.log.events(f"person:{counter.person}")
    if fact in {events.PersonCorrected, events.PersonsJoined, events.PersonsParted}:
        stream = counter.log.events(f"person:{counter.person}")
    assert isinstance(stream[-1].fact, fact)
    assert {(letter.kind, letter.to) for _, letter in counter.letters()} == told
