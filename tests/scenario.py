"""Given / when / then: `given(history).when(decision).then(facts)` or `.refused(code)`, compared whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger.errors import JhtError


class When:
    """A decision that has not been taken yet."""

    def __init__(self, decision: Callable[[], Any]) -> None:
        self.decision = decision

    def then(self, *expected: Any) -> None:
        """The decision gives exactly these facts; nothing at all stands for "it is there already"."""
        found = self.decision()
        facts = [] if found is None else list(found) if isinstance(found, list | tuple) else [found]
        assert facts == list(expected)

    def refused(self, code: str) -> None:
        """The decision is refused with this code."""
        with pytest.raises(JhtError) as refused:
            self.decision()
        assert refused.value.code == code


class Given:
    """A history: what the decision sees."""

    def __init__(self, history: tuple[Any, ...]) -> None:
        self.history = history

    def when(self, decision: Callable[..., Any], *args: Any, **named: Any) -> When:
        return When(lambda: decision(*self.history, *args, **named))


def given(*history: Any) -> Given:
    """The state(s) that the decision gets first."""
    return Given(history)
