"""The employers' door, `/perusahaan`: look before you pay, and see what was booked. Nothing is posted here, ever.

gate      who stands there: the session, the employer in the address, the record of every look
entrance  logging in and out, choosing an employer
upload    a month's file as it comes in: limited, on disk without a name
checks    the file checked against the ledger; what is kept of it, for how long and for whom
files     the corrected file and the file of what has to be mended, as CSV and XLSX
check     the pages of it
months    what was booked for the workers, by month and by line
"""

from __future__ import annotations

from api.application import ApplicationState
from api.route import Told
from api.web.employer import check, entrance, months
from api.web.employer.checks import Checks
from api.web.employer.gate import Gate
from api.web.page_context import Visits


def routes(application: ApplicationState) -> list[Told]:
    """The routes of the door (the process must have started)."""
    gate = Gate(application, Visits(application), Checks(application))
    return [*entrance.routes(gate), *check.routes(gate), *months.routes(gate)]
