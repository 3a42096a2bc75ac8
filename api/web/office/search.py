"""Looking for a member: the number and the reason first, the record next, the person last.

Numbers travel in the body of a form only. A search that finds nobody is recorded too; a NIK stands in no record.
"""

from __future__ import annotations

from starlette.responses import Response

from api.route import Told
from api.web.forms import Errors
from api.web.office.desk import HOME, REASONS, Desk, Office
from api.web.pages import see_other
from api.web.words import words
from ledger.identifiers import clean_kpj, clean_nik

MOST_SEARCHES = "120/hour"
"""Of one clerk; nobody serves two members a minute, a program would."""
NO_NIK = "nik"
"""What the record of a NIK that nobody has says."""


def routes(office: Office) -> list[Told]:
    """The form and its answer."""

    async def ask(desk: Desk) -> Response:
        return _page(desk, {})

    async def find(desk: Desk) -> Response:
        number, why = desk.form.get("nomor", "")[:64], desk.form.get("alasan", "")
        nik = clean_nik(number)
        kpj = "" if nik else clean_kpj(number) or ""
        t = words(desk.language)
        errors: Errors = {}
        if not nik and not kpj:
            errors["nomor"] = t("office.number_wrong")
        if why not in REASONS:
            errors["alasan"] = t("office.reason_missing")
        if errors:
            return _page(desk, errors, 422, number=number, why=why)
        await desk.application.identity.guard.take(MOST_SEARCHES, "office", desk.session.who)
        person = await desk.application.ask(lambda: desk.application.members.find_person(nik=nik or "", kpj=kpj))
        await desk.record(why, kpj or person or NO_NIK)
        if person is None:
            return _page(desk, {"nomor": t("office.nobody")}, 404, number=number, why=why)
        return see_other(f"{HOME}/peserta/{desk.begin(person, kpj, why)}")

    return [office.route(HOME, ask, "GET"), office.route(HOME, find, "POST")]


def _page(desk: Desk, errors: Errors, status: int = 200, *, number: str = "", why: str = "") -> Response:
    return desk.show("office_search.html", status, errors=errors, number=number, why=why, reasons=REASONS)
