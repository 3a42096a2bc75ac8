"""What a correction makes of a person's data, from text as an officer or the command line typed it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from ledger.days import day_text
from ledger.decisions.person import Contact, Identity, check_birth
from ledger.errors import Refused
from ledger.fields import SEXES, Bad, read_cell
from ledger.layouts import REGISTRATIONS


def decide_correct(
    identity: Identity, contact: Contact, changes: Mapping[str, str], today: date
) -> tuple[Identity, Contact]:
    """Identity and contact after the changes (nik, name, birth_date, sex, email, phone: text as typed).

    An empty e-mail or phone removes it. Raises Refused with the code of the first field that cannot be read.
    """
    clean = {name: _clean(name, text) for name, text in changes.items()}
    after = msgspec.structs.replace(identity, **{k: v for k, v in clean.items() if k in Identity.__struct_fields__})
    if after.birth_date != identity.birth_date:
        check_birth(date.fromisoformat(after.birth_date), today)
    reach = msgspec.structs.replace(contact, **{k: v for k, v in clean.items() if k in Contact.__struct_fields__})
    return after, reach


def _clean(name: str, text: str) -> str:

    fields = (*Identity.__struct_fields__, *Contact.__struct_fields__)
    column = next((c for c in REGISTRATIONS if c.name == name and name in fields), None)
    if column is None:
        raise Refused("column-unknown", columns="?", known=", ".join(fields))
    value = read_cell(column, text)
    if isinstance(value, Bad):
        refused = Refused(value.code, column=name)
        refused.problem = msgspec.structs.replace(refused.problem, details=value.details)
        raise refused
    if name == "birth_date":
        return day_text(int(value))
    return SEXES[int(value)] if name == "sex" else str(value)
