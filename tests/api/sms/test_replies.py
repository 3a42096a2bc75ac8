"""Every sentence fits one segment of GSM-7, whatever it is filled with, and none calls the unknown a zero."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from api.sms import replies
from ledger.money import MAX_RUPIAH
from ledger.yields import Terms
from projections.results import BalanceRow, Last
from tests.conftest import TODAY

GSM_7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The alphabet of 3GPP TS 23.038; the signs of its extension table count twice and are not used."""

ROW = BalanceRow(
    26000008901, "26000008901", "a" * 32, "PU", "aktif", 8_000_000, 4_345_678, 0, 0, 0, 14,
    Last("2026-10", "2026-11-12", "10000001"), 7, 7, "", "", Terms(2023, (), None, 2026, 11),
)  # fmt: skip


def row(**changes: object) -> BalanceRow:
    return msgspec.structs.replace(ROW, **changes)


def every_sentence() -> Iterator[str]:
    for name in dir(replies):
        value = getattr(replies, name)
        if name.isupper() and isinstance(value, str):
            yield value
        elif name.isupper() and isinstance(value, dict):
            yield from value.values()
    largest = row(kpj="26000008901", employer=MAX_RUPIAH, worker=0, last=Last("2026-12", "2026-12-31", "10000001"))
    empty = {"employer": 0, "worker": 0, "last": None}
    zeros = (
        row(**empty, status="belum-ada-iuran"),
        row(employer=MAX_RUPIAH, worker=0, paid_out=MAX_RUPIAH),
        row(**empty, status="tidak-aktif"),
    )
    yield replies.bound("ABCDEFGH1234")
    yield replies.balance([largest], TODAY)
    yield replies.balance([row(last=None)], TODAY)
    yield replies.balance([largest] * 999, TODAY)
    yield replies.balance([msgspec.structs.replace(largest, credited=MAX_RUPIAH)] * 999, TODAY)
    for zero in zeros:
        yield replies.balance([zero], TODAY)
        yield replies.balance([zero] * 999, TODAY)


def test_the_yield_in_a_balance_is_told_and_gives_way_after_the_hint_where_there_is_no_room() -> None:
    earned = row(credited=234_567)
    assert replies.balance([earned], TODAY) == (
        "JHT ***8901 Rp12.580.245 per 21-11-26, termasuk hasil Rp234.567. Iuran terakhir Okt-26."
    )
    assert "hasil" not in replies.balance([row()], TODAY), "nothing is said of a yield that is not there"
    assert replies.balance([earned] * 2, TODAY).endswith(
        "hasil Rp469.134. Iuran terakhir Okt-26. Satu kartu: SALDO lalu KPJ."
    )
    wide, wider = (row(employer=10**size, credited=10**size) for size in (19, 30))
    assert replies.balance([wide] * 999, TODAY).endswith("Iuran terakhir Okt-26.")
    assert "termasuk hasil" in replies.balance([wide] * 999, TODAY)
    assert "hasil" not in replies.balance([wider] * 999, TODAY)


def test_every_sentence_is_one_segment_of_gsm_7() -> None:
    said = list(every_sentence())
    assert len(said) > 20
    wrong = [text for text in said if len(text) > replies.SEGMENT or set(text) - GSM_7]
    assert not wrong, "\n".join(f"{len(text)}: {text}" for text in wrong)


def test_a_balance_is_told_with_masked_card_amount_date_and_last_month() -> None:
    assert replies.balance([row()], TODAY) == "JHT ***8901 Rp12.345.678 per 21-11-26. Iuran terakhir Okt-26."


def test_several_cards_are_told_as_their_sum_and_number_and_how_to_ask_for_one() -> None:
    older = row(kpj="26000000017", employer=1_000_000, worker=0, last=Last("2025-05", "2025-06-10", "10000001"))
    assert replies.balance([older, row()], TODAY) == (
        "JHT 2 kartu, jumlah Rp13.345.678 per 21-11-26. Iuran terakhir Okt-26. Satu kartu: SALDO lalu KPJ."
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"employer": 0, "worker": 0, "last": None, "status": "belum-ada-iuran"}, "belum ada iuran yang tercatat"),
        ({"paid_out": 12_345_678}, "sudah dibayarkan"),
        ({"employer": 0, "worker": 0, "last": None, "status": "tidak-aktif"}, "sudah dibatalkan"),
    ],
)
def test_a_true_zero_says_why(changes: dict[str, object], reason: str) -> None:
    said = replies.balance([row(**changes)], TODAY)
    assert said.startswith("JHT ***8901 Rp0 per 21-11-26: ")
    assert reason in said


def test_no_sentence_about_an_unknown_balance_has_an_amount() -> None:
    for said in (*replies.NOT_TOLD.values(), replies.STRANGER, replies.TOO_MANY, replies.ASKED):
        assert "Rp" not in said
