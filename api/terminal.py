"""What a process says on a terminal, in two languages, and the code it ends with."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from ledger.errors import JhtError, Problem, Unavailable

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

REFUSED = 2
SOME_REFUSED = 3
TRY_AGAIN = 75


def say(problem: Problem, style: str = "red") -> None:
    """A problem in Indonesian and English on standard error."""
    where = "".join(
        [
            f" line {problem.line}" if problem.line else "",
            f", {problem.column}" if problem.column else "",
        ]
    )
    err.print(Text(f"{problem.code}{where}", style=f"bold {style}"))
    err.print(Text(f"  {problem.say('id')}"))
    err.print(Text(f"  {problem.say('en')}", style="dim"))


def failed(error: JhtError) -> int:
    """Tell an error; the exit code: 75 when trying again can help, else 2."""
    say(error.problem)
    return TRY_AGAIN if isinstance(error, Unavailable) else REFUSED
