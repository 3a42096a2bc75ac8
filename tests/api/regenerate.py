"""python -m tests.api.regenerate: what is committed about the API, its description and its codes, made again."""

from __future__ import annotations

from api.app import create_app
from api.docs import STATIC, rendered
from ledger.settings import Settings
from tests.api import codes_readme

if __name__ == "__main__":
    (STATIC / "openapi.json").write_bytes(rendered(create_app(Settings(master_key=None))))
    codes_readme.README.write_text(codes_readme.text(), "utf-8")
