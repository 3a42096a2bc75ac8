"""`make mutate`: small changes to the pure rules, decisions and folds, each of which some quick test must notice.

mutmut makes and runs them (`[tool.mutmut]` in pyproject.toml says of which files and with which tests). A change that no
test notices is a survivor. Each one stands in `mutants.toml` with the reason why it may; one that does not stand there fails
the run, and so does an entry that no survivor needs any more, where all mutants of its file were run.

    python -m tests.mutants                     everything
    python -m tests.mutants 'ledger.money*'     some of it
    python -m tests.mutants --told              only compare what the last run found
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
EXPLAINED = ROOT / "tests/mutants.toml"


class Mutant(NamedTuple):
    """A change of a function: its dotted name, and the lines that are taken out (-) and put in (+)."""

    function: str
    change: tuple[str, ...]

    def __str__(self) -> str:
        lines = "\n".join(self.change)
        return f"[[survivor]]\nfunction = \"{self.function}\"\nchange = '''\n{lines}\n'''\nwhy = \"\"\n"


class Kind(NamedTuple):
    """Changes that are all alike: the lines are the same once `only` (a regular expression) is taken out of them."""

    only: re.Pattern[str]
    why: str

    def meets(self, one: Mutant) -> bool:
        """Whether a change is of this kind."""
        out, into = ([self.only.sub("", line[2:]) for line in one.change if line[0] == sign] for sign in "-+")
        return bool(out) and out == into


def kinds() -> list[Kind]:
    """The kinds of survivors that need no entry each."""
    table = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))
    return [Kind(re.compile(one["only"]), one["why"]) for one in table["kind"]]


@cache
def stored() -> frozenset[str]:
    """The functions whose tests need a store: none of their mutants is asked about here."""
    return frozenset(tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))["stored"])


def explained() -> dict[Mutant, str]:
    """The survivors of `mutants.toml`, with the reason of each."""
    table = tomllib.loads(EXPLAINED.read_text(encoding="utf-8"))
    found: dict[Mutant, str] = {}
    for one in table["survivor"]:
        mutant = Mutant(one["function"], tuple(one["change"].strip("\n").split("\n")))
        assert one["why"].strip(), f"no reason is given for\n{mutant}"
        assert mutant not in found, f"explained twice:\n{mutant}"
        found[mutant] = one["why"]
    return found


def last_run() -> tuple[Counter[str], set[Mutant], set[str]]:
    """(how many mutants ended how, the survivors, the modules whose mutants were all run)."""
    from mutmut.mutation.data import SourceFileMutationData
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.stats import status_by_exit_code
    from mutmut.utils.file_utils import walk_mutatable_files

    ends, survivors, whole = Counter[str](), set[Mutant](), set[str]()
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        told = {name: status_by_exit_code[code] for name, code in data.exit_code_by_key.items()}
        ends.update(told.values())
        module = ".".join(Path(path).with_suffix("").parts)
        if told and "not checked" not in told.values():
            whole.add(module)
        for name, end in told.items():
            if f"{module}.{_readable(name)}" in stored():
                continue
            if end in ("survived", "no tests", "suspicious"):
                difference = get_diff_for_mutant(name, path=path).split("\n")[2:]
                change = tuple(line[0] + " " + line[1:].strip() for line in difference if line[:1] in "-+" and line[1:])
                survivors.add(Mutant(f"{module}.{_readable(name)}", change))
    return ends, survivors, whole


def _readable(name: str) -> str:
    """`ledger.rules.xǁPuRuleǁshares__mutmut_7` -> `PuRule.shares`."""
    function = name.rpartition(".")[2].partition("__mutmut_")[0]
    return function.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")


def main(arguments: list[str]) -> int:
    """Run and compare; how many things are wrong."""
    if arguments != ["--told"]:
        shutil.rmtree(ROOT / "mutants", ignore_errors=True)
        subprocess.run([sys.executable, "-m", "mutmut", "run", *arguments], cwd=ROOT, check=True)
    ends, survivors, whole = last_run()
    known, alike = explained(), kinds()
    of_a_kind = {one for one in survivors if any(kind.meets(one) for kind in alike)}
    new = sorted(survivors - known.keys() - of_a_kind)
    gone = sorted(one for one in known.keys() - survivors if any(one.function.startswith(f"{m}.") for m in whole))
    print(", ".join(f"{count} {end}" for end, count in ends.most_common()))
    print(f"{len(survivors) - len(new)} survivors are explained ({len(of_a_kind)} by their kind), {len(new)} are not")
    for one in new:
        print(f"\nno test notices this change:\n{one}")
    for one in gone:
        print(f"\nexplained, but a test notices it now; remove it from mutants.toml:\n{one}")
    return len(new) + len(gone)


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
