"""Phone numbers and e-mail addresses as people write them -> the one form in which they are kept.

What is a number and what is an address is known by the libraries `phonenumbers` and `email_validator`; nothing is ever
asked of the network. Well-formed cells of a large file are taken by `PLAIN_PHONE` and `PLAIN_EMAIL` alone, which match
only what the libraries give back unchanged (a test holds both against each other).
"""

from __future__ import annotations

import re

import email_validator
import phonenumbers

LONGEST_EMAIL = 254
PLAIN_PHONE = r"^\+628[0-9]{8,10}$"
"""Indonesian mobile numbers in E.164."""
PLAIN_EMAIL = r"^[a-z0-9]{1,20}(?:[._-][a-z0-9]{1,20}){0,2}@(?:[a-z][a-z0-9]{1,20}\.){1,2}(?:id|com|net|org)$"
_LONGEST_NUMBER = len("+") + 15
_NOISE = re.compile(r"[ .()\-/]")
_NUMBER = re.compile(r"\+?[0-9]{6,17}")


def clean_phone(text: str) -> str | None:
    """A phone number as E.164 (`+6281234567890`), or None when it is none.

    `0...` and `8...` (a spreadsheet dropped the zero) are Indonesian; other digits without a plus begin with a country's
    code, as gateways write them; `00` stands for the plus.
    """
    digits = _NOISE.sub("", text.strip().removeprefix("'"))
    if not _NUMBER.fullmatch(digits):
        return None
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    elif digits[0] not in "+08":
        digits = "+" + digits
    try:
        number = phonenumbers.parse(digits, "ID")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # The library knows longer numbers in some countries; E.164 ends at fifteen digits.
    return written if len(written) <= _LONGEST_NUMBER else None


def clean_email(text: str) -> str | None:
    """An e-mail address with its domain in small letters, or None when it is none.

    The part before the @ may tell letter case apart, a domain never does. A domain in other letters is written as the
    mail servers know it (`xn--...`), so that two addresses never look alike.
    """
    try:
        found = email_validator.validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, allow_quoted_local=False, strict=True
        )
    except email_validator.EmailNotValidError:
        return None
    address = found.ascii_email
    return address if address and len(address) <= LONGEST_EMAIL else None
