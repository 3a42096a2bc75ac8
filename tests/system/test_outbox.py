"""`jht outbox` over a real ledger, from the command line."""

from __future__ import annotations

from ledger.clock import read_now
from ledger.members import Members
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.api.mail.letters import letter
from tests.api.mail.post import Post, serving
from tests.system.running import environment, jht, run


def queued(settings: Settings, *addresses: str) -> None:
    log = Log.open(settings)
    members = Members.open(log, Vault.open(log))
    with log.database.write() as tx:
        for address in addresses:
            members.outbox.put(tx, letter(to=address), read_now())
    log.close()


def test_waiting_letters_are_counted_and_sent_by_hand(settings: Settings) -> None:
    queued(settings, "budi@contoh.id", "siti@contoh.id")
    assert jht(settings, "outbox", "--json").json["waiting"] == 2
    without = jht(settings, "outbox", "send", code=2)
    assert "mail-server-missing" in without.stderr
    post = Post()
    with serving(post) as port:
        surroundings = environment(settings) | {"JHT_SMTP_URL": f"smtp://127.0.0.1:{port}"}
        post.answers["RCPT"] = "451"
        assert run(surroundings, "outbox", "send").code == 75
        shown = jht(settings, "outbox")
        assert shown.stdout.startswith("2 waiting. The next is due at ")
        assert "SMTPRecipientRefused 451" in shown.stdout
        assert "contoh.id" not in shown.stdout
        queued(settings, "agus@contoh.id")
        post.answers.clear()
        done = run(surroundings, "outbox", "send")
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("1 sent, 0 wait for another try, 0 given up.")
    assert "agus" not in done.stdout + done.stderr
    assert post.receivers == ["agus@contoh.id"]
