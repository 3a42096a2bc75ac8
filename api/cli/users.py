"""`jht users`: staff of the agency and employers' people who may log in on the web."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.table import Table as Grid

from api.access import tables
from api.access.factors import Factors
from api.access.passwords import Passwords, check_password
from api.access.sessions import STAFF
from api.access.users import KINDS, ROLES, User, Users, check_user
from api.cli.console import day, npp_number, opened, print_json
from api.cli.typed_line import Commands
from api.terminal import out
from ledger.clock import read_now
from ledger.contacts import clean_email
from ledger.errors import NotFound, Refused

users = Commands(help="Create, list and disable users; give another password.")
Name = Annotated[str, typer.Argument(help="The name the user logs in with: small letters, digits, . _ -")]


@contextmanager
def _opened() -> Iterator[tuple[Users, Factors]]:
    # Only the vault opens the secret that names in the log are hashed and factors are sealed with.
    from ledger.store.outbox import Outbox
    from ledger.store.vault import Vault

    with opened() as log:
        tables.prepare(log.database)
        yield Users(log.database), Factors(log, Outbox(Vault.open(log)))


@contextmanager
def _users() -> Iterator[Users]:
    with opened() as log:
        tables.prepare(log.database)
        yield Users(log.database)


@users.command()
def create(
    name: Name,
    kind: Annotated[str, typer.Option(help=f"{' or '.join(KINDS)}.")] = KINDS[0],
    role: Annotated[list[str] | None, typer.Option(help=f"Of staff: {', '.join(ROLES)}; several are possible.")] = None,
    npp: Annotated[list[str] | None, typer.Option(help="Of an employer's user: the employer; several times.")] = None,
    email: Annotated[str, typer.Option(help="Of staff: where they are told when their phone for codes changes.")] = "",
) -> None:
    """Make a user. The password is asked for, or read as one line from standard input."""
    npps = [npp_number(one) for one in npp or ()]
    check_user(name, kind, role or (), npps)  # before a password is asked for
    told_at = _address(email)
    with _opened() as (held, factors):
        made = held.create(name, kind, _hash(name), read_now(), roles=role or (), npps=npps)
        if told_at:
            factors.set_email(made.name, told_at)
    then = "; the first log-in sets up a phone for codes" if made.kind == STAFF else ""
    out.print(f"{made.name} can log in ({made.kind}){then}.")


@users.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """All users ever made, by name, each with what the log calls them by."""
    with _opened() as (held, factors):
        called = {name: writer for writer, name in held.names_of(factors.log).items()}
        rows = [
            _row(user) | {"second_factor_at": factors.of(user.name).enrolled_at, "by": called[user.name]}
            for user in held.list()
        ]
    if as_json:
        print_json(rows)
        return
    grid = Grid("name", "kind", "roles", "employers", "created", "phone for codes", "disabled", "in the log")
    for row in rows:
        grid.add_row(
            str(row["name"]), str(row["kind"]), ", ".join(row["roles"]),  # type: ignore[arg-type]
            ", ".join(row["npps"]),  # type: ignore[arg-type]
            day(str(row["created_at"])), day(str(row["second_factor_at"])) or "-",
            day(str(row["disabled_at"])) or "-", str(row["by"]),
        )  # fmt: skip
    out.print(grid)


@users.command()
def disable(name: Name) -> None:
    """Let a user in no more; sessions end within a second."""
    with _users() as held:
        held.disable(name, read_now())
    out.print(f"{name} cannot log in any more.")


@users.command()
def password(name: Name) -> None:
    """Give a user another password, asked for or read as one line from standard input; the sessions end."""
    with _users() as held:
        if held.find(name) is None:
            raise NotFound("user-unknown")  # before a password is asked for
        held.set_password(name, _hash(name))
    out.print(f"{name} has another password.")


@users.command()
def email(name: Name, address: Annotated[str, typer.Argument(help='The address, or "" for none.')]) -> None:
    """Say where somebody of the staff is told when their phone for codes changes."""
    told_at = _address(address)
    with _opened() as (held, factors):
        user = held.find(name)
        if user is None:
            raise NotFound("user-unknown")
        factors.set_email(user.name, told_at)
    out.print(f"{user.name} is told by e-mail." if told_at else f"{user.name} is told on the page only.")


@users.command("reset-factor")
def reset_factor(name: Name) -> None:
    """Forget the phone for codes of somebody who lost it, when no other supervisor can; the sessions end."""
    with _opened() as (held, factors):
        user = held.find(name)
        if user is None:
            raise NotFound("user-unknown")
        factors.take_away(user.name, read_now())
    out.print(f"{user.name} sets up a phone at the next log-in.")


def _address(text: str) -> str:
    """An e-mail address as it is kept, "" for none. Raises Refused(email-unreadable)."""
    cleaned = clean_email(text) if text else ""
    if cleaned is None:
        raise Refused("email-unreadable")
    return cleaned


def _hash(name: str) -> str:
    """The argon2 text of a password that is never an argument, where other processes could read it.

    Raises Refused: passwords-differ, and as `check_password`.
    """
    if sys.stdin.isatty():
        given = typer.prompt("Password", hide_input=True)
        if typer.prompt("The same password again", hide_input=True) != given:
            raise Refused("passwords-differ")
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    check_password(given, [name])
    passwords = Passwords()
    try:
        return asyncio.run(passwords.hash(given))
    finally:
        passwords.close()


def _row(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "kind": user.kind,
        "roles": sorted(user.roles),
        "npps": [f"{npp:08d}" for npp in sorted(user.npps)],
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
    }
