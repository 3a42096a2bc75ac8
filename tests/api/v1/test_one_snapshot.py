"""A page of a statement and the position that it carries are of one moment, also while money is being posted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.conftest import PAID, Api, posting

ENTRIES = f"/v1/accounts/{PAID}/entries"
MONTHS = [f"{year}-{month:02d}" for year in (2021, 2022, 2023) for month in range(1, 13)]


def number(position: str) -> int:
    return int(position.rpartition("-")[2])


def post(api: Api, month: str) -> int:
    """A month of the card, appended and followed; its position."""
    position = number(api.append(posting("10000001", month, "2026-11-14", PAID)))
    api.follow()
    return position


def pages(api: Api, headers: dict[str, str], limit: int) -> Iterator[dict[str, Any]]:
    """The statement as a client reads it, page by page."""
    cursor = ""
    while cursor is not None:
        answer = api.client.get(f"{ENTRIES}?limit={limit}{cursor}", headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert answer.headers["jht-position"] == page["as_of"]["position"]
        yield page
        cursor = f"&cursor={page['next']}" if page["next"] else None


def test_what_is_posted_between_the_balance_and_the_lines_is_not_on_the_page(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers, reader = api.key("read"), api.app.state.application.reader
    entries, late = reader.entries, iter(MONTHS)

    def and_then_read(*args: Any, **how: Any) -> Any:
        post(api, next(late))
        return entries(*args, **how)

    monkeypatch.setattr(reader, "entries", and_then_read)
    for limit in (50, 1):
        for page in pages(api, headers, limit):
            here = number(page["as_of"]["position"])
            assert max(number(entry["position"]) for entry in page["entries"]) <= here < api.log.head()
            assert limit == 1 or len(page["entries"]) == 2


def test_pages_under_load_hold_all_that_their_position_holds_and_nothing_beyond(api: Api) -> None:
    headers = api.key("read")
    posted = [number(entry["position"]) for page in pages(api, headers, 50) for entry in page["entries"]]
    begun, written, failed = threading.Event(), list(posted), list[BaseException]()

    def write() -> None:
        try:
            begun.wait(30)
            for month in MONTHS:
                written.append(post(api, month))
        except BaseException as error:
            failed.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    whole: list[dict[str, Any]] = []
    try:
        while writer.is_alive():
            whole.extend(pages(api, headers, 50))
            begun.set()
            for page in pages(api, headers, 7):
                here = number(page["as_of"]["position"])
                assert all(number(entry["position"]) <= here for entry in page["entries"])
    finally:
        begun.set()
        writer.join(60)
    assert failed == []
    whole.extend(pages(api, headers, 50))
    for page in whole:
        here = number(page["as_of"]["position"])
        found = sorted(number(entry["position"]) for entry in page["entries"])
        assert found == sorted(position for position in written if position <= here)
    # The first page was read before the first line was written, the last one after the last.
    assert [len(page["entries"]) for page in (whole[0], whole[-1])] == [len(posted), len(posted) + len(MONTHS)]
