"""Who visits: every page is asked for through `Visits.page`, which knows the session and refuses foreign forms.

A handler gets a request whose scope holds `visit` (the session of this door's kind, or None), `csrf` (the token that its
forms carry), `form` (what was posted, as texts) and `kept` (the mark of a member whose last balance this device may keep).
What it raises becomes a page.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from api.access.cookies import KEPT, clear_site
from api.access.csrf import FIELD
from api.access.login import Entered
from api.access.sessions import MEMBER, Session, Started
from api.application import ApplicationState
from api.web.pages import language_of, page_of, see_other
from ledger.errors import NotAllowed, Refused
from ledger.members import Acting

Handler = Callable[[Request], Awaitable[Response]]
LARGEST_FORM = 16 * 1024
_MOST_FIELDS = 40
DOUBTED = frozenset({"account-incomplete", "scheme-unreadable"})
"""Codes that say that a balance may be wrong, not only late."""
_FORM = "application/x-www-form-urlencoded"


class Token:
    """The token of a page's forms, made when the page shows it; a guest without a cookie gets one with it."""

    def __init__(self, application: ApplicationState, request: Request, session: Session | None) -> None:
        self._opened, self._session = application, session
        self.guest = application.identity.cookies.guest(request)
        self._new = session is None and not self.guest
        self._shown = ""

    def __html__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """The token, which the page shows then."""
        if not self._shown:
            if self._new:
                self.guest = secrets.token_urlsafe(24)
            self._shown = self._opened.identity.csrf.token(self._session, self.guest)
        return self._shown

    def leave(self, response: Response) -> None:
        """Give the browser the guest's cookie that the page needs."""
        if self._new and self._shown:
            self._opened.identity.cookies.set_guest(response, self.guest)


class Visits:
    """The way to every page of a process."""

    def __init__(self, application: ApplicationState) -> None:
        self.application = application

    def page(self, handler: Handler, kind: str = "", login: str = "/masuk", *, reads_form: bool = True) -> Handler:
        """The endpoint of a page. `kind` ("": anybody may come): others are sent to `login`.

        With `reads_form` false the handler reads the body itself, and calls `check` with the token in it.
        """

        async def endpoint(request: Request) -> Response:
            try:
                return await self._visit(request, handler, kind, login, reads_form)
            except ClientDisconnect:
                raise
            except Exception as error:
                return page_of(error, request)

        return endpoint

    async def _visit(self, request: Request, handler: Handler, kind: str, login: str, reads_form: bool) -> Response:
        identity, scope = self.application.identity, request.scope
        # The page of an error looks the same when not even the session can be read.
        scope["visit"], scope["csrf"], scope["kept"] = None, "", ""
        held = identity.cookies.session(request)
        session = await identity.session(held, self.application.now()) if held else None
        token = Token(self.application, request, session)
        scope["session"], scope["csrf"] = session, token
        scope["trace"] = identity.trace(request, session)
        scope["visit"] = session if session is not None and session.kind == (kind or MEMBER) else None
        if kind and scope["visit"] is None:
            # A form never leads on to a provider: `form-action` would stop the browser on its way there.
            response = see_other(f"{login}?kabar=lewat" if held or request.method == "POST" else login)
            if held and session is None:
                clear_site(response)
            return response
        if session is not None and session.kind == MEMBER:
            scope["kept"] = identity.devices.known(identity.cookies.kept(request), KEPT, session.who)
        if request.method == "POST" and reads_form:
            scope["form"] = await _read_form(request)
            self.check(request, scope["form"].get(FIELD, ""))
        try:
            response = await handler(request)
        except ClientDisconnect:
            raise
        except Exception as error:
            response = page_of(error, request)
        token.leave(response)
        # A balance that is doubted may not be shown as an old one either.
        kept = "doubted" if scope.get("problem") in DOUBTED else scope["kept"]
        if kept:
            response.headers["JHT-Kept"] = kept
        return response

    def check(self, request: Request, given: str) -> None:
        """Whether a form is one of ours. Raises NotAllowed(form-foreign)."""
        identity = self.application.identity
        identity.csrf.check(request, request.scope["session"], identity.cookies.guest(request), given)

    def let_in(self, response: Response, request: Request, started: Started) -> Response:
        """After a login: the session's cookie, and the mark that makes this device a known one."""
        identity, session = self.application.identity, started.session
        identity.cookies.set_session(response, started.token)
        if session.kind != MEMBER:
            clear_site(response)  # the service worker does not see the other doors' pages
        marks = identity.devices.marked(identity.cookies.marks(request), session.kind, session.who)
        identity.cookies.set_marks(response, marks)
        return response

    async def renewed(self, request: Request, address: str) -> Response:
        """On to `address` with a new session, after a member did what ends every one of theirs."""
        identity, person, acting = self.application.identity, visit_of(request).who, self.acting(request)
        login = await self.application.ask(self.application.members.login_of, person)
        if login is None:
            raise NotAllowed("form-foreign")
        identity.sessions.forget(MEMBER, person)
        started = await identity.login.start(
            Entered(MEMBER, person, login.epoch), acting, identity.cookies.session(request)
        )
        return self.let_in(see_other(address), request, started)

    def acting(self, request: Request, by: str = "member", channel: str = "website") -> Acting:
        """Who acts here, now, in the page's language."""
        request_id = request.scope.get("request_id", "")
        return Acting(by, channel, self.application.now(), language_of(request), request=request_id)


def visit_of(request: Request) -> Session:
    """The session of a page that wants one."""
    found: Session | None = request.scope["visit"]
    assert found is not None
    return found


def form_of(request: Request) -> dict[str, str]:
    """What was posted, as texts; of two fields with one name the last."""
    found: dict[str, str] = request.scope["form"]
    return found


async def _read_form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises Refused: content-type-unknown, body-too-large, request-invalid."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise Refused("content-type-unknown", kinds=_FORM)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise Refused("body-too-large", limit=f"{LARGEST_FORM} bytes")
    try:
        pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Refused("request-invalid", what="form") from None
    return {name: value.replace("\0", "") for name, value in pairs}
