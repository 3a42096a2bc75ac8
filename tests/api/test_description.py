"""A walk over the description: closed lists are enums of what the code can give, texts have a form or a limit, moments one
format, every answer its headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from api import schemas
from api.access.passwords import LONGEST
from api.access.tokens import ACCESS, IDLE, RETRY
from api.access.tokens import LONGEST as LONGEST_LOGIN
from api.statement import answer as statement_answer
from api.statement.forms import FORMS
from ledger.decisions.remittance import CORRECTION_REASONS, SUSPENSE_REASONS
from ledger.errors import sentences
from ledger.events import LEAVING
from ledger.fields import SEXES
from ledger.identifiers import KINDS, SEGMENTS
from ledger.layouts import LAYOUTS
from ledger.members.state import NOTICES
from ledger.store import answer_codes
from ledger.yields import POLICY
from projections import difference, explanation, month_grid
from projections.event_batch import TYPES
from projections.results import STATUSES
from tests.api.described import description

CLOSED = frozenset({
    "by", "cause", "channel", "code", "form", "format", "kind", "lang", "language", "layout", "left_why", "mail",
    "old_card", "policy", "reason", "replace", "segment", "sex", "sms", "state", "status", "sub_account", "token_type",
    "type", "verdict", "what",
})  # fmt: skip
"""Names of fields and parameters whose values come out of a list that the code owns."""
OTHER_FIELDS = {("Problem", "type"), ("Problem", "status"), ("", "replace"), ("", "code"), ("Access", "what")}
"""Of those names what is no list: the address and the number of a problem, a flag, the answer code in an address."""
VERDICTS = ("refused", "suspended", "warning")
LISTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "by": (schemas.READERS,),
    "cause": (difference.CAUSES,),
    "channel": (schemas.CHANNELS,),
    "code": (tuple(sentences()), (*sentences(), "")),
    "format": (FORMS,),
    "kind": (KINDS, KINDS[:-1], explanation.KINDS, answer_codes.KINDS),
    "lang": (answer_codes.LANGUAGES,),
    "language": (answer_codes.LANGUAGES,),
    "layout": ((*LAYOUTS, "reversals"),),
    "left_why": (LEAVING,),
    "mail": (NOTICES,),
    "old_card": (("ya", "tidak", "yes", "no"),),
    "policy": ((POLICY,),),
    "reason": (
        SUSPENSE_REASONS, CORRECTION_REASONS, ("no-contribution-yet",), month_grid.CAUSES, statement_answer.GAP_REASONS,
    ),
    "segment": (SEGMENTS,),
    "sex": (SEXES,),
    "sms": (NOTICES,),
    "state": (month_grid.SERIOUS,),
    "status": (STATUSES, ("ok", "unavailable")),
    "sub_account": (explanation.SUB_ACCOUNTS,),
    "token_type": (("Bearer",),),
    "type": (TYPES, explanation.LINE_TYPES, (*TYPES, "yield")),
    "verdict": (VERDICTS,),
    "what": (("email", "phone"),),
}  # fmt: skip
"""Name -> the lists that it may have."""
FREE = {
    ("CardProblem", "detail"), ("CardMonth", "detail"), ("MonthPart", "detail"), ("Cause", "detail"), ("Cause", "detail_en"),
    ("Problem", "detail"), ("Problem", "detail_en"), ("Problem", "title"), ("Problem", "column"), ("Problem", "request_id"),
    ("Waiting", "detail"), ("ReceiptProblem", "id"), ("ReceiptProblem", "en"), ("ReceiptProblem", "details"),
    ("ReceiptProblem", "column"), ("ReceiptCode", "columns"), ("ReceiptOutcome", "name"), ("Health", "checks"),
    ("Me", "name"), ("Me", "email"), ("Me", "phone"), ("MonthPart", "employer"), ("OfferedCard", "employer"),
    ("StatementLine", "employer_name"), ("StatementGap", "employer_name"), ("StatementCorrection", "employer_name"),
    ("Contacts", "email"), ("Contacts", "phone"), ("Contacts", "login"), ("WaitingContact", "contact"), ("LogIn", "device"),
    ("RegistrationRow", "phone"),
}  # fmt: skip
"""Texts of people: sentences, names, masked addresses, a phone as somebody writes it."""
Field = tuple[str, str, dict[str, Any]]


def fields() -> Iterator[Field]:
    """(schema, or "" for a parameter; name; form) of every field of a body or an answer and every parameter."""
    for schema, part in description()["components"]["schemas"].items():
        yield from ((schema, name, form) for name, form in part.get("properties", {}).items())
    for _, operation in operations():
        yield from (("", one["name"], one["schema"]) for one in operation["parameters"])


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in description()["paths"].items():
        yield from ((f"{method} {path}", operation) for method, operation in methods.items())


def leaves(form: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The simple forms that a field may have."""
    if form.get("$ref", "").endswith("/Code"):
        yield description()["components"]["schemas"]["Code"]
    for inner in (*form.get("anyOf", ()), form.get("items"), form.get("additionalProperties")):
        if isinstance(inner, dict):
            yield from leaves(inner)
    if "anyOf" not in form:
        yield form


def values(form: dict[str, Any]) -> tuple[str, ...]:
    """The texts of a closed list."""
    return tuple(
        value
        for leaf in leaves(form)
        for value in (*leaf.get("enum", ()), *((leaf["const"],) if "const" in leaf else ()))
    )


def test_every_list_of_values_is_an_enum_of_what_the_code_can_give() -> None:
    wrong, met = [], set[tuple[str, tuple[str, ...]]]()
    for schema, name, form in fields():
        if (
            name not in CLOSED
            or (schema, name) in OTHER_FIELDS
            or ("$ref" in form and not form["$ref"].endswith("/Code"))
        ):
            continue
        found = values(form)
        if found not in LISTS[name]:
            wrong.append(f"{schema}.{name}: {found}")
        met.add((name, found))
    assert not wrong, "\n".join(wrong)
    unused = [(name, one) for name, lists in LISTS.items() for one in lists if (name, one) not in met]
    assert not unused, "nothing has these values"


def test_no_other_field_has_a_list_that_this_walk_does_not_know() -> None:
    assert not {name for _, name, form in fields() if values(form) and name not in CLOSED}


def test_every_text_has_a_form_or_a_limit_or_is_somebodys_own_words() -> None:
    wrong = [
        f"{schema}.{name}: {leaf}"
        for schema, name, form in fields()
        for leaf in leaves(form)
        if leaf.get("type") == "string" and not leaf.keys() & {"enum", "const", "pattern", "maxLength", "format"}
        and (schema, name) not in FREE and name not in {"Accept-Language", "If-None-Match"}
    ]  # fmt: skip
    assert not wrong, "\n".join(wrong)


def test_moments_days_and_months_have_one_format_each() -> None:
    moments, days = set(), set()
    for _, name, form in fields():
        for leaf in leaves(form):
            if leaf.get("format") == "date-time":
                moments.add(leaf["pattern"])
                assert name in {"at", "since", "used_at"} or name.endswith("_at"), name
            elif leaf.get("format") == "date" and "pattern" in leaf:
                days.add(leaf["pattern"])
            elif name.endswith("_at") and not name.endswith("known_at") and leaf.get("type") == "string":
                raise AssertionError(f"{name} is no moment")
    assert moments == {r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"}
    assert days == {r"^\d{4}-\d\d-\d\d$"}


def test_every_answer_says_its_headers() -> None:
    for where, operation in operations():
        for status, answer in operation["responses"].items():
            headers = answer["headers"]
            assert {"X-Request-Id", "Cache-Control"} <= headers.keys(), (where, status)
            if "application/problem+json" in answer.get("content", {}) and "application/json" not in answer["content"]:
                assert {"Content-Language", "Vary"} <= headers.keys(), (where, status)
            if status == "401":
                assert "WWW-Authenticate" in headers, where
            if status in {"429", "503"}:
                assert "Retry-After" in headers, (where, status)
        if "304" in operation["responses"]:
            for status in ("200", "304"):
                answer = operation["responses"][status]
                assert {"ETag", "JHT-Position", "Vary"} <= answer["headers"].keys(), where
                kept = answer["headers"]["Cache-Control"]["schema"]
                assert "private, no-cache" in (kept.get("const"), *kept.get("enum", ())), where


def test_how_long_a_token_is_good_for_is_what_the_code_says() -> None:
    parts, schemes = description()["components"]["schemas"], description()["components"]["securitySchemes"]
    seconds = str(int(ACCESS.total_seconds()))
    assert f"{seconds} seconds" in parts["Tokens"]["properties"]["access_token"]["description"]
    assert f"{seconds} seconds" in schemes["member"]["description"]
    assert parts["Tokens"]["properties"]["expires_in"]["examples"] == [int(seconds)]
    for body in ("Tokens", "Renew"):
        told = parts[body]["properties"]["refresh_token"]["description"]
        numbers = [int(number) for number in re.findall(r"\d+", told)]
        assert numbers == [IDLE.days, LONGEST_LOGIN.days, int(RETRY.total_seconds())]
    assert parts["LogIn"]["properties"]["password"]["maxLength"] == LONGEST


@pytest.mark.parametrize(
    ("given", "values_"),
    [
        ({"enum": ["a"]}, ("a",)), ({"const": "a"}, ("a",)), ({"anyOf": [{"const": "a"}, {"type": "null"}]}, ("a",)),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, ("a", "b")), ({"type": "string"}, ()),
    ],
)  # fmt: skip
def test_the_walk_finds_lists_wherever_they_stand(given: dict[str, Any], values_: tuple[str, ...]) -> None:
    assert values(given) == values_
