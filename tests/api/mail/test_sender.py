"""Letters travel from the outbox to a real mail server, whatever it answers."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from msgspec.structs import replace

from api.mail import console
from api.mail.sender import BATCH, Round, Sender
from ledger.errors import Unavailable
from ledger.members import Members
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.outbox import LEASE, Due, Letter, Outbox
from ledger.store.vault import Vault
from tests.api.mail.letters import TOKEN, letter
from tests.api.mail.post import Post, serving
from tests.conftest import NOW

# aiosmtpd does not see that a port is protected from the first byte.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:aiosmtpd", "ignore:Requiring AUTH while not requiring TLS:UserWarning"
)


class _Crash(BaseException):
    """The process ends here: nothing that follows is done."""


class Ledger:
    """An outbox with its clock, and senders over it."""

    def __init__(self, log: Log) -> None:
        self.log, self.now = log, NOW
        self.outbox: Outbox = Members.open(log, Vault.open(log)).outbox

    def put(self, kind: str = "verify", way: str = "mail", **how: Any) -> None:
        with self.log.database.write() as tx:
            self.outbox.put(tx, letter(kind, **how), self.now, way)

    def put_notice(self, name: str, **how: Any) -> None:
        with self.log.database.write() as tx:
            self.outbox.put(tx, letter("contribution-posted", **how), self.now, notice=name)

    def sender(self, port: int = 0, **changes: Any) -> Sender:
        given = {"smtp_url": f"smtp://127.0.0.1:{port}" if port else None} | changes
        settings = Settings(**(self.log.settings.model_dump() | {"public_url": "https://saldo.example"} | given))
        return Sender(settings, self.outbox, lambda: self.now, asyncio.to_thread, self.as_it_is)

    def as_it_is(self, due: Due, now: datetime) -> Letter | None:
        """Every letter as it stands."""
        return due.letter

    def send(self, port: int = 0, **changes: Any) -> Round:
        async def send_and_leave() -> Round:
            done = await self.sender(port, **changes).send_due()
            # TLS says goodbye after the connection was closed; a loop that ends before that leaves the socket open, and
            # the garbage collector complains of it in whatever test it comes by.
            async with asyncio.timeout(10):
                while len(asyncio.get_running_loop()._selector.get_map()) > 1:  # type: ignore[attr-defined]
                    await asyncio.sleep(0.005)
            return done

        return asyncio.run(send_and_leave())


@pytest.fixture
def ledger(log: Log) -> Ledger:
    return Ledger(log)


@pytest.fixture
def post() -> Post:
    return Post()


def test_a_letter_arrives_once_and_nothing_of_it_stays(ledger: Ledger, post: Post) -> None:
    ledger.put()
    ledger.put("reset", to="siti@contoh.id", language="en")
    with serving(post) as port:
        assert ledger.send(port) == Round(2, 0, 0)
        assert ledger.send(port) == Round(0, 0, 0)
    assert sorted(post.receivers) == ["budi@contoh.id", "siti@contoh.id"]
    assert {str(mail["Subject"]) for mail in post.mails} == {"Verifikasi email Anda", "Choose a new password"}
    texts = [str(mail.get_body(("plain",)).get_content()) for mail in post.mails]  # type: ignore[union-attr]
    assert any(f"https://saldo.example/tautan/{TOKEN}" in text for text in texts)
    assert any(f"https://saldo.example/sandi/{TOKEN}" in text for text in texts)
    with ledger.log.database.read() as tx:
        assert tx.rows("select count(*) from outbox") == [(0,)]


def test_a_server_that_is_away_is_tried_again_with_growing_pauses(ledger: Ledger, post: Post) -> None:
    ledger.put()
    with serving(post) as port:
        pass
    assert ledger.send(port) == Round(0, 1, 0)
    assert ledger.send(port) == Round(0, 0, 0)
    assert ledger.outbox.state().waiting == 1
    assert ledger.outbox.state().errors == ("SMTPConnectError",)
    pauses = []
    for _ in range(3):
        due = ledger.outbox.state().oldest
        pauses.append((type(NOW).fromisoformat(due) - ledger.now).total_seconds())
        ledger.now = type(NOW).fromisoformat(due)
        assert ledger.send(port) == Round(0, 1, 0)
    assert pauses == sorted(set(pauses))
    ledger.now += timedelta(hours=1)
    with serving(post) as port:
        assert ledger.send(port) == Round(1, 0, 0)
    assert len(post.mails) == 1


def test_what_is_not_so_any_more_is_not_sent_and_what_cannot_be_known_waits(ledger: Ledger, post: Post) -> None:
    ledger.put_notice("a" * 32, to="nobody@contoh.id")
    ledger.put_notice("b" * 32, to="waits@contoh.id")
    ledger.put_notice("c" * 32, to="old@contoh.id")

    def as_it_is(due: Due, now: datetime) -> Letter | None:
        if due.letter.to.startswith("waits"):
            raise Unavailable("read-side-stale")
        return None if due.letter.to.startswith("nobody") else replace(due.letter, to="new@contoh.id")

    ledger.as_it_is = as_it_is  # type: ignore[method-assign]
    with serving(post) as port:
        assert ledger.send(port) == Round(1, 1, 1)
    assert post.receivers == ["new@contoh.id"]
    assert ledger.outbox.state().errors == ("Unavailable read-side-stale",)


@pytest.mark.parametrize("place", ["RCPT", "DATA"])
def test_a_refusal_for_now_waits_and_one_for_good_is_given_up(ledger: Ledger, post: Post, place: str) -> None:
    ledger.put()
    with serving(post) as port:
        post.answers[place] = "451"
        assert ledger.send(port) == Round(0, 1, 0)
        (error,) = ledger.outbox.state().errors
        assert error.endswith(" 451")
        assert "@" not in error
        ledger.now += timedelta(minutes=1)
        post.answers[place] = "550"
        assert ledger.send(port) == Round(0, 0, 1)
        del post.answers[place]
        ledger.now += timedelta(hours=1)
        assert ledger.send(port) == Round(0, 0, 0)
    assert post.mails == []
    assert ledger.outbox.state().waiting == 0


def test_one_bad_address_does_not_hold_up_the_others(ledger: Ledger, post: Post) -> None:
    ledger.put(to="tidak ada\r\nBcc: x@y.id")
    ledger.put(to="siti@contoh.id")
    with serving(post) as port:
        assert ledger.send(port) == Round(1, 0, 1)
    assert post.receivers == ["siti@contoh.id"]


def test_two_senders_at_once_send_every_letter_once(ledger: Ledger, post: Post) -> None:
    for number in range(3 * BATCH):
        ledger.put(to=f"budi{number}@contoh.id")

    async def both(port: int) -> list[Round]:
        async def all_of(sender: Sender) -> list[Round]:
            rounds = []
            while sum(done := await sender.send_due()):
                rounds.append(done)
            return rounds

        mine, other = await asyncio.gather(all_of(ledger.sender(port)), all_of(ledger.sender(port)))
        return mine + other

    with serving(post) as port:
        rounds = asyncio.run(both(port))
    assert sum(done.sent for done in rounds) == 3 * BATCH
    assert len(post.receivers) == len(set(post.receivers)) == 3 * BATCH


def test_a_crash_before_the_row_is_gone_sends_the_same_message_again_after_the_lease(
    ledger: Ledger, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.put()

    def crash(_: str) -> None:
        raise _Crash

    async def here(function: Callable[[], Any]) -> Any:
        return function()

    with serving(post) as port:
        with monkeypatch.context() as patched:
            patched.setattr(ledger.outbox, "done", crash)
            sender = ledger.sender(port)
            sender.work = here
            with pytest.raises(_Crash):
                asyncio.run(sender.send_due())
        assert ledger.send(port) == Round(0, 0, 0)
        ledger.now += LEASE
        assert ledger.send(port) == Round(1, 0, 0)
    first, again = post.mails
    assert first["Message-ID"] == again["Message-ID"]


def test_the_loop_sends_what_is_put_while_it_runs_and_outlives_a_failing_store(
    ledger: Ledger, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.mail.sender.POLL_SECONDS", 0.01)

    async def run(port: int) -> None:
        sender = ledger.sender(port)
        failures = iter([RuntimeError("the store is away")])
        look = sender._is_due

        def failing() -> bool:
            for failure in failures:
                raise failure
            return look()

        sender._is_due = failing  # type: ignore[method-assign]
        sender.start()
        await asyncio.sleep(0.05)
        await asyncio.to_thread(ledger.put)
        async with asyncio.timeout(10):
            while not post.mails:
                await asyncio.sleep(0.01)
        await sender.stop()

    with serving(post) as port:
        asyncio.run(run(port))
    assert len(post.mails) == 1


class _Losing:
    """Does work as usual, but `which` piece lasts until it is cancelled, and the cancellation is lost.

    That is what `asyncio.wait_for` of Python 3.11 does when it comes in the same turn as the result.
    """

    def __init__(self, which: int) -> None:
        self.left = which

    async def __call__(self, function: Callable[[], Any]) -> Any:
        done = await asyncio.to_thread(function)
        self.left -= 1
        if not self.left:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
        return done


def test_the_loop_ends_although_a_cancellation_gets_lost(ledger: Ledger, post: Post) -> None:
    async def run(port: int) -> None:
        sender = ledger.sender(port)
        sender.work = losing = _Losing(1)
        sender.start()
        while losing.left:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            await sender.stop()

    with serving(post) as port:
        asyncio.run(run(port))


def test_a_round_begins_no_letter_after_its_time_although_the_cancellation_gets_lost(
    ledger: Ledger, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.mail.sender.ROUND_SECONDS", 2)
    ledger.put()
    ledger.put()
    with serving(post) as port:
        sender = ledger.sender(port)
        sender.work = _Losing(2)  # the letters are taken, the first is done
        assert asyncio.run(sender.send_due()) == Round(1, 0, 0)
    assert len(post.mails) == 1


# --- protection of the way


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    place = tmp_path_factory.mktemp("tls")
    pem, key = place / "own.pem", place / "own.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(pem)],
        check=True, capture_output=True,
    )  # fmt: skip
    return pem, key


@pytest.mark.parametrize("scheme", ["smtps://{}?ca={}", "smtp://{}?tls=starttls&ca={}"])
def test_a_protected_way_is_checked_and_carries_the_login(
    ledger: Ledger, post: Post, certificate: tuple[Path, Path], scheme: str
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    seen: list[object] = []

    def authenticate(*given: object) -> AuthResult:
        seen.append(given[-1])
        return AuthResult(success=given[-1] == LoginPassword(b"jht", b"s3cret"), handled=False)

    how: dict[str, Any] = {"ssl_context": context} if scheme.startswith("smtps") else {"tls_context": context}
    how |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": "tls_context" in how}
    ledger.put()
    with serving(post, **how) as port:
        wrong = scheme.format(f"jht:other@127.0.0.1:{port}", certificate[0])
        assert ledger.send(smtp_url=wrong) == Round(0, 1, 0)
        assert ledger.outbox.state().errors == ("SMTPAuthenticationError 535",)
        ledger.now += timedelta(hours=1)
        unknown = scheme.format(f"jht:s3cret@127.0.0.1:{port}", "").removesuffix("ca=").rstrip("?&")
        before = len(seen)
        assert ledger.send(smtp_url=unknown) == Round(0, 1, 0)
        assert len(seen) == before
        ledger.now += timedelta(hours=1)
        right = scheme.format(f"jht:s3cret@127.0.0.1:{port}", certificate[0])
        assert ledger.send(smtp_url=right) == Round(1, 0, 0)
    assert len(post.mails) == 1


def test_starttls_is_insisted_on(ledger: Ledger, post: Post) -> None:
    ledger.put()
    with serving(post) as port:
        assert ledger.send(smtp_url=f"smtp://127.0.0.1:{port}?tls=starttls") == Round(0, 1, 0)
    assert post.mails == []


# --- without a server


def test_without_a_server_a_letter_is_shown_on_a_terminal(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "is_terminal", lambda: True)
    ledger.put()
    ledger.put("confirm-phone", "sms", to="+6281234567890")
    assert ledger.send() == Round(2, 0, 0)
    shown = capsys.readouterr()
    assert "budi" not in shown.out
    assert "To: budi@contoh.id" in shown.err
    assert f"https://saldo.example/tautan/{TOKEN}" in shown.err
    assert "SMS: +6281234567890" in shown.err
    assert ledger.outbox.state().waiting == 0


def test_without_a_server_and_a_terminal_a_letter_waits_and_nothing_is_written(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.put()
    assert ledger.sender().ways == ()
    assert ledger.send() == Round(0, 0, 0)
    shown = capsys.readouterr()
    assert "budi" not in shown.out + shown.err
    assert ledger.outbox.state().waiting == 1


def test_what_steers_a_terminal_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    console.show("a\x1b[2Jb\x07\nc")
    assert capsys.readouterr().err == "\n  | a[2Jb\n  | c\n\n"


def test_a_notice_waits_for_the_morning_and_a_link_never_waits_behind_notices(ledger: Ledger, post: Post) -> None:
    for number in range(2 * BATCH):
        ledger.put_notice(f"notice-{number:02d}")
    ledger.now += timedelta(hours=10, minutes=1)  # one minute past eight in the evening in Jakarta
    ledger.put()
    with serving(post) as port:
        assert ledger.send(port) == Round(1, 0, 0), "the link goes at night"
        assert ledger.send(port) == Round(0, 0, 0)
        ledger.now += timedelta(hours=10, minutes=59)
        ledger.put()
        assert ledger.send(port) == Round(BATCH, 0, 0), "seven in the morning"
    assert str(post.mails[1]["Subject"]) == "Verifikasi email Anda"
    assert {str(mail["Subject"]) for mail in post.mails[2:]} == {"Iuran JHT Anda sudah tercatat"}


def test_a_notice_of_one_name_is_queued_once_and_is_the_same_message_when_it_is_sent_again(
    ledger: Ledger, post: Post
) -> None:
    ledger.put_notice("notice-of-a-day")
    ledger.put_notice("notice-of-a-day")
    with serving(post) as port:
        sender = ledger.sender(port)
        sender.outbox.done = _crash  # type: ignore[method-assign]
        with suppress(_Crash):
            asyncio.run(_round(sender))
        ledger.outbox = Outbox(ledger.outbox._vault)
        ledger.now += LEASE
        assert ledger.send(port) == Round(1, 0, 0)
    assert [str(mail["Message-ID"]) for mail in post.mails] == ["<notice-of-a-day@saldojht.example>"] * 2


def _crash(name: str) -> None:
    raise _Crash


async def _round(sender: Sender) -> None:
    await sender.send_due()
