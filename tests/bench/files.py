"""Generated input for the benchmarks, as big as asked, a second or so for a million lines.

    python -m tests.bench.files DIRECTORY --lines 1000000 --lines-an-employer 1000 --months 2026-09,2026-10

writes employers.csv, registrations.csv and contributions-<month>.csv: account i works for employer i //
lines-an-employer, one line an account and month. Every number is a plain function of i, so that load
generators need no list.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

FIRST_CARD, FIRST_EMPLOYER = 10_000_000_000, 10_000_000
PASSWORD = "tiga kuda di bench"


def kpj(account: int) -> str:
    """The card of account i."""
    return f"{FIRST_CARD + account:011d}"


def npp(employer: int) -> str:
    """The number of employer j."""
    return f"{FIRST_EMPLOYER + employer:08d}"


def wage(account: int) -> int:
    """The wage of account i: whole rupiah that need rounding in every third account."""
    return 2_500_000 + account * 7_919 % 20_000_000


def shares(base: int) -> tuple[int, int]:
    """(employer, worker): 37 and 20 per mille, each rounded half up."""
    return (base * 37 + 500) // 1000, (base * 20 + 500) // 1000


def email(account: int) -> str:
    """The address that a member logs in with; everybody's password is PASSWORD."""
    return f"member{account}@bench.example"


def paid_on(month: str) -> str:
    """The tenth of the next month."""
    year, number = int(month[:4]), int(month[5:])
    return date(year + number // 12, number % 12 + 1, 10).isoformat()


def write_files(directory: Path, lines: int, lines_an_employer: int, months: list[str], since: str) -> None:
    """Writes the three kinds of file; `lines` is the number of accounts and of lines in each month.

    `since`: the day the accounts were registered.
    """
    import polars as pl

    directory.mkdir(parents=True, exist_ok=True)
    employers = -(-lines // lines_an_employer)
    i = pl.col("i")
    accounts = pl.select(pl.int_range(lines, dtype=pl.Int64).alias("i")).with_columns(
        (i + FIRST_CARD).cast(pl.String).alias("kpj"),
        (i // lines_an_employer + FIRST_EMPLOYER).cast(pl.String).alias("npp"),
        (2_500_000 + i * 7_919 % 20_000_000).alias("wage"),
        pl.date(1960 + i // 9_000 % 40, i // 360_000 % 12 + 1, i % 28 + 1).alias("birth_date"),
        (i % 2 == 1).alias("woman"),
    )  # fmt: skip
    j = pl.int_range(employers, dtype=pl.Int64)
    pl.select(
        npp=(j + FIRST_EMPLOYER).cast(pl.String),
        name=pl.format("PT Contoh {}", j),
        registered_on=pl.lit("2010-01-04"),
    ).write_csv(directory / "employers.csv")
    birth, woman = pl.col("birth_date"), pl.col("woman")
    accounts.select(
        "kpj",
        nik=pl.format(
            "3174{}{}{}{}",
            (i // 4_320_000 + 1).cast(pl.String).str.zfill(2),
            (birth.dt.day().cast(pl.Int32) + pl.when(woman).then(40).otherwise(0)).cast(pl.String).str.zfill(2),
            birth.dt.strftime("%m%y"),
            (i % 9_000 + 1_000).cast(pl.String),
        ),
        name=pl.format("Peserta Contoh {}", i),
        birth_date=birth.dt.strftime("%Y-%m-%d"),
        sex=pl.when(woman).then(pl.lit("P")).otherwise(pl.lit("L")),
        segment=pl.lit("PU"),
        npp="npp",
        email=pl.lit(None, dtype=pl.String),
        phone=pl.format("0800{}", i + 10_000_000),
        registered_on=pl.lit(since),
    ).write_csv(directory / "registrations.csv", batch_size=65_536)
    for month in months:
        accounts.select(
            "npp",
            month=pl.lit(month),
            kpj="kpj",
            wage="wage",
            back_pay=pl.lit(None, dtype=pl.String),
            employer=(pl.col("wage") * 37 + 500) // 1000,
            worker=(pl.col("wage") * 20 + 500) // 1000,
            paid_on=pl.lit(paid_on(month)),
            reference=pl.lit(f"BYR/{month}"),
        ).write_csv(directory / f"contributions-{month}.csv", batch_size=65_536)


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.files")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--lines", type=int, required=True)
    parser.add_argument("--lines-an-employer", type=int, default=1_000)
    parser.add_argument("--months", default="2026-10")
    parser.add_argument("--since", default="2015-08-03")
    options = parser.parse_args()
    write_files(options.directory, options.lines, options.lines_an_employer, options.months.split(","), options.since)


if __name__ == "__main__":
    main()
