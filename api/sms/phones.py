"""A phone number as a gateway gives it -> the form in which the register has it."""

from __future__ import annotations

from ledger.fields import Bad, read_cell
from ledger.layouts import REGISTRATIONS

_PHONE = next(column for column in REGISTRATIONS if column.name == "phone")


def normal(sender: str) -> str:
    """`0812...`, `62812...`, `+62812...` -> `+62812...`; "" for what is no subscriber: a short code, a company's name."""
    phone = read_cell(_PHONE, sender)
    return "" if isinstance(phone, Bad) else str(phone)
