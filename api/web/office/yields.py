"""Yield at the office: a supervisor proposes a year's rates or a provisional rate; `proposals` has what waits.

What a declaration would change is worked out over all accounts before it is proposed. That takes up to a minute, so it runs
in a writer's thread, one at a time, and the page says that it is being worked out; the proposal appears with the result.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import structlog
from starlette.responses import Response

from api import problems
from api.formats import sentence
from api.route import PlainRoute
from api.web.forms import Errors
from api.web.office import rates
from api.web.office.desk import SUPERVISOR, YIELD, Desk, Office
from api.web.pages import see_other
from api.web.words import words
from ledger.acts import proposal as acts
from ledger.acts.scheme import scheme_of
from ledger.clock import jakarta_date
from ledger.decisions.proposal import Told, proposed_rate, proposed_year, would_declare, would_set
from ledger.decisions.scheme import REASONS, Scheme, rate_of
from ledger.errors import Conflict, JhtError, Problem, Refused
from ledger.events import Change, Rates, YieldDeclared
from ledger.identifiers import kpj_of
from projections.what_if import WhatIf, what_if

NEWS = ("dihitung", "sementara")
FIELDS = ("year", "rate", "tambahan", "basis", "reason", "since", "provisional", "provisional_basis")
SINCE = ("since_day", "since_month", "since_year")


@dataclass
class Working:
    """The one effect that this process works out; `problem`: why the last one came to nothing."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    problem: Problem | None = None
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def busy(self) -> bool:
        return self.lock.locked()


def routes(office: Office) -> list[PlainRoute]:
    """The page and its acts."""
    working = Working()

    async def look(desk: Desk) -> Response:
        return await _page(desk, working)

    async def act(desk: Desk) -> Response:
        what = desk.form.get("tindakan", "")
        try:
            if what == "usul":
                return await _propose(desk, working)
            if what == "usul-sementara":
                return await _propose_provisional(desk, working)
        except Refused as refused:
            desk.request.scope["problem"] = refused.code
            column = refused.problem.column
            own = _provisional_field(column) if what == "usul-sementara" else column
            said: Errors = {own if own in FIELDS else "page": sentence(refused.problem, desk.language)}
            return await _page(desk, working, said, problems.status_of(refused.code))
        raise Refused("request-invalid", what="tindakan")

    return [
        office.route(YIELD, look, "GET", role=SUPERVISOR),
        office.route(YIELD, act, "POST", role=SUPERVISOR),
    ]


async def _page(desk: Desk, working: Working, errors: Errors | None = None, status: int = 200) -> Response:
    application, log = desk.application, desk.application.log
    # Asked first: what is done by now has left its proposal where it is read next.
    busy = working.busy
    scheme: Scheme = await application.ask(scheme_of, log)
    waiting = await application.ask(application.identity.proposals.waiting, application.now())
    await desk.record("yield", rates.SCHEME)
    news = desk.request.query_params.get("kabar", "")
    values: dict[str, Any] = {
        "scheme": scheme, "declared": sorted(scheme.declared.items(), reverse=True),
        "waiting": [(one, rates.told(one)) for one in waiting if one.act in rates.KINDS],
        "busy": busy, "problem": sentence(working.problem, desk.language) if working.problem else "",
        "reasons": REASONS, "errors": errors or {},
        "given": {name: desk.form.get(name, "") if errors else "" for name in (*FIELDS, *SINCE)},
        "news": news if news in NEWS else "",
    }  # fmt: skip
    return desk.show("office_yield.html", status, **values)


async def _propose(desk: Desk, working: Working) -> Response:
    """Check a wish, and begin to work out what it would change."""
    application, now = desk.application, desk.application.now()
    year, basis = _year(desk.form.get("year", "")), desk.form.get("basis", "")
    rate = desk.form.get("rate", "")
    wished = Rates(rate_of(rate), _rate_of(desk.form.get("tambahan", "").strip() or rate, "tambahan"))
    reason = desk.form.get("reason", "")
    # Asked first: what changes while the scheme is read makes the proposal one of before.
    seen = await application.ask(acts.seen_now, application.log)
    scheme = await application.ask(scheme_of, application.log)
    fact = would_declare(scheme, year, wished, basis, jakarta_date(now), reason=reason)
    if not working.lock.acquire(blocking=False):
        raise Conflict("what-if-running")
    working.problem = None
    task = asyncio.create_task(_work(desk, working, scheme, fact, reason, seen))
    working.tasks.add(task)
    task.add_done_callback(working.tasks.discard)
    return see_other(f"{YIELD}?kabar=dihitung")


async def _work(
    desk: Desk, working: Working, scheme: Scheme, fact: YieldDeclared, reason: str, seen: str
) -> None:  # fmt: skip
    application, request = desk.application, desk.acting().request
    day = jakarta_date(application.now())

    def work() -> None:
        position = application.reader.position()
        then = scheme.after(fact, scheme.version + 1)
        found = what_if(application.store, scheme, then, day, stopped=application.is_stopping)
        rates.put(desk, rates.YEAR, proposed_year(fact, _told(found, position)), reason, seen)

    try:
        await application.work(work)
    except JhtError as error:
        working.problem = error.problem
        structlog.get_logger().error("what-if-failed", code=error.code, request=request)
    except Exception as error:
        working.problem = Problem("internal")
        structlog.get_logger().error("what-if-failed", error=type(error).__name__, request=request)
    finally:
        working.lock.release()


def _told(found: WhatIf, position: int) -> Told:
    largest = tuple(Change(kpj_of(card), change) for change, card in found.largest)
    return Told(position, found.cards, found.gaining, found.losing, found.total, largest)


async def _propose_provisional(desk: Desk, working: Working) -> Response:
    application, form = desk.application, desk.form
    since = _since(form)
    if since is None:
        return await _page(desk, working, {"since": words(desk.language)("yield.wrong_since")}, 422)
    rate, basis = _rate_of(form.get("provisional", ""), "rate"), form.get("provisional_basis", "")

    def propose() -> None:
        seen = acts.seen_now(application.log)
        fact = would_set(scheme_of(application.log), since, rate, basis, jakarta_date(application.now()))
        rates.put(desk, rates.PROVISIONAL, proposed_rate(fact), "", seen)

    await application.work(propose)
    return see_other(f"{YIELD}?kabar=sementara")


def _provisional_field(column: str) -> str:
    return {"from": "since", "rate": "provisional", "basis": "provisional_basis"}.get(column, column)


def _year(text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        raise Refused("parameter-unreadable", column="year", name="year", expected="YYYY")
    return int(text)


def _since(form: Mapping[str, str]) -> date | None:
    """The day of the three fields, None when there is no such day."""
    day, month, year = (form.get(name, "").strip() for name in SINCE)
    try:
        if not all(one.isascii() and one.isdigit() for one in (day, month, year)) or len(year) != 4:
            raise ValueError
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _rate_of(text: str, column: str) -> int:
    try:
        return rate_of(text)
    except Refused as refused:
        raise Refused(refused.code, column=column) from None
