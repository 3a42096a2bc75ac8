"""An invented year of JHT: 20 employers, 2,000 participants, 14 months, as the files the ledger takes in.

    python -m api.sample DIRECTORY [--seed 1]

Seeded: the same seed writes the same bytes. Nobody in it exists. Besides the ordinary it holds the stories
this project is about; `stories.csv` says which number plays which part:

    employers.csv               the employers
    registrations.csv           the cards, of employees (PU), self-employed (BPU) and migrant workers (PMI)
    contributions-2025-09.csv   what the employers' payments brought, a file for each month they were due in
      ... 2026-10.csv           (`stories` puts some of it wrong, late or nowhere)
    contributions-own.csv       what BPU and PMI participants paid for themselves
    registrations-late.csv      ingested last: money that waited in suspense finds its card

Amounts follow the rules as published, worked out here again instead of taken from `ledger`, as a check on it.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ledger.decisions.person import nik_warnings

EMPLOYERS, PARTICIPANTS = 20, 2_000
FIRST_MONTH, MONTHS = 2025 * 12 + 8, 14
EMPLOYEES, SELF_EMPLOYED = 1_700, 220  # of PARTICIPANTS; the others are PMI

CONTRIBUTION_COLUMNS = (
    "npp",
    "month",
    "kpj",
    "wage",
    "back_pay",
    "employer",
    "worker",
    "paid_on",
    "reference",
    "kind",
)
REGISTRATION_COLUMNS = (
    "kpj", "nik", "name", "birth_date", "sex", "segment", "npp", "email", "phone", "registered_on", "left_on",
)  # fmt: skip

_GIVEN = {
    "L": "Adi Agus Bayu Bagas Dedi Eko Fajar Galih Hendra Ilham Joko Krisna Lukman Made Nanda Putu Raka "
    "Rizky Satria Surya Taufik Wahyu Yoga Yusuf Zainal",
    "P": "Ayu Anisa Citra Dewi Dian Endah Fitri Gita Hana Indah Intan Kartika Laras Lestari Maya Nur "
    "Putri Ratna Rini Sari Siti Tari Wulan Yanti Yuni",
}
_FAMILY = (
    "Saputra Nugroho Santoso Wibowo Hidayat Pratama Kusuma Setiawan Siregar Nasution Lubis Simatupang "
    "Tanjung Harahap Wijaya Gunawan Firmansyah Ramadhan Permana Suryadi Maharani Anggraini Puspita Handayani "
    "Utami Rahayu Lestari Manurung Situmorang Rumbiak Latuconsina Tuwaidan Sembiring Ginting"
)
_REGIONS = "317401 327301 357801 337401 127101 737101 167101 517103 340401 647101 530101"
_TRADES = "Tekstil Garmen Makanan Baja Kayu Logistik Perkebunan Elektronik Farmasi Pelayaran"
_TAILS = "Nusantara Sejahtera Abadi Makmur Sentosa Mandiri Jaya Lestari Perkasa Utama"
_PMI_CHOICES = (50_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000)

Row = list[str | int]


class Story(NamedTuple):
    """One thing the sample tells: its name, the KPJ or NPP it happens to, the month, and a sentence."""

    story: str
    number: str
    month: str
    text: str


class Person(NamedTuple):
    """A participant with one card; `since` and `until` are month numbers, `until` 0 when still there."""

    kpj: str
    nik: str
    name: str
    born: date
    sex: str
    segment: str
    employer: int  # index, -1 for BPU and PMI
    base: int  # wage, income or chosen amount
    since: int
    until: int


def month_text(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def day_in(month: int, day: int) -> date:
    return date(month // 12, month % 12 + 1, day)


def shares(base: int) -> tuple[int, int]:
    """(employer, worker) of an employee's wage + back pay: 37 and 20 per mille, each rounded half up."""
    return (base * 37 + 500) // 1000, (base * 20 + 500) // 1000


def band_amount(income: int) -> int:
    """What a self-employed participant with this income pays: 2 % of the nominal income of its band."""
    if income < 1_100_000:
        nominal = 1_000_000
    elif income < 2_700_000:
        nominal = 1_200_000 + (income - 1_100_000) // 200_000 * 200_000
    elif income < 8_200_000:
        nominal = 2_950_000 + (income - 2_700_000) // 500_000 * 500_000
    elif income < 20_200_000:
        nominal = 8_700_000 + (income - 8_200_000) // 1_000_000 * 1_000_000
    else:
        nominal = 20_700_000
    return nominal // 50


def nik(region: str, born: date, sex: str, serial: int) -> str:
    """A NIK of the right structure: region, birth date (day + 40 for women), serial."""
    return f"{region}{born.day + (40 if sex == 'P' else 0):02d}{born:%m%y}{serial:04d}"


class _Sample:
    """The invented world, drawn once from the seed; the methods write its files."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.stories: list[Story] = []
        sizes = [EMPLOYEES * 10 // (36 * (place + 1)) for place in range(EMPLOYERS)]  # 472, 236, 157 ... 23
        sizes[0] += EMPLOYEES - sum(sizes)
        self.npp = [f"{10_000_000 + int(n):08d}" for n in self.draw.choice(80_000_000, EMPLOYERS, replace=False)]
        homes = [employer for employer, size in enumerate(sizes) for _ in range(size)]
        homes += [-1] * (PARTICIPANTS - EMPLOYEES)
        self.people = [self._person(number, home) for number, home in enumerate(homes)]

    def pick(self, words: str) -> str:
        choices = words.split()
        return choices[int(self.draw.integers(len(choices)))]

    def between(self, low: int, high: int) -> int:
        return int(self.draw.integers(low, high + 1))

    def _person(self, number: int, home: int) -> Person:
        segment = "PU" if home >= 0 else "BPU" if number < EMPLOYEES + SELF_EMPLOYED else "PMI"
        sex = "L" if self.draw.random() < 0.58 else "P"
        born = date(1966, 1, 1) + timedelta(days=self.between(0, 14_000))
        name = f"{self.pick(_GIVEN[sex])} {self.pick(_FAMILY)}"
        if self.draw.random() < 0.3:
            name = f"{self.pick(_GIVEN[sex])} {name}"
        if segment == "PU":
            base = 2_300_000 + round(int(self.draw.lognormal(14.6, 0.75)), -3 if number % 3 else 0)
        elif segment == "BPU":
            base = min(30_000_000, round(int(self.draw.lognormal(14.9, 0.7)), -4))
        else:
            base = _PMI_CHOICES[self.between(0, len(_PMI_CHOICES) - 1)]
        joined = self.draw.random()
        since = FIRST_MONTH - self.between(1, 120) if joined < 0.9 else FIRST_MONTH + self.between(1, MONTHS - 4)
        left = segment == "PU" and joined < 0.06
        until = FIRST_MONTH + self.between(3, MONTHS - 3) if left else 0
        card = f"{since // 12 % 100:02d}{since % 12 + 1:02d}{self.between(0, 99):02d}{number:05d}"
        if number in (5, 505, 1005):  # cards from before the present numbering: a letter among the digits
            card = f"{97 + number % 3:02d}{'JKL'[number % 3]}{card[3:]}"
        stated = born if number % 97 else born - timedelta(days=400)  # a few NIK state another birth date
        number_of_id = nik(self.pick(_REGIONS), stated, sex, number + 1)
        return Person(card, number_of_id, name, born, sex, segment, home, base, since, until)

    def tell(self, story: str, number: str, month: int) -> None:
        self.stories.append(Story(story, number, month_text(month), _TEXTS[story]))

    def wage(self, person: Person, month: int) -> int:
        """The wage of a month: 6 % more each January."""
        return person.base if month // 12 == FIRST_MONTH // 12 else person.base * 106 // 100

    def line(self, employer: int, month: int, person: Person, paid_on: date, pay: tuple[int, int]) -> Row:
        """A line of a contributions file; `pay` is (wage, back pay)."""
        wage, back_pay = pay
        npp, (from_employer, from_worker) = self.npp[employer], shares(wage + back_pay)
        reference = f"BYR/{npp}/{month_text(month)}"
        return [
            npp, month_text(month), person.kpj, wage, back_pay or "", from_employer, from_worker,
            paid_on.isoformat(), reference, "",
        ]  # fmt: skip

    def registration(self, person: Person) -> Row:
        handle = f"{person.name.split()[0].lower()}{person.kpj[-5:]}"
        return [
            person.kpj, person.nik, person.name, person.born.isoformat(), person.sex, person.segment,
            self.npp[person.employer] if person.employer >= 0 else "",
            f"{handle}@example.com" if self.draw.random() < 0.4 else "",
            f"0800{self.between(10_000_000, 99_999_999)}" if self.draw.random() < 0.8 else "",
            # Nobody earlier than the files: this ledger has no opening balances that would tell of the time before.
            day_in(max(person.since, FIRST_MONTH), self.between(1, 5)).isoformat(),
            day_in(person.until, 27).isoformat() if person.until else "",
        ]  # fmt: skip


def employers(sample: _Sample) -> list[Row]:
    return [
        [npp, f"PT {_TRADES.split()[index % 10]} {_TAILS.split()[index * 7 % 10]}", f"{1996 + index}-03-01"]
        for index, npp in enumerate(sample.npp)
    ]


_TEXTS = {
    "changed-employer": "The same card, another employer since this month.",
    "two-cards": "One person, two cards: the older until this month, the newer since.",
    "registered-late": "Paid for before it was registered: the money waits in suspense.",
    "silent-employer": "Nothing was received for this month.",
    "late-employer": "Paid two months after it was due.",
    "back-pay": "Half a year's raise came with this month's wage (rapel).",
    "supplement": "A second, supplementary line for a month already paid.",
    "mistyped-card": "There is no such card: the money is held.",
    "one-rupiah-off": "The payer rounded otherwise: booked, with a warning.",
    "amounts-disagree": "Half of the worker's share is missing: the money is held.",
}
_SILENT, _LATE, _RAISES = 4, 6, 2  # employers
_TURN, _LAST = FIRST_MONTH + 6, FIRST_MONTH + MONTHS - 1


def cast(sample: _Sample) -> tuple[list[Person], list[Person]]:
    """(those registered at first, those registered late), the mover and the holder of two cards twice."""
    people = sample.people
    steady = [person for person in people if person.employer in {0, 1} and is_steady(person)]
    moved, carded, late = steady[3], steady[40], steady[80:83]
    second_home = moved._replace(employer=7, since=_TURN)
    second_card = carded._replace(kpj=f"260388{PARTICIPANTS:05d}", employer=9, since=_TURN)
    ended = {person.kpj: person._replace(until=_TURN - 1) for person in (moved, carded)}
    sample.tell("changed-employer", moved.kpj, _TURN)
    sample.tell("two-cards", carded.kpj, _TURN - 1)
    sample.tell("two-cards", second_card.kpj, _TURN)
    for person in late:
        sample.tell("registered-late", person.kpj, FIRST_MONTH)
    first = [ended.get(person.kpj, person) for person in people if person not in late]
    return [*first, second_home, second_card], late


def is_steady(person: Person) -> bool:
    """Whether somebody is an employee of one employer in all months."""
    return person.segment == "PU" and not person.until and person.since < FIRST_MONTH


def employer_lines(sample: _Sample, people: Sequence[Person]) -> dict[int, list[Row]]:
    """What the employers paid: rows by the month whose file holds them (the late payer's two files later)."""
    staff: list[list[Person]] = [[] for _ in range(EMPLOYERS)]
    for person in people:
        if person.segment == "PU":
            staff[person.employer].append(person)
    raised, supplemented = [person for person in staff[_RAISES] if is_steady(person)][:2]
    raise_month, supplement_month, late_month = _LAST - 4, FIRST_MONTH + 3, FIRST_MONTH + 8
    sample.tell("silent-employer", sample.npp[_SILENT], _LAST - 1)
    sample.tell("late-employer", sample.npp[_LATE], late_month)
    sample.tell("back-pay", raised.kpj, raise_month)
    sample.tell("supplement", supplemented.kpj, supplement_month)
    files: dict[int, list[Row]] = {month: [] for month in range(FIRST_MONTH, _LAST + 1)}
    for month, employer in product(files, range(EMPLOYERS)):
        if (employer, month) == (_SILENT, _LAST - 1):
            continue
        delay = 2 if (employer, month) == (_LATE, late_month) else 0
        paid_on = day_in(month + 1 + delay, sample.between(4, 15))
        for person in staff[employer]:
            if person.since <= month <= (person.until or month):
                extra = 1_500_000 if (person, month) == (raised, raise_month) else 0
                pay = sample.wage(person, month), extra
                files[month + delay].append(sample.line(employer, month, person, paid_on, pay))
    paid_on = day_in(supplement_month + 1, 20)
    line = sample.line(_RAISES, supplement_month, supplemented, paid_on, (0, 1_000_000))
    files[supplement_month].append([*line[:-1], "supplement"])
    return files


def spoil(sample: _Sample, files: dict[int, list[Row]]) -> None:
    """Mistypes four KPJ, rounds one share the other way and gets one amount wrong."""
    for month in (FIRST_MONTH + 2, FIRST_MONTH + 5, FIRST_MONTH + 9, FIRST_MONTH + 12):
        row = files[month][sample.between(200, 900)]
        row[2] = f"99{str(row[2])[2:8]}{str(row[2])[:-4:-1]}"
        sample.tell("mistyped-card", str(row[2]), month)
    row = files[FIRST_MONTH + 4][150]
    row[5] = int(row[5]) + 1
    sample.tell("one-rupiah-off", str(row[2]), FIRST_MONTH + 4)
    row = files[FIRST_MONTH + 7][151]
    row[6] = int(row[6]) // 2
    sample.tell("amounts-disagree", str(row[2]), FIRST_MONTH + 7)


def own_lines(sample: _Sample) -> Iterable[Row]:
    """What BPU and PMI participants paid, in the month itself; some skip months."""
    for month in range(FIRST_MONTH, FIRST_MONTH + MONTHS):
        for person in sample.people[EMPLOYEES:]:
            if person.since > month or sample.draw.random() < 0.04:
                continue
            own = person.segment == "BPU"
            paid_on = day_in(month, sample.between(6, 15)).isoformat()
            amount = band_amount(person.base) if own else person.base
            yield [
                "",
                month_text(month),
                person.kpj,
                person.base if own else "",
                "",
                "",
                amount,
                paid_on,
                "",
                "",
            ]


COMPLETE_UNTIL = date(2026, 11, 16)
"""The day the newest month of the sample was due: `make demo` says that all payments up to it are in."""

PASSWORD = "sawah hujan kopi"  # noqa: S105 - of a sample
"""Of the demo's users; `make demo` makes them."""


def write_sample(directory: Path, seed: int = 1) -> list[Story]:
    """Writes the files into `directory` (made when missing) and returns the stories they hold."""
    directory.mkdir(parents=True, exist_ok=True)

    def write(name: str, columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
        with (directory / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)

    sample = _Sample(seed)
    people, late = cast(sample)
    write("employers.csv", ("npp", "name", "registered_on"), employers(sample))
    write("registrations.csv", REGISTRATION_COLUMNS, map(sample.registration, people))
    write("registrations-late.csv", REGISTRATION_COLUMNS, map(sample.registration, late))
    files = employer_lines(sample, [*people, *late])
    spoil(sample, files)
    for month, rows in files.items():
        write(f"contributions-{month_text(month)}.csv", CONTRIBUTION_COLUMNS, rows)
    write("contributions-own.csv", CONTRIBUTION_COLUMNS, own_lines(sample))
    write("stories.csv", Story._fields, sample.stories)
    return sample.stories


_LAST_DAY = date(FIRST_MONTH // 12 + 2, 1, 1)


def doors(directory: Path, address: str) -> str:
    """What to type in at the doors of the website, from the sample's files."""
    with (directory / "registrations.csv").open(encoding="utf-8", newline="") as file:
        person = next(
            row
            for row in csv.DictReader(file)
            if row["segment"] == "PU"
            and row["email"]
            and not nik_warnings(row["nik"], date.fromisoformat(row["birth_date"]), row["sex"], _LAST_DAY)
        )
    return (
        f"Website   {address}/daftar  as PU, NIK {person['nik']}, born {person['birth_date']}, KPJ {person['kpj']},\n"
        f"          e-mail {person['email']}; the mail with the link appears here\n"
        f"Branch    {address}/kantor  as sari, password {PASSWORD}; an authenticator app is set up first;\n"
        f"          then look for the NIK above\n"
        f"Employer  {address}/perusahaan  as gaji, password {PASSWORD}; check a contributions file of the sample\n"
        f"Programs  {address}/docs"
    )


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m api.sample", description="Write the seeded sample files.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--doors", metavar="URL", help="write nothing; say what to type in at the website's doors")
    arguments = parser.parse_args()
    if arguments.doors:
        print(doors(arguments.directory, arguments.doors))  # noqa: T201
        return
    write_sample(arguments.directory, arguments.seed)


if __name__ == "__main__":
    main()
