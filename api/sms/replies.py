"""What is answered by SMS: Indonesian, each one segment of 160 GSM-7 septets whatever it is filled with.

A stranger is told only how to register. A balance that cannot be told truthfully has a sentence of its own, never a 0;
a true zero says why it is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from babel.dates import format_date

from api.middleware import masked
from api.sms.missing import Clause, fit
from ledger.identifiers import month_number
from ledger.money import rupiah
from projections.results import BalanceRow

SEGMENT = 160

STRANGER = (
    "Nomor HP ini belum terdaftar untuk saldo itu. Daftar: DAFTAR SALDO#NIK#DD-MM-YYYY (tgl lahir)#KPJ#EMAIL. "
    "Atau di kantor cabang. Info 175."
)
"""The same for a phone that is not bound, a card that does not exist and a card of somebody else."""
HELP = (
    "SALDO: cek saldo JHT. SALDO lalu KPJ: satu kartu. "
    "Daftar: DAFTAR SALDO#NIK#DD-MM-YYYY#KPJ#EMAIL. KABAR: dikabari. STOP: berhenti. Info 175."
)
ASKED = (
    "Permintaan diterima. Bila data cocok, konfirmasi dikirim ke kontak peserta yang tercatat. "
    "Tidak ada kabar? Bawa KTP ke kantor cabang. Info 175."
)
"""The same whether the data matched or not: who tries numbers learns nothing."""
NUMBER_BOUND = "Terima kasih. Nomor HP yang meminta sudah terhubung dan bisa mengirim SALDO ke 2757. Info 175."
NUMBER_LOGIN = "Terima kasih. Pendaftaran akun dikonfirmasi; tautannya kami kirim ke email yang didaftarkan. Info 175."
NUMBER = {
    "bound": NUMBER_BOUND,
    "login-confirmed": NUMBER_LOGIN,
    "contact-agreed": "Terima kasih. Penggantian kontak disetujui. Langkah terakhir kami kirim ke kontak baru. Info 175.",
}
"""What is answered to a number that came back, by what it confirmed."""
STOPPED = "Nomor HP ini sudah dilepas dari saldo JHT. Untuk memakai lagi, kirim DAFTAR SALDO seperti semula. Info 175."
NOT_BOUND = "Nomor HP ini memang tidak terhubung dengan saldo JHT. Tidak ada yang diubah. Info 175."
TOLD_FROM_NOW = (
    "Mulai sekarang nomor ini dikabari bila iuran JHT tercatat, atau belum masuk sesudah jatuh tempo. "
    "Hentikan: kirim STOP KABAR ke 2757."
)
TOLD_NO_MORE = (
    "Kabar iuran lewat SMS sudah dihentikan. SALDO tetap bisa dipakai. Kabar lagi: KABAR. Lepas nomor ini: STOP."
)
TELLS_STRANGER = (
    "Nomor HP ini belum terhubung dengan JHT, jadi belum bisa dikabari. "
    "Daftar: DAFTAR SALDO#NIK#DD-MM-YYYY (tgl lahir)#KPJ#EMAIL. Info 175."
)
TOO_MANY = "Terlalu banyak SMS dari nomor ini, jadi belum kami jawab. Coba lagi nanti. Info 175."
NOT_TOLD = {
    "read-side-stale": "Saldo JHT sedang diperbarui dan belum dapat kami sampaikan. Iuran Anda tetap tercatat. "
    "Kirim SALDO lagi beberapa menit lagi.",
    "read-side-empty": "Layanan saldo JHT sedang disiapkan. Iuran Anda tetap tercatat. "
    "Kirim SALDO lagi beberapa jam lagi. Info 175.",
    "log-restored": "Layanan saldo JHT sedang dipulihkan. Iuran Anda tetap tercatat. "
    "Kirim SALDO lagi beberapa jam lagi. Info 175.",
    "scheme-unreadable": "Catatan hasil pengembangan JHT sedang kami periksa, jadi saldo belum dapat kami sampaikan. "
    "Iuran Anda tetap tercatat. Info 175.",
    "account-incomplete": "Catatan kartu JHT Anda sedang kami periksa, jadi saldonya belum dapat kami sampaikan. "
    "Iuran Anda tetap tercatat. Info 175.",
}
"""Why a balance is not told, by code; every other failure is the gateway's to try again."""
MISREAD = {
    "registration": "DAFTAR belum lengkap. Contoh: DAFTAR SALDO#NIK#DD-MM-YYYY (tgl lahir)#KPJ#EMAIL. "
    "Email boleh dikosongkan. Info 175.",
    "nik": "NIK tidak terbaca: harus 16 angka seperti di KTP. Kirim ulang DAFTAR SALDO#NIK#DD-MM-YYYY#KPJ#EMAIL.",
    "birth_date": "Tanggal lahir tidak terbaca. Tulis seperti 17-05-1990. "
    "Kirim ulang DAFTAR SALDO#NIK#DD-MM-YYYY#KPJ#EMAIL.",
    "kpj": "KPJ tidak terbaca: biasanya 11 angka, ada di kartu peserta. Contoh: SALDO 12345678901. Info 175.",
    "name": "Nama tidak terbaca. Kirim ulang tanpa nama: DAFTAR SALDO#NIK#DD-MM-YYYY (tgl lahir)#KPJ#EMAIL.",
    "number": "KODE tidak cocok atau lewat 10 menit. Kirim KODE lalu 8 angka dari SMS terakhir kami, atau daftar lagi. "
    "Info 175.",
    "email": "Alamat email tidak terbaca. Email boleh dikosongkan. "
    "Kirim ulang DAFTAR SALDO#NIK#DD-MM-YYYY (tgl lahir)#KPJ#EMAIL.",
}


def bound(kpj: str) -> str:
    """The phone was on file and is bound now."""
    return f"Nomor HP ini terdaftar untuk JHT {masked(kpj)}. Kirim SALDO untuk cek saldo, STOP untuk berhenti."


def balance(rows: Sequence[BalanceRow], today: date, more: Sequence[Clause] = (), code: str = "") -> str:
    """One card's balance, or the sum of several; `more`: what is said of their months, as far as there is room; `code`: the
    answer code of one card's balance, whole or not at all."""
    total, day = sum(row.total for row in rows), format_date(today, "dd-MM-yy", "id")
    who = f"JHT {masked(rows[0].kpj)}" if len(rows) == 1 else f"JHT {len(rows)} kartu, jumlah"
    said = f"{who} {rupiah(total)} per {day}"
    if total == 0:
        return fit(fit(f"{said}: {_zero(rows)}", more, SEGMENT), _coded(code), SEGMENT)
    earned = sum(row.credited for row in rows)
    hint = [(" Satu kartu: SALDO lalu KPJ.",)] if len(rows) > 1 else _coded(code)
    whole = f"{said}, termasuk hasil {rupiah(earned)}.{_last(rows)}" if earned > 0 else ""
    # What there is no room for gives way: the hint or the code first, then the names of months, then the yield; the
    # amount, its day and the last month stay.
    if not whole or len(whole) + sum(len(forms[-1]) for forms in more) > SEGMENT:
        whole = f"{said}.{_last(rows)}"
    return fit(fit(whole, more, SEGMENT), hint, SEGMENT)


def _coded(code: str) -> list[Clause]:
    """In groups as it is printed, or without the strokes; a code is as long as any other that is typed."""
    return [(f" Kode {code}", f" Kode {code.replace('-', '')}")] if code else []


def _last(rows: Sequence[BalanceRow]) -> str:
    months = [row.last.month for row in rows if row.last is not None]
    number = month_number(max(months)) if months else None
    if number is None:
        return ""
    return f" Iuran terakhir {format_date(date(number // 12, number % 12 + 1, 1), 'MMM-yy', 'id')}."


def _zero(rows: Sequence[BalanceRow]) -> str:
    if any(row.paid_out for row in rows):
        return "seluruh saldo sudah dibayarkan. Info 175."
    if all(row.status == "belum-ada-iuran" for row in rows):
        return "belum ada iuran yang tercatat. Sudah membayar? Tanya pemberi kerja atau 175."
    return "iuran yang pernah tercatat sudah dibatalkan. Tanya pemberi kerja atau 175."
