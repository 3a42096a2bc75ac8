"""Money is whole rupiah in a Python int (64-bit in columns); no float comes near it.

Rates are per mille (contributions) or parts per million (yield); every division rounds half up, once.
"""

from __future__ import annotations

MAX_RUPIAH = 2**63 - 1


def round_half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` for a numerator >= 0, a half going up: the project's rounding rule `half-up.v1`.

    No official rule was found for JHT, so the rule id stands on every event that used it.
    """
    return (2 * numerator + denominator) // (2 * denominator)


def rupiah(amount: int) -> str:
    """`12345678` -> `Rp12.345.678`, the minus before `Rp`; Indonesian writing, no decimals."""
    sign = "-" if amount < 0 else ""
    return f"{sign}Rp{abs(amount):,}".replace(",", ".")
