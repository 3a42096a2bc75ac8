"""How a page is made: templates with autoescape, the visitor's language, and headers that leave nothing open.

    return render(request, "help.html", tab="help")

A template extends `layout.html`, takes its sentences from `t("<page>.<key>")` and its pieces from `macros.html`. The layout
knows the visitor by `request.scope["visit"]` and the form token by `request.scope["csrf"]`, which `visits` sets.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.ext import Extension
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import formats, problems
from api.month_groups import SHOWN_CHIPS
from api.reasons import MEMBER, OTHERS, why, why_several
from api.web.addresses import way_back
from api.web.assets import asset
from api.web.words import LANGUAGES, Words, words
from ledger.errors import JhtError, Problem, Unavailable

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGE_COOKIE = "bahasa"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SECURITY = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_RAW = [(name.lower().encode(), value.encode()) for name, value in SECURITY.items()]
MONTH_MARKS = {
    "posted": "check", "absent": "cross", "held": "pause", "reversed": "undo", "awaited": "clock", "later": "dots",
    "left": "dash", "before": "dash", "opened": "dash", "unknown": "dash",
}  # fmt: skip
"""State of a month -> its mark."""
SHOWN_YEARS = 6
"""Years of a long life that are offered at once; the others are behind a fold."""
_OTHER = {"id": "en", "en": "id"}
_FIXED = re.compile(r'\{\{ (t|icon)\("([\w.-]+)"\) \}\}')


@cache
def icon(name: str) -> Markup:
    """A mark of the sprite; never the only sign, so it is hidden from readers."""
    return Markup('<svg class="ic" aria-hidden="true"><use href="#i-{}"/></svg>').format(name)


@lru_cache(8192)
def month_cell(month: int, state: str, address: str, language: str) -> Markup:
    """A cell of the month grid; `address`: the page with each month's lines, "" without a link.

    A page has a hundred of them, so each is made once.
    """
    inside = Markup('<span class="m-top"><abbr title="{}">{}</abbr>{}</span>{}').format(
        formats.month(month, language), formats.month_short(month, language), icon(MONTH_MARKS[state]),
        words(language)(f"months.{state}"),
    )  # fmt: skip
    if not address:
        return Markup('<div class="m {}">{}</div>').format(state, inside)
    link = Markup('<a class="m {}" href="{}?tahun={}#b{}">{}</a>')
    return link.format(state, address, month // 12, month % 12 + 1, inside)


class Fixed(Extension):
    """Texts and marks that are always the same become part of the template: half of a page's calls."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The source with every text without places, and every mark, filled in."""
        del name, filename
        t: Words = self.environment.globals["t"]  # type: ignore[assignment]

        def filled(found: re.Match[str]) -> str:
            text = icon(found[2]) if found[1] == "icon" else t(found[2])
            return found[0] if "{" in text else text

        return _FIXED.sub(filled, source)


@lru_cache(4096)
def _kept(language: str, macro: str, *given: Hashable) -> Markup:
    made: Markup = getattr(environment(language).get_template("macros.html").module, macro)(*given)
    return made


@cache
def environment(language: str) -> Environment:
    """The templates in one language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=-1,
        extensions=[Fixed],
    )
    made.globals |= {
        "t": words(language),
        "lang": language,
        "other_lang": _OTHER[language],
        "asset": asset,
        "icon": icon,
        # A macro's text for these values, made once: only for what many people share and nobody's data.
        "kept": partial(_kept, language),
        "month_cell": partial(month_cell, language=language),
        "month_marks": MONTH_MARKS,
        "SHOWN_YEARS": SHOWN_YEARS,
        "SHOWN_CHIPS": SHOWN_CHIPS,
        "why": partial(why, language=language, voice=MEMBER),
        "why_others": partial(why, language=language, voice=OTHERS),
        "why_several": partial(why_several, language=language, voice=MEMBER),
        "why_several_others": partial(why_several, language=language, voice=OTHERS),
        "rupiah": formats.rupiah,
        "rupiah_exact": formats.rupiah_exact,
        "factor": formats.factor,
        "amount": formats.amount,
        "jakarta_day": formats.jakarta_day,
        "masked_email": formats.masked_email,
        "masked_nik": formats.masked_nik,
        "masked_phone": formats.masked_phone,
        "whole_phone": formats.whole_phone,
        **{
            name: partial(getattr(formats, name), language=language)
            for name in (
                "day",
                "day_short",
                "month",
                "month_list",
                "month_names",
                "month_short",
                "moment",
                "percent",
                "sentence",
                "whole",
            )
        },
    }
    return made


@cache
def _template(name: str, language: str) -> Template:
    return environment(language).get_template(name)


def fragment(language: str, template: str, **values: Any) -> Markup:
    """A piece of a page that knows no visitor, ready to be kept and put into pages."""
    return Markup(_template(template, language).render(values))  # noqa: S704 - a template's own output


def language_of(request: Request) -> str:
    """`id` or `en`: what the visitor chose, else what the browser asks for, Indonesian first."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else problems.asked_language(request)


def render(
    request: Request, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """The page of a template, with every security header."""
    language = language_of(request)
    scope = request.scope
    content = _template(template, language).render(
        values,
        visit=scope.get("visit"),
        csrf=scope.get("csrf", ""),
        path=scope["path"],
        here=way_back(scope["path"]),
    )
    response = Response(content, status, headers, "text/html")
    response.raw_headers += [*_RAW, (b"content-language", language.encode())]
    return response


def see_other(address: str) -> Response:
    """After a form: look at `address`, one of the site's own, with GET."""
    assert address.startswith("/"), address
    assert not address.startswith("//"), address
    return RedirectResponse(address, 303, SECURITY)


def page_of(error: Exception, request: Request) -> Response:
    """The page of an error: what happened, what to do, its code; an unexpected one by its incident number only."""
    if isinstance(error, HTTPException):
        code = {404: "route-unknown", 405: "method-wrong"}.get(error.status_code, "request-invalid")
        problem = Problem(code, details={"what": str(error.status_code)})
        headers = dict(error.headers or {})
    elif isinstance(error, JhtError) and (problems.status_of(error.code) < 500 or isinstance(error, Unavailable)):
        problem, headers = error.problem, {}
    else:
        problem, headers = problems.incident(error), {}
    status = problems.status_of(problem.code)
    request.scope["problem"] = problem.code
    if status == 503:
        headers["Retry-After"] = str(problems.RETRY_SECONDS)
        since = str(problem.details.get("confirmed_at", "")).removesuffix(" UTC").removesuffix("-")
        return render(request, "unavailable.html", status, headers, code=problem.code, since=since)
    return render(
        request,
        "error.html",
        status,
        headers,
        code=problem.code,
        http=status,
        sentence=formats.sentence(problem, language_of(request)),
    )
