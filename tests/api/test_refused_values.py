"""No answer repeats what it refuses: it may be a NIK or a name in the wrong place. Every described route is asked with a
marker in every parameter, header, field, cell and header of a file in turn."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from httpx2 import Response

from api.access import guard
from ledger.settings import Settings
from ledger.store.log import Log
from tests.api.described import description
from tests.api.mobile.conftest import CARD, SECOND, App, MobileApi
from tests.conftest import MASTER_KEY

MARKERS = ("Rahasia7Qz", "3174016501909993", "budi.rahasia@contoh.id", "-70707", '<i>"rahasia"</i>')
"""A word, a NIK, an address, a number, and what breaks out of a text."""
HEADERS = (
    "Accept-Language",
    "If-None-Match",
    "Authorization",
    "Content-Type",
    "X-Request-Id",
    "Idempotency-Key",
    "X-Reason",
)
JSON, CSV, NDJSON = "application/json", "text/csv", "application/x-ndjson"
BODIES: dict[str, dict[str, Any]] = {
    "LinkCard": {"kpj": SECOND},
    "LogIn": {"identifier": "budi1@contoh.id", "password": "kuda-lumping-1990"},
    "AskContact": {"contact": "baru@contoh.id", "password": "kuda-lumping-1990"},
    "AnswerNumber": {"asked": 7, "number": "12345678"},
    "Renew": {"refresh_token": "jhtr_x.y"},
    "ChooseNotices": {"mail": ["posted"], "sms": []},
    "Reversal": {"reason": "wrong-amount", "receipt": "", "remittance": "remittance-e:10000001:2026-10", "kpj": CARD,
                 "kind": "regular"},
}  # fmt: skip
"""A good body of each model."""


class Sent(NamedTuple):
    """A request with the marker in one place."""

    place: str
    path: str
    headers: dict[str, str]
    content: bytes | None


def paths(path: str, good: dict[str, str], marker: str) -> Iterator[tuple[str, str]]:
    """(place, address) with the marker as each part of the address in turn."""
    for name, value in good.items():
        if f"{{{name}}}" in path:
            yield name, path.replace(f"{{{name}}}", quote(marker, safe="")).format(**good | {name: value})


def bodies(operation: dict[str, Any], marker: str) -> Iterator[tuple[str, str, bytes]]:
    """(place, kind, body) with the marker in each place of a body."""
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        if kind == JSON:
            yield "body", kind, json.dumps(marker).encode()
            yield "list", kind, json.dumps([marker]).encode()
            for name, body in objects(content):
                whole = [body] if "example" in content else body
                for key in body:
                    for value in (marker, [marker], {"a": marker}):
                        changed = body | {key: value}
                        yield f"{name}.{key}", kind, json.dumps([changed] if whole != body else changed).encode()
                yield f"{name}.?", kind, json.dumps(body | {"lain": marker}).encode()
        elif kind == NDJSON:
            row = json.loads(content["example"])
            yield from ((f"line.{key}", kind, json.dumps(row | {key: marker}).encode() + b"\n") for key in row)
            yield "line", kind, marker.encode() + b"\n"
        elif kind == CSV:
            head, row = (text.split(",") for text in content["example"].splitlines())
            for place, key in enumerate(head):
                cells = [*row[:place], f'"{marker.replace(chr(34), chr(34) * 2)}"', *row[place + 1 :]]
                yield f"cell.{key}", kind, f"{','.join(head)}\n{','.join(cells)}\n".encode()
                # A file without its header line begins with somebody's data.
                yield f"first line.{key}", kind, f"{','.join(cells)}\n{','.join(row)}\n".encode()
        else:
            yield "workbook", kind, marker.encode()


def objects(content: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    if "example" in content:
        return [("row", content["example"][0])]
    name = content["schema"]["$ref"].rpartition("/")[2]
    return [(name, BODIES[name])]


def requests(path: str, operation: dict[str, Any], good: dict[str, str], marker: str) -> Iterator[Sent]:
    address = path.format(**good)
    # HTTP has no other letters in a header than these.
    headers = {name: {} for name in HEADERS} | {name: {name: marker} for name in HEADERS if name != "Authorization"}
    headers["Authorization"] = {"Authorization": f"Bearer {marker}"}
    yield from (Sent(place, there, {}, None) for place, there in paths(path, good, marker))
    for parameter in operation["parameters"]:
        if parameter["in"] == "query":
            yield Sent(parameter["name"], f"{address}?{parameter['name']}={quote(marker)}", {}, None)
    yield Sent("twice", f"{address}?min_position={quote(marker)}&min_position={quote(marker)}", {}, None)
    yield Sent("an unknown parameter", f"{address}?lain={quote(marker)}", {}, None)
    yield from (Sent(name, address, given, None) for name, given in headers.items())
    for place, kind, content in bodies(operation, marker):
        yield Sent(place, address, {"Content-Type": kind}, content)


def told(answer: Response) -> str:
    """Everything that an answer says."""
    return (
        json.dumps(answer.json(), ensure_ascii=False)
        if "json" in answer.headers.get("content-type", "")
        else answer.text
    )


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    settings = Settings(
        database_url=f"sqlite:///{tmp_path_factory.mktemp('refused') / 'jht.db'}", master_key=MASTER_KEY
    )
    Log.open(settings, create=True).close()
    with pytest.MonkeyPatch.context() as patch, MobileApi(settings) as made:
        patch.setattr(guard, "SLOW_SECONDS", (0.0,) * 5)
        made.fill()
        yield made.login()


def test_no_answer_repeats_what_it_refuses(app: App) -> None:
    """Each place gets one of the markers in turn."""
    api, key = app.api, app.api.key()
    good = {"kpj": CARD, "handle": app.handle(), "person": api.budi, "code": "7K3M-9QZX-1VTB-C4HD-0W8N-PR5E-AJ2Y-6GF"}
    refused, wrong = 0, []
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            if "logout" in path:
                continue
            ways = [list(requests(path, operation, good, marker)) for marker in MARKERS]
            for number, same in enumerate(zip(*ways, strict=True), refused):
                sent, marker = same[number % len(MARKERS)], MARKERS[number % len(MARKERS)]
                headers = (app.headers() if "/mobile/" in path else key) | sent.headers
                answer = api.client.request(method.upper(), sent.path, headers=headers, content=sent.content)
                refused += answer.status_code >= 400
                if marker in told(answer) or marker in str(answer.headers) or json.dumps(marker)[1:-1] in told(answer):
                    wrong.append(f"{method} {path} {sent.place}: {answer.status_code} {told(answer)[:200]}")
    assert not wrong, "\n".join(wrong)
    assert refused > 200
