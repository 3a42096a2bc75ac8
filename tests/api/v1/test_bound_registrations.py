"""A key that is bound to employers: who is told of what it registers, and how much of others it can find out by trying."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.v1 import guesses
from ledger.decisions.account import Registration, decide_register
from ledger.errors import sentences
from ledger.events import Fact
from ledger.ingestion import registrations
from ledger.members import memberships
from ledger.settings import Settings
from ledger.store.account_index import Card
from tests.api.peopled import Peopled
from tests.office import NPP, OTHER_NPP, line, nik, person

MINE, THEIRS, NEW = "26000000017", "26000000033", "26000000025"
PATH = "/v1/registrations"


@pytest.fixture
def town(settings: Settings) -> Iterator[Peopled]:
    with Peopled(settings) as made:
        made.office.employers(NPP, OTHER_NPP)
        made.office.register(person(MINE), person(THEIRS, 3))
        made.follow()
        yield made


def told(town: Peopled, headers: dict[str, str], row: dict[str, object], **params: str) -> set[tuple[str, str, str]]:
    """(kind, way, to) of what is sent after a registration."""
    answer = town.client.post(PATH, headers=headers, json=[row], params=params)
    assert answer.json()["totals"]["refused"] == 0, answer.text
    outbox = town.application.outbox
    found = outbox.due(town.clock, 100)
    for one in found:
        outbox.done(one.id)
    assert all(one.letter.details["npp"].replace(" ", "") == row["npp"] for one in found)
    return {(one.letter.kind, one.way, one.letter.to) for one in found}


def every(kind: str, number: int) -> set[tuple[str, str, str]]:
    return {(kind, "mail", f"budi{number}@contoh.id"), (kind, "sms", f"+628123456{number:04d}")}


def test_what_a_bound_key_registers_is_told_to_the_person_and_every_fact_has_its_letter(
    town: Peopled, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: set[type[Fact]] = set()

    def noticed(card: Card | None, who: str, row: Registration) -> list[Fact]:
        facts = decide_register(card, who, row)
        added.update(type(fact) for fact in facts)
        return facts

    monkeypatch.setattr(registrations, "decide_register", noticed)
    bound = town.key("register", npps=[int(OTHER_NPP)])
    new = person(NEW, 2, npp=OTHER_NPP)
    assert told(town, bound, new, dry_run="true") == set(), "nothing happened"
    assert told(town, bound, new) == every("membership-started", 2)
    # The contact that counts is the one on file, whatever the file of the key says.
    second = person(MINE, npp=OTHER_NPP, registered_on="2026-02-02", email="penipu@contoh.id", phone="081300000000")
    assert told(town, bound, second) == every("membership-started", 1)
    assert told(town, bound, second) == set(), "what adds nothing is not told"
    left = second | {"left_on": "2026-06-30"}
    assert told(town, bound, left) == every("membership-ended", 1)
    assert told(town, town.key("register"), person(MINE, npp=OTHER_NPP, registered_on="2026-08-03")) == set(), (
        "the agency"
    )
    town.office.register(person(MINE, segment="BPU", npp="", registered_on="2026-07-02"))
    assert added == memberships.TOLD.keys(), "a fact without a row"


def test_whoever_tries_numbers_is_stopped_before_the_next_answer_and_an_honest_file_is_not(
    town: Peopled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guesses, "A_DAY", 3)
    bound = town.key("register", "post", npps=[int(OTHER_NPP)])
    fits = [person(NEW, 2, npp=OTHER_NPP), person(MINE, npp=OTHER_NPP, registered_on="2026-02-02")]
    guess = person(THEIRS, 4, npp=OTHER_NPP, registered_on="2026-02-02")
    paid = line(THEIRS, npp=OTHER_NPP, nik=nik(7))

    def send(path: str, rows: list[dict[str, object]], headers: dict[str, str] = bound, **params: str) -> str:
        """The code of a refusal of the whole; "" for a receipt, which may refuse each line."""
        answer = town.client.post(path, headers=headers, json=rows, params=params)
        assert (answer.status_code == 429) == ("code" in answer.json())
        return str(answer.json().get("code", ""))

    for _ in range(3):
        assert send(PATH, fits, dry_run="true") == ""
    assert send(PATH, fits) == ""
    assert send(PATH, [guess], dry_run="true") == ""
    assert send("/v1/contributions", [paid], dry_run="true") == ""
    head = town.log.head()
    assert send(PATH, [guess, guess | {"kpj": MINE}], dry_run="true") == "too-many-guesses"
    assert send(PATH, [guess, person("26000000041", 5, npp=OTHER_NPP)]) == "too-many-guesses"
    assert send("/v1/contributions", [paid], dry_run="true") == "too-many-guesses"
    assert town.log.head() == head, "nothing was recorded"
    assert send(PATH, fits) == "", "what fits what is registered always goes through"
    assert send(PATH, [guess], town.key("register", npps=[int(OTHER_NPP)]), dry_run="true") == "", "another key"
    assert send(PATH, [guess] * 5, town.key("register"), dry_run="true") == "", "the agency's own keys are not counted"


def test_each_code_that_tells_something_of_a_person_or_a_card_is_known() -> None:
    known = sentences().keys()
    assert known >= guesses.TELLING
    # What depends on the file, its payer or the day alone tells nothing of anybody; a new code must be put on one side.
    assert {code for code in known if code.startswith(("nik-", "name-", "identity-", "kpj-"))} - guesses.TELLING <= {
        "nik-unreadable", "nik-cut", "nik-structure", "nik-birth-date-differs", "nik-sex-differs", "identity-not-seen",
        "kpj-unreadable", "kpj-legacy", "kpj-old-unsaid", "nik-of-another-person",
    }  # fmt: skip
