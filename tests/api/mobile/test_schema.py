"""Made-up requests of an app: whatever comes, the answer is a described one and never a 5xx."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from api.access import guard
from ledger.settings import Settings
from tests.api.mobile.conftest import MobileApi
from tests.api.test_schema import asked


@pytest.mark.filterwarnings("ignore::DeprecationWarning:schemathesis")
def test_whatever_an_app_asks_the_answer_is_a_described_one(
    both: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "SLOW_SECONDS", (0.0,))
    with ExitStack() as stack:
        apis = [stack.enter_context(MobileApi(settings)) for settings in both]
        for api in apis:
            api.fill()
        for answered in asked([(api.client, api.login().headers()) for api in apis], "/v1/mobile/"):
            assert len(answered) == 19
            assert 200 in answered["GET /v1/mobile/me"] | answered["GET /v1/mobile/cards"]
