"""`/v1/accounts/{kpj}`: one card's balance and statement."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Security
from starlette.requests import Request
from starlette.responses import Response

from api.access.keys import KEY_PROBLEMS, Caller, api_key
from api.application import application_of
from api.parameters import BalanceQuery, EntriesQuery, KpjPath, Why, cursor_text
from api.past import asked_past
from api.problems import asked_language, refusals
from api.responses import VERSIONED, versioned
from api.route import Route, ShortRoute
from api.schemas import Balance, Entries, Explained, as_of_fields, balance_fields
from ledger.clock import jakarta_date
from ledger.errors import NotFound
from ledger.identifiers import card_number
from ledger.store.log import position_text
from projections.results import Entry

FRESH_PROBLEMS = (
    "read-side-stale",
    "read-side-empty",
    "log-restored",
    "scheme-unreadable",
    "record-unavailable",
    "vault-rotating",
    "store-failed",
    "internal",
)
PARAMETER_PROBLEMS = ("parameter-unreadable", "parameter-unknown")
POSITION_PROBLEMS = ("position-unreadable", "position-foreign", "position-ahead", "position-not-reached")
READ_PROBLEMS = (*PARAMETER_PROBLEMS, *KEY_PROBLEMS, "object-foreign", *FRESH_PROBLEMS)
KNOWN_PROBLEMS = (
    "as-of-in-future", "as-of-before-opening", "known-at-unreadable", "known-at-without-zone", "known-at-in-future",
    "known-at-not-settled", "known-at-before-log", "account-not-yet-known",
)  # fmt: skip
"""Of `as_of` and `known_at`."""
_PROBLEMS = (
    *READ_PROBLEMS,
    *POSITION_PROBLEMS,
    "kpj-unreadable",
    "account-not-found",
    "account-incomplete",
    *KNOWN_PROBLEMS,
)

Reader = Annotated[Caller, Security(api_key, scopes=["read"])]
router = APIRouter(route_class=ShortRoute, tags=["accounts"])
plain = APIRouter(route_class=Route, tags=["accounts"])


@router.get(
    "/v1/accounts/{kpj}/balance",
    operation_id="balance",
    summary="One card's balance",
    response_model=Balance,
    responses=refusals(*_PROBLEMS, "key-bound") | VERSIONED,
)
async def balance(
    request: Request,
    caller: Reader,
    kpj: KpjPath,
    query: Annotated[BalanceQuery, Query()],
    why: Why = "",
) -> Response:
    """What one card holds, now or at the end of an earlier day (`as_of`, in Jakarta), as it is known now or as it was known
    at an earlier place in the log (`known_at`)."""
    application = application_of(request)
    language = asked_language(request)
    card, now = card_number(kpj), application.now()
    application.must_be_free(caller)
    past = await asked_past(application, query, now)
    try:
        row = await application.balance(card, now, past.asked, past.known)
        if group := await application.group(row, now, past.asked, past.known):
            row = group.row(card)
    except NotFound:
        # Who looks for cards that do not exist is to be seen in the records too.
        await application.record(request, caller, why, kpj, 0, now)
        raise
    await application.record(request, caller, why, row.kpj, row.position, now)
    body = balance_fields(application.log.log_id, row, past.day, group)
    as_of = body["as_of"]
    version = f"{group.tag if group else row.tag}-{as_of['date']}{past.mark}"
    return versioned(request, body, as_of["position"], version, language)


@plain.get(
    "/v1/accounts/{kpj}/explain",
    operation_id="explain",
    summary="How one card's yield was worked out",
    response_model=Explained,
    responses=refusals(*_PROBLEMS, "key-bound") | VERSIONED,
)
async def explain(
    request: Request,
    caller: Reader,
    kpj: KpjPath,
    query: Annotated[BalanceQuery, Query()],
    why: Why = "",
) -> Response:
    """The balance, now or at an earlier day and as it was known then, and its working line by line: by this project's model
    of a rule that the agency does not publish."""
    application = application_of(request)
    language = asked_language(request)
    card, now = card_number(kpj), application.now()
    application.must_be_free(caller)
    past = await asked_past(application, query, now)
    read = application.reader.explanation
    explained = application.ask(read, card, jakarta_date(now), now, past.asked, past.known)
    found = await application.answer(explained, request, caller, why, kpj, now)
    row = found.row
    await application.record(request, caller, why, row.kpj, row.position, now)
    log_id = application.log.log_id
    group = await application.group(row, now, past.asked, past.known)
    body = {"balance": balance_fields(log_id, row, past.day, group), "accounts": found.accounts}
    version = f"{group.tag if group else row.tag}-{row.position}-{past.day.isoformat()}"
    return versioned(request, body, position_text(log_id, row.position), version, language)


@router.get(
    "/v1/accounts/{kpj}/entries",
    operation_id="entries",
    summary="One card's statement",
    response_model=Entries,
    responses=refusals(*_PROBLEMS) | VERSIONED,
)
async def entries(
    request: Request,
    caller: Reader,
    kpj: KpjPath,
    query: Annotated[EntriesQuery, Query()],
    why: Why = "",
) -> Response:
    """A card's statement, newest month first, in pages: now, or what had been paid by an earlier day (`as_of`) and
    recorded up to an earlier place in the log (`known_at`)."""
    application = application_of(request)
    language = asked_language(request)
    card, now, after = card_number(kpj), application.now(), query.after(3)
    await application.must_see(caller, (card,))
    past = await asked_past(application, query, now)
    asked = application.balance(card, now, past.asked, past.known)
    row = await application.answer(asked, request, caller, why, kpj, now)
    # One more than asked tells whether there is a next page. Money that is paid later than today is not recorded.
    until = past.day if past.is_past else None
    read = partial(application.reader.entries, upto=row.position, npps=caller.npps, paid_by=until)
    lines = await application.ask(read, card, now, after, query.limit + 1)
    await application.record(request, caller, why, row.kpj, row.position, now)
    body = entries_fields(application.log.log_id, row.kpj, lines, query.limit)
    body["as_of"] = as_of_fields(application.log.log_id, row, past.day)
    version = f"{row.tag}-{query.limit}.{query.cursor}-{past.day.isoformat()}{past.mark}"
    return versioned(request, body, body["as_of"]["position"], version, language)


def entries_fields(log_id: str, kpj: str, lines: list[Entry], limit: int) -> dict[str, Any]:
    """The fields of `Entries` but `as_of`, from up to `limit` + 1 lines."""
    return {
        "kpj": kpj,
        "entries": [_entry_fields(log_id, line) for line in lines[:limit]],
        "next": cursor_text(lines[limit - 1].key) if len(lines) > limit else None,
    }


def _entry_fields(log_id: str, line: Entry) -> dict[str, Any]:
    return {
        "type": line.type,
        "kind": line.kind,
        "month": line.month,
        "paid_on": line.paid_on,
        "npp": line.npp or None,
        "wage": line.wage,
        "back_pay": line.back_pay,
        "employer": line.employer,
        "worker": line.worker,
        "yield_credited": line.credited,
        "total": line.employer + line.worker + line.credited,
        "months": line.months,
        "reference": line.reference or None,
        "recorded_at": line.recorded_at,
        "position": position_text(log_id, line.key[1]),
    }
