"""The documentation: complete, committed as generated, and without a request to anybody else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from api import docs, schemas
from api.app import create_app
from api.problems import STATUS, body_of, status_of
from ledger.errors import Problem, sentences
from ledger.settings import Settings
from tests.api.conftest import EMPTY, PAID, PERSON, Api


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(Settings(database_url="sqlite:////nowhere/none.db")))


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in {"src", "href"}]
        assert tag != "style"
        assert not (tag == "script" and not dict(attrs).get("src")), "no inline script under this policy"


def test_the_page_asks_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    links = Links()
    links.feed(page.text)
    assert links.found
    for link in links.found:
        assert link.startswith(("/", "data:")), link
        if link.startswith("/"):
            assert client.get(link).status_code == 200, link
    policy = page.headers["content-security-policy"]
    assert "http" not in policy
    assert "default-src 'none'" in policy
    start = client.get("/docs/docs.js").text
    assert "validatorUrl: null" in start
    assert not re.search(r"https?://", start)
    assert b"sourceMappingURL" not in client.get("/docs/swagger-ui-bundle.js").content
    assert not re.search(r"url\(\s*['\"]?(https?:)?//", client.get("/docs/swagger-ui.css").text)


def test_only_the_named_files_are_served(client: TestClient) -> None:
    for name in ("openapi.json", "..%2fapp.py", "swagger-ui.LICENSE"):
        assert client.get(f"/docs/{name}").json()["code"] == "route-unknown"
    etag = client.get("/docs/docs.js").headers["etag"]
    assert client.get("/docs/docs.js", headers={"If-None-Match": etag}).status_code == 304


def test_the_committed_description_is_what_the_code_generates(client: TestClient) -> None:
    generated = docs.rendered(create_app(Settings(database_url="sqlite:////nowhere/none.db")))
    assert (docs.STATIC / "openapi.json").read_bytes() == generated, "run python -m api.docs"
    assert client.get("/openapi.json").content == generated


def test_every_answer_is_described_with_an_example(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            guarded = bool(operation["security"])
            assert guarded == (path not in {"/livez", "/readyz", "/v1/mobile/login", "/v1/mobile/refresh"}), where
            if guarded:
                assert "401" in operation["responses"], where
            if operation["security"] == [{"key": []}]:
                assert "403" in operation["responses"], where
            for status, answer in operation["responses"].items():
                problem = answer.get("content", {}).get("application/problem+json")
                if problem:
                    assert problem["examples"], where
                    for code, example in problem["examples"].items():
                        assert str(example["value"]["status"]) == status == str(status_of(code)), where
    assert len(described["paths"]) == 21


def test_every_code_has_a_status_and_a_type() -> None:
    assert STATUS.keys() <= sentences().keys()
    for code in sentences():
        body = body_of(Problem(code), "id")
        assert 400 <= body.status < 600
        assert body.type.startswith("https://")
        assert body.title
        assert body.detail != body.detail_en


def resolved(schema: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    return parts[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def test_what_leaves_has_the_described_shape(api: Api) -> None:
    headers = api.key()
    for path, shape in (
        (f"/v1/accounts/{PAID}/balance", schemas.Balance),
        (f"/v1/accounts/{EMPTY}/balance", schemas.Balance),
        (f"/v1/accounts/{PAID}/entries", schemas.Entries),
        (f"/v1/persons/{PERSON}/balance", schemas.PersonBalance),
        ("/v1/suspense", schemas.Suspense),
        ("/readyz", schemas.Health),
    ):
        content = api.client.get(path, headers=headers).content
        decoded = msgspec.json.decode(content, type=shape)
        assert msgspec.json.encode(decoded) == content


def test_the_examples_have_the_described_shape(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    known = {shape.__name__.removesuffix("Body"): shape for shape in schemas.BODIES}
    seen = set()
    for methods in described["paths"].values():
        for operation in methods.values():
            for answer in operation["responses"].values():
                content = answer.get("content", {}).get("application/json", {})
                name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
                if "example" in content and name in known:  # tests/api/mobile looks at the others
                    msgspec.convert(content["example"], known[name])
                    seen.add(name)
    assert seen == {"Balance", "Entries", "PersonBalance", "Suspense", "Health", "Receipt"}
