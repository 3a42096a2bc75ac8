"""The pages of a check: the form, the result, the files to take home. A check writes nothing into the ledger."""

from __future__ import annotations

import asyncio
from functools import partial

from starlette.responses import Response

from api import problems
from api.access.csrf import FIELD
from api.formats import sentence
from api.route import PlainRoute
from api.spreadsheet import CSV, XLSX, as_xlsx
from api.web.employer.checks import KEPT_SECONDS, Result, examine
from api.web.employer.desk import HOME, Desk, Employers
from api.web.employer.files import MONEY
from api.web.employer.upload import Sent, read_upload
from api.web.forms import Errors
from api.web.pages import SECURITY, see_other
from api.web.words import words
from ledger.clock import jakarta_date
from ledger.due_days import due_day
from ledger.errors import NotAllowed, NotFound, Refused
from ledger.identifiers import kpj_of, month_number, month_of, month_text
from ledger.layouts import REPORT
from ledger.rules import rules

MOST_CHECKS = "60/hour"
"""Of one user: enough to mend a file line by line, too few to try numbers of cards out."""
MONTHS = 24
LISTED = 30
"""Workers of a difference that the page names."""


def routes(door: Employers) -> list[PlainRoute]:
    """The form, the result and its files."""
    path = f"{HOME}/{{npp}}"
    return [
        door.route(path, _ask, "GET"),
        door.route(path, _take, "POST", reads_form=False),
        door.route(f"{path}/hasil/{{handle}}", _show, "GET"),
        door.route(f"{path}/hasil/{{handle}}/{{file}}", _send, "GET"),
    ]


async def _ask(desk: Desk) -> Response:
    return await _form(desk, {}, month_text(_this_month(desk)))


async def _form(desk: Desk, errors: Errors, month: str, status: int = 200) -> Response:
    return await desk.show(
        "employer_check.html", status, errors=errors, chosen=month, months=_months(desk),
        columns=[(column.name, column.required) for column in REPORT],
        megabytes=desk.application.settings.max_body >> 20, minutes=KEPT_SECONDS // 60,
    )  # fmt: skip


def _this_month(desk: Desk) -> int:
    return month_of(jakarta_date(desk.application.now()))


def _months(desk: Desk) -> list[str]:
    """The months a file can be checked for, newest first."""
    newest = _this_month(desk) + rules().allowance["PU"]
    return [month_text(number) for number in range(newest, newest - MONTHS, -1)]


async def _take(desk: Desk) -> Response:
    """Check a file and go to its result. Raises Refused: too-many-tries, and what spoils the form as such."""
    application, door = desk.application, desk.door
    # Before the body is taken: nobody else's page makes us read 64 MiB.
    if not application.identity.csrf.is_ours(desk.request):
        raise NotAllowed("form-foreign")
    sent = await read_upload(desk.request, application.settings.max_body)
    try:
        door.visits.check(desk.request, sent.fields.get(FIELD, ""))
        return await _check(desk, sent)
    finally:
        if sent.body is not None:
            sent.body.close()


async def _check(desk: Desk, sent: Sent) -> Response:
    application, t = desk.application, words(desk.language)
    chosen = sent.fields.get("bulan", "")
    errors: Errors = {}
    if chosen not in _months(desk):
        chosen, errors["bulan"] = month_text(_this_month(desk)), t("employer.month_missing")
    if sent.body is None:
        errors["berkas"] = t("employer.file_missing")
    if errors or sent.body is None:
        return await _form(desk, errors, chosen, 422)
    await application.identity.guard.take(MOST_CHECKS, "employer-check", desk.session.who)
    month = month_number(chosen)
    assert month is not None
    source = sent.body.source()
    look = partial(examine, application, source, sent.name, int(desk.npp), month, desk.user, application.now())
    try:
        async with desk.application.turn:
            examined = await application.work_large(look)
    except Refused as refused:
        problem = refused.problem
        desk.request.scope["problem"] = problem.code
        where = t("employer.at_line", line=problem.line) + " " if problem.line else ""
        errors = {"berkas": f"{where}{sentence(problem, desk.language)}"}
        return await _form(desk, errors, chosen, problems.status_of(problem.code))
    await desk.record_month(chosen, examined.result.position)
    handle = await application.work(lambda: desk.door.checks.keep(desk.session.key, examined))
    # Whoever asks sweeps too; this is for the time when nobody does.
    asyncio.get_running_loop().call_later(KEPT_SECONDS, application.writers.submit, desk.door.checks.sweep)
    return see_other(f"{HOME}/{desk.npp}/hasil/{handle}")


async def _found(desk: Desk) -> Result:
    handle = desk.request.path_params["handle"]
    return await desk.application.work(lambda: desk.door.checks.get(desk.session.key, desk.npp, handle))


async def _show(desk: Desk) -> Response:
    """The result of a check. Raises NotFound(report-over)."""
    result = await _found(desk)
    await desk.record_month(result.month, result.position)
    month = month_number(result.month)
    assert month is not None
    return await desk.show(
        "employer_result.html", result=result, handle=desk.request.path_params["handle"],
        due=due_day("PU", month), listed=LISTED, kpj_of=kpj_of, minutes=KEPT_SECONDS // 60,
    )  # fmt: skip


async def _send(desk: Desk) -> Response:
    """A file to take home. Raises NotFound: report-over, route-unknown."""
    result = await _found(desk)
    name, _, ending = desk.request.path_params["file"].partition(".")
    part = {"diterima": "accepted", "perbaikan": "others"}.get(name)
    kind = {"csv": CSV, "xlsx": XLSX}.get(ending)
    if part is None or kind is None:
        raise NotFound("route-unknown")
    await desk.record_month(result.month, result.position)
    async with desk.application.turn:
        content = await desk.application.work_large(lambda: _file(desk, part, ending))
    said = f'attachment; filename="jht-{result.npp}-{result.month}-{name}.{ending}"'
    return Response(content, 200, {**SECURITY, "Content-Disposition": said}, kind)


def _file(desk: Desk, part: str, ending: str) -> bytes:
    table = desk.door.checks.file(desk.session.key, desk.request.path_params["handle"], part)
    return table if ending == "csv" else as_xlsx(table, MONEY)
