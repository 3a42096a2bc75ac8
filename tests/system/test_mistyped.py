"""Every command wrong in every way a person would: the tree of commands itself is walked, so a new one is among them.

What `test_refusals.py` names one by one is here made for each command from what it takes: an option that does not exist,
a word too many, a word or a file that is none, and a store that is not there. Each is told with a code, both sentences and
an exit code, and nothing is done. What the command line library refuses by itself is walked in `test_typed_line.py`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from api.cli import COMMANDS, load
from ledger.errors import sentences
from ledger.settings import Settings
from tests.conftest import MASTER_KEY
from tests.office import NPP
from tests.system.conftest import CARD
from tests.system.running import environment, run
from tests.system.test_refusals import MISSING, ONE_STORE, REFUSED, TRY_AGAIN, refusal

GOOD = {
    "kpj": CARD, "layout": "contributions", "files": "-", "name": "sari", "scopes": "read", "id": "12ab", "npp": NPP,
    "address": "", "year": "2025", "tambahan": "0", "utama": "5.7", "until": "2026-10-31", "folder": f"{MISSING}/x",
    "file": f"{MISSING}/x", "projections": "balances", "rate": "5", "since": "2026-01-01", "key": "12ab",
    "new_key_file": f"{MISSING}/x",
}  # fmt: skip
"""A value for each argument by its name: what is wrong is wrong elsewhere."""
WITHOUT_A_LEDGER = {"master-key", "settings", "restore"}
"""They neither need nor open one."""
MAKES_ONE = {"init", "restore"}


class Typed(NamedTuple):
    """A command of the tree: its words, and click's command."""

    words: tuple[str, ...]
    command: Any

    @property
    def arguments(self) -> list[Any]:
        return [one for one in self.command.params if one.param_type_name == "argument"]

    @property
    def options(self) -> list[Any]:
        return [one for one in self.command.params if one.param_type_name == "option" and one.name != "help"]

    def whole(self) -> list[str]:
        """The command with a value for each argument and option that it must have."""
        must = [(one.opts[-1], GOOD.get(one.name, "x")) for one in self.options if one.required]
        given = (GOOD.get(one.name, "x") for one in self.arguments if one.required)
        return [*self.words, *given, *(part for pair in must for part in pair)]


def commands() -> Iterator[Typed]:
    """Every command that can be typed."""
    for name in COMMANDS:
        command = load(name)
        inner = getattr(command, "commands", None)
        if inner is None:
            yield Typed((name,), command)
            continue
        for below, one in inner.items():
            yield Typed((name, below), one)


ALL = list(commands())
IDS = [" ".join(one.words) for one in ALL]


@ONE_STORE
@pytest.mark.parametrize("typed", ALL, ids=IDS)
def test_a_command_that_cannot_be_understood_says_so_and_does_nothing(filled: Settings, typed: Typed) -> None:
    done = run(environment(filled), *typed.whole(), "--no-such-option")
    assert not refusal(done, REFUSED, "option-unknown"), done
    usage, code, *told = done.stderr.strip().splitlines()
    assert usage.startswith(f"Usage: jht {' '.join(typed.words)}"), done
    assert (code, len(told), done.stdout) == ("option-unknown", 2, ""), done


ANYTHING = ("", "\udcff{what}/-99999999999999999999\x1b[31m")
"""What nobody means."""
ASKED = [one for one in ALL if one.words[0] not in WITHOUT_A_LEDGER | {"serve"}]
"""A service that is not refused would not end."""


@ONE_STORE
@pytest.mark.parametrize("typed", ASKED, ids=[" ".join(one.words) for one in ASKED])
def test_whatever_is_typed_for_an_option_it_is_taken_or_refused_with_a_code(filled: Settings, typed: Typed) -> None:
    surroundings, faults = environment(filled), []
    for option in typed.options:
        # A file that is written where nobody looks is no mistake.
        if option.is_flag or option.type_descriptor.annotation is Path:
            continue
        words = [word for word in typed.whole() if word != option.opts[-1]] if option.required else typed.whole()
        for value in ANYTHING:
            done = run(surroundings, *words, f"{option.opts[-1]}={value}")
            named = [one for one in sentences() if re.search(rf"^{one}\b", done.stderr, re.MULTILINE)]
            if done.code and not (named and not refusal(done, done.code, named[0])):
                faults.append(f"jht {words} {option.opts[-1]}={value!r}: {done}")
            if "Traceback" in done.stderr:
                faults.append(f"jht {words} {option.opts[-1]}={value!r}: a traceback")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("typed", ALL, ids=IDS)
def test_without_a_ledger_it_says_how_to_make_one_and_without_a_server_that_it_is_away(
    tmp_path_factory: pytest.TempPathFactory, typed: Typed
) -> None:
    if typed.words[0] in WITHOUT_A_LEDGER:
        pytest.skip("it opens no ledger")
    folder = tmp_path_factory.mktemp("nowhere")
    places = {
        f"sqlite:///{folder / 'jht.db'}": (REFUSED, "ledger-missing"),
        "postgresql://jht:geheim@127.0.0.1:1/jht": (TRY_AGAIN, "store-unreachable"),
    }
    for url, (exit_code, code) in places.items():
        if typed.words[0] in MAKES_ONE and exit_code == REFUSED:
            continue
        done = run(environment(Settings(database_url=url, master_key=MASTER_KEY)), *typed.whole())
        if refusal(done, exit_code, code):
            # What was typed, or the place that it writes to, may be looked at first: then it is refused for that.
            named = [one for one in sentences() if re.search(rf"^{one}\b", done.stderr, re.MULTILINE)]
            assert named, (typed.words, done)
            assert not refusal(done, REFUSED, named[0]), (typed.words, done)
        assert "geheim" not in done.stdout + done.stderr
    assert list(folder.iterdir()) == []


PATHS = {
    (*typed.words, one.name): (typed, one)
    for typed in ALL
    for one in typed.command.params
    if one.type_descriptor.annotation is Path
}
"""Every argument and option that names a file or folder."""


@ONE_STORE
@pytest.mark.parametrize("place", PATHS, ids=" ".join)
def test_a_command_that_cannot_do_its_work_leaves_no_file(
    filled: Settings, tmp_path: Path, place: tuple[str, ...]
) -> None:
    """Whatever keeps it from the ledger: no ledger, no server, another master key, a rotation to another one, no key."""
    typed, param = PATHS[place]
    if typed.words[0] in WITHOUT_A_LEDGER:
        pytest.skip("it needs none")
    folder = tmp_path / "out"
    folder.mkdir()
    # A required one stands in `whole` with a value that is found nowhere.
    words = [word for word in typed.whole() if word != GOOD.get(param.name or "")]
    if param.param_type_name == "option":
        words = [word for word in words if word != param.opts[-1]] + [param.opts[-1]]
    good = environment(filled)
    without = {name: value for name, value in good.items() if name != "JHT_MASTER_KEY"}
    surroundings = {
        "no ledger": good | {"JHT_DATABASE_URL": f"sqlite:///{tmp_path / 'nowhere.db'}"},
        "no server": good | {"JHT_DATABASE_URL": "postgresql://jht:geheim@127.0.0.1:1/jht"},
        "another key": good | {"JHT_MASTER_KEY": "43" * 32},
        "no key": without | {"JHT_MASTER_KEY_FILE": f"{MISSING}/key"},
    }
    refused = []
    for why, these in surroundings.items():
        done = run(these, *words, folder / "made")
        if done.code == 0:  # a backup and an export need no master key
            assert why in {"another key", "no key"}, (why, done)
            (made,) = folder.iterdir()
            shutil.rmtree(made) if made.is_dir() else made.unlink()
            continue
        refused.append(why)
        assert "Traceback" not in done.stderr, (why, done)
        assert [path.name for path in folder.iterdir()] == [], (why, done)
    assert {"no ledger", "no server"} <= set(refused)
