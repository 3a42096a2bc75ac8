"""The rules of the house that a program can check, each with file and line of what breaks it."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ledger.errors import Problem, sentences
from ledger.ingestion.readers.reading import REFUSALS

ROOT = Path(__file__).parents[1]
BELOW = {"ledger": {"projections", "api", "tests"}, "projections": {"api", "tests"}, "api": {"tests"}}
MONEY = (
    "ledger/money.py", "ledger/rules.py", "ledger/decisions/amounts.py", "ledger/decisions/remittance_months.py",
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "ledger/decisions/remittance").glob("*.py"))),
    "ledger/decisions/month_difference.py", "ledger/store/account_index.py", "projections/balances.py",
    "projections/entries.py", "ledger/yields.py", "ledger/decisions/scheme.py",
)  # fmt: skip
PURE = (
    "ledger/money.py", "ledger/days.py", "ledger/rules.py", "ledger/identifiers.py", "ledger/events/remittance.py",
    "ledger/events/lines.py", "ledger/members/state.py",
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "ledger/decisions").rglob("*.py"))),
    "ledger/ingestion/contributions/upload.py", "ledger/ingestion/contributions/check.py",
    "ledger/ingestion/contributions/decide.py", "ledger/ingestion/contributions/declared.py",
    "projections/balances.py", "projections/entries.py", "projections/event_batch.py", "ledger/yields.py",
    "ledger/decisions/scheme.py",
)  # fmt: skip
IMPURE = {"time", "random", "secrets", "uuid"}
CLOCKS = {"now", "utcnow", "today"}
BANNED = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "service", "services"}
TOLD_BY_NAME = re.compile(r"[a-z]+(?:-[a-z0-9]+)+|internal")


@cache
def sources() -> dict[str, ast.Module]:
    """Every source file of the three packages, parsed."""
    found = {}
    for package in BELOW:
        for path in sorted((ROOT / package).rglob("*.py")):
            found[path.relative_to(ROOT).as_posix()] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def _imports(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    package = path.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            yield node.lineno, ".".join([*above, node.module or ""])


def test_imports_run_one_way() -> None:
    wrong = [
        f"{path}:{number}: {path.split('/')[0]} imports {name}"
        for path, tree in sources().items()
        for number, name in _imports(path, tree)
        if name.split(".")[0] in BELOW[path.split("/")[0]]
    ]
    assert not wrong, "\n".join(wrong)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)  # a path's


def test_money_is_never_a_float() -> None:
    wrong = []
    for path in MONEY:
        for node in ast.walk(sources()[path]):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                wrong.append(f"{path}:{node.lineno}: the float {node.value}")
            elif isinstance(node, ast.Name) and node.id == "float":
                wrong.append(f"{path}:{node.lineno}: float")
            elif isinstance(node, ast.Attribute) and node.attr in {"float64", "float32", "Float64"}:
                wrong.append(f"{path}:{node.lineno}: {node.attr}")
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not _is_text(node.right):
                wrong.append(f"{path}:{node.lineno}: a division that makes a float")
    assert not wrong, "\n".join(wrong)


def _impure(path: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for name in IMPURE & {one.split(".")[0] for one in names}:
                yield f"{path}:{node.lineno}: imports {name}"
            if isinstance(node, ast.ImportFrom) and any(alias.name == "read_now" for alias in node.names):
                yield f"{path}:{node.lineno}: imports the clock"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield f"{path}:{node.lineno}: asks a clock: .{node.func.attr}()"


def test_decisions_and_folds_ask_no_clock_and_draw_nothing() -> None:
    wrong = [told for path in PURE for told in _impure(path, sources()[path])]
    assert not wrong, "\n".join(wrong)


def test_a_file_is_named_for_a_noun() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: a name that says nothing"
        for package in (*BELOW, "tests")
        for path in (ROOT / package).rglob("*.py")
        if {path.stem, *path.relative_to(ROOT).parts[:-1]} & BANNED
    ]
    assert not wrong, "\n".join(wrong)


def test_every_module_says_what_it_is() -> None:
    wrong = [f"{path}:1: no docstring" for path, tree in sources().items() if tree.body and not ast.get_docstring(tree)]
    assert not wrong, "\n".join(wrong)


def test_the_docstring_of_a_package_is_its_map() -> None:
    """Every module stands in it, and no module that is gone: a newcomer looks there first."""
    wrong = []
    for path, tree in sources().items():
        folder, _, name = path.rpartition("/")
        if name != "__init__.py" or folder == "api/cli":  # a command's file is named as it is typed
            continue
        text = ast.get_docstring(tree) or ""
        modules = {
            entry.stem for entry in (ROOT / folder).iterdir()
            if (entry.suffix == ".py" and entry != ROOT / path) or (entry / "__init__.py").exists()
        }  # fmt: skip
        wrong += [f"{path}:1: says nothing of {one}" for one in modules if not re.search(rf"\b{one}\b", text)]
        listed = re.findall(r"^ *((?:\w+/?, )*\w+/?) {2,}\S", text, re.MULTILINE)
        names = {one.strip(" /") for some in listed for one in some.split(",")}
        wrong += [f"{path}:1: names {one}, which is not there" for one in names - modules]
    assert not wrong, "\n".join(sorted(wrong))


def _told(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, code) of every code that is raised or made into a problem by its name."""
    makers = {"Problem", "Refused", "NotFound", "Conflict", "NotAllowed", "Unavailable", "StoreFailed", "BrokenLog",
              "JhtError", "Bad"}  # fmt: skip
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in makers
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ):
            yield node.lineno, node.args[0].value


def _words(tree: ast.Module) -> set[str]:
    """Every word of every text in a file that is not a docstring: codes also stand in tables and lists."""
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented
    ]
    return {word for text in texts if text.isascii() for word in TOLD_BY_NAME.findall(text)}


def test_what_an_input_is_refused_with_stands_in_one_list() -> None:
    """The routes of uploads tell their callers this list."""
    refused = {
        node.args[0].value
        for path, tree in sources().items()
        if path.startswith("ledger/ingestion/readers/") or path == "ledger/layouts.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Refused"
        and isinstance(node.args[0], ast.Constant)
    }
    assert refused == set(REFUSALS)


def test_every_code_that_is_told_has_its_sentences() -> None:
    wrong = [
        f"{path}:{number}: the code {code} is not in codes.toml"
        for path, tree in sources().items()
        for number, code in _told(tree)
        if code and code not in sentences()
    ]
    assert not wrong, "\n".join(wrong)


def test_every_code_in_the_list_is_told_somewhere() -> None:
    # `problems.py` only maps codes to statuses: a code that stands nowhere else is told by nobody.
    used = set().union(*(_words(tree) for path, tree in sources().items() if path != "api/problems.py"))
    used |= {code for _, code in _told(sources()["api/problems.py"])}
    used |= {word for word in _words(sources()["api/problems.py"]) if word in {"route-unknown", "method-wrong"}}
    lines = (ROOT / "ledger/codes.toml").read_text(encoding="utf-8").splitlines()
    wrong = [
        f"ledger/codes.toml:{lines.index(f'[{code}]') + 1}: nothing tells the code {code}"
        for code in sentences()
        if code not in used
    ]
    assert not wrong, "\n".join(wrong)


def test_every_sentence_stands_in_both_languages_and_can_be_said_without_details() -> None:
    wrong = []
    for code, sentence in sentences().items():
        places = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (sentence.id, sentence.en)
        ]
        if places[0] != places[1]:
            wrong.append(f"{code}: other details in the two languages: {places}")
        for language in ("id", "en"):
            said = Problem(code).say(language)
            if "{" in said or not said.endswith(".") or (not said[0].isupper() and said[0] not in "'\""):
                wrong.append(f"{code}: {said}")
        if sentence.id == sentence.en:
            wrong.append(f"{code}: the same in both languages")
    assert not wrong, "\n".join(wrong)


def test_no_file_of_the_project_names_a_machine() -> None:
    wrong = []
    for path in [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml", *(ROOT / "tests").rglob("*.py")]:
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"(?<![\w.])/(?:work|root|home)/\w", text):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: a path of one machine: {text.strip()[:60]}")
    for name, tree in sources().items():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and re.match(r"/(work|root|home)/", node.value)
            ):
                wrong.append(f"{name}:{node.lineno}: a path of one machine")
    assert not wrong, "\n".join(wrong)
