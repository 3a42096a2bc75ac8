"""One letter of every kind, with the details that its writer puts in, and a real mail server to send them to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ledger.store.outbox import Letter

WRITERS = {"Letter": 0, "tell": 1, "_send_link": 2, "tell_known": 3, "_tell": 2, "_tell_holder": 2}
"""A writer of letters -> the place of the kind among what it is given."""
TABLES = ("memberships.py", "telling.py")
"""Files with a table of kinds."""
ROOT = Path(__file__).parents[3]
URL = "https://saldo.example"
TOKEN = "A" * 43
DENY = "B" * 43
DETAILS = {
    "verify": {"token": TOKEN},
    "register-received": {},
    "already-registered": {},
    "confirm-login": {"token": TOKEN, "deny": DENY, "asks": "wulan@contoh.id", "number": "1234 5678"},
    "confirm-phone": {"token": TOKEN, "deny": DENY, "asks": "0812-3456-0001", "number": "1234 5678"},
    "confirmed": {},
    "reset": {"token": TOKEN},
    "password-changed": {},
    "passkey-added": {},
    "passkey-removed": {},
    "passkey-copied": {},
    "locked": {},
    "office-invite": {"token": TOKEN},
    "access-assisted": {"masked": "b***u@contoh.id"},
    "access-opened": {},
    "access-closed": {},
    "card-linked": {"kpj": "8901"},
    "card-taken": {"kpj": "8901"},
    "card-given": {"kpj": "8901"},
    "records-joined": {},
    "record-ended": {},
    "records-parted": {},
    "phone-bound": {"phone": "0812-3456-0001"},
    "phone-unbound": {"phone": "0812-3456-0001"},
    "contact-changed": {},
    "confirm-contact": {"token": TOKEN, "deny": DENY, "asks": "wulan@contoh.id", "number": "1234 5678"},
    "prove-contact": {"token": TOKEN, "number": "1234 5678"},
    "contact-replaced": {},
    "data-request": {"what": "export"},
    "data-answered": {"outcome": "done"},
    "membership-started": {"kpj": "8901", "npp": "1000 0001"},
    "membership-ended": {"kpj": "8901", "npp": "1000 0001"},
    "notices-chosen": {},
    "contribution-posted": {},
    "month-missing": {},
    "factor-enrolled": {"name": "sari"},
    "factor-reset": {"name": "sari", "by": "dewi"},
}

ROWS = {
    "contribution-posted": (
        ("2026-09", "285000", "PT Maju", "8901", "5000000"), ("2026-10", "99999999999", "", "8901", "1000000"),
    ),
    "month-missing": (("2026-08", "0", "PT Maju", "8901", "2026-09-15"), ("2026-10", "0", "PT Maju", "8901", "2026-11-16")),
}  # fmt: skip
"""What a notice lists."""


def letter(kind: str = "verify", to: str = "budi@contoh.id", language: str = "id", **details: str) -> Letter:
    return Letter(kind, to, language, DETAILS[kind] | details, ROWS.get(kind, ()))


def written() -> Iterator[tuple[str, str]]:
    """(file, kind) of every letter that the project's source writes: `Letter(kind, ...)`, `tell(person, kind, ...)` and
    the others in WRITERS."""
    for package in ("ledger", "projections", "api"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    path.name in TABLES
                    and isinstance(node, ast.Assign | ast.AnnAssign)
                    and isinstance(node.value, ast.Dict)
                ):
                    # A table of what happened -> kind; what it has no letter for is "".
                    for value in node.value.values:
                        if isinstance(value, ast.Constant) and value.value:
                            yield path.relative_to(ROOT).as_posix(), str(value.value)
                if not isinstance(node, ast.Call):
                    continue
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                at = WRITERS.get(name)
                if at is None or len(node.args) <= at:
                    continue
                for one in ast.walk(node.args[at]):
                    if isinstance(one, ast.Constant) and isinstance(one.value, str):
                        yield path.relative_to(ROOT).as_posix(), one.value
