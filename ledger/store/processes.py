"""Which process did something: a name that tells another process of the same machine whether it still lives."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket

HOST = hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def process_name() -> str:
    """A new name for something that this process does: `<host>-<process id>-<random>`."""
    return f"{HOST}-{os.getpid()}-{secrets.token_hex(4)}"


def is_gone(name: str) -> bool:
    """Whether the process of that name surely lives no more; of another machine nobody knows."""
    host, _, rest = name.partition("-")
    if host != HOST:
        return False
    try:
        os.kill(int(rest.partition("-")[0]), 0)
    except (ProcessLookupError, ValueError):
        return True
    except PermissionError:
        return False
    return False
