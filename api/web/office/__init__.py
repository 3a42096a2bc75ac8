"""The office's door, `/kantor`: a branch looks for a member with a reason, sees what the member sees, and helps.

desk      who sits there: the session, the role, the person in view
views     what stands in an address instead of a person: sealed, bound to the session, over after ten minutes
entrance  logging in and out
second    the code after the password: setting up a phone, the code, a lost phone, and the supervisor who agrees
search    a NIK or card number and a reason, before anything is shown
member    the page of a member, and what the branch may do for the member there
letter    the balance on one sheet of paper
merging   a member's cards merged, un-merged, given to another person: what is proposed, how it is done
joining   the same of two records of one person
proposals what one officer proposed and a supervisor confirms
proposal_kind  what the list and the page of proposals need of each kind
rates     rates that wait for a second supervisor: what is shown, how they are put in force
yields    the page of rates: what stands, what is proposed
requests  what members ask about their own data, answered by a supervisor
"""

from __future__ import annotations

from api.application import ApplicationState
from api.route import PlainRoute
from api.web.holdings import Holdings
from api.web.office import entrance, letter, member, proposals, requests, search, second, yields
from api.web.office.desk import Office
from api.web.page_context import Visits


def routes(application: ApplicationState) -> list[PlainRoute]:
    """The routes of the door."""
    office = Office(application, Visits(application), Holdings(application))
    return [
        *entrance.routes(office), *second.routes(office), *search.routes(office), *member.routes(office),
        *letter.routes(office), *requests.routes(office), *proposals.routes(office),
        *yields.routes(office),
    ]  # fmt: skip
