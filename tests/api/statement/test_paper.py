"""The statement on paper: texts of others are only text, figures stand as they are, the file is always the same."""

from __future__ import annotations

import random
import threading
from datetime import UTC, date, datetime

import pytest
import segno

from api.statement import paper
from api.statement.code import one_of_many, picture
from api.statement.paper import TEMPLATE, Head, Holder
from ledger.settings import Settings
from ledger.yields import Terms
from projections.statement import Gap, Period, Statement, StatementLine, Worth, YearYield

HOSTILE = (
    '#read("/etc/passwd")', "#panic()", "$", "*b*", "<x>", "@ref", "\\", "_", "`", "// no", "= head", "#sys.inputs.data",
    '"]', "{{7*7}}", "[#d]", "\u202e", "-- ...", "~",
)  # fmt: skip
MOMENT = datetime(2026, 11, 20, 2, 14, tzinfo=UTC)
HEAD = Head("12345678901", "PU", Holder("Wulan Contohsari", "9999********0001"), MOMENT, "3f9c2a1b7d04e586-48211")
TERMS = Terms(2025, ((54_000, 54_000),), 50_000, 2026, 11)
CODE = "7Q2M-K4ZC-0XHD-9V3B-RT5W-1N8P-6GYJ-E0FA-4S"
ONE, TWO = "10000001", "10000002"


def line(month: str, npp: str = ONE, times: int = 1) -> StatementLine:
    return StatementLine(
        "posted", "regular", month, f"{month}-28", f"{month}-28", npp, 5_000_000 * times, 0, 185_000 * times,
        100_000 * times, 0, 285_000 * times, "",
    )  # fmt: skip


def made(*lines: StatementLine, name: str = "PT Satu", gaps: tuple[Gap, ...] = ()) -> Statement:
    came = sum(one.amount for one in lines)
    return Statement(
        Period(date(2025, 1, 1), date(2025, 12, 31), 2025), Worth(700, 300, 0, 0, None), lines,
        (YearYield(2025, 54_000, 54_000, 559_080),), Worth(came + 700, 300, 559_080, 0, None), gaps, (), TERMS,
        {ONE: name, TWO: name}, "PU",
    )  # fmt: skip


def printed(found: Statement, head: Head = HEAD, language: str = "id") -> bytes:
    return paper.paper(found, head, lambda npp, name: name, language)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_somebody_wrote_is_only_text(text: str) -> None:
    plain = paper.data_of(made(line("2025-01")), HEAD, lambda npp, name: name, "id")
    found = made(line("2025-01"), name=text)
    head = HEAD._replace(holder=Holder(text, text))
    data = paper.data_of(found, head, lambda npp, name: name, "id")
    # Nothing of the template changed: the same texts but for these three places.
    assert [value for _, value in data["about"]] == [text, "12345678901", text, "PU, Penerima Upah", text]
    assert {key: value for key, value in data.items() if key != "about"} == {
        key: value for key, value in plain.items() if key != "about"
    }
    content = printed(found, head)
    assert content.startswith(b"%PDF-")
    assert b"StructTreeRoot" in content
    assert b"root:" not in content


def test_the_template_runs_nothing_that_it_is_given() -> None:
    # Whatever a text says, the compiler is asked for no file but the template: its folder holds nothing else for it.
    source = TEMPLATE.read_text("utf-8")
    for word in ("eval(", "read(", "import ", "include ", "plugin(", "http"):
        assert word not in source


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_year_is_one_sheet_and_always_the_same_file(language: str) -> None:
    gap = Gap("2025-03", "not-received", ONE, 0, 285_000, "2025-04-15", "")
    lines = [line(f"2025-{month:02d}") for month in range(1, 13)]
    found = made(*lines, gaps=(gap,))
    first, again = printed(found, language=language), printed(found, language=language)
    assert first == again
    assert len(paper.press().pictures(paper.data_of(found, HEAD, lambda npp, name: name, language))) == 1
    assert f"/Lang({language})".encode() in first.replace(b" ", b"")


@pytest.mark.parametrize(
    ("public", "names"),
    [
        ("https://Saldo.example", "https://saldo.example/periksa#"), ("http://saldo.example:81", "http://saldo.example:81/periksa#"),
        ("http://127.0.0.1:8099", ""), ("http://localhost", ""), ("http://[::1]:8099", ""),
    ],
)  # fmt: skip
def test_the_square_holds_the_check_page_and_the_code_or_the_code_alone(public: str, names: str) -> None:
    site = Settings(public_url=public).printed_url
    wanted = segno.make(names + CODE, error="m", mask=0, micro=False)
    data = paper.data_of(made(line("2025-01")), HEAD._replace(code=CODE, site=site), lambda npp, name: name, "en")
    assert data["qr"] == wanted.svg_inline(border=4, dark="#000", omitsize=True)
    assert data["code"] == ["Answer code", CODE]
    assert CODE in data["notes"][-1]
    assert (site.partition("://")[2] + "/periksa" in data["notes"][-1]) == bool(names)
    plain = paper.data_of(made(line("2025-01")), HEAD, lambda npp, name: name, "en")
    assert (plain["qr"], plain["code"], len(plain["notes"])) == ("", [], len(data["notes"]) - 1)


@pytest.mark.parametrize("size", [34, 36, 37, 39])
@pytest.mark.parametrize(
    "site", ["https://saldo.example", "http://127.0.0.1:8099", "https://bpjs.kantor-pusat.example.go.id", ""]
)
def test_one_square_of_many_is_the_one_that_is_made_alone(size: int, site: str) -> None:
    chance = random.Random(size)
    for _ in range(8):
        signs = "".join(chance.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(size))
        code = "-".join(signs[at : at + 4] for at in range(0, size, 4))
        assert one_of_many(code, site) == picture(code, site)


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_year_with_its_code_is_still_one_sheet_and_differs_by_the_code(language: str) -> None:
    # As a full year of one employer is: every month of it, and one that came late.
    found = made(*(line(f"2025-{month:02d}") for month in (*range(1, 13), 12)))
    head = HEAD._replace(code=CODE, site="https://saldo.example")
    assert len(paper.press().pictures(paper.data_of(found, head, lambda npp, name: name, language))) == 1
    first, again, other = (printed(found, one, language) for one in (head, head, head._replace(code=CODE[:-1] + "T")))
    assert first == again != other
    assert b"StructTreeRoot" in first


def test_forty_years_and_very_large_amounts_have_their_place() -> None:
    long = made(*(line(f"{1985 + n // 12}-{n % 12 + 1:02d}", (ONE, TWO)[n % 2], 10**6) for n in range(480)))
    data = paper.data_of(long, HEAD, lambda npp, name: name, "en")
    assert sum(data["widths"]) == pytest.approx(174, abs=0.5)
    assert min(data["widths"]) >= 8
    assert len(paper.press().pictures(data)) > 5
    assert printed(long, language="en").startswith(b"%PDF-")


def test_a_name_that_no_font_has_is_printed_all_the_same() -> None:
    content = printed(made(line("2025-01")), HEAD._replace(holder=Holder("王小明 😀", "9999********0001")))
    assert content.startswith(b"%PDF-")
    assert b"StructTreeRoot" in content


def test_papers_of_several_threads_are_not_mixed_up() -> None:
    found = made(line("2025-01"))
    heads = [HEAD._replace(holder=Holder(f"Nama {n}", "9999********0001")) for n in range(4)]
    expected = [printed(found, head) for head in heads]
    made_apart: dict[int, bytes] = {}

    def one(at: int) -> None:
        made_apart[at] = printed(found, heads[at])

    threads = [threading.Thread(target=one, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [made_apart[at] for at in range(4)] == expected
    assert len(set(expected)) == 4
