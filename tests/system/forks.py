"""A process that has the command imported already and runs each `jht` in a fork of itself.

Starting Python and importing everything takes longer than most commands. A fork is a process of its own like any other:
with its own environment, files and exit code, to be killed at any moment; it only starts in milliseconds.

    client -> one JSON line {arguments, environment, directory, stdin, stdout, stderr, smaller}
              stdin, stdout, stderr are paths; `smaller` maps module constants to smaller numbers, for more commits
    server -> {"pid": n}, and when the command has ended {"code": exit code, negative for a signal}
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class Forked:
    """A command that was started; `wait` for its exit code."""

    def __init__(self, asked: Mapping[str, Any]) -> None:
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._connection.connect(_server())
        self._connection.sendall(json.dumps(asked).encode() + b"\n")
        self._answers = self._connection.makefile("rb")
        self.pid: int = json.loads(self._answers.readline())["pid"]
        self.code: int | None = None

    def ended(self) -> bool:
        """Whether it has ended already."""
        return self.code is not None or bool(select.select([self._connection], [], [], 0)[0])

    def wait(self, seconds: float = 120) -> int:
        """Its exit code, negative for a signal. Raises TimeoutError."""
        if self.code is None:
            self._connection.settimeout(seconds)
            self.code = json.loads(self._answers.readline())["code"]
            self._answers.close()
            self._connection.close()
        return self.code

    def kill(self) -> int:
        """kill -9, unless it has ended; its exit code."""
        if not self.ended():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        return self.wait()


@cache
def _server() -> str:
    """The address of this test process's server; it ends when the test process does."""
    directory = tempfile.mkdtemp(prefix="jht-forks-")
    address = f"{directory}/socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.system.forks", address],
        cwd=ROOT, env=os.environ | {"COLUMNS": "160"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()

    def end() -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
        os.rmdir(directory)

    atexit.register(end)
    return address


def _serve(address: str) -> None:
    from api.cli import COMMANDS, main

    for module in {place.module for place in COMMANDS.values()}:
        import_module(f"api.cli.{module}")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(address)
    listening.listen(16)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    while listening in select.select([listening, sys.stdin], [], [])[0]:
        connection, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _attend(connection, main)
            os._exit(0)
        connection.close()
    os.unlink(address)


def _attend(connection: socket.socket, main: Any) -> None:
    with connection, connection.makefile("rb") as questions:
        asked = json.loads(questions.readline())
        pid = os.fork()
        if pid == 0:
            connection.close()
            _become(asked, main)
        connection.sendall(json.dumps({"pid": pid}).encode() + b"\n")
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(BrokenPipeError):
            connection.sendall(json.dumps({"code": code}).encode() + b"\n")


def _become(asked: Mapping[str, Any], main: Any) -> None:
    """Be the command and nothing else."""
    os.setsid()
    os.environ.clear()
    os.environ.update(asked["environment"])
    for name, number in asked["smaller"].items():
        module, _, constant = name.rpartition(".")
        assert isinstance(getattr(import_module(module), constant), int)
        setattr(import_module(module), constant, number)
    os.chdir(asked["directory"])
    for number, (stream, flags) in enumerate(
        # Both outputs may go to one file, whose lines then stand behind each other.
        (("stdin", os.O_RDONLY), *((name, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for name in ("stdout", "stderr")))
    ):
        opened = os.open(asked[stream], flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    code = 1
    try:
        code = _exit_code(main, asked["arguments"])
    finally:
        with contextlib.suppress(BrokenPipeError, OSError):
            sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _exit_code(main: Any, arguments: Sequence[str]) -> int:
    sys.argv = ["jht", *arguments]
    try:
        main()
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


if __name__ == "__main__":
    _serve(sys.argv[1])
