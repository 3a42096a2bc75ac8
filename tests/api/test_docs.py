"""The documentation: complete, committed as generated, and without a request to anybody else."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel
from starlette.testclient import TestClient

from api import docs, docs_page, months_answer, schemas, simulation_answer
from api.app import create_app
from api.mobile import schemas as mobile_schemas
from api.problems import STATUS, body_of, status_of
from api.request_body import KINDS
from api.statement import answer as statement_answer
from api.v1 import answers, receipts, reversals
from api.v1.upload_columns import row_name
from ledger.errors import Problem, sentences
from ledger.layouts import LAYOUTS
from ledger.settings import Settings
from tests.api import codes_readme
from tests.api.conftest import EMPTY, PAID, PERSON, Api


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(Settings(database_url="sqlite:////nowhere/none.db")))


class Links(HTMLParser):
    """What a page points to, and the places on it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.places: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in {"src", "href"}]
        self.places += [value or "" for name, value in attrs if name == "id"]
        assert tag not in {"style", "script", "form"}, "none is allowed by the policy"
        assert not any(name == "style" or name.startswith("on") for name, _ in attrs)


def test_the_page_asks_no_other_host_and_every_link_leads_somewhere(client: TestClient) -> None:
    page = client.get("/docs")
    links = Links()
    links.feed(page.text)
    assert len(links.places) == len(set(links.places))
    for link in sorted(set(links.found)):
        if link.startswith("#"):
            assert link[1:] in links.places, link
        else:
            assert link.startswith("/"), link
            assert link == "/" or client.get(link).status_code == 200, link  # the start page wants a ledger
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert not re.search("http|unsafe|script", policy)
    assert "url(" not in client.get("/docs/docs.css").text


def test_the_page_tells_every_route_every_field_and_every_code(client: TestClient) -> None:
    page, described = client.get("/docs").text, client.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            _, _, section = page.partition(f'<section class="route" id="{operation["operationId"]}">')
            section, _, _ = section.partition("</section>")
            assert f"<code><b>{method.upper()}</b> {path}</code>" in section
            for parameter in operation["parameters"]:
                assert f"<dt><code>{parameter['name']}</code>" in section, path
            for scope in operation.get("security", [{}])[0].get("key", []):
                assert f"scope <code>{scope}</code>" in section, path
            for status, answer in operation["responses"].items():
                assert f"<dt><code>{status}</code>" in section, path
                for code in answer.get("content", {}).get("application/problem+json", {}).get("examples", ()):
                    assert f'<a href="#code-{code}">' in section, (path, code)
    for name, schema in described["components"]["schemas"].items():
        _, _, section = page.partition(f'<section class="route" id="{name}">')
        section, _, _ = section.partition("</section>")
        for field in schema.get("properties", ()):
            assert f"<dt><code>{field}</code>" in section, (name, field)
    for code in sentences():
        assert f'id="code-{code}"' in page


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
         "string, 1 to 200 characters, <code>^[!-~]+$</code>"),
        ({"type": "string", "maxLength": 12}, "string, at most 12 characters"),
        ({"type": "string", "minLength": 5}, "string, at least 5 characters"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "integer", "minimum": 0}, "integer, at least 0"),
        ({"type": "integer", "default": 0}, "integer, otherwise <code>0</code>"),
        ({"anyOf": [{"const": "<b>"}, {"type": "null"}]}, "<code>&lt;b&gt;</code> or null"),
        ({"enum": ["PU", "BPU"]}, "<code>PU</code> or <code>BPU</code>"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Card"}, "minItems": 1},
         'list of <a href="#Card">Card</a>, not empty'),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "object of integer"),
        ({"type": "object", "properties": {"a": {"type": "boolean"}}}, "object with <code>a</code>: boolean"),
    ],
)  # fmt: skip
def test_the_form_of_a_value_is_told_in_words(schema: dict[str, Any], words: str) -> None:
    assert docs_page.form(schema) == words


def test_only_the_named_files_are_served_and_known_ones_are_not_sent_again(client: TestClient) -> None:
    for name in ("openapi.json", "docs.html", "..%2fapp.py"):
        assert client.get(f"/docs/{name}").json()["code"] == "route-unknown"
    for address in ("/docs", "/docs/docs.css", "/openapi.json"):
        etag = client.get(address).headers["etag"]
        assert client.get(address, headers={"If-None-Match": etag}).status_code == 304


def test_the_committed_description_is_what_the_code_generates(client: TestClient) -> None:
    generated = docs.rendered(create_app(Settings(database_url="sqlite:////nowhere/none.db")))
    assert (docs.STATIC / "openapi.json").read_bytes() == generated, "run make openapi"
    assert client.get("/openapi.json").content == generated


def test_the_committed_list_of_codes_is_what_the_code_generates() -> None:
    assert codes_readme.README.read_text("utf-8") == codes_readme.text(), "run make openapi"
    table = [line for line in codes_readme.text().splitlines() if line.startswith("| `")]
    assert len(table) == len(sentences())
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 5 for line in table), "a sentence breaks the table"


def test_every_answer_is_described_with_an_example(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            (security,) = operation.get("security", [{}])
            assert bool(security) == (path not in {"/livez", "/readyz", "/v1/mobile/login", "/v1/mobile/refresh"}), (
                where
            )
            if security:
                assert "401" in operation["responses"], where
            if "key" in security:
                assert "403" in operation["responses"], where
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                assert {"400", "413", "415", "422"} <= operation["responses"].keys(), where
            assert (
                any("json" in kind or "text" in kind for kind in operation["responses"]["200"]["content"])
                if ("200" in operation["responses"])
                else {"201", "204"} & operation["responses"].keys()
            ), where
            for status, answer in operation["responses"].items():
                problem = answer.get("content", {}).get("application/problem+json")
                if problem:
                    assert problem["examples"], where
                    for code, example in problem["examples"].items():
                        assert str(example["value"]["status"]) == status == str(status_of(code)), where
    assert len(described["paths"]) == 35


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


def example(schema: dict[str, Any], parts: dict[str, Any]) -> Any:
    """What a reader of the description takes for an example: the first of each field."""
    schema = resolved(schema, parts)
    if "examples" in schema:
        return schema["examples"][0]
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], parts)
    if schema["type"] == "object":
        return {name: example(part, parts) for name, part in schema["properties"].items()}
    if schema["type"] == "array":
        return [example(schema["items"], parts)]
    assert schema["type"] == "boolean", f"no example of {schema}"
    return True


def by_description(name: str, parts: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """What holds a value against one schema of the description."""
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": {"schemas": parts}}
    )


def test_every_field_has_an_example_that_the_schema_takes(client: TestClient) -> None:
    parts = client.get("/openapi.json").json()["components"]["schemas"]
    models = {
        name: model
        for module in (
            schemas,
            mobile_schemas,
            months_answer,
            simulation_answer,
            statement_answer,
            answers,
            receipts,
            reversals,
        )
        for name, model in vars(module).items()
        if isinstance(model, type) and issubclass(model, BaseModel) and name in parts
    }
    assert models.keys() == {name for name in parts if not name.endswith("Row") and name != "Code"}
    for name, model in models.items():
        if name not in {"Problem", "Reversal"}:  # they have whole examples, by code and by layout
            model.model_validate(example(parts[name], parts))
            by_description(name, parts).validate(example(parts[name], parts))


def test_what_leaves_has_the_described_shape(api: Api) -> None:
    headers = api.key()
    parts = api.client.get("/openapi.json").json()["components"]["schemas"]
    for path, model in (
        (f"/v1/accounts/{PAID}/balance", schemas.Balance),
        (f"/v1/accounts/{EMPTY}/balance", schemas.Balance),
        (f"/v1/accounts/{PAID}/entries", schemas.Entries),
        (f"/v1/accounts/{PAID}/months", months_answer.Months),
        (f"/v1/accounts/{PAID}/statement?year=2026", statement_answer.StatementAnswer),
        (f"/v1/persons/{PERSON}/balance", schemas.PersonBalance),
        ("/v1/suspense", schemas.Suspense),
        ("/readyz", schemas.Health),
    ):
        content = api.client.get(path, headers=headers).content
        assert model.model_validate_json(content).model_dump_json().encode() == content, path
        # The forms of texts stand in the description alone.
        by_description(model.__name__, parts).validate(json.loads(content))


def test_the_rows_of_uploads_are_the_columns_that_are_read(api: Api) -> None:
    parts = api.app.openapi()["components"]["schemas"]
    for layout, columns in LAYOUTS.items():
        row = parts[row_name(layout)]
        assert list(row["properties"]) == [column.name for column in columns]
        body = api.app.openapi()["paths"][f"/v1/{layout}"]["post"]["requestBody"]["content"]
        assert tuple(body) == KINDS
        for kind in ("application/json", "text/csv", "application/x-ndjson"):
            shown = body[kind]["example"]
            content = json.dumps(shown) if kind == "application/json" else shown
            headers = api.key() | {"Content-Type": kind}
            answer = api.client.post(f"/v1/{layout}?dry_run=true", headers=headers, content=content.encode())
            codes = {told["code"] for told in answer.json()["codes"]}
            # Whoever is in the example is known to this ledger or not; every cell of it can be read.
            assert not {code for code in codes if "unreadable" in code or code in {"cell-empty", "wrong-type"}}, codes
