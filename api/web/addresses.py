"""Which addresses of the site one may be sent back to."""

from __future__ import annotations

import re

_PLAIN = re.compile(
    r"/|/(?:daftar|masuk|lupa|saldo|iuran|kartu|akun|bantuan|mitra|periksa)|/akun/(?:akses|data|kontak)|/saldo/[\w-]{22}"
    r"|/perusahaan(?:/[a-z0-9-]{1,30}){0,3}|/kantor(?:/[a-z-]{1,30}){0,3}"
    r"|/kantor/(?:peserta|permintaan)/[\w-]{40,512}(?:/surat|/[0-9]{1,6})?"
)
"""Addresses that may stand in another address: no secret of a link is among them, and an office's view of a member is
worth nothing outside its session."""


def way_back(path: str) -> str:
    """A page of this site that one may be sent back to, the first page instead of any other address."""
    return path if _PLAIN.fullmatch(path) else "/"
