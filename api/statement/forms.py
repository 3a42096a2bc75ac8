"""The forms of a statement: what each is called, and the file of it."""

from __future__ import annotations

from typing import NamedTuple

from api.spreadsheet import CSV, XLSX, as_xlsx
from api.statement.answer import Name
from api.statement.paper import Head, paper
from api.statement.sheet import money, sheet
from api.statement.texts import LANGUAGES
from projections.statement import Period, Statement

__all__ = ["FILES", "FORMS", "LANGUAGES", "Form", "file_name", "file_of"]

FILES = ("csv", "xlsx", "pdf")
FORMS = ("json", *FILES)
_KINDS = {"csv": CSV, "xlsx": XLSX, "pdf": "application/pdf"}
_NAMES = {"id": "laporan-jht", "en": "jht-statement"}


class Form(NamedTuple):
    """Which file, in which language, and what it says of employers."""

    name: str
    language: str
    employer: Name

    @property
    def kind(self) -> str:
        """The media type."""
        return _KINDS[self.name]


def file_name(form: Form, period: Period) -> str:
    """`laporan-jht-2025.csv`: no card's number, for names of files are seen by others."""
    days = str(period.year) if period.year else f"{period.since}-{period.until}"
    return f"{_NAMES[form.language]}-{days}.{form.name}"


def file_of(form: Form, found: Statement, head: Head) -> bytes:
    """The file of a statement; `head`: what a paper says around the figures, and the answer code."""
    if form.name == "pdf":
        return paper(found, head, form.employer, form.language)
    table = sheet(found, form.employer, form.language, head.code)
    return table if form.name == "csv" else as_xlsx(table, money(form.language))
