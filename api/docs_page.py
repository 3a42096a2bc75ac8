"""The documentation page as HTML, made from the OpenAPI description: no script, every route, field and code on one page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from api.problems import status_of
from api.web.assets import asset
from ledger.errors import sentences

TEMPLATES = Path(__file__).parent / "static"
_GROUPS = {
    "accounts": "Cards",
    "answers": "Answer codes and differences",
    "persons": "Persons",
    "totals": "Totals",
    "suspense": "Waiting money",
    "writing": "Writing",
    "mobile": "Devices of members",
    "health": "Health",
}
_CODE = re.compile(r"`([^`]+)`")
_SIZES = {  # type -> what its limits count, the least, the most
    "string": ("characters", "minLength", "maxLength"),
    "array": ("items", "minItems", "maxItems"),
    "integer": ("", "minimum", "maximum"),
    "number": ("", "minimum", "maximum"),
}


class Route(NamedTuple):
    """One method of one address."""

    method: str
    path: str
    operation: dict[str, Any]


def marked(text: str) -> Markup:
    """Plain text with `names` as code; a refusal's code is a link to its sentence."""
    known = sentences()

    def code(found: re.Match[str]) -> str:
        written = f"<code>{found[1]}</code>"
        return f'<a href="#code-{found[1]}">{written}</a>' if found[1] in known else written

    return Markup(_CODE.sub(code, str(escape(text))))  # noqa: S704 - escaped before


def paragraphs(text: str) -> list[Markup]:
    """The paragraphs of a description."""
    return [marked(part) for part in text.split("\n\n")]


def _limits(schema: dict[str, Any]) -> list[str]:
    what, least, most = _SIZES.get(schema.get("type", ""), ("", "", ""))
    low, high = schema.get(least), schema.get(most)
    if low is None and high is None:
        return []
    if high is None:
        return ["not empty" if what and low == 1 else f"at least {low} {what}".strip()]
    return [(f"at most {high} {what}" if low is None else f"{low} to {high} {what}").strip()]


def form(schema: dict[str, Any]) -> Markup:
    """What a value looks like, in words: its type, its limits, and a link where it is described elsewhere."""
    code = Markup("<code>{}</code>").format
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#{0}">{0}</a>').format(name)
    if "anyOf" in schema:
        return Markup(" or ").join(form(one) for one in schema["anyOf"])
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return Markup(" or ").join(code(value) for value in schema["enum"])
    kind = schema["type"]
    if kind == "array":
        said = [Markup("list of ") + form(schema["items"])]
    elif kind == "object" and "properties" in schema:
        inside = (code(name) + ": " + form(part) for name, part in schema["properties"].items())
        said = [Markup("object with ") + Markup(", ").join(inside)]
    elif kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        said = [Markup("object of ") + form(schema["additionalProperties"])]
    else:
        said = [escape(schema.get("format", kind))]
    said += [escape(limit) for limit in _limits(schema)]
    if "pattern" in schema:
        said.append(code(schema["pattern"]))
    if schema.get("default") is not None:
        said.append(Markup("otherwise ") + code(json.dumps(schema["default"])))
    return Markup(", ").join(said)


def sample(schema: dict[str, Any]) -> str:
    """The first example of a value as JSON, "" without one."""
    examples = schema.get("examples")
    return json.dumps(examples[0], ensure_ascii=False) if examples else ""


def shown(example: Any) -> str:
    """An example of a body as it is sent."""
    return example if isinstance(example, str) else json.dumps(example, ensure_ascii=False, indent=1)


def callers(operation: dict[str, Any]) -> Markup:
    """Who may ask."""
    (security,) = operation.get("security", [{}])
    if "member" in security:
        return Markup("The access token of a member's device")
    if "key" in security:
        return Markup("An API key with the scope {}").format(
            Markup(" and ").join(Markup("<code>{}</code>").format(scope) for scope in security["key"])
        )
    return Markup("Anybody")


def groups(description: dict[str, Any]) -> dict[str, list[Route]]:
    """Title -> its routes, in the order of the page."""
    found: dict[str, list[Route]] = {title: [] for title in _GROUPS.values()}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            found[_GROUPS[operation["tags"][0]]].append(Route(method.upper(), path, operation))
    return found


def rendered(description: dict[str, Any]) -> bytes:
    """The whole page for an OpenAPI description."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tools = (marked, paragraphs, form, sample, shown, callers, asset, status_of)
    environment.globals |= {tool.__name__: tool for tool in tools}
    return (
        environment.get_template("docs.html")
        .render(
            info=description["info"],
            groups=groups(description),
            codes=sentences(),
            schemas=description["components"]["schemas"],
            headers=description["components"]["headers"],
            common={"Cache-Control", "Content-Language", "Vary", "X-Request-Id"},
            schemes=description["components"]["securitySchemes"],
        )
        .encode()
    )
