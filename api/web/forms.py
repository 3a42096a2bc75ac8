"""What people type: pure checks of form fields, each wrong one with the sentence that says what to mend. A field that was
left empty says "Isi ...", never that its content is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from api.access.passwords import check_password
from api.formats import sentence
from api.web.words import Words, words
from ledger.contacts import clean_email
from ledger.days import years_after
from ledger.decisions.person import OLDEST_YEARS
from ledger.errors import Refused
from ledger.identifiers import SEGMENTS, clean_kpj, clean_nik
from ledger.members.state import REQUESTS

LONGEST_TEXT = 1_000
Errors = dict[str, str]
"""Field id -> sentence, in the order of the form."""


def segment_of(form: Mapping[str, str], t: Words, errors: Errors) -> str:
    """The chosen segment, "" when it is none."""
    segment = form.get("segment", "")
    if segment in SEGMENTS:
        return segment
    errors["segment"] = t("register.wrong_segment")
    return ""


def nik_of(form: Mapping[str, str], t: Words, errors: Errors) -> str:
    """A NIK's sixteen digits, "" when they are not."""
    text = form.get("nik", "")
    nik = clean_nik(text)
    if nik is not None:
        return nik
    if not text.strip():
        errors["nik"] = t("register.empty_nik")
        return ""
    bare = "".join(character for character in text if not character.isspace() and character not in ".-")
    digits = bare.isascii() and bare.isdigit()
    errors["nik"] = t("register.wrong_nik", n=len(bare)) if digits else t("register.wrong_nik_signs")
    return ""


def past_day_of(form: Mapping[str, str], today: date, t: Words, errors: Errors) -> date | None:
    """A day before today, None when there is no such day."""
    parts = [form.get(name, "").strip() for name in ("year", "month", "day")]
    if not all(parts):
        errors["then"] = t("statement.empty_then")
        return None
    day = _day_of(parts)
    if day is not None and day < today:
        return day
    errors["then"] = t("statement.wrong_then")
    return None


def _day_of(parts: Sequence[str]) -> date | None:
    """The day of a year, a month and a day of it, None when there is none."""
    try:
        if not all(part.isascii() and part.isdigit() for part in parts):
            return None
        return date(*(int(part) for part in parts))
    except (ValueError, OverflowError):
        return None


def birth_date_of(form: Mapping[str, str], today: date, t: Words, errors: Errors) -> str:
    """The birth date as yyyy-mm-dd, "" when there is no such day in a human life."""
    parts = [form.get(name, "").strip() for name in ("year", "month", "day")]
    if not all(parts):
        errors["born"] = t("register.empty_born")
        return ""
    born = _day_of(parts) or date.max
    if years_after(today, -OLDEST_YEARS) <= born <= today:
        return born.isoformat()
    errors["born"] = t("register.wrong_born")
    return ""


def kpj_of(form: Mapping[str, str], t: Words, errors: Errors) -> str:
    """A card number in clean form, "" when no card ever had that shape."""
    text = form.get("kpj", "")
    kpj = clean_kpj(text)
    if kpj is None:
        errors["kpj"] = t("register.wrong_kpj" if text.strip() else "register.empty_kpj")
    return kpj or ""


def email_of(form: Mapping[str, str], t: Words, errors: Errors) -> str:
    """An e-mail address in clean form, "" when it is none."""
    text = form.get("email", "")
    found = clean_email(text)
    if found is not None:
        return found
    errors["email"] = t("register.wrong_email" if text.strip() else "register.empty_email")
    return ""


def password_of(form: Mapping[str, str], own: tuple[str, ...], language: str, errors: Errors) -> str:
    """A password that is good enough for somebody with these numbers and addresses, "" when it is not."""
    password = form.get("password", "")
    if not password:
        errors["password"] = words(language)("register.empty_password")
        return ""
    try:
        check_password(password, own)
    except Refused as refused:
        errors["password"] = sentence(refused.problem, language)
        return ""
    return password


def data_request_of(form: Mapping[str, str], t: Words, errors: Errors) -> tuple[str, str]:
    """What is asked about personal data, and the words that go with it: of a correction they are obligatory."""
    what, text = form.get("what", ""), form.get("text", "").strip()
    if what not in REQUESTS:
        errors["what"] = t("requests.wrong_what")
    if len(text) > LONGEST_TEXT:
        errors["text"] = t("requests.wrong_text", most=LONGEST_TEXT)
    elif what == "correct" and not text:
        errors["text"] = t("requests.empty_text")
    return what, text
