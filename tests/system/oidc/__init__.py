"""A real OpenID provider: the npm package `oidc-provider`, installed outside the tree for the tests that log in there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from tests.system import npm

HERE = Path(__file__).parent
_ID, _SECRET = "jht", "a-secret-of-the-test"


class Provider:
    """A provider whose address is known; nobody can log in there before `send_back_to`."""

    def __init__(self, told: IO[str], asked: IO[str]) -> None:
        self._told, self._asked = told, asked
        self.issuer = f"http://127.0.0.1:{int(told.readline())}"
        self.settings = {
            "oidc_issuer": self.issuer, "oidc_client_id": _ID, "oidc_client_secret": SecretStr(_SECRET),
        }  # fmt: skip

    def send_back_to(self, site: str) -> None:
        """Be the provider of the service with this public URL."""
        client = {"client_id": _ID, "client_secret": _SECRET, "redirect_uris": [f"{site}/oidc/kembali"]}
        print(json.dumps(client), file=self._asked, flush=True)
        assert self._told.readline() == "ready\n"


@contextmanager
def running() -> Iterator[Provider]:
    """A provider of its own."""
    process = subprocess.Popen(
        # A script that is given as text finds its packages in the working directory.
        [npm.NODE, "--input-type=module", "--eval", (HERE / "provider.mjs").read_text()],
        cwd=npm.installed(HERE), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        yield Provider(process.stdout, process.stdin)
    finally:
        process.kill()
        process.communicate()
