"""What a test needs from outside the project, and what becomes of the test where it is not there."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacking(what: str) -> NoReturn:
    """Skip with a sentence that says how to get it; with `CI` set, where everything is installed, fail."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
