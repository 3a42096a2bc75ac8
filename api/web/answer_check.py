"""`/periksa`: whether the figure on a paper was given by us. Anybody may ask, and learns that and nothing else.

Who asks types the code and the total, so nobody learns a total from a code; and guesses of one are few, for each code as
for each address.
"""

from __future__ import annotations

import re
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.guard import address_of
from api.application import ApplicationState
from api.formats import sentence
from api.route import PlainRoute
from api.web.forms import Errors
from api.web.page_context import Visits, form_of
from api.web.pages import language_of, render
from api.web.words import words
from ledger.clock import jakarta_date
from ledger.errors import NotFound, Refused
from ledger.store.answer_codes import LONGEST
from ledger.store.known_at import at_position

GUESSES_OF_ONE = "5/hour"
"""How often one code may be asked about: a total has more digits than anybody can try."""
OURS, DIFFERS, UNKNOWN = "ours", "differs", "unknown"
_TOTAL = re.compile(
    r"(?:rp\s?)?([0-9]{1,16}|[0-9]{1,3}(?:[.\s][0-9]{3}){1,5}|[0-9]{1,3}(?:,[0-9]{3}){1,5})", re.IGNORECASE
)


def total_of(text: str) -> int | None:
    """The rupiah in `10285000`, `Rp10.285.000`, `10,285,000`; None for anything else."""
    found = _TOTAL.fullmatch(text.strip())
    return int(re.sub(r"[.,\s]", "", found[1])) if found and found[1].isascii() else None


def routes(application: ApplicationState, visits: Visits) -> list[PlainRoute]:
    """The routes of the check."""

    def page(request: Request, errors: Errors, found: str = "", status: int = 200) -> Response:
        form = form_of(request) if "form" in request.scope else {}
        given = {name: form.get(name, "")[:LONGEST] for name in ("code", "total")}
        return render(request, "answer_check.html", status, errors=errors, found=found, given=given)

    async def ask(request: Request) -> Response:
        return page(request, {})

    async def check(request: Request) -> Response:
        t, errors = words(language_of(request)), Errors()
        code, total = form_of(request).get("code", "").strip(), total_of(form_of(request).get("total", ""))
        if not code:
            errors["code"] = t("paper.empty_code")
        if total is None:
            errors["total"] = t("paper.wrong_total")
        if total is None or errors:
            return page(request, errors, status=422)
        try:
            await application.identity.guard.address("check", address_of(request))
            return page(request, {}, await verdict(code, total))
        except Refused as refused:
            if refused.code != "too-many-tries":
                raise
            request.scope["problem"] = refused.code
            said = {"page": sentence(refused.problem, language_of(request))}
            return page(request, said, status=problems.status_of(refused.code))

    async def verdict(code: str, total: int) -> str:
        """Whether the total of a code is that. Raises Refused(too-many-tries), Unavailable."""
        now = application.now()
        try:
            question = await application.work(partial(application.codes.open, code))
        except NotFound:
            return UNKNOWN
        await application.identity.guard.take(GUESSES_OF_ONE, "check", repr(question))
        known = await application.ask(at_position, application.log, question.position)
        await application.wait_for(known.position)
        ask_balance = partial(application.reader.balance, known_at=known)
        row = await application.ask(ask_balance, question.card, jakarta_date(now), now, question.as_of)
        return OURS if row.total == total else DIFFERS

    return [
        PlainRoute("/periksa", visits.page(ask), methods=["GET"]),
        PlainRoute("/periksa", visits.page(check), methods=["POST"]),
    ]
