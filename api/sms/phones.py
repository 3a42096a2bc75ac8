"""A phone number as a gateway gives it -> the form in which the register has it."""

from __future__ import annotations

from ledger.contacts import clean_phone


def normal(sender: str) -> str:
    """`0812...`, `62812...`, `+62812...` -> `+62812...`; "" for what is no subscriber: a short code, a company's name."""
    return clean_phone(sender) or ""
