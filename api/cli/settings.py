"""`jht settings`: what can be set."""

from __future__ import annotations

from api.terminal import out
from ledger.settings import Settings


def show_settings() -> None:
    """Every setting with its meaning and default; set them as environment variables."""
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f" (default {field.default})"
        out.print(f"JHT_{name.upper()}{default}\n    {field.description}")
