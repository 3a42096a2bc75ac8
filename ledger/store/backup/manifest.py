"""What a backup is a copy of, and the proof that its files are what they were."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from ledger import __version__
from ledger.errors import Conflict, Refused
from ledger.output_file import writing
from ledger.store.database import Transaction, table_exists
from ledger.store.log import Log

MANIFEST = "manifest.json"
FORMAT = 1
_UNFINISHED = ".part"
_PIECE = 1 << 20


Store = Literal["sqlite", "postgres"]


class Copied(msgspec.Struct, frozen=True):
    """A file of a backup."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup is. `position`: the log's head in it; `master_key`: the fingerprint of the key it needs, '' when
    nobody was ever registered; `made_at`: ISO, UTC."""

    format: int
    made_at: str
    program: str
    store: Store
    log_id: str
    position: int
    master_key: str
    files: dict[str, Copied]


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder that has its name only when it is complete; readable by its owner only.

    Raises Conflict(file-exists), Refused(file-unwritable), StoreFailed(disk-full).
    """
    if folder.exists():
        raise Conflict("file-exists", file=str(folder))
    unfinished = folder.with_name(folder.name + _UNFINISHED)
    with writing():
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
    try:
        yield unfinished
        with writing():
            unfinished.rename(folder)
            sync(folder.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def described(store: Store, log: Log, tx: Transaction, now: datetime) -> Manifest:
    """The manifest, of no files yet, of a log as a transaction sees it."""
    rows = tx.rows("select name, value from vault_meta") if table_exists(tx, "vault_meta") else []
    vault: dict[str, str] = dict(rows)
    master_key = vault.get(f"fingerprint.{vault.get('master', '')}", "")
    return Manifest(FORMAT, now.isoformat(), __version__, store, log.log_id, log.head_in(tx), master_key, {})


def sealed(place: Path, manifest: Manifest) -> Manifest:
    """Write the manifest with the hashes of all files in the folder."""
    files = {path.name: _measured(path) for path in sorted(place.iterdir())}
    manifest = msgspec.structs.replace(manifest, files=files)
    with writing(), (place / MANIFEST).open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
        sync(place)
    return manifest


def _measured(path: Path) -> Copied:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return Copied(size, digest.hexdigest())


def sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def verified(folder: Path, store: Store, needed: str, also: str = "") -> Manifest:
    """The manifest of a backup whose files are what they were: one that it needs, one that it may have.

    Raises Refused: backup-unreadable, backup-damaged, backup-other-store.
    """
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except OSError as error:
        raise Refused("backup-unreadable", folder=str(folder), what=error.strerror or "") from None
    except msgspec.DecodeError:
        raise Refused("backup-unreadable", folder=str(folder), what=MANIFEST) from None
    if manifest.format != FORMAT:
        raise Refused("backup-unreadable", folder=str(folder), what=f"format {manifest.format}")
    if manifest.store != store:
        raise Refused("backup-other-store", found=manifest.store, expected=store)
    if needed not in manifest.files or not manifest.files.keys() <= {needed, also}:
        raise Refused("backup-unreadable", folder=str(folder), what=MANIFEST)
    for name, copied in manifest.files.items():
        try:
            found: Any = _measured(folder / name)
        except OSError:
            found = None
        if found != copied:
            raise Refused("backup-damaged", file=name)
    return manifest
