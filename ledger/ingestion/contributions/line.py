"""What becomes of a line that is looked at alone: pure, from what the file says and what the store knew.

Of a remittance's lines only so many are taken apart at once: a line in pieces takes a kilobyte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

import numpy as np

from ledger.days import day_of, day_text
from ledger.decisions.amounts import AMOUNT_REASONS, Ints, judge_line
from ledger.decisions.card import Card
from ledger.decisions.remittance import (
    BEFORE_OPENING,
    SECOND_PAYMENT,
    Candidate,
    Content,
    Decision,
    Remittance,
    Taken,
    Under,
)
from ledger.errors import Problem
from ledger.events import Fact
from ledger.identifiers import SEGMENTS, kpj_of, month_of, month_text, zeros_lost
from ledger.ingestion.contributions import zeros
from ledger.ingestion.contributions.batch import RemittanceBatch, Rows
from ledger.ingestion.contributions.identity_match import Holders
from ledger.ingestion.contributions.line_problems import LineProblems
from ledger.ingestion.contributions.lookup import LookedUp, Mask
from ledger.ingestion.contributions.upload import NO_MONEY
from ledger.money import rupiah
from ledger.receipt import Outcome, Verdict
from ledger.rules import rules

AT_ONCE = 20_000
Told = list[tuple[Problem, Verdict]]
Details = dict[str, str | int]


def line_by_line(
    batch: RemittanceBatch,
    places: Ints,
    odd: Mask,
    state: Remittance,
    found: LookedUp,
    outcome: Outcome,
    problems: LineProblems,
) -> Iterator[Fact]:
    """The facts of rows of one remittance, each decided alone; what becomes of them is counted in the outcome."""
    month = month_text(int(batch.upload.month[batch.at[places[0]]]))
    decision = Decision(state, month, _again(batch, places))
    counts: Counter[str] = Counter()
    for start in range(0, len(places), AT_ONCE):
        some = places[start : start + AT_ONCE]
        rows, strange = batch.rows(some), odd[some]
        cards, holders = found.about(batch, some[strange]) if strange.any() else ({}, None)
        for i, is_odd in enumerate(strange.tolist()):
            card = cards.get(rows.card[i]) if is_odd else None
            with_zeros = cards.get(zeros_lost(rows.card[i]) or -1) if is_odd else None
            candidate, told = _candidate(batch, rows, i, card, is_odd, holders, with_zeros)
            taken = decision.take(candidate) if candidate is not None else Taken("refused")
            counts[taken.outcome] += 1
            for problem, verdict in told:
                # What a second payment waits for besides would sound as if it posted by itself.
                if verdict == "refused" or (taken.is_new and not (verdict == "suspended" and taken.second)):
                    problems.add(problem, verdict)
            if taken.second:
                problems.add(Problem(SECOND_PAYMENT, rows.line[i], "reference"), "suspended")
            if taken.conflict is not None:
                problems.add(taken.conflict, "refused")
    outcome.posted += counts["posted"]
    outcome.already, outcome.suspended = counts["already"], counts["suspended"]
    outcome.refused += counts["refused"]
    return decision.facts()


def _again(batch: RemittanceBatch, places: Ints) -> Collection[str]:
    """The workers of whom more than one of the rows is."""
    cards = np.sort(batch.card[places])
    return set(map(kpj_of, np.unique(cards[1:][np.diff(cards) == 0]).tolist()))


def _candidate(
    batch: RemittanceBatch,
    rows: Rows,
    i: int,
    card: Card | None,
    odd: bool,
    holders: Holders | None,
    with_zeros: Card | None,
) -> tuple[Candidate | None, Told]:
    """(the line, or None when it carries no money; what to tell) for one row."""
    line, month, npp = rows.line[i], rows.month[i], rows.npp[i]
    said: Told = []
    employer, worker, segment = rows.employer[i], rows.worker[i], ""
    if npp:
        membership = card.membership(npp, month) if card else None
        reason, details, used = _employers_amounts(rows, i)
        if rows.rounded[i]:
            said.append((Problem("amount-rounded", line, "worker"), "warning"))
    else:
        segment = _own_segment(card, month, rows.wage[i], rows.segment[i])
        membership = card.membership(npp, month, segment) if card else None
        if membership is None and rows.worker[i] < 0:
            # Nobody said that the holder pays, and nobody said how much.
            return None, [(Problem("payer-empty", line, "npp"), "refused")]
        if membership is not None:
            said = _own_dates(batch, rows, i, segment)
            if any(verdict == "refused" for _, verdict in said):
                return None, said
        employer, worker, reason, details, used = _own_amounts(rows, i, segment)
    if employer + worker <= 0:
        return None, [(Problem("no-money", line), "refused")]
    if odd:
        doubt, candidates = zeros.doubt(rows.card[i], npp, card, with_zeros)
        where = _where(rows.paid_on[i], card, membership is not None)
        # Compared even where the line waits anyway: NIK and name are not stored, so nobody could compare them later.
        differs, verdict = holders.compare(batch.upload, rows.at[i], card) if holders is not None else ("", "")
        if verdict == "suspended":
            reason, details = differs, {}
        elif doubt:
            reason, details = doubt, candidates
        elif where:
            reason, details = where, {"as_of": day_text(card.opening)} if card and card.opening else {}
        elif differs:
            said.append((Problem(differs, line, "name"), "warning"))
    if reason:
        said = [(Problem(reason, line, _COLUMN.get(reason, "kpj"), details), "suspended")]
    under = Under(rows.kind[i], rows.paid_text[i], rows.reference[i], rows.division[i], segment)
    content = Content(rows.wage[i], rows.back_pay[i], employer, worker)
    return Candidate(line, rows.kpj[i], under, content, reason, used, card.epoch if card else 0), said


def _own_segment(card: Card | None, month: int, wage: int, said: int) -> str:
    """The segment that a holder's own payment is for: what the row says (a place in SEGMENTS, or below 0); else the one
    the card has then; where it has both or none, the income tells them apart, for only BPU report one."""
    if said >= 0:
        return SEGMENTS[said]
    own = {m.segment for m in card.memberships if m.covers(0, month)} if card else set()
    return own.pop() if len(own) == 1 else "BPU" if wage else "PMI"


_COLUMN = {"wage-missing": "wage", "amounts-disagree": "worker", "nik-differs": "nik", "name-differs": "name",
           BEFORE_OPENING: "paid_on", "no-membership": "month"}  # fmt: skip


def _where(paid_on: int, card: Card | None, member: bool) -> str:
    """Why the card cannot take the line, as a suspense code, or ''."""
    if card is None:
        return "account-unknown"
    if not member:
        return "no-membership"
    if card.opening and paid_on <= card.opening:
        return BEFORE_OPENING
    return ""


def _employers_amounts(rows: Rows, i: int) -> tuple[str, Details, str]:
    """(suspense reason, details, rule id) of an employer's line, whose shares were settled with its upload."""
    rule = rules().pu_in(rows.month[i])
    code = rows.reason[i]
    reason = AMOUNT_REASONS[code] if code != NO_MONEY else ""
    if rule is None or reason != "amounts-disagree":
        return reason, {}, rule.id if rule else ""
    one = judge_line(rule, rows.wage[i] + rows.back_pay[i], rows.employer[i], rows.worker[i])
    return reason, _both(one.employer, one.worker, one.due_employer, one.due_worker), rule.id


def _own_dates(batch: RemittanceBatch, rows: Rows, i: int, segment: str) -> Told:
    """What a holder's own rules say of month and paid day: the checks of the file, which knew no segment yet, took the
    widest rule and the longest allowance there is."""
    upload = batch.upload
    line, month, ahead = rows.line[i], rows.month[i], rules().allowance
    if rules().for_segment(segment, month) is None:
        return [(Problem("month-without-rule", line, "month", {"month": month_text(month)}), "refused")]
    latest = month_of(upload.today) + ahead[segment]
    if month > latest:
        details: Details = {"month": month_text(month), "limit": month_text(latest)}
        return [(Problem("month-in-future", line, "month", details), "refused")]
    details = {"paid_on": rows.paid_text[i], "month": month_text(month)}
    paid_in = month_of(day_of(rows.paid_on[i]))
    if not upload.backdate and paid_in < month - ahead[segment]:
        return [(Problem("paid-too-early", line, "paid_on", details), "refused")]
    if month - max(ahead["BPU"], ahead["PMI"]) <= paid_in < month - ahead[segment]:
        return [(Problem("paid-backdated", line, "paid_on", details), "warning")]
    return []


def _own_amounts(rows: Rows, i: int, segment: str) -> tuple[int, int, str, Details, str]:
    """(employer, worker, suspense reason, details, rule id) of a line that its holder paid."""
    rule = rules().for_segment(segment, rows.month[i])
    if rule is None:
        # The card has no membership that pays for the month either, so what is said first is that.
        return max(rows.employer[i], 0), max(rows.worker[i], 0), "amounts-disagree", {}, ""
    one = judge_line(rule, rows.wage[i] + rows.back_pay[i], rows.employer[i], rows.worker[i])
    disagrees = one.reason == "amounts-disagree"
    details = _both(one.employer, one.worker, one.due_employer, one.due_worker) if disagrees else {}
    return one.employer, one.worker, one.reason, details, rule.id


def _both(employer: int, worker: int, expected_employer: int, expected_worker: int) -> dict[str, str | int]:
    return {
        "received": f"{rupiah(employer)} + {rupiah(worker)}",
        "expected": f"{rupiah(expected_employer)} + {rupiah(expected_worker)}",
    }
