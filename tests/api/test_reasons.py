"""Cause x channel x sentence: every cause for which a month is not posted has a sentence of its own in every channel."""

from __future__ import annotations

import itertools
import re
from datetime import date
from typing import NamedTuple

import pytest

from api import reasons
from api.cli import months as cli
from api.months_answer import Telling, months_answer
from api.reasons import EMPLOYER, MEMBER, OTHERS
from api.schemas import AsOf
from api.sms.missing import clauses, fit
from api.web.pages import environment
from ledger.decisions.remittance import SUSPENSE_REASONS
from ledger.decisions.scheme import Scheme
from ledger.identifiers import month_number, month_text
from projections import month_grid
from projections.month_grid import CAUSES, FOREIGN, Cell, Facts, Part
from projections.silent_months import silent_months
from tests.api.web.facts import case, entry, facts, reversal
from tests.conftest import TODAY
from tests.office import NPP

LANGUAGES = ("id", "en")
HEALS = {"account-unknown"}
"""What posts by itself without anybody's doing: the only money of which a member may be told to do nothing."""
NOTHING = {MEMBER: {"id": "tidak perlu berbuat apa-apa", "en": "nothing you need to do"},
           OTHERS: {"id": "Tidak ada yang perlu dilakukan", "en": "Nothing has to be done"}}  # fmt: skip
GROUPED = {month_grid.ABSENT, month_grid.AWAITED, month_grid.HELD, month_grid.REVERSED, month_grid.UNKNOWN}
NO_EMPLOYERS = {
    "not-due",
    "no-due-day",
    "in-opening-balance",
    "no-rule",
    "before-start",
    "outside-membership",
    "before-membership",
}
"""Causes of which an employer is told nothing: no month of its own is missing for them."""


class Story(NamedTuple):
    """Facts for which a month is not posted for one cause, and nothing else is wrong."""

    facts: Facts
    month: str
    today: date = TODAY


def held(reason: str, npp: str = NPP, base: int = 6_000_000) -> Story:
    waiting = case("2026-07", reason, npp)
    segment = "PU" if npp else "BPU"
    one = facts(cases=(waiting,), bases={waiting: base}, segment=segment, npp=npp, since="2026-07", until="2026-07")
    return Story(one, "2026-07")


JULY = {"since": "2026-07", "until": "2026-07"}
STORIES = {
    **{reason: held(reason) for reason in SUSPENSE_REASONS},
    "not-received": Story(facts(**JULY), "2026-07"),
    "taken-back": Story(facts(reversal("2026-07"), entry("2026-07"), **JULY), "2026-07"),
    "payments-incomplete": Story(facts(complete=date(2026, 8, 1), **JULY), "2026-07"),
    "not-due": Story(facts(since="2026-11"), "2026-11"),
    "no-due-day": Story(facts(segment="PMI", npp="", since="2026-11"), "2026-11"),
    "in-opening-balance": Story(facts(entry("2026-11", type="opening", paid_on="2026-11-20")), "2026-11"),
    "no-rule": Story(facts(since="2015-06"), "2015-06", date(2015, 6, 20)),
    "before-start": Story(facts(since="2026-11", start=2027 * 12), "2026-11"),
    "outside-membership": Story(facts(entry("2026-10"), since="2026-10", until="2026-10"), "2026-11"),
    "before-membership": Story(facts(since="2026-12"), "2026-11"),
}  # fmt: skip


def cell_of(story: Story) -> Cell | None:
    years = month_grid.years([story.facts], story.today)
    return next((c for y in years for c in y.cells if c.month == month_number(story.month)), None)


def part_of(story: Story) -> Part | None:
    cell = cell_of(story)
    return cell.parts[0] if cell is not None and cell.parts else None


def by_voice(cause: str, language: str, voice: str) -> str:
    part = part_of(STORIES[cause])
    return reasons.why(part, language, voice) if part else reasons.why_blank(cause, language)


def by_web(cause: str, language: str) -> str:
    """What the member's pages say: the item of the list where a month is listed, else the line of the year."""
    part = part_of(STORIES[cause])
    if part is None or part.state not in {"absent", "held", "reversed"}:
        return by_voice(cause, language, MEMBER)
    module = environment(language).get_template("macros.html").module
    return str(module.missing_item(month_grid.Missing(month_number("2026-07") or 0, part), "/iuran"))


def by_api(cause: str, language: str, voice: str) -> str:
    """The detail in the answer; a month that an answer does not hold (before the first membership) has none."""
    story = STORIES[cause]
    as_of = AsOf.model_construct()
    telling = Telling(language, voice, lambda npp, name: name)
    body = months_answer(story.facts, story.today, as_of, "26000000017", None, telling)
    found = [month for month in body.months if month.month == story.month]
    if not found:
        return reasons.why_blank(cause, language)
    assert (found[0].reason, found[0].parts == [] or found[0].parts[0].detail == found[0].detail) == (cause, True)
    return found[0].detail or ""


def by_sms(cause: str) -> str:
    story = STORIES[cause]
    said = fit("", clauses([story.facts], story.today), 160)
    return said.replace("Jun-15", "Nov-26")


def by_cli(cause: str) -> str:
    story = STORIES[cause]
    years = list(month_grid.years([story.facts], story.today))
    if not years:
        return reasons.why_blank(cause, "en")
    listed = [str(cli._line(one)) for one in month_grid.missing(years) if month_text(one.month) == story.month]
    others = [str(line) for line in cli._others(years)]
    return (listed or [line for line in others if by_voice(cause, "en", OTHERS).partition(" ")[0] in line])[0]


def by_employer(cause: str, language: str) -> str:
    return reasons.to_employer(cause, language, received=285_000, base=6_000_000, expected=342_000)


def told(channel: str, cause: str, language: str) -> str:
    if channel == "web":
        return by_web(cause, language)
    if channel in {"mobile", "api"}:
        return by_api(cause, language, MEMBER if channel == "mobile" else OTHERS)
    if channel == "sms":
        return by_sms(cause)
    if channel == "cli":
        return by_cli(cause)
    return by_employer(cause, language) if channel == "employer" else by_voice(cause, language, OTHERS)


CHANNELS = ("web", "mobile", "api", "sms", "letter", "cli", "employer")


def test_the_stories_are_those_of_every_cause() -> None:
    assert list(STORIES) == list(CAUSES)
    for cause, story in STORIES.items():
        cell = cell_of(story)
        assert cell is None or cell.cause == cause, cause
        assert cell is not None or cause == "before-membership"


@pytest.mark.parametrize(("channel", "language"), list(itertools.product(CHANNELS, LANGUAGES)))
def test_every_cause_has_a_sentence_of_its_own_in_every_channel(channel: str, language: str) -> None:
    causes = [cause for cause in CAUSES if channel != "employer" or cause not in NO_EMPLOYERS]
    said = {cause: told(channel, cause, language).strip() for cause in causes}
    assert all(said.values()), said
    assert not [text for text in said.values() if "{" in text or "None" in text]
    same = [pair for pair in itertools.combinations(said, 2) if said[pair[0]] == said[pair[1]]]
    assert not same


def test_no_cause_of_which_an_employer_is_not_told_makes_a_month_silent() -> None:
    november = 2026 * 12 + 10
    spans = [(2026 * 12 + 9, 0, 5)]
    assert [one.month for one in silent_months(spans, [], Scheme(complete="2026-11-20"), TODAY)] == [november - 1], (
        "not due"
    )
    assert silent_months(spans, [], Scheme(first_year=2027), TODAY) == [], "before the first year"
    assert silent_months([(2014 * 12, 2014 * 12 + 11, 5)], [], Scheme(complete="2026-11-20"), TODAY) == [], "no rule"
    assert silent_months([(november - 1, november - 1, 5)], [november - 1], Scheme(), TODAY) == [], "outside"


@pytest.mark.parametrize(("reason", "npp", "language", "voice"), [
    (reason, npp, language, voice)
    for reason in SUSPENSE_REASONS for npp in (NPP, "") for language in LANGUAGES for voice in (MEMBER, OTHERS)
])  # fmt: skip
def test_only_what_heals_by_itself_asks_for_nothing(reason: str, npp: str, language: str, voice: str) -> None:
    part = part_of(held(reason, npp))
    assert part is not None
    sentence = reasons.why(part, language, voice)
    assert (NOTHING[voice][language] in sentence) == (reason in HEALS), sentence
    assert ("Rp285.000" in sentence) <= (reason not in FOREIGN), sentence


@pytest.mark.parametrize("npp", [NPP, ""])
def test_amounts_that_disagree_are_both_told_and_the_wage_they_follow_from(npp: str) -> None:
    part = part_of(held("amounts-disagree", npp))
    assert part is not None
    assert (part.amount, part.base, part.expected) == (285_000, 6_000_000, 342_000 if npp else 119_000)
    for voice, expected in itertools.product(
        (MEMBER, OTHERS), ("Rp285.000", "Rp6.000.000", "Rp342.000" if npp else "Rp119.000")
    ):
        assert expected in reasons.why(part, "id", voice)


@pytest.mark.parametrize(("npp", "language", "voice"), list(itertools.product((NPP, ""), LANGUAGES, (MEMBER, OTHERS))))
def test_every_reason_of_several_months_has_a_sentence_of_its_own_without_day_or_amount(
    npp: str, language: str, voice: str
) -> None:
    stories = STORIES if npp else {reason: held(reason, "") for reason in SUSPENSE_REASONS}
    parts = {cause: part for cause, story in stories.items() if (part := part_of(story)) and part.state in GROUPED}
    said = {cause: reasons.why_several(part, language, voice) for cause, part in parts.items()}
    assert len(said) >= len(SUSPENSE_REASONS)
    assert len(set(said.values())) == len(said)
    for cause, sentence in said.items():
        assert not re.search(r"[{}]|Rp|20\d\d|this month|(?<!bulan-)bulan ini", sentence), (cause, sentence)


def test_where_no_rule_makes_an_amount_of_the_wage_none_is_named() -> None:
    part = part_of(held("amounts-disagree", base=0))
    assert part is not None
    for voice, language in itertools.product((MEMBER, OTHERS), LANGUAGES):
        assert "Rp0" not in reasons.why(part, language, voice)
    assert "Rp0" not in reasons.to_employer("amounts-disagree", "id", received=285_000)


def test_a_due_day_of_a_year_without_holidays_says_so_in_every_voice() -> None:
    one = facts(since="2027-06", until="2027-06", complete=date(2027, 12, 31))
    part = part_of(Story(one, "2027-06", date(2028, 1, 5)))
    assert part is not None
    assert "holidays of 2027 are not on record" in reasons.why(part, "en", MEMBER)
    assert "Hari libur 2027 belum tercatat" in reasons.why(part, "id", OTHERS)
    assert "holidays of 2027" in reasons.without_holidays(date(2027, 7, 15), "en")
    assert reasons.without_holidays(date(2026, 7, 15), "en") == ""


def test_every_sentence_stands_in_both_languages_and_every_entry_is_a_cause() -> None:
    for key, entry_ in reasons.texts().items():
        cause = key.removesuffix("-own").removesuffix("-plain")
        assert cause in CAUSES or key == "holidays-unknown", key
        for voice in {MEMBER, OTHERS, EMPLOYER} & set(entry_):
            assert set(entry_[voice]) == set(LANGUAGES), (key, voice)
