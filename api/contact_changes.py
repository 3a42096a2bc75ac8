"""How a member asks for another contact on file, on the website and in the app: one rule, one count of tries."""

from __future__ import annotations

from api.application import ApplicationState
from ledger.contacts import clean_email, clean_phone
from ledger.errors import Refused
from ledger.members import Acting
from ledger.members.state import EMAIL, PHONE

ASKED_AN_HOUR = "10/hour"
NUMBERS_AN_HOUR = "10/hour"
LONGEST = 254


def read_contact(typed: str) -> tuple[str, str]:
    """(what it is, in clean form) of a contact as it was typed. Raises Refused: email-unreadable, phone-unreadable."""
    what = EMAIL if "@" in typed else PHONE
    clean = clean_email(typed) if what == EMAIL else clean_phone(typed)
    if clean is None:
        raise Refused(f"{what}-unreadable")
    return what, clean


async def ask_contact(
    application: ApplicationState, person: str, contact: tuple[str, str], password: str | None, acting: Acting
) -> None:
    """Ask for a clean contact; `password`: the member's own once more, None where logins are a provider's.

    Raises Refused: password-wrong, contact-same, too-many-tries; NotFound(member-unknown), Unavailable(login-busy).
    """
    login = application.identity.login
    if password is not None and not await login.again("contact", person, password, acting):
        raise Refused("password-wrong")
    await application.identity.guard.take(ASKED_AN_HOUR, "contact", person)
    await application.work(lambda: application.members.ask_contact(person, *contact, acting))


async def answer_number(application: ApplicationState, person: str, asked: int, number: str, acting: Acting) -> bool:
    """A number that a known phone got agrees (False), one that the new phone got replaces the contact (True).

    Raises Refused: number-wrong, too-many-tries.
    """
    await application.identity.guard.take(NUMBERS_AN_HOUR, "contact-number", person)
    return await application.work(lambda: application.members.answer_contact(person, asked, number, acting))
