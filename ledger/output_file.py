"""Files that are written for people: what can go wrong with one has a code."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ledger.errors import Refused, StoreFailed


@contextmanager
def writing() -> Iterator[None]:
    """Turn a failure to write a file into Refused(file-unwritable) or StoreFailed(disk-full)."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFailed("disk-full") from error
        raise Refused("file-unwritable") from error
