"""What becomes of the contributions of a chunk: pure, from what the file says and what the store knew.

Most remittances are simple, every line postable into a new stream, and are decided a column at a time; the others line
by line. Both give the same events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ledger.decisions import remittance
from ledger.decisions.remittance import Candidate, Content, Remittance
from ledger.errors import Problem
from ledger.events import Event, RuleIds
from ledger.identifiers import month_text, zeros_lost
from ledger.ingestion.contributions import zeros
from ledger.ingestion.contributions.check import NO_MONEY, REASONS, Ints
from ledger.ingestion.contributions.identity_match import Holders
from ledger.ingestion.contributions.lookup import LookedUp, Part
from ledger.money import rupiah
from ledger.receipt import Outcome, Verdict
from ledger.rules import BpuRule, PmiRule, rules
from ledger.store.account_index import Card, day_text

Said = list[tuple[Problem, Verdict]]
Details = dict[str, str | int]


class Decided(NamedTuple):
    """One remittance, decided: its events and what the receipt will say once they are durable."""

    part: Part
    number: int
    events: list[Event]
    outcome: Outcome
    problems: Said
    cards: Ints

    @property
    def lines(self) -> int:
        start, end = self.part.spans[self.number]
        return end - start


def decide(parts: Sequence[Part], found: LookedUp) -> list[Decided]:
    """Decide every remittance of a chunk."""
    decided = []
    for part, odd in zip(parts, found.odd, strict=True):
        for number, (start, end) in enumerate(part.spans):
            here = odd.intersection(range(start, end)) if odd else odd
            simple = None if here else _simple(part, number, found.streams.get(part.streams[number], []))
            decided.append(simple or _line_by_line(part, number, here, found))
    return decided


def _simple(part: Part, number: int, history: Sequence[Event]) -> Decided | None:
    """The common cases a column at a time: every line postable under one kind, date and reference, in a stream that is
    new, or that holds all of them already. None: look at each line."""
    head, stream, (first, end) = part.heads[number], part.streams[number], part.spans[number]
    rule = rules().pu_in(head.month) if head.plain else None
    if rule is None:
        return None
    _, line, month, kind, paid_on, reference = head
    outcome, cards = Outcome(stream, line), part.card[first:end]
    if history:
        if not remittance.holds_all(history, kind, paid_on, reference, part.lines_of(number)):
            return None
        outcome.already = end - first
        return Decided(part, number, [], outcome, [], cards)
    outcome.posted = end - first
    facts = remittance.post_all(month_text(month), kind, paid_on, reference, RuleIds(rule.id), part.batches(number))
    h = part.upload.header
    events = remittance.events(0, stream, facts, h.by, h.channel, h.request, h.reason)
    return Decided(part, number, events, outcome, [], cards)


def _line_by_line(part: Part, number: int, odd: set[int], found: LookedUp) -> Decided:
    (first, end), rows, stream = part.spans[number], part.rows, part.streams[number]
    state = Remittance.of(stream, found.streams.get(stream, ()))
    outcome = Outcome(stream, rows.line[first])
    problems: Said = []
    candidates: list[Candidate] = []
    rule_id = ""
    for i in range(first, end):
        card = found.cards.get(rows.card[i]) if i in odd else None
        with_zeros = found.cards.get(zeros_lost(rows.card[i]) or -1) if i in odd else None
        candidate, said, used = _candidate(part, i, card, i in odd, found.holders, with_zeros)
        problems.extend(said)
        rule_id = used or rule_id
        if candidate is None:
            outcome.refused += 1
        else:
            candidates.append(candidate)
    decision = remittance.decide(state, month_text(rows.month[first]), RuleIds(rule_id), candidates)
    outcome.posted, outcome.already = decision.posted, decision.already
    outcome.suspended, outcome.refused = decision.suspended, outcome.refused + decision.refused
    problems = [p for p in problems if p[1] == "refused" or p[0].line in decision.taken]
    problems.extend((problem, "refused") for problem in decision.conflicts)
    h = part.upload.header
    events = remittance.events(state.version, stream, decision.facts, h.by, h.channel, h.request, h.reason)
    return Decided(part, number, events, outcome, problems, part.card[first:end])


def _candidate(
    part: Part, i: int, card: Card | None, odd: bool, holders: Holders | None, with_zeros: Card | None
) -> tuple[Candidate | None, Said, str]:
    """(the line, or None when it carries no money; what to tell; the rule's id) for one row."""
    rows = part.rows
    line, month, npp = rows.line[i], rows.month[i], rows.npp[i]
    said: Said = []
    employer, worker = rows.employer[i], rows.worker[i]
    membership = card.membership(npp, month) if card else None
    if npp:
        reason, details, used = _employers_amounts(part, i)
        if rows.rounded[i]:
            said.append((Problem("amount-rounded", line, "worker"), "warning"))
    else:
        if membership is None and rows.worker[i] < 0:
            # Nobody said that the holder pays, and nobody said how much.
            return None, [(Problem("payer-empty", line, "npp"), "refused")], ""
        employer, worker, reason, details, used = _own_amounts(part, i, membership.segment if membership else "")
    if employer + worker <= 0:
        return None, [(Problem("no-money", line), "refused")], used
    if odd:
        doubt, candidates = zeros.doubt(rows.card[i], npp, card, with_zeros)
        where = _where(rows.paid_on[i], card, membership is not None)
        if doubt:
            reason, details = doubt, candidates
        elif where:
            reason, details = where, {"as_of": day_text(card.opening)} if card and card.opening else {}
        elif holders is not None:
            differs, verdict = holders.compare(part.upload, rows.at[i], card)
            if verdict == "suspended":
                reason, details = differs, {}
            elif differs:
                said.append((Problem(differs, line, "name"), "warning"))
    if reason:
        said = [(Problem(reason, line, _COLUMN.get(reason, "kpj"), details), "suspended")]
    content = Content(rows.wage[i], rows.back_pay[i], employer, worker, rows.paid_text[i], rows.reference[i])
    return Candidate(line, rows.kind[i], rows.kpj[i], content, reason, card.epoch if card else 0), said, used


_COLUMN = {"wage-missing": "wage", "amounts-disagree": "worker", "nik-differs": "nik", "name-differs": "name",
           "before-opening-balance": "paid_on", "no-membership": "month"}  # fmt: skip


def _where(paid_on: int, card: Card | None, member: bool) -> str:
    """Why the card cannot take the line, as a suspense code, or ''."""
    if card is None:
        return "account-unknown"
    if not card.plain:
        return "card-closed"
    if not member:
        return "no-membership"
    if card.opening and paid_on <= card.opening:
        return "before-opening-balance"
    return ""


def _employers_amounts(part: Part, i: int) -> tuple[str, Details, str]:
    """(suspense reason, details, rule id) of an employer's line, whose shares were settled with its upload."""
    rows = part.rows
    rule = rules().pu_in(rows.month[i])
    code = rows.reason[i]
    reason = REASONS[code] if code != NO_MONEY else ""
    if rule is None or reason != "amounts-disagree":
        return reason, {}, rule.id if rule else ""
    expected = rule.shares(np.array([rows.wage[i] + rows.back_pay[i]]))
    return reason, _both(rows.employer[i], rows.worker[i], int(expected[0][0]), int(expected[1][0])), rule.id


def _own_amounts(part: Part, i: int, segment: str) -> tuple[int, int, str, Details, str]:
    """(employer, worker, suspense reason, details, rule id) of a line that its holder paid."""
    rows = part.rows
    wage, given_employer, given = rows.wage[i], max(rows.employer[i], 0), rows.worker[i]
    # Without a known card the income tells the two apart: only BPU report one.
    rule = rules().for_segment(segment or ("BPU" if wage else "PMI"), rows.month[i])
    if isinstance(rule, BpuRule) and wage:
        expected = int(rule.shares(np.array([wage]))[1][0])
        received = expected if given < 0 else given
    elif isinstance(rule, PmiRule):
        received = max(given, 0)
        expected = int(rule.nearest(np.array([received]))[0])
    else:
        # No rule for the card's segment in that month, or no income to look the band up with.
        reason = "wage-missing" if isinstance(rule, BpuRule) else "amounts-disagree"
        return given_employer, max(given, 0), reason, {}, rule.id if rule else ""
    agrees = abs(received - expected) <= rules().tolerance and not given_employer
    details = {} if agrees else _both(given_employer, received, 0, expected)
    return given_employer, received, "" if agrees else "amounts-disagree", details, rule.id


def _both(employer: int, worker: int, expected_employer: int, expected_worker: int) -> dict[str, str | int]:
    return {
        "received": f"{rupiah(employer)} + {rupiah(worker)}",
        "expected": f"{rupiah(expected_employer)} + {rupiah(expected_worker)}",
    }
