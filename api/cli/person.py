"""`jht person`: one person's data corrected, erased, handed out. The person is named by a card, never by a NIK."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.cli.console import header, opened, print_json
from api.cli.read_side import catch_up_alone
from api.terminal import out
from ledger.acts import person as decisions
from ledger.clock import jakarta_date, read_now
from ledger.decisions.remittance import CORRECTION_REASONS
from ledger.errors import NotFound, Refused
from ledger.identifiers import card_number, clean_kpj
from ledger.members import Acting, Members
from ledger.store import account_index
from ledger.store.log import Log
from ledger.store.vault import Vault
from projections.generations import Store
from projections.holdings import holdings
from projections.queries import Queries

person = typer.Typer(help="Correct, erase or export one person's data.", no_args_is_help=True, add_completion=False)
Card = Annotated[str, typer.Argument(metavar="KPJ", help="Any of the person's cards.")]


@person.command()
def correct(
    kpj: Card,
    changes: Annotated[
        str,
        typer.Option(
            help="A JSON file with what changes (nik, name, birth_date, sex, email, phone); - is standard input."
        ),
    ] = "-",
    reason: Annotated[str, typer.Option(help="Why, a short code.")] = "correction-asked",
) -> None:
    """Correct a person's data. The changes come from a file, so that no name or NIK stands in a command line."""
    text = typer.get_binary_stream("stdin").read() if changes == "-" else _file(changes)
    try:
        wanted = msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError:
        raise Refused("json-unreadable") from None
    with opened() as log:
        by, vault, who, now = header(), Vault.open(log), _person(log, kpj), read_now()
        also = Members.open(log, vault).after_correction(who, Acting(by.by, by.channel, now))
        done = decisions.correct(log, vault, who, wanted, by.by, by.channel, now, reason=reason, also=also)
        out.print("Corrected." if done else "Nothing changed: the data was like that already.")


@person.command()
def erase(
    kpj: Card,
    order: Annotated[
        str, typer.Option(help="The number of the legal order, when money or retention stands against it.")
    ] = "",
    reason: Annotated[str, typer.Option(help=f"Why: a code such as {CORRECTION_REASONS[-1]}.")] = "erasure-asked",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; it cannot be undone.")] = False,
) -> None:
    """Destroy the key of a person's data for ever. Refused while there is money, suspense or unexpired retention."""
    with opened() as log:
        who = _person(log, kpj)
        has_money, last = _holdings(log, who)
        if not yes:
            typer.confirm("The personal data of this card's holder will be unreadable for ever. Go on?", abort=True)
        by, now = header(), read_now()
        erased = decisions.erase(
            log, Vault.open(log), who, has_money=has_money, last_activity=last, order=order,
            today=jakarta_date(now), by=by.by, channel=by.channel, now=now, reason=reason,
        )  # fmt: skip
    out.print("Erased." if erased.warning is None else f"Erased. {erased.warning.say('en')}")


@person.command()
def export(kpj: Card) -> None:
    """Everything held about a person, as JSON on standard output."""
    with opened() as log:
        print_json(decisions.export(log, Vault.open(log), _person(log, kpj)))


def _holdings(log: Log, who: str) -> tuple[bool, date | None]:
    store = Store.open(log.settings)
    reader = Queries(log, store)
    try:
        catch_up_alone(log, store)
        return holdings(log, reader, who, read_now())
    finally:
        reader.close()
        store.close()


def _person(log: Log, kpj: str) -> str:
    number = clean_kpj(kpj)
    if number is None:
        raise Refused("kpj-unreadable")
    with log.database.read() as tx:
        card = account_index.cards(tx, [card_number(number)]).get(card_number(number))
    if card is None:
        raise NotFound("account-not-found")
    return card.person


def _file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError:
        raise Refused("file-unreadable") from None
