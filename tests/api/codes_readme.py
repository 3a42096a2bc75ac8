"""The list of codes for people, `api/README.md`: what each means, made from `ledger/codes.toml` and `api/problems.py`."""

from __future__ import annotations

from pathlib import Path

import api
from api.problems import status_of
from ledger.errors import sentences

README = Path(api.__file__).parent / "README.md"
_HEAD = """# Codes

What a refusal, a warning or a failure means: made from `ledger/codes.toml` by `make openapi`, never by hand. The order is
that of precedence: of several problems in one cell, line or remittance the first is told. HTTP is the status when a whole
request is refused with the code; in a receipt a code stands beside a line, and the request itself is answered with 200.

| code | HTTP | Indonesian | English |
|---|---|---|---|
"""


def text() -> str:
    """The whole file."""
    rows = (
        f"| `{code}` | {status_of(code)} | {sentence.id} | {sentence.en} |\n" for code, sentence in sentences().items()
    )
    return _HEAD + "".join(row.replace("\n", " ").rstrip() + "\n" for row in rows)
