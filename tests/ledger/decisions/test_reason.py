"""Acts that need a reason take one of their closed list and no other."""

from __future__ import annotations

from types import ModuleType

import pytest

from ledger.decisions import join, merge, reassign
from ledger.errors import Refused


@pytest.mark.parametrize("act", [merge, reassign, join], ids=lambda act: act.__name__.rpartition(".")[2])
def test_a_reason_out_of_the_list_is_asked_for(act: ModuleType) -> None:
    for reason in act.REASONS:
        act.check_reason(reason)
    for reason, code in (("", "reason-missing"), ("because", "reason-unknown")):
        with pytest.raises(Refused) as refused:
            act.check_reason(reason)
        assert refused.value.code == code
