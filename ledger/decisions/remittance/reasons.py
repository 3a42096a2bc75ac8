"""The closed lists of reasons: why money waits, why it is corrected."""

from __future__ import annotations

CORRECTION_REASONS = (
    "wrong-amount", "wrong-person", "wrong-month", "paid-twice", "payment-returned", "legal-order",
)  # fmt: skip
"""Why money may be corrected or taken back: a closed list, because free text could hold personal data."""
SECOND_PAYMENT = "second-payment"
"""Why a second regular payment of a month waits."""
BEFORE_OPENING = "before-opening-balance"
"""Why money waits that was paid on or before an opening balance's day: it may be part of it."""
RELEASED_BY_ITSELF = ("account-unknown", "no-membership", BEFORE_OPENING)
"""What money waits for that posts it without anybody's decision when it comes."""
SUSPENSE_REASONS = (
    *RELEASED_BY_ITSELF, "nik-differs", "name-differs",
    "wage-missing", "amounts-disagree", "kpj-zero-short", "kpj-two-cards", SECOND_PAYMENT,
)  # fmt: skip
"""Why received money waits."""
