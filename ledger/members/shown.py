"""How contacts are written for people: whole where they decide about them, masked everywhere else."""

from __future__ import annotations


def masked_email(email: str) -> str:
    """Enough of an address to know it again: `w***n@contoh.id`. Never on a page that asks for a decision, because two
    addresses can look alike.
    """
    name, _, domain = email.partition("@")
    return f"{name[:1]}***{name[-1:] if len(name) > 2 else ''}@{domain}"


def whole_phone(phone: str) -> str:
    """A phone number in groups: `0812-3456-0001`, a foreign one `+4930-1234-567`."""
    shown = f"0{phone[3:]}" if phone.startswith("+62") else phone
    return "-".join(shown[at : at + 4] for at in range(0, len(shown), 4))


def masked_phone(phone: str) -> str:
    """The first two and last three digits of a phone number, an Indonesian one as people write it."""
    shown = f"0{phone[3:]}" if phone.startswith("+62") else phone
    return f"{shown[:2]}**-****-*{shown[-3:]}" if len(shown) > 6 else "***"
