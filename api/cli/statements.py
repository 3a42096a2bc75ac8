"""`jht statements`: the yearly statements of all members as files, from one log position; can be killed and begun again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import header, print_json
from api.cli.progress import progress
from api.cli.read_side import caught_up
from api.cli.typed_line import one_of
from api.statement.run import Run, begin
from api.statement.run import statements as slices
from api.statement.texts import LANGUAGES
from api.terminal import err, out
from ledger.acts import scheme as acts
from ledger.clock import jakarta_date, read_now
from ledger.decisions.scheme import check_statements
from ledger.identifiers import kpj_of
from ledger.store.log import position_text
from ledger.store.vault import Vault

SOME = 3
"""Exit code when statements of some cards could not be made."""


def statements(
    year: Annotated[int, typer.Option(help="The year, which must be over and declared.", min=1970, max=2200)],
    to: Annotated[Path, typer.Option("--out", help="The folder of the files; another one for each year.")],
    language: Annotated[str, typer.Option("--lang", help=f"One of {', '.join(LANGUAGES)}.")] = LANGUAGES[0],
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Make the statements of a year for all members, one PDF a card.

    All of them are from one log position, also when the command is killed and run again: files that are there stay. When
    every card has its statement this is recorded, and the next year's statements begin with these closings.
    """
    one_of(language, LANGUAGES, "--lang")
    with caught_up() as (log, reader):
        now, vault = read_now(), Vault.open(log)
        check_statements(acts.scheme_of(log), year, jakarta_date(now))
        site = log.settings.printed_url
        run = begin(to, Run(year, language, log.log_id, reader.position(), now.isoformat(), site))
        done: Counter[str] = Counter()
        failed: dict[int, str] = {}
        with progress(f"Statements {year}") as bar:
            bar.expect(reader.cards_count())
            for part in slices(to, run, log, reader, vault, now):
                done.update(made=part.made, there=part.there, empty=part.empty)
                failed |= part.failed
                bar.advance(part.made + part.there + part.empty + len(part.failed))
        position = 0
        if not failed:
            position = acts.issued(log, year, run.position, header(), read_now).position
        log_id = log.log_id
    if as_json:
        print_json({
            "year": year, "position": position_text(log_id, run.position), **done, "failed": len(failed),
            "recorded": position_text(log_id, position) if position else None,
        })  # fmt: skip
    else:
        out.print(
            f"{done['made'] + done['there']:,} statements of {year} as of position {position_text(log_id, run.position)} "
            f"are in {to}; {done['empty']:,} cards have nothing to state."
        )
    for card, code in list(failed.items())[:10]:
        err.print(f"KPJ {kpj_of(card)}: {code}")
    if failed:
        err.print(f"{len(failed):,} cards have no statement yet: run the command again when they can be told.")
        raise typer.Exit(SOME)
