"""Which columns each kind of input has: the layouts, and how a header line is matched to them.

The order and letter case of columns are free, and so are Indonesian names; blanks around a name, invisible characters
and a few remarks in brackets do not count. A column that is not known is refused by name, so that a misspelt optional
column never goes unnoticed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from ledger.errors import Refused

MAX_RUPIAH_CELL = 10**15 - 1
MAX_COUNT_CELL = 1_200
MAX_LIST_CELL = 4_000
_NAMED = 10
_SHOWN_NAME = re.compile(r"(?!.*[0-9]{4})[A-Za-z][A-Za-z0-9_ ./*(),%&+-]{0,39}")


class Column(NamedTuple):
    """A column: `type` chooses its reader in `fields.py`.

    `required`: the header must have it. `filled`: its cells must not be empty. `limit`: the largest number, or the
    longest text in characters. `day_first`: in this file its dates may be written dd-mm-yyyy. `example`: a cell as a
    file has it, for those who describe the layout.
    """

    name: str
    type: str
    example: str
    required: bool = True
    filled: bool = True
    limit: int = 0
    day_first: bool = False

    @property
    def value(self) -> str | int:
        """The example as JSON has it: amounts and counts are integers."""
        return int(self.example) if self.type in {"rupiah", "count"} else self.example


def _rupiah(name: str, example: str, *, required: bool = True, filled: bool = True) -> Column:
    return Column(name, "rupiah", example, required, filled, MAX_RUPIAH_CELL)


EMPLOYERS = (
    Column("npp", "npp", "10000001"),
    Column("name", "text", "PT Contoh Sejahtera", limit=100),
    Column("registered_on", "date", "2025-01-02"),
)
REGISTRATIONS = (
    Column("kpj", "kpj", "26000000017"),
    Column("nik", "nik", "3174016501900003"),
    Column("name", "text", "Sari Lestari", limit=100),
    Column("birth_date", "birth", "1990-01-25"),
    Column("sex", "sex", "P"),
    Column("segment", "segment", "PU"),
    Column("npp", "npp", "10000001", filled=False),
    Column("email", "email", "sari@contoh.id", filled=False, limit=254),
    Column("phone", "phone", "081234567890", filled=False),
    Column("registered_on", "date", "2025-01-02"),
    Column("left_on", "date", "2026-06-30", required=False, filled=False),
    Column("left_why", "leaving", "resigned", required=False, filled=False),
    Column("old_card", "yes", "ya", required=False, filled=False),
)
CONTRIBUTIONS = (
    Column("npp", "npp", "10000001", filled=False),
    Column("month", "month", "2026-10"),
    Column("kpj", "kpj", "26000000017"),
    _rupiah("wage", "5000000", filled=False),
    _rupiah("back_pay", "0", required=False, filled=False),
    _rupiah("employer", "185000", required=False, filled=False),
    _rupiah("worker", "100000", required=False, filled=False),
    Column("paid_on", "date", "2026-11-12"),
    Column("reference", "reference", "TRX-1", required=False, filled=False, limit=40),
    Column("division", "division", "000", required=False, filled=False),
    Column("kind", "kind", "regular", required=False, filled=False),
    Column("segment", "segment", "PU", required=False, filled=False),
    Column("nik", "nik", "3174016501900003", required=False, filled=False),
    Column("name", "text", "Sari Lestari", required=False, filled=False, limit=100),
)
OPENING_BALANCES = (
    Column("kpj", "kpj", "26000000017"),
    Column("as_of", "date", "2024-12-31"),
    _rupiah("employer", "18500000"),
    _rupiah("worker", "10000000"),
    _rupiah("credited_yield", "1500000"),
    Column("months", "count", "100", limit=MAX_COUNT_CELL),
    Column("member_since", "date", "2015-02-01", required=False, filled=False),
    Column("source", "reference", "BA-2024-117", required=False, filled=False, limit=40),
    _rupiah("tambahan", "0", required=False, filled=False),
    _rupiah("tambahan_yield", "0", required=False, filled=False),
    Column("yield_through", "year", "2024", required=False, filled=False),
    Column("bases", "bases", "2024:342000000", required=False, filled=False, limit=MAX_LIST_CELL),
    Column("payouts", "payouts", "2022-05-10:1000000:partial", required=False, filled=False, limit=MAX_LIST_CELL),
)
# What the file of rejects adds to each row, so that it can be mended and sent again as it is.
REJECTS = tuple(Column(name, "ignored", "", required=False, filled=False) for name in ("line", "reason", "sentence"))
LAYOUTS: dict[str, tuple[Column, ...]] = {
    "employers": EMPLOYERS,
    "registrations": REGISTRATIONS,
    "contributions": CONTRIBUTIONS,
    "opening-balances": OPENING_BALANCES,
}


REPORT = tuple(
    column._replace(required=False, filled=False) if column.name in {"npp", "month", "paid_on"} else column
    for column in CONTRIBUTIONS
)
"""An employer's own file of one month, which is checked and never taken: who pays for which month is known without it,
and nothing may be paid yet."""
READABLE = LAYOUTS | {"report": REPORT}
"""What `reading` can read."""

INDONESIAN: dict[str, tuple[str, ...]] = {
    "npp": ("NPP", "NO NPP", "NOMOR PENDAFTARAN PERUSAHAAN"),
    "month": ("BLTH", "BULAN", "BULAN IURAN"),
    "kpj": ("NO KPJ", "NOMOR KPJ", "NO PESERTA", "NOMOR PESERTA"),
    "nik": ("NIK", "NO NIK", "NO KTP"),
    "name": ("NAMA LENGKAP", "NAMA", "NAMA TENAGA KERJA", "NAMA TK"),
    "wage": ("UPAH", "GAJI"),
    "back_pay": ("RAPEL",),
    "employer": ("IURAN JHT PERUSAHAAN", "JHT PERUSAHAAN"),
    "worker": ("IURAN JHT TK", "JHT TK", "IURAN JHT TENAGA KERJA"),
    "paid_on": ("TGL BAYAR", "TANGGAL BAYAR"),
    "reference": ("NO REFERENSI", "REFERENSI"),
    "division": ("DIVISI",),
    "kind": ("JENIS IURAN",),
    "segment": ("SEGMEN",),
    "birth_date": ("TANGGAL LAHIR", "TGL LAHIR"),
    "sex": ("JENIS KELAMIN",),
    "email": ("EMAIL", "E-MAIL"),
    "phone": ("NO HP", "NOMOR HP"),
    "registered_on": ("TGL MULAI BEKERJA", "TANGGAL MULAI BEKERJA", "TANGGAL DAFTAR"),
    "left_on": ("TGL KELUAR", "TANGGAL KELUAR"),
    "left_why": ("ALASAN KELUAR", "SEBAB KELUAR"),
    "old_card": ("KARTU LAMA",),
    "as_of": ("PER TANGGAL", "TANGGAL SALDO"),
    "credited_yield": ("HASIL PENGEMBANGAN",),
    "months": ("JUMLAH BULAN",),
    "member_since": ("PESERTA SEJAK",),
    "source": ("SUMBER",),
    "tambahan": ("SALDO TAMBAHAN",),
    "tambahan_yield": ("HASIL PENGEMBANGAN TAMBAHAN",),
    "yield_through": ("HASIL SAMPAI TAHUN",),
    "bases": ("DASAR HASIL",),
    "payouts": ("PEMBAYARAN",),
}
"""Column -> what people call it; the first of them stands in the template."""
_EMPLOYERS_OWN = {"name": ("NAMA PERUSAHAAN",), "registered_on": ("TANGGAL DAFTAR", "TGL DAFTAR")}
# Columns of the forms people fill in for other offices, which say nothing that is kept here.
_NOT_TAKEN = frozenset({
    "no", "nomor", "no_urut", "tempat_lahir", "status_perkawinan", "alamat", "nama_ibu_kandung", "nama_perusahaan",
    "npwp_perusahaan", "jkk", "jkm", "iuran_jkk", "iuran_jkm", "jp", "jp_tk", "jp_perusahaan", "iuran_jp_tk",
    "iuran_jp_perusahaan", "total_jp", "total_iuran_jp", "no_pegawai", "kode_tk",
})  # fmt: skip
_TOTAL = "total_jht"
_REMARKS = frozenset({
    "rp", "idr", "rupiah", "wajib", "required", "opsional", "optional", "teks", "text", "ya_tidak", "l_p",
    "dd_mm_yyyy", "yyyy_mm_dd", "yyyy_mm", "mm_yyyy", "8_digit", "11_digit", "16_digit", "8_angka", "11_angka",
    "16_angka",
})  # fmt: skip
"""What may stand in brackets behind a name: anything else (`ribuan`, say) could change what the numbers mean."""
_BRACKETS = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*[*:]*\s*$")
_NOT_WORD = re.compile(r"[^0-9a-z]+")
_DATES = frozenset({"date", "birth"})
BLANK = "blank"
"""The type of a column without a name, in which every cell must be empty."""


def indonesian_template(layout: Sequence[Column]) -> str:
    """A header line of a layout with Indonesian names."""
    special = _EMPLOYERS_OWN if len(layout) == len(EMPLOYERS) else {}
    return ", ".join((special.get(column.name) or INDONESIAN[column.name])[0] for column in layout)


def clean_name(name: str) -> str:
    """A column's name as it is compared: no byte order mark, no blanks or invisible signs around, small letters."""
    return name.translate(_UNSEEN).strip(_ENDS).lower()


_UNSEEN = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u200e\u200f\u2060\u00ad"))
_ENDS = "\u00a0\u202f\u3000 \t\r\n"


def _key(name: str) -> str:
    """A name without decoration: `No. KPJ *`, `[NO_KPJ]` and `no kpj (11 digit)` are all `no_kpj`."""
    text = clean_name(name)
    while (match := _BRACKETS.search(text)) and _NOT_WORD.sub("_", match[1]).strip("_") in _REMARKS:
        text = text[: match.start()]
    if "(" in text or "[" in text[1:]:
        return text
    return _NOT_WORD.sub("_", text).strip("_")


@cache
def _names(layout: tuple[Column, ...]) -> dict[str, Column]:
    """Key -> column, for every way in which a header may name a layout's columns."""
    found: dict[str, Column] = {column.name: column for column in (*layout, *REJECTS)}
    special = _EMPLOYERS_OWN if len(layout) == len(EMPLOYERS) else {}
    for column in layout:
        local = column._replace(day_first=True) if column.type in _DATES else column
        for name in special.get(column.name, INDONESIAN[column.name]):
            found.setdefault(_key(name), local)
    return found


def match_header(names: Sequence[str], layout: tuple[Column, ...], line: int = 1) -> list[Column]:
    """The columns that a header line names, in its order; a column without a name has the type `blank`.

    Raises Refused: `column-unknown`, `column-twice`, `columns-missing`.
    """
    known, keys = _names(layout), [_key(name) for name in names]
    given = {known[key].name for key in keys if key in known}
    missing = [column.name for column in layout if column.required and column.name not in given]
    template = indonesian_template(layout)
    if len(missing) == sum(column.required for column in layout):
        # Probably a file without a header: its first line is data, so none of its words is repeated here.
        raise Refused("columns-missing", line=line, columns=", ".join(missing), template=template)
    ignored = _NOT_TAKEN | ({_TOTAL, "total_iuran_jht"} if {"employer", "worker"} <= given else set())
    columns, unknown = list[Column](), list[str]()
    for place, (name, key) in enumerate(zip(names, keys), 1):
        if not clean_name(name):
            columns.append(Column(f"#{place}", BLANK, "", required=False, filled=False))
        elif key in known:
            columns.append(known[key])
        elif key in ignored:
            columns.append(Column(f"#{place}", "ignored", "", required=False, filled=False))
        else:
            unknown.append(_shown(name, place))
    if unknown:
        raise _unknown(unknown, layout, line)
    twice = sorted(name for name, times in Counter(column.name for column in columns).items() if times > 1)
    if twice:
        raise Refused("column-twice", line=line, columns=", ".join(twice))
    if missing:
        raise Refused("columns-missing", line=line, columns=", ".join(missing), template=template)
    return columns


def is_header(names: Sequence[str], layout: tuple[Column, ...]) -> bool:
    """Whether a line names enough columns of a layout to be its header: all that are required, or three."""
    known = _names(layout)
    given = {known[key].name for name in names if (key := _key(name)) in known}
    return len(given) >= 3 or {column.name for column in layout if column.required} <= given


def refuse_unknown(names: Sequence[str], layout: tuple[Column, ...], line: int) -> None:
    """Raise Refused `column-unknown` when a name is not in the layout."""
    known = {column.name for column in (*layout, *REJECTS)}
    unknown = [_shown(name, place) for place, name in enumerate(names, 1) if clean_name(name) not in known]
    if unknown:
        raise _unknown(unknown, layout, line)


def _unknown(unknown: list[str], layout: tuple[Column, ...], line: int) -> Refused:
    known = ", ".join(column.name for column in layout)
    columns = ", ".join(unknown[:_NAMED])
    return Refused("column-unknown", line=line, columns=columns, known=known, template=indonesian_template(layout))


def _shown(name: str, place: int) -> str:
    """A name that cannot be mistaken for data, else its place: a file may hold personal data where names should be."""
    name = name.translate(_UNSEEN).strip(_ENDS)
    return name if _SHOWN_NAME.fullmatch(name) else f"#{place}"
