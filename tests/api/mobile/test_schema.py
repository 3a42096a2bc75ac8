"""Made-up requests of an app: whatever comes, the answer is a described one and never a 5xx."""

from __future__ import annotations

import pytest

from tests.api.mobile.conftest import MobileApi
from tests.api.test_schema import asked


@pytest.mark.filterwarnings("ignore::DeprecationWarning:schemathesis")
def test_whatever_an_app_asks_the_answer_is_a_described_one(mobile: MobileApi) -> None:
    answered = asked(mobile.client, mobile.login().headers(), "/v1/mobile/")
    assert len(answered) == 11
    assert 200 in answered["GET /v1/mobile/me"] | answered["GET /v1/mobile/cards"]
