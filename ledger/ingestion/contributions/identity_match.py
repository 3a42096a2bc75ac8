"""Whether the NIK and name beside a KPJ are its holder's: compared while a file is read, and never stored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from ledger.decisions.amounts import Ints
from ledger.decisions.card import Card
from ledger.ingestion.contributions.upload import Upload
from ledger.store.database import Transaction
from ledger.store.vault import People

_WORD = re.compile(r"[a-z]{2,}")


class Holders:
    """Persons by NIK, and the names of persons, for the lines that are looked at together."""

    def __init__(self, by_nik: dict[str, str], names: dict[str, str]) -> None:
        self._by_nik, self._names = by_nik, names

    def compare(self, upload: Upload, row: int, card: Card | None) -> tuple[str, str]:
        """(code, `suspended` or `warning`) when the file's NIK or name is not the holder's, else ('', '').

        A wrong NIK would pay a stranger; a name is only spelled in many ways, so without a NIK it must share a word.
        """
        nik = upload.nik[row] if upload.nik else ""
        name = upload.name[row] if upload.name else ""
        if card is None:
            return "", ""
        if nik and self._by_nik.get(nik) != card.person:
            return "nik-differs", "suspended"
        held = self._names.get(card.person, "")
        if not name or not held or words(name) == words(held):
            return "", ""
        if nik:
            return "name-spelled-differently", "warning"
        return ("", "") if set(words(name)) & set(words(held)) else ("name-differs", "suspended")


def words(name: str) -> list[str]:
    """The words of a name without accents, marks and letter case: `Siti Nur'aini, S.E.` -> siti nur aini."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _WORD.findall(plain)


def holders_with(
    people_by_nik: Callable[[Transaction, Sequence[str]], dict[str, str]],
    data_of: Callable[[Transaction, Sequence[str]], People],
) -> Callable[[Transaction, Iterable[tuple[Upload, Ints]], dict[int, Card]], Holders]:
    """The look-up of `Holders` (for rows of uploads) from the vault's two questions: who has these NIKs, and who are these
    persons."""

    def look_up(tx: Transaction, lines: Iterable[tuple[Upload, Ints]], cards: dict[int, Card]) -> Holders:
        niks, persons = set[str](), set[str]()
        for u, rows in lines:
            for row in rows.tolist() if u.nik or u.name else ():
                if u.nik and u.nik[row]:
                    niks.add(u.nik[row])
                card = cards.get(int(u.card[row]))
                if card is not None and u.name and u.name[row]:
                    persons.add(card.person)
        # Whose record cannot be read, or who was erased, has no name to compare with; the NIK is compared all the same.
        held = data_of(tx, sorted(persons)).data if persons else {}
        return Holders(people_by_nik(tx, sorted(niks)), {who: identity.name for who, (identity, _) in held.items()})

    return look_up
