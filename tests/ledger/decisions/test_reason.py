"""Acts that need a reason take one of their closed list and no other."""

from __future__ import annotations

import pytest

from api.web.words import words
from ledger.decisions.reason import JOIN, MERGE, PART, REASONS, UNMERGE, check_reason
from ledger.errors import Refused

ALL = sorted({reason for known in REASONS.values() for reason in known})


@pytest.mark.parametrize("act", REASONS)
def test_an_act_takes_its_own_reasons_and_no_other(act: str) -> None:
    for reason in ("", "because", *ALL):
        if reason in REASONS[act]:
            check_reason(act, reason)
            continue
        with pytest.raises(Refused) as refused:
            check_reason(act, reason)
        assert refused.value.code == ("reason-unknown" if reason else "reason-missing")
        assert refused.value.problem.details == {"known": ", ".join(REASONS[act])}


@pytest.mark.parametrize(("act", "back"), [(MERGE, UNMERGE), (JOIN, PART)])
def test_a_mistake_is_a_reason_to_take_an_act_back_and_never_to_do_it(act: str, back: str) -> None:
    assert [one for one in ALL if one.endswith("-by-mistake") and one in REASONS[act]] == []
    assert [one for one in REASONS[back] if one.endswith("-by-mistake")] == [REASONS[back][0]]


def test_every_reason_has_its_words_at_the_branch() -> None:
    for reason in ALL:
        assert all(words(language).has(f"office.merge_{reason}") for language in ("id", "en")), reason
