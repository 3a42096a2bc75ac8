"""python -m tests.api.regenerate: the committed description of the API, made again from the routes."""

from __future__ import annotations

from api.app import create_app
from api.docs import STATIC, rendered
from ledger.settings import Settings

if __name__ == "__main__":
    (STATIC / "openapi.json").write_bytes(rendered(create_app(Settings(master_key=None))))
