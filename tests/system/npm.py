"""npm packages for tests: installed outside the tree, and kept between runs as long as their lock stays the same."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import playwright

from tests.system.lacking import lacking

NEEDED = "npm is needed (Debian and Ubuntu: apt install nodejs npm)"
NODE = Path(playwright.__file__).parent / "driver/node"
"""The Node that Playwright brings, because a distribution's may be too old for the packages."""


def installed(folder: Path) -> Path:
    """Where the packages of `folder`'s lock stand in `node_modules`."""
    if shutil.which("npm") is None:
        lacking(NEEDED)
    lock = (folder / "package-lock.json").read_bytes()
    # Not where temporary files go: that may be in memory.
    kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = kept / f"jht-npm-{sha256(lock).hexdigest()[:12]}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # test processes share the place
        if not (place / "ready").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(folder / name, place)
            done = subprocess.run(
                ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                cwd=place, capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            if done.returncode:
                lacking(f"npm could not install {folder.name}'s packages; it needs its registry once: {done.stderr}")
            (place / "ready").touch()
    return place
