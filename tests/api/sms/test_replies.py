"""Every sentence fits one segment of GSM-7, whatever it is filled with, and none calls the unknown a zero."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sms import missing, replies
from api.sms.missing import fit
from ledger.decisions.remittance import SUSPENSE_REASONS
from ledger.money import MAX_RUPIAH
from ledger.yields import Terms
from projections.month_grid import Facts, years
from projections.results import BalanceRow, Last
from tests.api.web.facts import case, entry, facts, reversal
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


CODE = "7Q2M-K4ZC-0XHD-9V3B-RT5W-1N8P-6GYJ-E0F"


@pytest.mark.parametrize(
    ("amount", "more", "ends"),
    [
        # 61 signs before what is said of months; the code takes 44 signs, 37 without its strokes.
        (12_345_678, (), "Okt-26. Kode " + CODE),
        (12_345_678, (" " + "x" * 54,), "x Kode " + CODE),
        (12_345_678, (" " + "x" * 55,), "x Kode " + CODE.replace("-", "")),
        (12_345_678, (" " + "x" * 61,), "x Kode " + CODE.replace("-", "")),
        (12_345_678, (" " + "x" * 62,), "Okt-26. " + "x" * 62),
        (0, (), "atau 175. Kode " + CODE),
    ],
)
def test_a_code_is_whole_or_not_there_and_is_the_first_that_gives_way(
    amount: int, more: tuple[str, ...], ends: str
) -> None:
    said = replies.balance([row(employer=amount, worker=0)], TODAY, [more] if more else [], CODE)
    assert said.endswith(ends), said
    assert len(said) <= replies.SEGMENT
    assert not set(said) - GSM_7
    assert said.startswith(replies.balance([row(employer=amount, worker=0)], TODAY, [more] if more else []))


def test_the_longest_code_of_any_card_has_room_behind_a_plain_balance() -> None:
    largest = row(kpj="ABCDEFGH1234", employer=MAX_RUPIAH, worker=0)
    longest = "-".join(["WXYZ"] * 9)
    assert replies.balance([largest], TODAY, (), longest).endswith(f" Kode {longest}")


def test_a_sum_of_several_cards_has_no_code() -> None:
    assert "Kode" not in replies.balance([row(), row()], TODAY, (), CODE)


MORE = (" 3 bln belum masuk: Mar,Jul,Okt.", " 3 bln belum masuk: Jul,Okt,+1 lain.", " 3 bln belum masuk: Okt,+2 lain.",
        " 3 bln belum masuk.")  # fmt: skip


def months_of(*cards: Facts, today: date = TODAY) -> list[str]:
    """The longest form of every clause."""
    return [forms[0] for forms in missing.clauses(cards, today)]


def test_missing_months_are_named_a_year_only_where_it_is_not_this_one() -> None:
    lines = tuple(entry(f"2026-{month:02d}") for month in (9, 8, 6, 5, 4, 2, 1))
    this_year = facts(*lines, since="2026-01")
    assert missing.clauses([this_year], TODAY) == [MORE]
    assert replies.balance([row()], TODAY, [MORE]) == (
        "JHT ***8901 Rp12.345.678 per 21-11-26. Iuran terakhir Okt-26. 3 bln belum masuk: Mar,Jul,Okt."
    )
    assert months_of(facts(*lines, since="2025-12")) == [" 4 bln belum masuk: Des-25,Mar,Jul,Okt."]
    many = months_of(facts(since="2024-01"))
    assert many == [" 34 bln belum masuk: Jan-24 s/d Okt."]


def test_money_that_waits_was_taken_back_or_is_awaited_is_told_behind_what_is_missing() -> None:
    one = facts(
        reversal("2026-07"), entry("2026-07"), cases=(case("2026-08", "wage-missing"),), since="2026-06",
        complete=date(2026, 9, 30),
    )  # fmt: skip
    assert months_of(one) == [
        " 1 bln belum masuk: Jun.", " 1 bln ditahan: Agu (upah kosong, tanya HRD).", " 1 bln dibatalkan: Jul.",
        " 2 bln masih ditunggu: Sep,Okt (data bayar s/d 30-09-26).",
    ]  # fmt: skip
    two = facts(
        cases=(case("2026-08", "wage-missing"), case("2026-09", "nik-differs")), since="2026-08", until="2026-09"
    )
    assert months_of(two) == [" 2 bln ditahan: Agu,Sep."]
    silent = facts(entry("2026-09"), since="2026-09", complete=None)
    assert months_of(silent) == [" 1 bln masih ditunggu: Okt (data bayar s/d 28-09-26)."]
    assert missing.clauses([silent], TODAY)[0][-1] == " Data bayar s/d 28-09-26."


def test_where_nothing_is_wrong_the_present_month_says_why_it_is_not_there() -> None:
    assert months_of(facts(entry("2026-10"), since="2026-10")) == [" Nov-26 belum jatuh tempo."]
    assert months_of(facts(entry("2026-10"), since="2026-10", until="2026-10")) == [" Nov-26 di luar kepesertaan."]
    assert months_of(facts(since="2026-12")) == [" Nov-26 sebelum terdaftar."]
    assert months_of(facts(entry("2026-11"), since="2026-11")) == []


def test_what_there_is_no_room_for_gives_way_from_the_oldest_month_to_the_last_clause() -> None:
    assert fit("", [MORE], 32) == MORE[0]
    many = missing.clauses([facts(*(entry(f"2026-0{month}") for month in (8, 6)), since="2026-01")], TODAY)
    assert many[0][0] == " 8 bln belum masuk: Jan s/d Mei,Jul,Sep,Okt."
    assert fit("", many, 42) == " 8 bln belum masuk: Jul,Sep,Okt,+5 lain.", "the newest are kept"
    assert fit("", [MORE], 31) == fit("", [MORE], 19) == MORE[3]
    assert fit("", [MORE], 18) == ""
    assert fit("", [MORE, (" Satu kartu.",)], 40) == MORE[3] + " Satu kartu.", (
        "each is told before one is told at length"
    )
    largest = row(employer=MAX_RUPIAH, worker=0)
    said = replies.balance([largest] * 999, TODAY, [MORE, MORE])
    assert said.endswith("Okt-26. 3 bln belum masuk: Mar,Jul,Okt. 3 bln belum masuk: Mar,Jul,Okt."), (
        "the hint gives way"
    )


_MONTHS = [f"{number // 12:04d}-{number % 12 + 1:02d}" for number in range(2024 * 12, 2026 * 12 + 11)]


@given(
    st.sets(st.sampled_from(_MONTHS)), st.dictionaries(st.sampled_from(_MONTHS), st.sampled_from(SUSPENSE_REASONS)),
    st.sampled_from([None, date(2025, 3, 31), date(2026, 11, 20)]), st.sampled_from([0, 12_345_678, MAX_RUPIAH]),
    st.integers(1, 3),
)  # fmt: skip
def test_every_reply_with_months_is_one_segment_and_its_counts_are_true(
    paid: set[str], waits: dict[str, str], complete: date | None, amount: int, cards: int
) -> None:
    one = facts(
        *(entry(month) for month in sorted(paid, reverse=True)),
        cases=tuple(case(month, reason) for month, reason in sorted(waits.items())), since="2024-01", complete=complete,
    )  # fmt: skip
    said = replies.balance([row(employer=amount, worker=0)] * cards, TODAY, missing.clauses([one], TODAY))
    assert len(said) <= replies.SEGMENT
    assert not set(said) - GSM_7
    cells = [cell for year in years([one], TODAY) for cell in year.cells]
    for state, words in (("absent", "belum masuk"), ("held", "ditahan")):
        count = sum(any(part.state == state for part in cell.parts) for cell in cells)
        assert (f" {count} bln {words}" in said) == bool(count) or len(said) > 130
