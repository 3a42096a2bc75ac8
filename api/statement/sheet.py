"""The statement as a table: a row for the opening, each line, each year's yield, what was paid out, the closing, each gap,
and the answer code.

The amounts of all rows between opening and closing, added to the opening, are the closing; gaps and the code have no amount.
"""

from __future__ import annotations

from api.spreadsheet import Sheet
from api.statement.answer import Name
from api.statement.texts import texts
from ledger.fields import harmless
from ledger.numbers import percent
from projections.results import OPENINGS
from projections.statement import Statement

COLUMNS = (
    "row", "month", "npp", "employer", "paid", "posted", "wage", "back_pay", "share_employer", "share_worker", "yield",
    "plain_amount", "remark",
)  # fmt: skip
_MONEY = COLUMNS[6:12]


def money(language: str) -> frozenset[str]:
    """The columns of amounts, as their heads read."""
    return frozenset(map(texts(language), _MONEY))


def sheet(found: Statement, name: Name, language: str, code: str = "") -> bytes:
    """The table as CSV; `name`: what to say of an employer; `code`: its answer code, "" where there is none."""
    t, table = texts(language), Sheet()

    def add(row: str, **cells: object) -> None:
        table.add([row, *(str(cells.get(column, "")) for column in COLUMNS[1:])])

    def payer(npp: str) -> dict[str, str]:
        said = name(npp, found.employers.get(npp, "")) if npp else t("holder")
        return {"npp": npp, "employer": harmless(said or "")}

    table.add([t(column) for column in COLUMNS])
    if found.stated is not None:
        add(t("row_stated"), paid=found.stated.on, plain_amount=found.stated.amount)
        for changed in found.stated.corrections:
            add(
                t("row_correction"), month=changed.month, paid=changed.paid_on, posted=changed.posted_on,
                plain_amount=changed.amount, remark=t.correction(changed), **payer(changed.npp) if changed.npp else {},
            )  # fmt: skip
    add(t("row_opening"), paid=found.period.since.isoformat(), plain_amount=found.opening.total)
    for line in found.lines:
        whose = {} if line.type in OPENINGS else payer(line.npp)
        add(
            t(f"line_{line.type}"), month=line.month, paid=line.paid_on, posted=line.posted_on, wage=line.wage,
            back_pay=line.back_pay, share_employer=line.employer, share_worker=line.worker,
            plain_amount=line.amount, remark=harmless(line.reference), **{"yield": line.brought} | whose,
        )  # fmt: skip
    for one in found.yields:
        rates = dict.fromkeys((percent(one.utama, t.language), percent(one.tambahan, t.language)))
        add(
            t("row_yield"), paid=f"{one.year}-12-31", plain_amount=one.amount, remark=" / ".join(rates),
            **{"yield": one.amount},
        )  # fmt: skip
    for year in found.undeclared:
        add(t("row_yield"), paid=f"{year}-12-31", remark=t("later"))
    if found.paid_out:
        add(t("row_paid_out"), plain_amount=-found.paid_out)
    add(t("row_closing"), paid=found.period.until.isoformat(), plain_amount=found.closing.total)
    for gap in found.gaps:
        add(t("row_gap"), month=gap.month, paid=gap.paid_on, remark=harmless(t.why(gap)), **payer(gap.npp))
    if code:
        add(t("row_code"), remark=code)
    content = table.as_csv()
    table.close()
    return content
