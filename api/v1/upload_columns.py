"""What OpenAPI says of an upload's body: made from the columns that the readers read (`ledger.layouts`)."""

from __future__ import annotations

from typing import Any

import msgspec

from api.request_body import XLSX
from ledger.events import LEAVING
from ledger.fields import SEXES
from ledger.identifiers import KINDS, SEGMENTS
from ledger.layouts import LAYOUTS, Column

_FORMS: dict[str, dict[str, Any]] = {
    "rupiah": {"type": "integer", "minimum": 0},
    "count": {"type": "integer", "minimum": 0},
    "npp": {"type": "string", "pattern": "^[0-9]{8}$"},
    "kpj": {"type": "string", "pattern": "^[0-9A-Z]{5,12}$"},
    "nik": {"type": "string", "pattern": "^[0-9]{16}$"},
    "date": {"type": "string", "format": "date"},
    "birth": {"type": "string", "format": "date"},
    "month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
    "sex": {"type": "string", "enum": list(SEXES)},
    "segment": {"type": "string", "enum": list(SEGMENTS)},
    "kind": {"type": "string", "enum": [kind for kind in KINDS if kind != "opening"]},
    "division": {"type": "string", "pattern": "^[0-9A-Z]{1,6}$"},
    "reference": {"type": "string", "pattern": "^[A-Za-z0-9./-]*$"},
    "email": {"type": "string", "format": "email"},
    "phone": {"type": "string"},
    "leaving": {"type": "string", "enum": list(LEAVING)},
    "year": {"type": "string", "pattern": "^[0-9]{4}$"},
    "bases": {"type": "string"},
    "payouts": {"type": "string"},
    "yes": {"type": "string", "enum": ["ya", "tidak", "yes", "no"]},
    "text": {"type": "string"},
}
"""A column's type in JSON Schema. What is wrong with a row is told in the receipt, line by line."""


def row_schema(layout: str) -> dict[str, Any]:
    """The schema of one row of a layout."""
    columns = [column for column in LAYOUTS[layout] if column.type in _FORMS]
    return {
        "type": "object",
        "properties": {column.name: _schema(column) for column in columns},
        "required": [column.name for column in columns if column.required and column.filled],
        "additionalProperties": False,
    }


def _schema(column: Column) -> dict[str, Any]:
    form = dict(_FORMS[column.type])
    if column.limit:
        form["maximum" if form["type"] == "integer" else "maxLength"] = column.limit
    if not column.filled and form["type"] == "string":
        # An empty cell, as in a file.
        return {"anyOf": [form, {"type": "string", "maxLength": 0}], "examples": [column.example]}
    return form | {"examples": [column.value]}


def example_row(layout: str) -> dict[str, str | int]:
    """A row of the columns that must be there, with the shares and the reference that a payment has."""
    return {c.name: c.value for c in LAYOUTS[layout] if c.required or c.type in {"rupiah", "reference"}}


def row_name(layout: str) -> str:
    """The name of a row's schema: `ContributionRow`."""
    return layout.title().replace("-", "").removesuffix("s") + "Row"


def request_body(layout: str) -> dict[str, Any]:
    """`openapi_extra` of an upload."""
    row = example_row(layout)
    rows = {"type": "array", "minItems": 1, "items": {"$ref": f"#/components/schemas/{row_name(layout)}"}}
    wrapped = {"type": "object", "properties": {"rows": rows}, "required": ["rows"], "additionalProperties": False}
    text = ",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n"
    line = msgspec.json.encode(row).decode() + "\n"
    names = ", ".join(f"`{c.name}`" + ("" if c.required else " (may be left out)") for c in LAYOUTS[layout])
    return {
        "requestBody": {
            "required": True,
            "description": f"Columns, in any order: {names}.",
            "content": {
                "application/json": {"schema": {"anyOf": [rows, wrapped]}, "example": [row]},
                "text/csv": {"schema": {"type": "string"}, "example": text},
                "application/x-ndjson": {"schema": {"type": "string"}, "example": line},
                XLSX: {"schema": {"type": "string", "format": "binary"}},
            },
        }
    }
