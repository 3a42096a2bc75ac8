"""One payer's contributions for one month: what the stream holds, and what a new upload adds to it. Pure.

A live line is known by the event and line that brought it. What is sent again - same kind, paid day, reference and amounts,
whatever the division - is there already; the same paid day and reference with other amounts is a conflict that names both.
Spellings of a reference that differ in leading zeros or capitals are one; what is stored is what was sent.
Another paid day or reference is a further payment: a supplement or a correction gets the next `part`, a second regular
payment waits in suspense until somebody decides. Nothing is ever overwritten; a reversal takes a line back by name and
repeats its shares.

reasons      why money waits, why it is corrected
lines        the lines of a stream, as later facts call them
state        which of them count or wait now
upload       what an upload adds
later_facts  release and reversal
facts        lines gathered into facts, facts as the stream's next events
"""

from ledger.decisions.remittance.facts import events, numbered
from ledger.decisions.remittance.later_facts import release, reverse
from ledger.decisions.remittance.lines import (
    Content,
    LiveLine,
    Post,
    Release,
    Some,
    Under,
    by_event,
    columns_of,
)
from ledger.decisions.remittance.reasons import (
    BEFORE_OPENING,
    CORRECTION_REASONS,
    RELEASED_BY_ITSELF,
    SECOND_PAYMENT,
    SUSPENSE_REASONS,
)
from ledger.decisions.remittance.state import Remittance
from ledger.decisions.remittance.upload import Candidate, Decision, Taken, holds_all, post_all

__all__ = [
    "BEFORE_OPENING", "CORRECTION_REASONS", "RELEASED_BY_ITSELF", "SECOND_PAYMENT", "SUSPENSE_REASONS", "Candidate",
    "Content", "Decision", "LiveLine", "Post", "Release", "Remittance", "Some", "Taken", "Under", "by_event",
    "columns_of", "events", "holds_all", "numbered", "post_all", "release", "reverse",
]  # fmt: skip
