"""Members for the rows of the app and the website, as a child process over the ledger that the environment names.

python -m tests.bench.members register COUNT   the first accounts' holders, as the branch registers them
python -m tests.bench.members login FILE       a device for each: a line `<access token> <card's handle>` in FILE
python -m tests.bench.members clerk FILE       a session of a user of the first employer: its token in FILE
python -m tests.bench.members visit FILE       a session of the website for each: a line `<token>` in FILE
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from api.access import tables
from api.access.passwords import Passwords
from api.access.sessions import EMPLOYER, MEMBER, Sessions
from api.access.tokens import Tokens
from api.access.users import Users
from ledger.clock import read_now
from ledger.members import Acting, Members
from ledger.members.rows import cards_of
from ledger.settings import load
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.bench import files


def register(members: Members, count: int) -> None:
    """Each member is registered at the branch and chooses a password with the link that was sent."""
    hashed = asyncio.run(Passwords().hash(files.PASSWORD))
    for account in range(count):
        acting = Acting("user:bench", "office", read_now())
        members.register_at_office(files.kpj(account), files.email(account), acting)
        for due in members.outbox.due(read_now(), 100):
            members.outbox.done(due.id)
            if "token" in due.letter.details:
                members.reset(due.letter.details["token"], hashed, acting)


def login(members: Members, tokens: Tokens, file: Path) -> None:
    """A new device for every member."""
    with members.log.database.read() as tx:
        logins = tx.rows("select person, epoch from member_logins order by person")
        handles = {person: cards_of(tx, person)[0].handle for person, _ in logins}
    lines = [
        f"{tokens.begin(person, epoch, 'bench', read_now()).access_token} {handles[person]}\n"
        for person, epoch in logins
    ]
    file.write_text("".join(lines))


def visit(members: Members, sessions: Sessions, file: Path) -> None:
    """A login on the website for every member."""
    with members.log.database.read() as tx:
        logins = tx.rows("select person, epoch from member_logins order by person")
    tokens = [sessions.create(MEMBER, person, epoch, "website", read_now()).token for person, epoch in logins]
    file.write_text("".join(f"{token}\n" for token in tokens))


def clerk(members: Members, sessions: Sessions, file: Path) -> None:
    """An employer's user, who has just logged in."""
    users, now = Users(members.log.database), read_now()
    user = users.create("bench", EMPLOYER, asyncio.run(Passwords().hash(files.PASSWORD)), now, npps=[int(files.npp(0))])
    file.write_text(sessions.create(EMPLOYER, user.name, user.epoch, "employer", now).token)


def main() -> None:
    """What the first argument says."""
    what, given = sys.argv[1:]
    settings = load()
    log = Log.open(settings)
    vault = Vault.open(log)
    members = Members.open(log, vault)
    if what == "register":
        register(members, int(given))
    elif what == "visit":
        tables.prepare(log.database)
        visit(members, Sessions(log.database, settings), Path(given))
    elif what == "clerk":
        tables.prepare(log.database)
        clerk(members, Sessions(log.database, settings), Path(given))
    else:
        login(members, Tokens.open(log, vault), Path(given))
    print(json.dumps({"key": vault.derived(b"mobile access").hex()}))
    log.close()


if __name__ == "__main__":
    main()
