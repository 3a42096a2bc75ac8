"""Answer codes: what they hold comes back, what they hide is hidden, and nothing else is taken for one."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from ledger.days import day_of
from ledger.errors import JhtError, NotFound
from ledger.identifiers import card_number
from ledger.members import Members
from ledger.store import account_index, answer_codes
from ledger.store.answer_codes import KINDS, LANGUAGES, STATEMENT, AnswerCodes, Question
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.conftest import MASTER_KEY
from tests.office import Office, only, person, staffed

CARD, SECOND, LEGACY = "26000000017", "26000000025", "00A1234"
SIGNS = answer_codes._ALPHABET


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    with staffed(log, CARD, SECOND) as made:
        yield made


@pytest.fixture
def codes(office: Office) -> AnswerCodes:
    return AnswerCodes(office.log, office.vault)


def question(kpj: str = CARD, position: int = 3, as_of: date = date(2026, 2, 10), kind: str = "balance") -> Question:
    since = date(2025, 1, 1) if kind == STATEMENT else None
    return Question(card_number(kpj), kind, as_of, position, "id", since)


def is_refused(codes: AnswerCodes, text: str) -> bool:
    with pytest.raises(NotFound) as raised:
        codes.open(text)
    return raised.value.code == "answer-code-unknown"


def test_a_code_gives_its_question_back(codes: AnswerCodes) -> None:
    chance = random.Random(1)
    asked = [
        Question(
            card_number(chance.choice((CARD, SECOND))), kind, day_of(chance.randrange(2**16)), chance.randint(1, 5),
            language, day_of(chance.randrange(2**16)) if kind == STATEMENT else None,
        )
        for kind in KINDS
        for language in LANGUAGES
    ]  # fmt: skip
    asked += [one._replace(told_on=day_of(chance.randrange(2**16))) for one in asked if one.kind == STATEMENT]
    made = codes.seal_all(asked)
    assert [codes.open(code) for code in made] == asked
    assert made == [codes.seal(one) for one in asked], "the same question has the same code"
    assert len(set(made)) == len(made)


def test_a_code_can_be_typed_and_is_short(codes: AnswerCodes) -> None:
    code = codes.seal(question())
    assert re.fullmatch(rf"([{SIGNS}]{{4}}-){{7}}[{SIGNS}]{{3}}", code)
    assert not set("ILOU") & set(SIGNS)
    assert len(codes.seal(question(kind=STATEMENT)).replace("-", "")) == 34
    told = question(kind=STATEMENT)._replace(told_on=date(2026, 3, 2))
    assert len(codes.seal(told).replace("-", "")) == 37
    with pytest.raises(ValueError, match="statement"):
        codes.seal(question()._replace(told_on=date(2026, 3, 2)))
    typed = code.lower().replace("-", " ").replace("1", "l").replace("0", "o")
    for other in (typed, code.replace("-", ""), f" {code} ", typed.replace("l", "i")):
        assert codes.open(other) == question()


def test_one_changed_sign_is_refused_and_so_is_what_is_cut_or_added(codes: AnswerCodes) -> None:
    told = question(kind=STATEMENT)._replace(told_on=date(2026, 3, 2))
    for asked in (question(), question(kind=STATEMENT), told):
        code = codes.seal(asked).replace("-", "")
        for place in range(len(code)):
            for sign in SIGNS:
                if sign != code[place]:
                    assert is_refused(codes, code[:place] + sign + code[place + 1 :]), (place, sign)
        for other in (code[:-1], code + "0", code[1:], "0" + code, code * 2, code[::-1], ""):
            assert is_refused(codes, other)
    for text in ("Budi", "U" * 32, "0" * 32, "Z" * 34, "é" * 31, "\0", "1" * 10_000, "-" * 40):
        assert is_refused(codes, text)


def test_nothing_can_be_read_from_a_code(codes: AnswerCodes) -> None:
    """Not the card, not that two codes are of one card, not how far apart their days and positions are."""
    asked = [question(as_of=date(2026, 1, 1) + timedelta(days=one), position=1 + one % 5) for one in range(200)]
    found = [code.replace("-", "") for code in codes.seal_all(asked)]
    assert len(set(found)) == 200
    for place in range(30):
        assert len({code[place] for code in found}) > 20, place
    number = int(CARD)
    for code in found:
        data = answer_codes._read(code)
        assert number.to_bytes(5, "big") not in data
        assert CARD not in code


def test_a_code_belongs_to_its_ledger(codes: AnswerCodes, office: Office) -> None:
    code = codes.seal(question())
    secret, office.log.secret = office.log.secret, bytes(32)
    assert is_refused(codes, code)
    office.log.secret = secret
    assert codes.open(code) == question()


def test_a_code_outlives_the_master_key(codes: AnswerCodes, office: Office) -> None:
    made = codes.seal_all([question(), question(SECOND, kind=STATEMENT)])
    new = bytes(range(32))
    Members.open(office.log, office.vault).rotate(new)
    assert codes.seal_all([question(), question(SECOND, kind=STATEMENT)]) == made
    again = Log.open(office.log.settings)
    try:
        later = AnswerCodes(again, Vault(again, new))
        assert [later.open(code) for code in made] == [question(), question(SECOND, kind=STATEMENT)]
    finally:
        again.close()
    assert new.hex() != MASTER_KEY


def test_a_code_is_dead_once_its_person_is_erased_and_nobody_elses_is(codes: AnswerCodes, office: Office) -> None:
    mine, other = codes.seal_all([question(), question(SECOND)])
    with office.log.database.read() as tx:
        holder = account_index.cards(tx, [card_number(CARD)])[card_number(CARD)].person
    with office.log.database.write() as tx:
        office.vault.erase(tx, holder)
    assert is_refused(codes, mine)
    assert codes.open(other) == question(SECOND)
    with pytest.raises(JhtError) as raised:
        codes.seal(question())
    assert raised.value.code == "person-erased"
    assert codes.seal_all([question(), question(SECOND)]) == [None, other]


def test_a_code_of_a_position_where_something_else_stands_is_refused(codes: AnswerCodes, office: Office) -> None:
    """An older log was put back and went on."""
    position = office.log.head()
    code = codes.seal(question(position=position))
    with office.log.database.write() as tx:
        tx.run(f"update {office.log.table} set topic = 'other.v1' where {office.log.key} = ?", [position])
    assert is_refused(codes, code)


def test_what_has_no_code_is_not_given_one(codes: AnswerCodes) -> None:
    with pytest.raises(NotFound) as raised:
        codes.seal(question(LEGACY))
    assert raised.value.code == "account-not-found"
    for wrong in (
        question(position=99), question(position=0), question(as_of=date(1969, 12, 31)), question(as_of=date(2150, 1, 1)),
        question()._replace(since=date(2025, 1, 1)), question(kind=STATEMENT)._replace(since=None),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"no event|no code|statement"):
            codes.seal(wrong)


def test_an_old_card_has_codes_as_well(codes: AnswerCodes, office: Office) -> None:
    receipt = office.register(person(LEGACY, 3), old_cards=True)
    assert only(receipt).code == "kpj-legacy"
    asked = [question(LEGACY), question(LEGACY, kind=STATEMENT)]
    assert [codes.open(code) for code in codes.seal_all(asked)] == asked
