"""`jht keys`: who may call the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated

import typer
from rich.table import Table as Grid

from api.access.keys import SCOPES, Caller, Keys, open_store
from api.cli.console import day, npp_number, opened, print_json, settings
from api.cli.typed_line import Commands
from api.terminal import out
from ledger.clock import read_now

keys = Commands(help="Create, list and revoke API keys.")


@contextmanager
def _keys() -> Iterator[Keys]:
    with opened():
        pass  # a ledger that does not exist has no keys
    database = open_store(settings())
    try:
        yield Keys(database)
    finally:
        database.close()


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is, for example branch-bandung.")],
    scopes: Annotated[list[str], typer.Argument(help=f"What it may do: {', '.join(SCOPES)}.")],
    npp: Annotated[list[str] | None, typer.Option(help="Only this employer; may be given several times.")] = None,
    channel: Annotated[str, typer.Option(help="The channel its reads are recorded under.")] = "partner",
    days: Annotated[int, typer.Option(min=0, max=36_500, help="Valid for so many days; 0: until revoked.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Make a key. It is shown this once; only its hash is stored."""
    npps = [npp_number(one) for one in npp] if npp else None
    now = read_now()
    with _keys() as held:
        key, caller = held.create(
            name,
            scopes,
            now=now,
            npps=npps,
            channel=channel,
            expires_at=now + timedelta(days=days) if days else None,
        )
    if as_json:
        print_json({"key": key, **_row(caller)})
        return
    out.print(f"{key}\n  This key is shown once. Scopes: {', '.join(sorted(caller.scopes))}.")


@keys.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """All keys ever made, oldest first."""
    with _keys() as held:
        rows = [_row(caller) for caller in held.list()]
    if as_json:
        print_json(rows)
        return
    grid = Grid("id", "name", "channel", "scopes", "employers", "created", "ends")
    for row in rows:
        employers = ", ".join(row["npps"]) if row["npps"] is not None else "all"  # type: ignore[arg-type]
        ends = f"revoked {day(str(row['revoked_at']))}" if row["revoked_at"] else day(str(row["expires_at"]))
        grid.add_row(
            str(row["id"]), str(row["name"]), str(row["channel"]), ", ".join(row["scopes"]),  # type: ignore[arg-type]
            employers, day(str(row["created_at"])), ends or "-",
        )  # fmt: skip
    out.print(grid)


@keys.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id, from `jht keys list`.")]) -> None:
    """End a key; servers notice within a second."""
    with _keys() as held:
        held.revoke(key_id, now=read_now())
    out.print(f"Revoked {key_id}.")


def _row(caller: Caller) -> dict[str, object]:
    return {
        "id": caller.id,
        "name": caller.name,
        "channel": caller.channel,
        "scopes": sorted(caller.scopes),
        "npps": None if caller.npps is None else [f"{npp:08d}" for npp in sorted(caller.npps)],
        "created_at": caller.created_at,
        "expires_at": caller.expires_at,
        "revoked_at": caller.revoked_at,
    }
