"""Whatever the command line library refuses by itself is told in this project's words: every command, every parameter.

The tree of commands is walked, so a new one is among them, and a parameter of a kind that is not known here fails until it
is. Nothing is run: what cannot be understood is refused before the command begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from api.cli import COMMANDS, app, load
from api.cli.typed_line import UsageError, refusal_of, shown_name
from ledger.errors import Refused
from tests.system.test_mistyped import ALL, IDS, Typed
from tests.test_style import ROOT

KINDS = {str, int, bool, Path, list[str]}
"""What parameters are. Of these only a number can be refused by the library for its value: a word, a file's name, and
what a list holds, is looked at by the command itself."""
GROUPS = [name for name in COMMANDS if hasattr(load(name), "commands")]


class Wrong(NamedTuple):
    """A line that cannot be understood, and the code that says why."""

    words: list[str]
    code: str


def without(typed: Typed, option: Any) -> list[str]:
    """The whole command without one option that it must have."""
    words = typed.whole()
    place = words.index(option.opts[-1])
    return words[:place] + words[place + 2 :]


def numbers(typed: Typed, param: Any) -> Iterator[Wrong]:
    bounded = param.min is not None and param.max is not None
    code = "whole-number-between" if bounded else "whole-number-wanted"
    for value in ("x", "1.5", "", " ", "1e3", "٣x", *((str(param.min - 1), str(param.max + 1)) if bounded else ())):
        if param.param_type_name == "option":
            words = without(typed, param) if param.required else typed.whole()
            yield Wrong([*words, f"{param.opts[-1]}={value}"], code)
        else:
            place = len(typed.words) + typed.arguments.index(param)
            words = typed.whole()
            yield Wrong([*words[:place], value, *words[place + 1 :]], code)


def wrong(typed: Typed) -> Iterator[Wrong]:
    """The command as nobody can understand it."""
    yield Wrong([*typed.whole(), "--no-such-option"], "option-unknown")
    yield Wrong([*typed.whole(), "--no-such-option=x"], "option-unknown")
    yield Wrong([*typed.whole(), "-z"], "option-unknown")
    if typed.arguments and typed.arguments[0].required:
        yield Wrong(list(typed.words), "argument-missing")
    if not any(one.nargs == -1 for one in typed.arguments):
        optional = ["1" for one in typed.arguments if not one.required]
        yield Wrong([*typed.whole(), *optional, "surplus"], "argument-surplus")
    for option in typed.options:
        name = option.opts[-1]
        if option.is_flag:
            yield Wrong([*typed.whole(), f"{name}=yes"], "option-without-value")
            continue
        yield Wrong([*typed.whole(), name], "option-value-missing")
        if not option.multiple:
            yield Wrong([*typed.whole(), name, "1970", name, "1970"], "option-twice")
        if option.required:
            yield Wrong(without(typed, option), "argument-missing")
    for param in typed.command.params:
        if param.type_descriptor.annotation is int:
            yield from numbers(typed, param)


def refused(words: list[str]) -> Refused:
    """How a line is refused."""
    with pytest.raises((UsageError, Refused)) as found:
        app(args=words, prog_name="jht", standalone_mode=False)
    error = found.value
    return error if isinstance(error, Refused) else refusal_of(error, "jht")


def foreign(refusal: Refused, words: list[str], names: set[str]) -> list[str]:
    """The details that are neither typed, nor a name of the command line, nor a number."""
    told = [part for value in refusal.problem.details.values() for part in str(value).split(", ")]
    typed = set(words) | {word.partition("=")[0] for word in words}
    return [
        part
        for part in told
        if part not in typed | names and not part.lstrip("-").isdigit() and not part.endswith(" --help")
    ]


@pytest.mark.parametrize("typed", ALL, ids=IDS)
def test_what_the_library_refuses_has_a_code_and_no_words_of_its_own(typed: Typed) -> None:
    unknown = [one.name for one in typed.command.params if one.type_descriptor.annotation not in KINDS]
    assert not unknown, "a kind of parameter that no sentence is known for"
    names = {shown_name(one) for one in typed.command.params} | {"--help"}
    faults = []
    for words, code in wrong(typed):
        refusal = refused(words)
        if refusal.code != code:
            faults.append(f"jht {words}: {refusal.code} instead of {code}")
        elif found := foreign(refusal, words, names):
            faults.append(f"jht {words}: {found}")
        elif any("?" in refusal.problem.say(language) for language in ("id", "en")):
            faults.append(f"jht {words}: a place that is not filled")
    assert not faults, "\n".join(faults)


def test_a_group_of_commands_offers_those_it_has() -> None:
    assert len(GROUPS) > 4
    for group in GROUPS:
        inner = load(group)
        if inner.no_args_is_help:
            assert refused([group]).code == "command-missing"
            assert refused([group, "--"]).code == "command-missing"
        refusal = refused([group, "nothing"])
        assert refusal.code == "command-unknown"
        assert set(str(refusal.problem.details["known"]).split(", ")) <= set(inner.commands)
    assert refused([]).code == "command-missing"
    assert refused(["blance"]).problem.details == {"given": "blance", "known": "balance"}
    assert refused(["xxxxxx"]).problem.details == {"given": "xxxxxx", "known": "jht --help"}
    assert refused(["--nothing"]).code == "option-unknown"
    assert refused(["status", "\udcff"]).code == refused(["keys", "create", "x\ud800", "read"]).code == "word-not-text"
    assert refused(["\x1b[31mred"]).problem.details["given"] == "?[31mred"


def test_a_flag_may_be_given_twice_and_help_is_given_whatever_else_is_typed(capsys: pytest.CaptureFixture[str]) -> None:
    assert app(args=["status", "now", "--help"], prog_name="jht", standalone_mode=False) in {0, None}
    assert "Usage: jht status" in capsys.readouterr().out
    with pytest.raises(Refused) as found:
        app(args=["export", "--format", "pdf"], prog_name="jht", standalone_mode=False)
    assert found.value.code == "value-not-offered"


def test_nothing_of_ours_speaks_through_the_library() -> None:
    files = list((ROOT / "api/cli").glob("*.py"))
    assert len(files) > 30
    for path in files:
        text = path.read_text("utf-8")
        assert "typer.BadParameter(" not in text, path
        assert "typer.Typer(" not in text, path
        # Both ask again in the library's words.
        assert "typer.confirm(" not in text, path
        assert "confirmation_prompt" not in text, path
