"""What members ask about their own data (UU 27/2022), answered by a supervisor: handed out, corrected, erased.

Doing it and answering the member are two steps, except for an erasure: with the data the request itself is gone.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from api import problems
from api.access.sessions import MEMBER
from api.formats import sentence
from api.route import PlainRoute
from api.web.forms import Errors
from api.web.office.desk import ANSWERING, QUEUE, SUPERVISOR, Desk, Office
from api.web.office.views import View
from api.web.pages import SECURITY, see_other
from ledger.acts import person as persons
from ledger.clock import jakarta_date
from ledger.errors import NotFound, Refused
from ledger.members import About, DataRequest
from ledger.store.outbox import Letter
from projections.holdings import holdings

LIST = "data-requests"
"""What the record of a look at the list says was read."""
CORRECTED = ("name", "nik", "birth_date", "sex", "email", "phone")


def routes(office: Office) -> list[PlainRoute]:
    """The list and the page of one request."""
    path = f"{QUEUE}/{{view}}/{{number:int}}"
    return [
        office.route(QUEUE, _list, "GET", role=SUPERVISOR),
        office.route(path, _look, "GET", role=SUPERVISOR),
        office.route(path, _act, "POST", role=SUPERVISOR),
    ]


async def _list(desk: Desk) -> Response:
    """What waits, oldest first; who asks stands on the request's own page."""
    waiting = await desk.application.ask(desk.application.members.open_requests)
    await desk.record(ANSWERING, LIST)
    shown = [(request, f"{QUEUE}/{desk.begin(request.person, '', ANSWERING)}/{request.number}") for request in waiting]
    news = desk.request.query_params.get("kabar", "")
    return desk.show("office_requests.html", waiting=shown, news=news if news in {"selesai", "hapus"} else "")


async def _look(desk: Desk) -> Response:
    view = desk.view()
    news = desk.request.query_params.get("kabar", "")
    return await _page(desk, view, news=news if news in {"koreksi", "sama"} else "")


async def _page(desk: Desk, view: View, errors: Errors | None = None, status: int = 200, *, news: str = "") -> Response:
    about, request = await _of(desk, view)
    await desk.record(view.why, view.person)
    return desk.show(
        "office_request.html",
        status,
        about=about,
        asked=request,
        told=about.told,
        errors=errors or {},
        given=desk.form if errors else {},
        news=news,
    )


async def _of(desk: Desk, view: View) -> tuple[About, DataRequest]:
    """The person and the open request of the address. Raises NotFound(data-request-unknown)."""
    members, number = desk.application.members, desk.request.path_params["number"]
    try:
        about = await desk.application.ask(members.about, view.person)
        asked = await desk.application.ask(members.requests_of, view.person)
    except NotFound:
        raise NotFound("data-request-unknown") from None
    for request in asked:
        if request.number == number and not request.outcome:
            return about, request
    raise NotFound("data-request-unknown")


async def _act(desk: Desk) -> Response:
    view = desk.view()
    about, request = await _of(desk, view)
    act = desk.form.get("tindakan", "")
    try:
        if act == "ekspor" and request.what == "export":
            return await _export(desk, view)
        if act == "koreksi" and request.what == "correct":
            return await _correct(desk, view)
        if act == "hapus" and request.what == "erase":
            return await _erase(desk, view, about)
        if act == "jawab":
            outcome = desk.form.get("hasil", "")
            await desk.application.work(
                lambda: desk.application.members.close_request(view.person, request.number, outcome, desk.deciding())
            )
            return see_other(f"{QUEUE}?kabar=selesai")
    except Refused as refused:
        desk.request.scope["problem"] = refused.code
        field = refused.problem.column if refused.problem.column in CORRECTED else "page"
        said: Errors = {field: sentence(refused.problem, desk.language)}
        return await _page(desk, view, said, problems.status_of(refused.code))
    raise Refused("request-invalid", what="tindakan")


async def _export(desk: Desk, view: View) -> Response:
    application = desk.application
    # Finding a person's cards reads the register: that is a writer's thread's work, not the loop's.
    held = await application.work(lambda: persons.export(application.log, application.members.vault, view.person))
    await desk.record(view.why, view.person, await application.ask(application.log.head))
    headers = SECURITY | {"Content-Disposition": 'attachment; filename="data-pribadi.json"'}
    return Response(msgspec.json.format(msgspec.json.encode(held), indent=2), 200, headers, "application/json")


async def _correct(desk: Desk, view: View) -> Response:
    """Only the fields that were filled in; an e-mail or phone is never removed here by leaving it empty."""
    typed = {name: desk.form.get(name, "").strip() for name in CORRECTED} | {"birth_date": _birth_date(desk.form)}
    changes = {name: text for name, text in typed.items() if text}
    if not changes:
        raise Refused("cell-empty", column=CORRECTED[0])
    application, acting = desk.application, desk.deciding()
    done = await application.work(lambda: application.members.correct(view.person, changes, acting, ANSWERING))
    return see_other(f"{desk.request.url.path}?kabar={'koreksi' if done else 'sama'}")


def _birth_date(form: Mapping[str, str]) -> str:
    """The three fields as yyyy-mm-dd, "" when all are empty; what is no date is refused by who corrects."""
    year, month, day = (form.get(name, "").strip() for name in ("year", "month", "day"))
    return f"{year}-{month:0>2}-{day:0>2}" if year or month or day else ""


async def _erase(desk: Desk, view: View, about: About) -> Response:
    """Raises Refused: confirmation-missing, changed-since, and as `person.decide_erase`; Unavailable as `holdings`."""
    if desk.form.get("yakin") != "ya":
        raise Refused("confirmation-missing")
    application, acting, order = desk.application, desk.deciding(), desk.form.get("perintah", "").strip()
    told = about.told

    def erase() -> None:
        has_money, last = holdings(application.log, application.reader, view.person, acting.now)
        persons.erase(
            application.log, application.members.vault, view.person, has_money=has_money, last_activity=last, order=order,
            today=jakarta_date(acting.now), by=acting.by, channel=acting.channel, now=acting.now, reason=ANSWERING,
            seen=acting.seen and acting.seen.person, also=application.members.must_be_seen(view.person, acting),
        )  # fmt: skip
        if told:
            # The last letter: its address stands sealed in the outbox until it is sent, and nowhere else any more.
            application.members.post(Letter("data-answered", told, acting.language, {"outcome": "done"}), acting)

    await application.work(erase)
    application.identity.sessions.forget(MEMBER, view.person)
    application.identity.tokens.forget()
    return see_other(f"{QUEUE}?kabar=hapus")
