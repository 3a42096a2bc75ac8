"""A real Kannel on free ports: bearerbox with its fake operator's port, smsbox that posts to the ledger's door.

Only the standard library is imported here, because the benchmark's small parent process uses it too.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
MISSING = "Kannel and its fake operator are not installed (Debian and Ubuntu: apt install kannel kannel-extras)"
BROKEN = "Layanan saldo sedang gangguan, silakan coba lagi."
SENDSMS_PASSWORD = "rahasia-sms"
SECONDS = 20.0

_CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = rahasia-admin
admin-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
box-deny-ip = "*.*.*.*"
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
log-file = "{directory}/bearerbox.log"
log-level = 3
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = FAKE
port = {operator}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
global-sender = 2757
reply-couldnotfetch = "{broken}"
reply-requestfailed = "{broken}"
http-request-retry = 2
http-queue-delay = 1
http-timeout = 10
log-file = "{directory}/smsbox.log"
log-level = 3

group = sendsms-user
username = ledger
password = {sendsms_password}
default-sender = 2757
concatenation = true
max-messages = 4
user-allow-ip = 127.0.0.1

group = sms-service
name = ledger
keyword = default
catch-all = true
accepted-smsc = FAKE
post-url = "{door}?id=%I&smsc=%i"
send-sender = true
max-messages = 1
concatenation = false
omit-empty = true
assume-plain-text = true
"""


class Kannel(NamedTuple):
    """A running Kannel: the operator's port, the sendsms address with its password, where the logs are."""

    operator: int
    sendsms: str
    directory: Path

    def texts(self, *message: str, count: int = 1) -> list[str]:
        """What the fake operator gets back after it sent one message: `sender receiver type text` each.

        `message` as fakesmsc takes it; without one nothing is sent. Waits for `count` texts, or until the time is over.
        """
        sending = ["-i", "0.1", "-m", "1" if message else "0", *(message or ("1 1 text x",))]
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                [str(FAKESMSC), "-H", "127.0.0.1", "-r", str(self.operator), *sending],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
            found: list[str] = []
            end = time.monotonic() + SECONDS
            try:
                while len(found) < count and time.monotonic() < end and process.poll() is None:
                    time.sleep(0.02)
                    said = os.pread(output.fileno(), 1 << 20, 0).decode("utf-8", "replace")
                    found = re.findall(r"Got message \d+: <(.*)>\n", said)
            finally:
                process.terminate()
                process.wait(10)
        return found

    def logged(self) -> bytes:
        """Everything that its processes wrote down."""
        return b"".join(path.read_bytes() for path in self.directory.glob("*.log"))


def is_there() -> bool:
    """Whether Kannel is installed."""
    return FAKESMSC.exists() and all(_program(name) for name in ("bearerbox", "smsbox"))


@contextmanager
def kannel(directory: Path, door: str) -> Iterator[Kannel]:
    """Kannel with its files in `directory`, posting to `door` (an address with user and password)."""
    names = ("admin", "boxes", "operator", "sendsms")
    ports = dict(zip(names, _free_ports(len(names)), strict=True))
    configuration = directory / "kannel.conf"
    configuration.write_text(
        _CONFIGURATION.format(directory=directory, door=door, broken=BROKEN, sendsms_password=SENDSMS_PASSWORD, **ports)
    )
    with ExitStack() as stack:
        for name, port in (("bearerbox", ports["operator"]), ("smsbox", ports["sendsms"])):
            process = stack.enter_context(_running(name, configuration, directory / f"{name}.out.log"))
            _wait_for(port, process, directory)
        address = f"http://ledger:{SENDSMS_PASSWORD}@127.0.0.1:{ports['sendsms']}/cgi-bin/sendsms"
        yield Kannel(ports["operator"], address, directory)


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def _running(name: str, configuration: Path, output: Path) -> Iterator[subprocess.Popen[bytes]]:
    program = _program(name)
    assert program is not None, MISSING
    with output.open("wb") as file:
        process = subprocess.Popen(
            [program, "-v", "3", str(configuration)], stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], directory: Path) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            said = Kannel(0, "", directory).logged()
            assert process.poll() is None, said
            assert time.monotonic() < end, said
            time.sleep(0.05)
        else:
            return


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in found]
