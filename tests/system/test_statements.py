"""`jht statements` as it is typed: every card has its file, killed anywhere it goes on and makes the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ledger.acts.scheme import scheme_of
from ledger.settings import Settings
from ledger.store.log import Log
from tests.office import NPP, Office, line
from tests.system.running import jht, killed_when

CARDS = tuple(f"2600000{n:04d}" for n in range(100, 140))


def _paid(settings: Settings, *cards: str, month: str = "2025-11", paid_on: str = "2025-12-10") -> None:
    log = Log.open(settings)
    office = Office(log)
    office.contribute(
        *(line(card, month=month, paid_on=paid_on) for card in cards), request=f"{month}{paid_on}{len(cards)}"
    )
    office.close()
    log.close()


def _begun(settings: Settings) -> None:
    log = Log.open(settings)
    office = Office(log)
    office.employers(NPP)
    office.workers(*CARDS)
    office.close()
    log.close()
    _paid(settings, *CARDS)


def _files(folder: Path) -> dict[str, str]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.name for path in found if path.suffix not in {".pdf", ".json"}] == []
    assert {path.stat().st_mode & 0o777 for path in found} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_dir()} == {0o700}
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found if path.suffix == ".pdf"}


def test_a_run_that_is_killed_goes_on_and_makes_the_same_files(settings: Settings, tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    _begun(settings)
    ask = ("statements", "--year", "2025", "--out", out)
    assert "scheme-not-started" in jht(settings, *ask, code=2).stderr
    jht(settings, "yield", "start", "2025")
    assert "statements-undeclared" in jht(settings, *ask, code=2).stderr
    jht(settings, "yield", "declare", "2025", "--rate", "5.63", "--basis", "b", "--yes")
    assert not out.exists()
    killed_when(settings, lambda: len(list(out.rglob("*.pdf"))) > 5, *ask)
    half = _files_there(out)
    assert len(half) > 5
    told = jht(settings, *ask, "--json").json
    assert (told["made"] + told["there"], told["failed"]) == (len(CARDS), 0)
    assert told["there"] >= len(half)
    whole = _files(out)
    assert sorted(whole) == [f"{card}.pdf" for card in CARDS]
    assert {name: whole[name] for name in half} == half
    # Once more: nothing is made again, nothing recorded again.
    again = jht(settings, *ask, "--json").json
    assert (again["made"], again["there"], again["recorded"]) == (0, len(CARDS), None)
    assert _files(out) == whole
    log = Log.open(settings)
    (year, issued), = scheme_of(log).issued.items()  # fmt: skip
    assert (year, told["position"]) == (2025, f"{log.log_id}-{issued.position}")
    log.close()
    assert "statements-run-differs" in jht(settings, *ask, "--lang", "en", code=2).stderr
    # What came later is not in the papers of that position, and the next year's opening lists it.
    _paid(settings, CARDS[0], month="2025-12", paid_on="2025-12-20")
    next(out.rglob(f"{CARDS[0]}.pdf")).unlink()
    assert jht(settings, *ask, "--json").json["made"] == 1
    assert _files(out) == whole
    # Nor does it matter where the site has moved to since: the papers of a run name one address.
    moved = settings.model_copy(update={"public_url": "https://saldo.example"})
    next(out.rglob(f"{CARDS[1]}.pdf")).unlink()
    assert jht(moved, *ask, "--json").json["made"] == 1
    assert _files(out) == whole
    jht(moved, "statements", "--year", "2025", "--out", other)
    assert [moved.public_url in (folder / "run.json").read_text() for folder in (out, other)] == [False, True]
    changed = _files(other)
    assert changed[f"{CARDS[0]}.pdf"] != whole[f"{CARDS[0]}.pdf"]


def _files_there(folder: Path) -> dict[str, str]:
    """The whole files of a run that was killed."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.pdf")}
