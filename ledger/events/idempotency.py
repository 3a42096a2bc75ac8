"""Stream `request:<hash>`: one write with an idempotency key."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct, field

from ledger.events.fact import NOWHERE, Count, Fact

PROBLEMS_KEPT = 1_000
OUTCOMES_KEPT = 100


class RequestStarted(Fact, frozen=True):
    """A write began; `hash` is the HMAC of its body, `process` names the process that runs it."""

    NAME: ClassVar[str] = "request-started.v1"
    CONCERNS: ClassVar = NOWHERE
    hash: str
    route: str
    process: str = ""


class KeptProblem(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A problem without its sentences, which are made anew. `verdict`: refused, suspended or warning."""

    code: str
    verdict: str = "refused"
    line: Count = 0
    column: str = ""
    details: dict[str, str | int] = {}


class KeptCode(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """How many lines and cells a code was told of, and in which columns."""

    verdict: str
    code: str
    lines: Count
    cells: Count = 0
    columns: tuple[str, ...] = ()


class KeptOutcome(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What became of one remittance or other unit: counts of its lines, and a code when refused whole."""

    name: str
    first_line: Count = 0
    posted: Count = 0
    already: Count = 0
    suspended: Count = 0
    refused: Count = 0
    code: str = ""


class RequestFinished(Fact, frozen=True, kw_only=True):
    """What the same key and body are answered for ever: the receipt in numbers and codes, or (no `layout`) one refusal.

    The first PROBLEMS_KEPT problems and OUTCOMES_KEPT units stand here, the counts are of all. Sentences and the log
    position are made anew when it is answered again.
    """

    NAME: ClassVar[str] = "request-finished.v1"
    CONCERNS: ClassVar = NOWHERE
    hash: str
    status: Count
    layout: str = ""
    receipt: str = ""
    totals: dict[str, Count] = field(default_factory=dict)
    codes: tuple[KeptCode, ...] = ()
    problems: tuple[KeptProblem, ...] = ()
    outcomes_total: Count = 0
    outcomes: tuple[KeptOutcome, ...] = ()
