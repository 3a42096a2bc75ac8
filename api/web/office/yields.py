"""Yield at the office: a supervisor proposes a year's rates or a provisional rate, another one puts them in force.

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
from api.web.office.desk import SUPERVISOR, YIELD, Desk, Office
from api.web.pages import see_other
from api.web.words import words
from ledger.acts import proposal as acts
from ledger.acts.scheme import scheme_of
from ledger.clock import jakarta_date
from ledger.decisions.proposal import Told, would_declare
from ledger.decisions.scheme import REASONS, Scheme, rate_of
from ledger.errors import Conflict, JhtError, NotFound, Problem, Refused
from ledger.events import Change, Event, Rates, YieldDeclared, YieldProposed
from ledger.identifiers import kpj_of
from ledger.receipt import Header
from projections.what_if import WhatIf, what_if

LOOKED = "scheme"
"""What the record of a look at the page says was read: cards stand among the largest changes."""
NEWS = ("dihitung", "sementara", "ditetapkan")
FIELDS = ("year", "rate", "tambahan", "basis", "reason", "since", "provisional", "provisional_basis", "typed")
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
            if what == "tetapkan":
                return await _confirm(desk)
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
    proposal: Event | None = await application.ask(acts.standing, log)
    names: Mapping[str, str] = await application.ask(application.identity.users.names_of, log)
    await desk.record("yield", LOOKED)
    news = desk.request.query_params.get("kabar", "")
    values: dict[str, Any] = {
        "scheme": scheme, "declared": sorted(scheme.declared.items(), reverse=True), "proposal": proposal,
        "is_year": proposal is not None and isinstance(proposal.fact, YieldProposed),
        "who": names.get(proposal.by, "") if proposal else "",
        "own": proposal is not None and proposal.by == desk.acting().by,
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
    rates = Rates(rate_of(rate), _rate_of(desk.form.get("tambahan", "").strip() or rate, "tambahan"))
    reason = desk.form.get("reason", "")
    scheme = await application.ask(scheme_of, application.log)
    fact = would_declare(scheme, year, rates, basis, jakarta_date(now), reason=reason)
    acting = desk.acting()
    header = Header(acting.by, acting.channel, acting.request, reason)
    if not working.lock.acquire(blocking=False):
        raise Conflict("what-if-running")
    working.problem = None
    task = asyncio.create_task(_work(desk, working, scheme, fact, header))
    working.tasks.add(task)
    task.add_done_callback(working.tasks.discard)
    return see_other(f"{YIELD}?kabar=dihitung")


async def _work(desk: Desk, working: Working, scheme: Scheme, fact: YieldDeclared, header: Header) -> None:
    application, log = desk.application, desk.application.log
    day = jakarta_date(application.now())

    def work() -> None:
        position = application.reader.position()
        then = scheme.after(fact, scheme.version + 1)
        found = what_if(application.store, scheme, then, day, stopped=application.is_stopping)
        acts.propose(log, scheme, fact, _told(found, position), header, application.now())

    try:
        await application.work(work)
    except JhtError as error:
        working.problem = error.problem
        structlog.get_logger().error("what-if-failed", code=error.code, request=header.request)
    except Exception as error:
        working.problem = Problem("internal")
        structlog.get_logger().error("what-if-failed", error=type(error).__name__, request=header.request)
    finally:
        working.lock.release()


def _told(found: WhatIf, position: int) -> Told:
    largest = tuple(Change(kpj_of(card), change) for change, card in found.largest)
    return Told(position, found.cards, found.gaining, found.losing, found.total, largest)


async def _propose_provisional(desk: Desk, working: Working) -> Response:
    application, acting, form = desk.application, desk.acting(), desk.form
    since = _since(form)
    if since is None:
        return await _page(desk, working, {"since": words(desk.language)("yield.wrong_since")}, 422)
    rate, basis = _rate_of(form.get("provisional", ""), "rate"), form.get("provisional_basis", "")
    header = Header(acting.by, acting.channel, acting.request)
    await application.work(
        lambda: acts.propose_provisional(application.log, since, rate, basis, header, acting.now)
    )  # fmt: skip
    return see_other(f"{YIELD}?kabar=sementara")


async def _confirm(desk: Desk) -> Response:
    """Put in force what the page showed: by the proposal's version, with its total (or its rate) typed."""
    application, acting = desk.application, desk.acting()
    version, typed = desk.number("versi"), desk.form.get("typed", "")
    proposal = await application.ask(acts.standing, application.log)
    if proposal is None or proposal.version != version:
        raise NotFound("proposal-over")
    number = _rupiah(typed) if isinstance(proposal.fact, YieldProposed) else _rate_of(typed, "typed")
    header = Header(acting.by, acting.channel, acting.request)
    await application.work(lambda: acts.confirm(application.log, version, number, header, acting.now))
    return see_other(f"{YIELD}?kabar=ditetapkan")


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


def _rupiah(text: str) -> int:
    """A total as it is typed: `Rp10.697`, `-10697`. Raises Conflict(yield-total-differs)."""
    bare = text.strip().replace("−", "-").replace("Rp", "").replace(".", "").replace(" ", "")
    sign, digits = (-1, bare[1:]) if bare.startswith("-") else (1, bare)
    if not (digits.isascii() and digits.isdigit()):
        raise Conflict("yield-total-differs", column="typed")
    return sign * int(digits)
