"""What the description of an app says of its routes."""

from __future__ import annotations

from fastapi import FastAPI


def scopes(app: FastAPI) -> dict[str, dict[str, list[str]]]:
    """`GET /v1/...` -> who is let in: `{"key": [scope]}`, `{"member": []}`, or `{}` for anybody."""
    return {
        f"{method.upper()} {path}": (operation.get("security") or [{}])[0]
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    }
