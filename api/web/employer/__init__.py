"""The employers' door, `/perusahaan`: look before you pay, and see what was booked. Nothing is posted here, ever.

desk      who stands there: the session, and the employer in the address
entrance  logging in and out, choosing an employer
upload    a month's file as it comes in: limited, on disk without a name
checks    the file checked against the ledger; what is kept of it, for how long and for whom
files     the corrected file and the file of what has to be mended, as CSV and XLSX
check     the pages of it
months    what was booked for the workers, by month and by line
"""

from __future__ import annotations

from api.application import ApplicationState
from api.route import PlainRoute
from api.web.employer import check, entrance, months
from api.web.employer.checks import Checks
from api.web.employer.desk import Employers
from api.web.page_context import Visits


def routes(application: ApplicationState) -> list[PlainRoute]:
    """The routes of the door (the process must have started)."""
    door = Employers(application, Visits(application), Checks(application))
    return [*entrance.routes(door), *check.routes(door), *months.routes(door)]
