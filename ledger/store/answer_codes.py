"""Answer codes: what a statement, a letter or an SMS was answered by, in a code short enough to be typed.

A code holds the question, never a figure: which card, up to which day, known up to which log position. Asked again it gives
the same figures for ever (`known_at`). It is encrypted and authenticated, and nothing is stored for it:

    5 or 8 bytes   the card, masked under the log's secret
    8              HMAC-SHA256, cut, over card, question and the fingerprint of the event at the position
    6 to 13        the question, masked: shape, kind, language, day, position, a statement's first day, and the day on which
                   it was made where that is neither its last day nor the day of the position

Question and proof are keyed with the key of the person who holds the card. Both keys are wrapped by the master key, not
derived from it, so a code outlives its replacement; it is dead once the person is erased, and so is one given to somebody
who turned out not to be the holder. One given for a record that was joined into the holder's opens with that record's key.
The mask of the question hangs on the proof (a synthetic IV, as RFC 5297 has it), so the same question has the same code.
After a restore that lost the event of the position no figures are given for it.

Written in 32 signs without I, L, O and U (Crockford), in groups of four: capitals or not, with or without the strokes, and
I, L, O typed for 1, 1, 0.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ledger.days import day_number, day_of
from ledger.errors import NotFound
from ledger.store import account_index
from ledger.store.log import Log
from ledger.store.vault import Vault

KINDS = ("balance", "statement", "letter", "sms")
"""On what it was given. A statement has a first day as well."""
STATEMENT, LETTER, SMS = "statement", "letter", "sms"
LANGUAGES = ("id", "en")
LONGEST = 64
"""Signs of a code as it may be typed, strokes and blanks included."""
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TYPED = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})
_VALUES = {sign: value for value, sign in enumerate(_ALPHABET)}
_PROOF, _DAY, _GROUP = 8, 2, 4
_CARDS = (5, 8)
"""Bytes of a card: of eleven digits, or any."""
_POSITIONS = (3, 4, 5, 6)
_PURPOSE = b"jht answer code 1 "


class Question(NamedTuple):
    """What was answered: the card's savings at the end of `as_of`, as known at a log position. `since`: the first day of a
    statement, None for every other kind; `told_on`: the day on which its gaps were told, None where that is the later one of
    `as_of` and the day of the position. Days from 1970 to 2149."""

    card: int
    kind: str
    as_of: date
    position: int
    language: str
    since: date | None = None
    told_on: date | None = None


class AnswerCodes:
    """Codes of a ledger. Blocking; thread-safe."""

    def __init__(self, log: Log, vault: Vault) -> None:
        self._log, self._vault = log, vault

    def seal(self, question: Question) -> str:
        """The code of an answer, in groups of four. Raises NotFound(person-erased), and as `seal_all`."""
        (code,) = self.seal_all([question])
        if code is None:
            raise NotFound("person-erased")
        return code

    def seal_all(self, questions: Sequence[Question]) -> list[str | None]:
        """The codes of answers in their order, with one look-up for all; None for one about somebody who was erased.

        Raises NotFound(account-not-found), Unavailable(vault-rotating); ValueError for a position that the log does not
        have, and for days that have no code.
        """
        marks = {position: self._mark(position) for position in {one.position for one in questions}}
        keys = self._keys([one.card for one in questions])
        found: list[str | None] = []
        for one in questions:
            if one.card not in keys:
                raise NotFound("account-not-found")
            key, mark = keys[one.card], marks[one.position]
            if mark is None:
                raise ValueError(f"no event at {one.position}")
            found.append(_written(self._sealed(one, key, mark)) if key is not None else None)
        return found

    def open(self, code: str) -> Question:
        """The question behind a code as it was typed. Raises NotFound(answer-code-unknown): no code of this ledger, or of
        somebody who was erased; Unavailable(vault-rotating)."""
        data = _read(code)
        for size in _CARDS:
            masked, rest = data[:size], data[size:]
            if len(rest) < _PROOF + 1 + _DAY + _POSITIONS[0]:
                break
            card = int.from_bytes(_masked(masked, self._mask(rest)), "big")
            # A card that nobody can have is none of ours.
            for key in self._keys_ever(card) if card < 2**63 else ():
                if (question := self._opened(card, rest, key)) is not None:
                    return question
        raise NotFound("answer-code-unknown")

    def _opened(self, card: int, rest: bytes, key: bytes) -> Question | None:
        proof, body = rest[:_PROOF], rest[_PROOF:]
        asked = _masked(body, hmac.digest(key, _PURPOSE + b"mask" + proof, "sha256"))
        question = _question(card, asked)
        mark = self._mark(question.position) if question is not None else None
        if mark is None or not hmac.compare_digest(_proof(key, card, asked, mark), proof):
            return None
        return question

    def _sealed(self, question: Question, key: bytes, mark: str) -> bytes:
        asked = _asked(question)
        proof = _proof(key, question.card, asked, mark)
        rest = proof + _masked(asked, hmac.digest(key, _PURPOSE + b"mask" + proof, "sha256"))
        size = next(size for size in _CARDS if question.card < 256**size)
        return _masked(question.card.to_bytes(size, "big"), self._mask(rest)) + rest

    def _mask(self, rest: bytes) -> bytes:
        return bytes.fromhex(self._log.hmac("answer code 1", rest))

    def _mark(self, position: int) -> str | None:
        """The fingerprint of the event at a position, None where there is none: another log's event makes another code."""
        return self._log.fingerprint_at(position) or None

    def _keys(self, cards: Sequence[int]) -> dict[int, bytes | None]:
        """Card -> the key of who holds it, None of somebody who was erased; of those that are there."""
        with self._log.database.read() as tx:
            held = account_index.cards(tx, cards)
            keys = self._vault.keys_of(tx, [card.person for card in held.values()])
        return {number: keys.get(card.person) for number, card in held.items()}

    def _keys_ever(self, card: int) -> list[bytes]:
        """The key of who holds a card, then those of the records that were joined into the holder's."""
        with self._log.database.read() as tx:
            held = account_index.cards(tx, [card]).get(card)
            if held is None:
                return []
            own, joined = self._vault.keys_of(tx, [held.person]), self._vault.joined_keys(tx, held.person)
        return [*own.values(), *joined.values()]


def _proof(key: bytes, card: int, asked: bytes, mark: str) -> bytes:
    text = _PURPOSE + b"proof" + card.to_bytes(8, "big") + asked + mark.encode()
    return hmac.digest(key, text, "sha256")[:_PROOF]


def _masked(data: bytes, mask: bytes) -> bytes:
    return bytes(one ^ two for one, two in zip(data, mask, strict=False))


def _asked(question: Question) -> bytes:
    """Shape (2 bits: 1 where there is a day of making), kind (3), language (1), length of the position (2); the day, the
    position, the first day, the day of making."""
    size = next(size for size in _POSITIONS if question.position < 256**size)
    shape = int(question.told_on is not None)
    head = shape << 6 | KINDS.index(question.kind) << 3
    head |= LANGUAGES.index(question.language) << 2 | _POSITIONS.index(size)
    if (question.since is not None) != (question.kind == STATEMENT) or (shape and question.since is None):
        raise ValueError("a statement alone has a first day, and a day of making")
    days = [_day_bytes(day) for day in (question.as_of, question.since, question.told_on) if day is not None]
    return bytes([head]) + days[0] + question.position.to_bytes(size, "big") + b"".join(days[1:])


def _question(card: int, asked: bytes) -> Question | None:
    """The inverse of `_asked`, None for what it never makes."""
    head = asked[0]
    shape, kind, size = head >> 6, head >> 3 & 7, _POSITIONS[head & 3]
    if kind >= len(KINDS) or shape > int(KINDS[kind] == STATEMENT):  # what no code has yet
        return None
    more = (1 + shape) * int(KINDS[kind] == STATEMENT)
    position, after = int.from_bytes(asked[1 + _DAY : 1 + _DAY + size], "big"), asked[1 + _DAY + size :]
    if len(asked) != 1 + _DAY + size + _DAY * more or not position:
        return None
    days = [day_of(int.from_bytes(after[at : at + _DAY], "big")) for at in range(0, _DAY * more, _DAY)]
    since, told_on = days[0] if more else None, days[1] if shape else None
    as_of = day_of(int.from_bytes(asked[1 : 1 + _DAY], "big"))
    return Question(card, KINDS[kind], as_of, position, LANGUAGES[head >> 2 & 1], since, told_on)


def _day_bytes(day: date) -> bytes:
    number = day_number(day)
    if not 0 <= number < 256**_DAY:
        raise ValueError(f"no code for {day}")
    return number.to_bytes(_DAY, "big")


def _written(data: bytes) -> str:
    bits = len(data) * 8
    signs = -(-bits // 5)
    number = int.from_bytes(data, "big") << (signs * 5 - bits)
    text = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(signs)))
    return "-".join(text[at : at + _GROUP] for at in range(0, signs, _GROUP))


def _read(code: str) -> bytes:
    """The bytes of a code as it was typed; b"" for what is none, also one with bits left over that are not 0."""
    text = code.upper().translate(_TYPED) if len(code) <= LONGEST else ""
    if any(sign not in _VALUES for sign in text):
        return b""
    number = 0
    for sign in text:
        number = number << 5 | _VALUES[sign]
    size, spare = divmod(len(text) * 5, 8)
    if spare >= 5 or number & (1 << spare) - 1:
        return b""
    return (number >> spare).to_bytes(size, "big")
