"""The statements of a year for all members, one file a card: from one log position, whenever the run is begun again.

A folder belongs to one run: `run.json` says of which year, language, log, position and site, and since when. Each file is
written beside its place and renamed, so a file that is there is whole and is not made again; a run that was killed goes on
where it was and makes the same files. Cards come in the order of their numbers, a slice at a time: memory does not grow
with them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from api.statement.code import one_of_many, told_on
from api.statement.paper import Head, holder_of, paper
from ledger.clock import jakarta_date
from ledger.decisions.person import Identity
from ledger.errors import JhtError, Refused
from ledger.identifiers import kpj_of
from ledger.output_file import writing
from ledger.store.answer_codes import STATEMENT, AnswerCodes, Question
from ledger.store.known_at import at_position
from ledger.store.log import Log, position_text
from ledger.store.vault import Vault
from projections.card_statement import read_many
from projections.queries import Queries
from projections.statement import Statement, year_of

SLICE = 200
FILE = "run.json"
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700


class Run(msgspec.Struct, frozen=True):
    """What a folder holds: statements of `year` in `language`, from a log up to a position; `begun`: an ISO moment; `site`:
    the address that the papers name, "" for none."""

    year: int
    language: str
    log_id: str
    position: int
    begun: str
    site: str = ""


class Slice(NamedTuple):
    """What became of some cards: files that were made or there already, cards with nothing to state, and cards whose
    statement cannot be told now, by code."""

    made: int
    there: int
    empty: int
    failed: dict[int, str]


def begin(folder: Path, wanted: Run) -> Run:
    """The run of a folder: `wanted`, or the one that was begun there. Raises Refused(statements-run-differs), and
    Refused(file-unwritable), StoreFailed(disk-full)."""
    place = folder / FILE
    with writing():
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        if not place.exists():
            write(place, msgspec.json.encode(wanted))
            return wanted
        content = place.read_bytes()
    try:
        held = msgspec.json.decode(content, type=Run)
    except msgspec.DecodeError:
        raise Refused("statements-run-differs", held="?") from None
    if (held.year, held.language, held.log_id) != (wanted.year, wanted.language, wanted.log_id):
        raise Refused("statements-run-differs", held=f"{held.year}, {held.language}, {held.log_id}")
    return held


def write(place: Path, content: bytes) -> None:
    """A file that nobody else may read, whole or not at all."""
    unfinished = place.with_name(place.name + ".part")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    unfinished.replace(place)


def place_of(folder: Path, card: int) -> Path:
    """`<folder>/017/26000000017.pdf`: a thousand folders, or one would hold millions of files."""
    kpj = kpj_of(card)
    return folder / kpj[-3:] / f"{kpj}.pdf"


def statements(folder: Path, run: Run, log: Log, reader: Queries, vault: Vault, now: datetime) -> Iterator[Slice]:
    """Make the files of a run, slice by slice. Raises Unavailable where nothing can be told, Refused(file-unwritable),
    StoreFailed(disk-full)."""
    moment = datetime.fromisoformat(run.begun)
    day = jakarta_date(moment)
    period = year_of(run.year, day)
    position, codes = position_text(run.log_id, run.position), AnswerCodes(log, vault)
    told = told_on(period, at_position(log, run.position).day, day)
    last = -1
    while cards := reader.cards_after(last, SLICE):
        last = cards[-1][0]
        todo = {card: person for card, person in cards if not place_of(folder, card).exists()}
        found = read_many(log, reader, vault, list(todo), now, period, day, run.position)
        with log.database.read() as tx:
            people = vault.data_of(tx, sorted(set(todo.values())))
        failed: dict[int, str] = {}
        ready: dict[int, tuple[Statement, Identity]] = {}
        empty = 0
        for card, person in todo.items():
            try:
                one, who = _told(found[card]), people.of(person)
            except JhtError as error:
                failed[card] = error.code
                continue
            # Who was erased has no money and no name; a card without anything in the year has nothing to state.
            if who is None or one is None or _is_empty(one):
                empty += 1
            else:
                ready[card] = (one, who[0])
        question = Question(0, STATEMENT, period.until, run.position, run.language, period.since, told)
        asked = [question._replace(card=card) for card in ready]
        for (card, (one, identity)), code in zip(ready.items(), codes.seal_all(asked), strict=True):
            head = Head(kpj_of(card), one.segment, holder_of(identity), moment, position, code or "", run.site)
            content = paper(one, head, lambda npp, name: name, run.language, one_of_many)
            place = place_of(folder, card)
            with writing():
                place.parent.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
                write(place, content)
        yield Slice(len(ready), len(cards) - len(todo), empty, failed)


def _told(found: Statement | JhtError) -> Statement | None:
    """The statement, None where an opening balance says that the year lies before this ledger, and of a card that was not
    known yet at the run's position. Raises its error."""
    if isinstance(found, JhtError):
        if found.code in {"statement-before-opening", "account-not-yet-known"}:
            return None
        raise found
    return found


def _is_empty(found: Statement) -> bool:
    return not (found.opening.total or found.closing.total or found.lines or found.gaps)
