"""Lines that a program ended in two ways, and objects of JSON that stand on several lines: named once, nothing is read."""

from __future__ import annotations

import pytest

from ledger.errors import Refused
from ledger.ingestion.readers.reading import Limits, Source, read

HEAD = "npp,month,kpj,wage,paid_on"
ROWS = [f"12345678,2026-10,260000000{n:02d},5000000,2026-11-14" for n in (17, 25, 33)]
CR, LF, CRLF = "\r", "\n", "\r\n"


def joined(*ends: str) -> bytes:
    """The header and the rows, each with its own end."""
    return "".join(text + end for text, end in zip([HEAD, *ROWS], ends, strict=True)).encode()


def refused(body: bytes, limits: Limits | None = None) -> Refused:
    with pytest.raises(Refused) as told:
        read(Source.of(body), "contributions", limits)
    return told.value


@pytest.mark.parametrize(
    ("ends", "line"),
    [
        ((CR, LF, LF, LF), 1), ((CR, CRLF, CRLF, CRLF), 1), ((LF, CR, CR, CR), 2), ((CRLF, CR, CR, CR), 2),
        ((LF, LF, CR, LF), 3), ((CRLF, CRLF, CR, CRLF), 3), ((LF, CR, CR, LF), 2), ((CR, CR, LF, LF), 1),
        (("\x85",) * 4, 1), (("\u2028",) * 4, 1), (("\u2029",) * 4, 1), (("\x0b",) * 4, 1), (("\x0c",) * 4, 1),
        ((LF, "\u2028", "\u2028", LF), 2), ((LF, LF, "\x85", LF), 3),
    ],
)  # fmt: skip
def test_line_ends_of_two_kinds_are_named_with_the_first_line(ends: tuple[str, ...], line: int) -> None:
    told = refused(joined(*ends))
    assert (told.code, told.problem.line) == ("line-ends-mixed", line)
    sign = next(end for end in ends if end not in (LF, CRLF))
    assert f"U+{ord(sign):04X}" in told.problem.say("en")
    assert f"U+{ord(sign):04X}" in told.problem.say("id")


@pytest.mark.parametrize(
    "ends",
    [
        (LF,) * 4, (CRLF,) * 4, (CR,) * 4, (CRLF, LF, LF, CRLF), (LF, CRLF, CRLF, ""), ("\r\r\n",) * 4, ("\n\r",) * 4,
        (LF, LF, LF, CR),
    ],
)  # fmt: skip
def test_line_ends_that_cannot_be_mistaken_are_read(ends: tuple[str, ...]) -> None:
    table = read(Source.of(joined(*ends)), "contributions")
    assert (len(table.lines), table.problems) == (3, [])


def test_a_carriage_return_inside_one_cell_is_told_at_that_cell() -> None:
    body = f'{HEAD},reference\n{ROWS[0]},A\rB\n{ROWS[1]},"A\rB"\n{ROWS[2]},C\n'.encode()
    table = read(Source.of(body), "contributions")
    found = [(problem.code, problem.line, problem.column) for problem in table.problems]
    assert found == [("cell-invisible", 2, "reference"), ("cell-invisible", 3, "reference")]


def test_a_large_file_is_looked_at_in_blocks_alike() -> None:
    rows = "".join(f"12345678,2026-10,2{n:010d},5000000,2026-11-14\n" for n in range(5_000))
    cut = rows.index("20000004000")
    cut = rows.index("\n", cut)
    body = f"{HEAD}\n{rows[:cut]}\r{rows[cut + 1 :]}".encode()
    told = refused(body, Limits(block=8192))
    assert (told.code, told.problem.line) == ("line-ends-mixed", 4_002)


OBJECT = '{\n  "npp": "12345678",\n  "month": "2026-10",\n  "kpj": "26000000017",\n  "wage": 5000000\n}\n'


@pytest.mark.parametrize(
    "text",
    [
        OBJECT, OBJECT * 3, OBJECT.replace("\n", "\r\n"), OBJECT.replace("\n  ", "\n\n\t"), OBJECT.replace('{\n  "', '{"'),
        OBJECT.replace(",\n  ", "\n, "), '{"lines": [\n  {"npp": "12345678"}\n]}\n', '{\n "lines": [\n]}\n',
        '{"lines": [\n' + '{"npp": "12345678"},\n' * 50 + '{"npp": "12345678"}\n]}', "\n\n" + OBJECT,
        "\ufeff" + OBJECT, '{ "npp":\n"12345678"}', '{"npp"\n:"12345678"}', '{"npp": "12345678"\n}',
    ],
)  # fmt: skip
def test_an_object_on_several_lines_is_refused_once_with_what_to_do(text: str) -> None:
    told = refused(text.encode())
    assert (told.code, told.problem.line) == ("json-over-lines", 3 if text.startswith("\n\n") else 1)
    assert "[" in told.problem.say("en")
    assert "[" in told.problem.say("id")


def test_one_torn_line_of_many_objects_is_told_alone() -> None:
    """The first line of a file that was cut is a line that cannot be read, as any other is."""
    sound = '{"npp":"12345678","month":"2026-10","kpj":"26000000017","wage":5000000,"paid_on":"2026-11-14"}\n'
    for torn in ('{"npp":"12345678","month":\n', '{"npp":"1\n', "{]\n", '{"npp":[\n', '{"npp" "1"}\n'):
        for body in (torn + sound * 2, sound + torn + sound):
            table = read(Source.of(body.encode()), "contributions")
            assert [problem.code for problem in table.problems] == ["json-unreadable"]
            assert len(table.lines) - int(table.bad.sum()) == 2
