"""A typed line: the commands and groups that read it, and what could not be understood in it, in this project's words.

The library (typer) tells what it refuses in English only, and takes the last of an option that is given twice. Here each
of its refusals becomes one with a code and both sentences. Nothing here waits for the rest of a command to be imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup

from ledger.errors import Refused

# The class itself has another home from one release of typer to the next.
UsageError: Any = typer.BadParameter.__base__

Known = TypeVar("Known", bound=str)
Function = TypeVar("Function", bound=Callable[..., Any])
_OFFERED = 10
"""Names that one sentence may hold."""


class Unclear(UsageError):  # type: ignore[misc]  # see there
    """What the library would have taken, or told without saying what it was."""

    def __init__(self, context: typer.Context, code: str, **details: Any) -> None:
        super().__init__(code, context)
        self.refused = Refused(code, **details)


class Command(TyperCommand):
    """A command that takes every option once and nothing that it does not know."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with _placed(ctx):
            _, surplus, order = self.make_parser(ctx).parse_args(args=list(args))
            if not any(one.is_eager for one in order):  # who asks for help gets it
                for option in order:
                    if _is_valued(option) and not option.multiple and order.count(option) > 1:
                        raise Unclear(ctx, "option-twice", name=shown_name(option))
                if surplus:
                    raise Unclear(ctx, "argument-surplus", count=len(surplus), help=f"{ctx.command_path} --help")
            return super().parse_args(ctx, args)


class Group(TyperGroup):
    """A group of commands, which offers those it has when another one is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with _placed(ctx):
            if not all(_is_text(word) for word in args):
                raise Unclear(ctx, "word-not-text")
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        names = list(self.commands)
        if args[0] not in names:
            offered = get_close_matches(args[0], names) or names
            known = ", ".join(offered) if len(offered) <= _OFFERED else f"{ctx.command_path} --help"
            raise Unclear(ctx, "command-unknown", given=_printable(args[0]), known=known)
        return super().resolve_command(ctx, args)


class Commands(typer.Typer):
    """A Typer whose commands are `Command`s and which is a `Group`."""

    def __init__(self, *, cls: type[TyperGroup] = Group, no_args_is_help: bool = True, **given: Any) -> None:
        given.setdefault("add_completion", False)
        given.setdefault("pretty_exceptions_enable", False)
        super().__init__(cls=cls, no_args_is_help=no_args_is_help, **given)

    def command(self, name: str | None = None, **given: Any) -> Callable[[Function], Function]:
        given.setdefault("cls", Command)
        return super().command(name, **given)


def one_of(value: str, known: Sequence[Known], name: str) -> Known:
    """The known value that was typed for `name`. Raises Refused(value-not-offered)."""
    for one in known:
        if one == value:
            return one
    raise Refused("value-not-offered", name=name, known=", ".join(known))


def refusal_of(error: Any, typed: str) -> Refused:
    """The refusal that a UsageError is. `typed`: the command, for an error that does not know where it was."""
    if isinstance(error, Unclear):
        return error.refused
    context = error.ctx
    where = f"{context.command_path if context else typed} --help"
    kind = type(error).__name__
    if kind == "NoSuchOption" and context:
        known = ", ".join(shown_name(one) for one in _options(context))
        return Refused("option-unknown", given=_printable(error.option_name), known=known)
    if kind == "BadOptionUsage" and context:
        named = (one for one in _options(context) if error.option_name in (*one.opts, *one.secondary_opts))
        valued = all(_is_valued(one) for one in named)
        return Refused("option-value-missing" if valued else "option-without-value", name=error.option_name, help=where)
    if kind == "MissingParameter" and error.param:
        return Refused("argument-missing", name=shown_name(error.param), help=where)
    if kind == "BadParameter" and error.param:
        name, least, most = shown_name(error.param), error.param.min, error.param.max
        if least is None or most is None:
            return Refused("whole-number-wanted", name=name)
        return Refused("whole-number-between", name=name, least=least, most=most)
    if kind == "NoArgsIsHelpError" or (context and isinstance(context.command, TyperGroup)):
        return Refused("command-missing", help=where)
    return Refused("command-unclear", help=where)


def shown_name(param: Any) -> str:
    """What a parameter is called where it is typed: `--port`, `KPJ`."""
    if param.param_type_name == "option":
        return str(max(param.opts, key=len))
    return str(param.metavar or param.name.upper())


@contextmanager
def _placed(context: typer.Context) -> Iterator[None]:
    """Some of the library's errors do not say which command they are about."""
    try:
        yield
    except UsageError as error:
        error.ctx = error.ctx or context
        raise


def _options(context: typer.Context) -> list[Any]:
    return [one for one in context.command.get_params(context) if one.param_type_name == "option"]


def _is_valued(param: Any) -> bool:
    return param.param_type_name == "option" and not param.is_flag


def _is_text(word: str) -> bool:
    """What is no UTF-8 stands for single bytes, which no store can keep."""
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
