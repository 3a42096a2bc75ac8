"""`/akun`: who one is here, the password, log out everywhere, the phone, notices; who looked; requests about one's data."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.log import OTHERS, OWN
from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.formats import sentence
from api.route import PlainRoute
from api.web import forms
from api.web.forms import Errors
from api.web.page_context import Visits, form_of, visit_of
from api.web.pages import render, see_other
from api.web.words import words
from ledger.errors import Refused
from ledger.identifiers import kpj_of
from ledger.members import Seen
from ledger.members.state import NOTICES, REQUESTS, Notices

SHOWN_LOOKS = 50


def routes(application: ApplicationState, visits: Visits) -> list[PlainRoute]:
    """The routes of the account's pages."""

    async def shown(request: Request, errors: Errors, status: int = 200) -> Response:
        t, person = words(visits.acting(request).language), visit_of(request).who
        about = await application.ask(application.members.about, person)
        cards = await application.ask(application.members.cards, person)
        notice = request.query_params.get("kabar", "")
        return render(
            request, "account.html", status, about=about, cards=[kpj_of(linked.card) for linked in cards],
            errors=errors, kinds=NOTICES, notice=notice if t.has(f"account.notice_{notice}") else "",
            provided=application.settings.oidc_issuer is not None, kept=bool(request.scope["kept"]),
            passkeys=application.settings.offers_passkeys,
        )  # fmt: skip

    async def account(request: Request) -> Response:
        return await shown(request, {})

    async def password(request: Request) -> Response:
        """Another password: the old one is asked again, and every other session ends."""
        session, acting = visit_of(request), visits.acting(request)
        about = await application.ask(application.members.about, session.who)
        errors: Errors = {}
        own = (about.identity.nik, about.email)
        chosen = forms.password_of(form_of(request), own, acting.language, errors)
        old = form_of(request).get("old", "")
        if not old:
            errors = {"old": words(acting.language)("account.empty_old")} | errors
        if errors:
            return await shown(request, errors, 422)
        try:
            if not await application.identity.login.again("change", session.who, old, acting):
                return await shown(request, {"old": words(acting.language)("account.wrong_old")}, 422)
        except Refused as refused:
            return await shown(
                request, {"old": sentence(refused.problem, acting.language)}, problems.status_of(refused.code)
            )
        hashed = await application.identity.passwords.hash(chosen)
        await application.work(lambda: application.members.change_password(session.who, hashed, acting))
        return await visits.renewed(request, "/akun?kabar=sandi")

    async def everywhere(request: Request) -> Response:
        """Log out on all devices, this one too."""
        person = visit_of(request).who
        await application.work(lambda: application.members.end_sessions(person))
        application.identity.sessions.forget(MEMBER, person)
        response = see_other("/masuk?kabar=semua")
        application.identity.cookies.drop_session(response)
        return response

    async def phone(request: Request) -> Response:
        """No more balances to the phone that the page showed: another one may have been bound meanwhile."""
        about = await application.ask(application.members.about, visit_of(request).who)
        acting = visits.acting(request)
        try:
            acting = acting._replace(seen=Seen.of(form_of(request).get("versi", "")))
            if about.phone:
                await application.work(lambda: application.members.unbind_phone(about.phone, acting))
        except Refused as refused:
            return await shown(
                request, {"phone": sentence(refused.problem, acting.language)}, problems.status_of(refused.code)
            )
        return see_other("/akun?kabar=hp")

    async def notices(request: Request) -> Response:
        """Of what to be told without asking: the boxes that were ticked, in place of what was chosen before."""
        person, acting, form = visit_of(request).who, visits.acting(request), form_of(request)
        mail, sms = (tuple(kind for kind in NOTICES if form.get(f"{way}_{kind}")) for way in ("mail", "sms"))
        try:
            acting = acting._replace(seen=Seen.of(form.get("versi", "")))
            await application.work(lambda: application.members.choose_notices(person, Notices(mail, sms), acting))
        except Refused as refused:
            said = {"notices": sentence(refused.problem, acting.language)}
            return await shown(request, said, problems.status_of(refused.code))
        return see_other("/akun?kabar=kabar")

    async def looks(request: Request) -> Response:
        """Who looked at the member's data, newest first: others with their number, the own looks folded."""
        person = visit_of(request).who
        cards = await application.ask(application.members.cards, person)
        what = [person, *(kpj_of(linked.card) for linked in cards)]
        marks = {OTHERS: request.query_params.get("sebelum", ""), OWN: request.query_params.get("sendiri", "")}
        pages = {
            whose: await application.ask(application.recorder.seen, what, mark, SHOWN_LOOKS, whose)
            for whose, mark in marks.items()
        }
        counts = {whose: await application.ask(application.recorder.count, what, whose) for whose in marks}
        return render(
            request, "looks.html", others=pages[OTHERS], own=pages[OWN], counts=counts, is_unfolded=bool(marks[OWN])
        )

    async def requests(request: Request, errors: Errors | None = None, given: str = "") -> Response:
        found = await application.ask(application.members.requests_of, visit_of(request).who)
        t = words(visits.acting(request).language)
        notice = request.query_params.get("kabar", "")
        return render(
            request, "requests.html", 422 if errors else 200, requests=found, errors=errors or {}, given=given,
            kinds=REQUESTS, notice=notice if t.has(f"requests.notice_{notice}") else "",
        )  # fmt: skip

    async def ask(request: Request) -> Response:
        """Ask for the own data to be handed out, corrected or erased."""
        person, acting, errors = visit_of(request).who, visits.acting(request), Errors()
        what, text = forms.data_request_of(form_of(request), words(acting.language), errors)
        if not errors:
            try:
                await application.work(lambda: application.members.request_data(person, what, text, acting))
            except Refused as refused:
                errors["what"] = sentence(refused.problem, acting.language)
        return await requests(request, errors, text) if errors else see_other("/akun/data?kabar=terkirim")

    return [
        PlainRoute("/akun", visits.page(account, MEMBER), methods=["GET"]),
        PlainRoute("/akun/sandi", visits.page(password, MEMBER), methods=["POST"]),
        PlainRoute("/akun/keluar-semua", visits.page(everywhere, MEMBER), methods=["POST"]),
        PlainRoute("/akun/hp", visits.page(phone, MEMBER), methods=["POST"]),
        PlainRoute("/akun/kabar", visits.page(notices, MEMBER), methods=["POST"]),
        PlainRoute("/akun/akses", visits.page(looks, MEMBER), methods=["GET"]),
        PlainRoute("/akun/data", visits.page(requests, MEMBER), methods=["GET"]),
        PlainRoute("/akun/data", visits.page(ask, MEMBER), methods=["POST"]),
    ]
