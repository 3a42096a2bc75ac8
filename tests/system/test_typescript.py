"""A TypeScript client made from openapi.json compiles, and goes through the members' app against a running server."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from api.access import guard
from api.docs import STATIC
from ledger.settings import Settings
from tests.api.mobile.conftest import BUDI, MORE, PASSWORD, MobileApi
from tests.system import npm
from tests.system.serving import serving

HERE = Path(__file__).parent / "typescript"
STRICT = (
    "--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--module", "nodenext", "--target",
    "es2022", "--lib", "es2022,dom,dom.iterable", "--skipLibCheck",
)  # fmt: skip


def run(*command: object, cwd: Path) -> str:
    """What a command of the packages says, which must succeed."""
    done = subprocess.run(
        [npm.NODE, *map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def compiled(tmp_path: Path) -> tuple[Path, Path]:
    """(the packages, a folder with the journey compiled against the committed description)."""
    packages, folder = npm.installed(HERE), tmp_path / "client"
    folder.mkdir()
    (folder / "node_modules").symlink_to(packages / "node_modules")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "types.d.ts").write_text("declare const process: { argv: string[] };\n")
    shutil.copy(HERE / "journey.ts", folder)
    modules = packages / "node_modules"
    run(modules / "openapi-typescript/bin/cli.js", STATIC / "openapi.json", "-o", "schema.d.ts", cwd=folder)
    run(modules / "typescript/bin/tsc", *STRICT, "journey.ts", "types.d.ts", cwd=folder)
    return packages, folder


def test_a_client_from_the_description_does_the_journey_of_the_app(
    compiled: tuple[Path, Path], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "SLOW_SECONDS", (0.0,))
    with MobileApi(settings, live=True) as filled:
        filled.fill()
    with serving(settings.model_copy(update={"follow": True}), "", tmp_path / "log") as server:
        given = json.dumps([server.address, BUDI, PASSWORD, MORE])
        told = json.loads(run("journey.js", given, cwd=compiled[1]))
    assert told == {
        "name": "Budi Santoso 1", "devices": 1, "status": "active", "balance": 855_000, "worker": 300_000,
        "month": "2026-10", "unchanged": 304, "months": ["2026-10", "2026-09", "2026-08"], "linked": "***0033",
        "readers": ["member"], "out": 204, "over": "login-over",
        "contact": "b***1@contoh.id", "waiting": 0, "change": "password-wrong",
    }  # fmt: skip


def test_a_misspelt_field_or_value_does_not_compile(compiled: tuple[Path, Path]) -> None:
    packages, folder = compiled
    journey = (folder / "journey.ts").read_text()
    for right, wrong in (
        ("balance.contributed.worker", "balance.contributed.pekerja"),
        ('entry.kind === "regular"', 'entry.kind === "biasa"'),
        ("{ kpj: otherCard }", "{ nomor: otherCard }"), ('"login-wrong"', '"login-salah"'),
    ):  # fmt: skip
        assert right in journey
        (folder / "journey.ts").write_text(journey.replace(right, wrong))
        tsc = packages / "node_modules/typescript/bin/tsc"
        with pytest.raises(AssertionError, match=r"journey\.ts"):
            run(tsc, *STRICT, "--noEmit", "journey.ts", "types.d.ts", cwd=folder)
