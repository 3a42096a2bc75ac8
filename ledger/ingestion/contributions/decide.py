"""What becomes of the contributions of a chunk: pure, from what the file says and what the store knew.

Lines that post as they stand, each the only one of its worker in the remittance, are decided a column at a time; all others
line by line. Both lead to the same live lines. A remittance that is new and has nothing but such lines, of one kind and
payment, takes the shortest way: where each is small, what is asked of each counts more than its lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ledger.days import day_of, day_text
from ledger.decisions import remittance
from ledger.decisions.amounts import AMOUNT_REASONS, Ints, judge_line
from ledger.decisions.card import Card
from ledger.decisions.remittance import BEFORE_OPENING, SECOND_PAYMENT, Candidate, Content, Remittance, Under
from ledger.errors import Problem
from ledger.events import Event, Fact, RuleIds
from ledger.identifiers import KINDS, SEGMENTS, month_of, month_text, zeros_lost
from ledger.ingestion.contributions import zeros
from ledger.ingestion.contributions.batch import NONE, RemittanceBatch
from ledger.ingestion.contributions.identity_match import Holders
from ledger.ingestion.contributions.lookup import LookedUp
from ledger.ingestion.contributions.upload import NO_MONEY
from ledger.money import rupiah
from ledger.receipt import Outcome, Verdict
from ledger.rules import rules

Said = list[tuple[Problem, Verdict]]
Details = dict[str, str | int]
BACKDATED = "backdate"
"""The reason of events of uploads that may bring old paid dates, where their sender gave none."""


class Decided(NamedTuple):
    """One remittance, decided: its events and what the receipt will say once they are durable."""

    batch: RemittanceBatch
    number: int
    events: list[Event]
    outcome: Outcome
    problems: Said
    cards: Ints

    @property
    def lines(self) -> int:
        start, end = self.batch.spans[self.number]
        return end - start


def decide(batches: Sequence[RemittanceBatch], found: LookedUp) -> list[Decided]:
    """Decide every remittance of a chunk."""
    return [
        _decide(batch, number, odd, found)
        for batch, odd in zip(batches, found.odd, strict=True)
        for number in range(len(batch.spans))
    ]


def _decide(batch: RemittanceBatch, number: int, odd: set[int], found: LookedUp) -> Decided:
    stream, (first, end) = batch.streams[number], batch.spans[number]
    file_line, npp, month = batch.first[number]
    outcome, cards = Outcome(stream, file_line), batch.card[first:end]
    error = found.broken.get(stream)
    if error is not None:
        return _refused(batch, number, outcome, error.problem)
    state = found.streams.get(stream) or Remittance(stream)
    rule = rules().pu_in(month) if npp else None
    if (
        rule is not None
        and not state.version
        and batch.alike[number]
        and batch.groups[number] not in batch.upload.repeating
        and (not odd or odd.isdisjoint(range(first, end)))
    ):
        outcome.posted, lines = end - first, batch.columns_between(first, end)
        facts = remittance.post_all(month_text(month), batch.under_of(first), RuleIds(rule.id), lines)
        return Decided(batch, number, _events(batch, state, facts), outcome, [], cards)
    plain = np.zeros(0, np.int64)
    if rule is not None and batch.groups[number] not in batch.upload.repeating:
        plain = first + np.flatnonzero(batch.plain[first:end])
        if odd:
            plain = plain[~np.isin(plain, list(odd))]
    facts = []
    if rule is not None and len(plain):
        new, months = _first_of_kind(batch, plain, state)
        # The whole history is compared only where every line may be in it: the same file again.
        again = not len(new) and len(plain) == end - first
        if again and remittance.holds_all(state.posts, _posted(batch, plain, month, rule.id)):
            outcome.already = end - first
            return Decided(batch, number, [], outcome, [], cards)
        plain = new
        facts = _posted(batch, plain, month, rule.id, months) if len(plain) else []
    outcome.posted = len(plain)
    problems: Said = []
    others = sorted(set(range(first, end)).difference(plain.tolist())) if len(plain) < end - first else []
    if others:
        facts += _line_by_line(batch, others, odd, state, found, outcome, problems)
    return Decided(batch, number, _events(batch, state, facts), outcome, problems, cards)


def _events(batch: RemittanceBatch, state: Remittance, facts: Sequence[Fact]) -> list[Event]:
    h = batch.upload.header
    # Who may bring old paid dates brings history: it stands on the event, so that nobody is told of it as news.
    reason = h.reason or (BACKDATED if batch.upload.backdate else "")
    return remittance.events(state.version, state.stream, facts, h.by, h.channel, h.request, reason)


def _refused(batch: RemittanceBatch, number: int, outcome: Outcome, problem: Problem) -> Decided:
    """A remittance whose own history cannot be read takes nothing, and concerns nobody else."""
    first, end = batch.spans[number]
    lines = batch.upload.line[batch.at[first:end]].tolist()
    outcome.refused, outcome.code = len(lines), problem.code
    told: Said = [(Problem(problem.code, line, "", problem.details), "refused") for line in lines]
    return Decided(batch, number, [], outcome, told, batch.card[first:end])


def _first_of_kind(batch: RemittanceBatch, rows: Ints, state: Remittance) -> tuple[Ints, dict[int, int]]:
    """Those rows whose worker has no line of their kind in the stream, so neither the same payment nor an earlier one; and
    of each whose month counts already, that it counts none (row -> 0)."""
    cards = batch.kpj_of(rows) if state.version else []
    named = [place for place, kpj in enumerate(cards) if kpj in state.cards]
    if not named:
        return rows, {}
    kinds = [KINDS[code] for code in batch.upload.kind[batch.at[rows[named]]].tolist()]
    there = [place for place, kind in zip(named, kinds, strict=True) if cards[place] in state.workers(kind)]
    counted = [place for place in named if state.counting(cards[place])]
    return np.delete(rows, there), dict.fromkeys(rows[counted].tolist(), 0)


def _posted(batch: RemittanceBatch, rows: Ints, month: int, rule: str, months: Mapping[int, int] = NONE) -> list[Fact]:
    return [
        fact
        for under, some in batch.gathered(rows)
        for fact in remittance.post_all(month_text(month), under, RuleIds(rule), batch.columns(some, months))
    ]


def _line_by_line(
    batch: RemittanceBatch,
    places: Sequence[int],
    odd: set[int],
    state: Remittance,
    found: LookedUp,
    outcome: Outcome,
    problems: Said,
) -> list[Fact]:
    rows = batch.rows
    said: Said = []
    candidates: list[Candidate] = []
    for i in places:
        card = found.cards.get(rows.card[i]) if i in odd else None
        with_zeros = found.cards.get(zeros_lost(rows.card[i]) or -1) if i in odd else None
        candidate, told = _candidate(batch, i, card, i in odd, found.holders, with_zeros)
        said.extend(told)
        if candidate is None:
            outcome.refused += 1
        else:
            candidates.append(candidate)
    decision = remittance.decide(state, month_text(rows.month[places[0]]), candidates)
    outcome.posted += decision.posted
    outcome.already, outcome.suspended = decision.already, decision.suspended
    outcome.refused += decision.refused
    # What a second payment waits for besides would sound as if it posted by itself.
    by_itself = decision.taken.difference(decision.second)
    problems.extend(
        (problem, verdict)
        for problem, verdict in said
        if verdict == "refused" or problem.line in (by_itself if verdict == "suspended" else decision.taken)
    )
    problems.extend((Problem(SECOND_PAYMENT, line, "reference"), "suspended") for line in decision.second)
    problems.extend((problem, "refused") for problem in decision.conflicts)
    return decision.facts


def _candidate(
    batch: RemittanceBatch, i: int, card: Card | None, odd: bool, holders: Holders | None, with_zeros: Card | None
) -> tuple[Candidate | None, Said]:
    """(the line, or None when it carries no money; what to tell) for one row."""
    rows = batch.rows
    line, month, npp = rows.line[i], rows.month[i], rows.npp[i]
    said: Said = []
    employer, worker, segment = rows.employer[i], rows.worker[i], ""
    if npp:
        membership = card.membership(npp, month) if card else None
        reason, details, used = _employers_amounts(batch, i)
        if rows.rounded[i]:
            said.append((Problem("amount-rounded", line, "worker"), "warning"))
    else:
        segment = _own_segment(card, month, rows.wage[i], rows.segment[i])
        membership = card.membership(npp, month, segment) if card else None
        if membership is None and rows.worker[i] < 0:
            # Nobody said that the holder pays, and nobody said how much.
            return None, [(Problem("payer-empty", line, "npp"), "refused")]
        if membership is not None:
            said = _own_dates(batch, i, segment)
            if any(verdict == "refused" for _, verdict in said):
                return None, said
        employer, worker, reason, details, used = _own_amounts(batch, i, segment)
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


def _employers_amounts(batch: RemittanceBatch, i: int) -> tuple[str, Details, str]:
    """(suspense reason, details, rule id) of an employer's line, whose shares were settled with its upload."""
    rows = batch.rows
    rule = rules().pu_in(rows.month[i])
    code = rows.reason[i]
    reason = AMOUNT_REASONS[code] if code != NO_MONEY else ""
    if rule is None or reason != "amounts-disagree":
        return reason, {}, rule.id if rule else ""
    one = judge_line(rule, rows.wage[i] + rows.back_pay[i], rows.employer[i], rows.worker[i])
    return reason, _both(one.employer, one.worker, one.due_employer, one.due_worker), rule.id


def _own_dates(batch: RemittanceBatch, i: int, segment: str) -> Said:
    """What a holder's own rules say of month and paid day: the checks of the file, which knew no segment yet, took the
    widest rule and the longest allowance there is."""
    rows, upload = batch.rows, batch.upload
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


def _own_amounts(batch: RemittanceBatch, i: int, segment: str) -> tuple[int, int, str, Details, str]:
    """(employer, worker, suspense reason, details, rule id) of a line that its holder paid."""
    rows = batch.rows
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
