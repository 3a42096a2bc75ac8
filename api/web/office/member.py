"""A member as the branch sees one: the same balances as everywhere, what has not come, the access and what to do for it.

Every look is recorded for the reason of the search. What changes a member's access, and a request about the member's data,
needs the member at the desk, with the identity card. Each form carries the versions of what the page showed and is refused
when anything came since: a clerk never confirms another address or phone than the one that was read out. Closing an access
that is open, the first half of handing it to another address, needs a supervisor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from starlette.responses import Response

from api import problems
from api.access.sessions import MEMBER
from api.formats import sentence
from api.month_groups import grouped
from api.reasons import OTHERS, why
from api.route import PlainRoute
from api.web.forms import Errors, data_request_of, email_of
from api.web.office import joining, merging
from api.web.office.desk import ANSWERING, HOME, QUEUE, SEEN, SUPERVISOR, Desk, Office
from api.web.office.proposal_kind import gone
from api.web.office.search import MOST_SEARCHES, NO_NIK
from api.web.office.views import View
from api.web.pages import see_other
from api.web.words import words
from ledger.clock import jakarta_date
from ledger.days import day_text
from ledger.decisions.reason import REASONS as ACT_REASONS
from ledger.errors import NotFound, Refused, Unavailable
from ledger.identifiers import card_number, clean_kpj, kpj_of
from ledger.members import About
from ledger.members.state import ACTIVE, CLOSED, NOTICES, REQUESTS, Notices
from ledger.store.suspense import Case
from projections import month_grid
from projections.month_grid import Facts
from projections.received import awaited, missing_sum, received
from projections.results import BalanceRow, Group

SHOWN_YEARS = 3
SHOWN_LOOKS = 5
LISTED = 6
"""Months that have not come which are listed at once; the others are behind a fold."""


class Shown(NamedTuple):
    """A card: its balance, or the code of why it cannot be told now."""

    kpj: str
    linked: bool
    row: BalanceRow | None
    code: str


class Waiting(NamedTuple):
    """Money on hold for a card: month number, rupiah, why, from whom ("" the holder), the day it was paid."""

    month: int
    amount: int
    why: str
    payer: str
    paid_on: str


class OpenedPerson(NamedTuple):
    """Everything a page shows of a person. `gap`: the code of why not all cards are known now, "" when they are."""

    about: About
    cards: list[Shown]
    gap: str
    facts: list[Facts]
    position: int
    groups: dict[str, Group]
    """KPJ -> the cards that it is merged with, of cards that are."""

    @property
    def whole(self) -> bool:
        """Whether every card and its balance can be told now."""
        return not self.gap and all(card.row is not None for card in self.cards)


def routes(office: Office) -> list[PlainRoute]:
    """The page and its forms."""
    path = f"{HOME}/peserta/{{view}}"
    return [office.route(path, _look, "GET"), office.route(path, _act, "POST")]


async def open_person(desk: Desk, view: View) -> OpenedPerson:
    """What the ledger holds on the person of a view, with the record of the look made.

    Raises NotFound: person-erased, person-joined; Unavailable(record-unavailable).
    """
    application = desk.application
    try:
        about = await application.ask(application.members.about, view.person)
    except NotFound as error:
        await desk.record(view.why, view.person)
        raise gone(error) from None
    cards, gap = await _cards(desk, view)
    rows = [card.row for card in cards if card.row is not None]
    try:
        facts = await desk.office.holdings.facts(rows, application.now()) if rows else []
    except Unavailable:
        facts = []
    position = min((row.position for row in rows), default=0)
    await desk.record(view.why, view.person, position)
    try:
        groups = {row.kpj: group for row in rows if (group := await application.group(row, application.now(), None))}
    except Unavailable:
        groups = {}
    return OpenedPerson(about, cards, gap, facts, position, groups)


async def _cards(desk: Desk, view: View) -> tuple[list[Shown], str]:
    """The card that was looked for, then the others, the one with the newest money first."""
    application, now = desk.application, desk.application.now()
    linked = {one.card for one in await application.ask(application.members.cards, view.person)}
    known, gap = set(linked), ""
    if view.kpj:
        known.add(card_number(view.kpj))
    try:
        known.update(await application.ask(application.reader.person_cards, view.person))
    except (NotFound, Unavailable) as error:
        gap = _code(error)
    found = []
    for card in known:
        try:
            row = await application.balance(card, now, None)
        except (NotFound, Unavailable) as error:
            found.append(Shown(kpj_of(card), card in linked, None, _code(error)))
        else:
            # A card that another person holds by now is that person's to show.
            if row.person == view.person:
                found.append(Shown(row.kpj, card in linked, row, ""))
    found.sort(key=lambda card: card.kpj)
    found.sort(key=lambda card: card.row.last.month if card.row and card.row.last else "", reverse=True)
    found.sort(key=lambda card: card.kpj != view.kpj)
    return found, gap


def _code(error: NotFound | Unavailable) -> str:
    """What the register knows and the read side does not is not gone: the read side is behind."""
    return error.code if isinstance(error, Unavailable) else "read-side-stale"


async def _look(desk: Desk) -> Response:
    news = desk.request.query_params.get("kabar", "")
    return await _page(desk, desk.view(), news=news if news in ACTS else "")


async def _page(desk: Desk, view: View, errors: Errors | None = None, status: int = 200, *, news: str = "") -> Response:
    found = await open_person(desk, view)
    asked = await desk.application.ask(desk.application.members.requests_of, view.person)
    contacts = await desk.application.ask(desk.application.members.asked_contacts, view.person)
    what = [view.person, *(card.kpj for card in found.cards)]
    looks = await desk.application.ask(desk.application.recorder.seen, what, "", SHOWN_LOOKS)
    now = desk.application.now()
    years = month_grid.years(found.facts, jakarta_date(now))
    groups, single = grouped(month_grid.missing(years), by_card=True)
    return desk.show(
        "office_member.html",
        status,
        view=view,
        handle=desk.request.path_params["view"],
        found=found,
        places={kpj: place for place, kpj in enumerate(sorted(card.kpj for card in found.cards), 1)},
        whole=found.whole,
        about=found.about,
        now=now,
        years=years[:SHOWN_YEARS],
        older=years[SHOWN_YEARS:],
        groups=groups,
        missing=single,
        total=missing_sum(years),
        awaited=awaited(years),
        until=received(found.facts),
        listed=LISTED,
        kpjs={card.row.card: card.kpj for card in found.cards if card.row is not None},
        waits=[_waiting(facts, case, desk.language) for facts in found.facts for case in facts.cases],
        asked=asked,
        contacts=contacts,
        kinds=REQUESTS,
        notices=NOTICES,
        told=found.about.told,
        looks=looks.records,
        answer=desk.handle(View(view.person, "", ANSWERING, view.until)) if desk.supervises else "",
        queue=QUEUE,
        seen=view.why in SEEN,
        registers=found.about.state != ACTIVE and desk.application.settings.oidc_issuer is None,
        closes=found.about.state not in {"", CLOSED},
        merged={card.kpj: kpj_of(into) for card in found.cards if (into := _pointer(found, card.kpj))},
        act_reasons=ACT_REASONS,
        joined=await desk.application.ask(desk.application.members.joined_to, view.person),
        errors=errors or {},
        given=desk.form if errors else {},
        news=news,
    )


def _pointer(found: OpenedPerson, kpj: str) -> int:
    group = found.groups.get(kpj)
    return group.pointers.get(card_number(kpj), 0) if group else 0


def _waiting(facts: Facts, case: Case, language: str) -> Waiting:
    # Staff see the amount of money that may be another's too: they are to find out whose it is.
    part = month_grid.held_part(facts, case)
    return Waiting(case.month, part.amount, why(part, language, OTHERS), part.employer, day_text(case.paid_on))


# --- what the branch does


async def _act(desk: Desk) -> Response:
    view, name = desk.view(), desk.form.get("tindakan", "")
    act = ACTS.get(name)
    if act is None:
        raise Refused("request-invalid", what="tindakan")
    if name == CLOSING:
        desk.must(SUPERVISOR)
    try:
        if name != CLOSING and (view.why not in SEEN or desk.form.get("ktp") != "ya"):
            raise Refused("identity-not-seen")
        if field := SEARCHES.get(name):
            # The number of another person is searched for: counted and recorded as every search.
            await desk.application.identity.guard.take(MOST_SEARCHES, "office", desk.session.who)
            await desk.record(view.why, clean_kpj(desk.form.get(field, "")) or NO_NIK)
        wrong = await desk.application.work(lambda: act(desk, view))
        if wrong:
            return await _page(desk, view, wrong, 422)
    except Refused as refused:
        desk.request.scope["problem"] = refused.code
        said = {_FIELDS.get(refused.code, "page"): sentence(refused.problem, desk.language)}
        return await _page(desk, view, said, problems.status_of(refused.code))
    if name == CLOSING:
        # Whoever was in with the old password is out in this process at once.
        desk.application.identity.sessions.forget(MEMBER, view.person)
    return see_other(f"{desk.request.url.path}?kabar={name}")


def _register(desk: Desk, view: View) -> None:
    # The letter would ask for a password, and none opens anything beside a provider.
    if desk.application.settings.oidc_issuer is not None:
        raise Refused("login-by-provider")
    errors: Errors = {}
    address = email_of(desk.form, words(desk.language), errors)
    if errors:
        raise Refused("email-unreadable")
    desk.application.members.register_at_office(_card(desk, view), address, desk.deciding())


def _link(desk: Desk, view: View) -> None:
    desk.application.members.link_card(view.person, _card(desk, view), desk.deciding())


def _confirm(desk: Desk, view: View) -> None:
    desk.application.members.confirm(view.person, desk.number("pendaftaran"), desk.deciding())


def _phone(desk: Desk, view: View) -> None:
    desk.application.members.confirm_phone(view.person, desk.number("nomor"), desk.deciding())


def _notices(desk: Desk, view: View) -> None:
    """Of what the member, who stands at the desk, wants to be told; in the language of the present choice."""
    mail, sms = (tuple(kind for kind in NOTICES if desk.form.get(f"{way}_{kind}")) for way in ("mail", "sms"))
    language = desk.application.members.about(view.person).notices.language
    acting = desk.deciding()._replace(language=language)
    desk.application.members.choose_notices(view.person, Notices(mail, sms), acting)


def _close(desk: Desk, view: View) -> None:
    desk.application.members.close(view.person, "office", desk.deciding())


def _request(desk: Desk, view: View) -> Errors:
    """The member asks for data to be handed out, corrected or erased; a supervisor answers."""
    errors: Errors = {}
    what, text = data_request_of(desk.form, words(desk.language), errors)
    if not errors:
        desk.application.members.request_data(view.person, what, text, desk.deciding())
    return errors


CLOSING = "tutup"
MOVING, JOINING = "pindah", "satukan"
SEARCHES = {MOVING: "nomor", JOINING: "lain"}
"""What names another person -> the field of the number."""
PROPOSED = {
    "gabung": merging.propose_merge,
    "pisah": merging.propose_unmerge,
    MOVING: merging.propose_reassign,
    JOINING: joining.propose_join,
    "urai": joining.propose_part,
}
"""What somebody else confirms before anything is done."""
ACTS: dict[str, Callable[[Desk, View], Errors | None]] = {
    "daftar": _register, "setujui": _confirm, "hp": _phone, "kartu": _link, "minta": _request, "kabar": _notices,
    CLOSING: _close, **PROPOSED,
}  # fmt: skip
"""What is done by the name that its form sends; what is wrong in the form's fields comes back."""
_FIELDS = {"email-unreadable": "email", "email-taken": "email", "data-request-open": "what"}
"""A refusal's code -> the field it belongs to."""


def _card(desk: Desk, view: View) -> str:
    """A card of the opened person, whatever the form says. Raises Refused(card-not-yours)."""
    kpj = clean_kpj(desk.form.get("kartu", "")) or ""
    if desk.application.members.find_person(kpj=kpj) != view.person:
        raise Refused("card-not-yours")
    return kpj


__all__ = ["ACTS", "PROPOSED", "OpenedPerson", "Shown", "open_person", "routes"]
