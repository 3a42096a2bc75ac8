"""`jht person`: one person's data corrected, erased, handed out, two records of one person joined. The person is named by a
card, never by a NIK."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.cli.console import header, opened, print_json
from api.cli.merge import confirm
from api.cli.read_side import catch_up_alone, holder_of
from api.cli.typed_line import Commands
from api.terminal import out
from ledger.acts import person as decisions
from ledger.clock import jakarta_date, read_now
from ledger.decisions.join import decide_join
from ledger.decisions.reason import JOIN, PART, REASONS, check_reason
from ledger.decisions.remittance import CORRECTION_REASONS
from ledger.errors import Refused
from ledger.identifiers import kpj_of
from ledger.members import Acting, Members
from ledger.store import account_index
from ledger.store.log import Log, position_text
from ledger.store.vault import Vault
from projections.generations import Store
from projections.holdings import holdings
from projections.queries import Queries

person = Commands(help="Correct, erase or export one person's data; join two records of one person.")
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
        by, vault, who, now = header(), Vault.open(log), holder_of(log, kpj), read_now()
        done = Members.open(log, vault).correct(who, wanted, Acting(by.by, by.channel, now), reason)
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
        who = holder_of(log, kpj)
        has_money, last = _holdings(log, who)
        if not yes:
            confirm(kpj.strip().upper(), "The personal data of this card's holder will be unreadable for ever.")
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
        print_json(decisions.export(log, Vault.open(log), holder_of(log, kpj)))


@person.command()
def join(
    kpj: Annotated[str, typer.Argument(metavar="KPJ", help="Any card of the record that ends, or its person's id.")],
    into: Annotated[str, typer.Option(help="Any card of the record that stays, or its person's id.")],
    reason: Annotated[str, typer.Option(help=f"Why: {', '.join(REASONS[JOIN])}.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Join the record of a person who was registered twice into the other one, which gets its cards; both are told.

    The record that ends loses its access and its NIK; `jht person part` takes it back.
    """
    check_reason(JOIN, reason)
    with opened() as log:
        ends, stays = holder_of(log, kpj), holder_of(log, into)
        members = Members.open(log, Vault.open(log))
        with log.database.read() as tx:
            cards = account_index.held_by(tx, ends)
        pair = members.look_at_pair(ends, stays, cards)
        decide_join(pair.ends, pair.stays, pair.cards, request_open=False)
        if not yes:
            many = ", ".join(kpj_of(card) for card in cards) or "no card"
            confirm(kpj.strip().upper(), f"The record that holds {many} ends, and the other one gets what it holds.")
        by = header("", reason)
        done = members.join(ends, stays, reason, Acting(by.by, by.channel, read_now()), seen=pair.version)
        out.print(f"Joined person {ends} into {stays}, at position {position_text(log.log_id, done)}.")


@person.command()
def part(
    record: Annotated[
        str, typer.Argument(metavar="PERSON", help="The id of the record that ended: an export tells it.")
    ],
    reason: Annotated[str, typer.Option(help=f"Why: {', '.join(REASONS[PART])}.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a join back: the record stands again and gets those of its cards that the other one still holds; both are told.

    Its access is not open again: the person registers as everybody.
    """
    check_reason(PART, reason)
    with opened() as log:
        members = Members.open(log, Vault.open(log))
        joined = members.look_at_joined(record)
        fact = joined.decide()
        if not yes:
            many = ", ".join(fact.cards) or "no card"
            confirm(record.upper(), f"The record stands again and gets {many} back from person {fact.before}.")
        by = header("", reason)
        done = members.part(record, reason, Acting(by.by, by.channel, read_now()), seen=joined.version)
        out.print(f"Parted person {record} from {fact.before}, at position {position_text(log.log_id, done)}.")


def _holdings(log: Log, who: str) -> tuple[bool, date | None]:
    store = Store.open(log.settings)
    reader = Queries(log, store)
    try:
        catch_up_alone(log, store)
        return holdings(log, reader, who, read_now())
    finally:
        reader.close()
        store.close()


def _file(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError:
        raise Refused("file-unreadable") from None
