"""Histories for the projections' tests, and a second, simpler model of what they must hold.

The model goes over the facts one line at a time with plain dictionaries; it shares no code with the folds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st
from msgspec.structs import asdict

from ledger.events import (
    AccountOpened,
    AccountReassigned,
    CardsMerged,
    CardsUnmerged,
    ContributionsPosted,
    ContributionsReversed,
    EmployerRegistered,
    Event,
    Fact,
    Line,
    LinesSuspended,
    Opening,
    OpeningBalanceRecorded,
    OpeningBalanceReversed,
    PersonCorrected,
    PersonErased,
    PersonRegistered,
    PersonsJoined,
    PersonsParted,
    ReleasedLine,
    ReversedLine,
    RuleIds,
    SegmentChanged,
    SuspendedLine,
    SuspenseReleased,
)
from ledger.store.codec import StoredRow, encode, stamp
from tests.facts import ended, opening, posted, released, started, suspended, taken_back

KPJS = ("12345678901", "00000000007", "12345678903", "99999999999", "00A12", "0012345")
NPPS = ("10000001", "10000002")
PERSON = "{:032x}"
RULES = RuleIds("test")
STAMP = "2026-11-21T03:00:00.000000Z"


def event(stream: str, version: int, fact: Fact) -> Event:
    return Event(stream=stream, version=version, fact=fact, by="test", channel="test")


def registered(kpjs: Sequence[str] = KPJS, npps: Sequence[str] = NPPS) -> list[Event]:
    """Employers, persons (every two cards are one person's), cards and memberships with every employer."""
    events = [event(f"employer:{npp}", 1, EmployerRegistered(npp, f"PT {npp}", "2015-01-02")) for npp in npps]
    for i, kpj in enumerate(kpjs):
        if i % 2 == 0:
            stream = f"person:{PERSON.format(i // 2)}"
            events.append(event(stream, 1, PersonRegistered(f"sealed identity {i}", f"sealed contact {i}")))
        opened = AccountOpened(kpj, PERSON.format(i // 2), "PU", "2015-01-02", len(kpj) != 11)
        events.append(event(f"account:{kpj}", 1, opened))
        for j, npp in enumerate(npps):
            events.append(event(f"account:{kpj}", 2 + j, started("PU", "2015-01", npp)))
    return events


@dataclass
class Writer:
    """Makes valid events with the right stream versions, remembering what can be reversed or released."""

    versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    posted: list[tuple[Event, int]] = field(default_factory=list)
    waiting: list[tuple[Event, int]] = field(default_factory=list)
    opened: dict[str, tuple[int, OpeningBalanceRecorded]] = field(default_factory=dict)

    def _next(self, stream: str, fact: Fact) -> Event:
        self.versions[stream] += 1
        return event(stream, self.versions[stream], fact)

    def post(self, npp: str, month: str, paid_on: str, lines: list[Line], kind: str = "regular") -> Event:
        made = self._next(f"remittance-e:{npp}:{month}", posted(lines, month, paid_on, kind, f"R{month}", rules=RULES))
        self.posted += [(made, i) for i in range(len(lines))]
        return made

    def suspend(self, npp: str, month: str, paid_on: str, lines: list[Line]) -> Event:
        held = [
            SuspendedLine(ln.kpj, ln.wage, ln.back_pay, ln.employer, ln.worker, reason="no-membership") for ln in lines
        ]
        made = self._next(f"remittance-e:{npp}:{month}", suspended(held, month, paid_on))
        self.waiting += [(made, i) for i in range(len(held))]
        return made

    def release(self, which: int, to: str = "") -> Event | None:
        """`to`: another card than the line waited for."""
        if not self.waiting:
            return None
        source, i = self.waiting.pop(which % len(self.waiting))
        fact = source.fact
        assert isinstance(fact, LinesSuspended)
        ln = fact.lines[i]
        line = ReleasedLine(
            to or ln.kpj, ln.wage, ln.back_pay, ln.employer, ln.worker, event=source.version, line=i,
            waited_as=ln.kpj if to not in ("", ln.kpj) else "",
        )  # fmt: skip
        made = self._next(source.stream, released([line], fact.month, fact.paid_on, fact.kind, rules=RULES))
        self.posted.append((made, 0))
        return made

    def reverse(self, which: int, *, held: bool = False) -> Event | None:
        pool = self.waiting if held else self.posted
        if not pool:
            return None
        source, i = pool.pop(which % len(pool))
        fact = source.fact
        assert isinstance(fact, ContributionsPosted | SuspenseReleased | LinesSuspended)
        ln = fact.lines[i]
        line = ReversedLine(
            ln.kpj, ln.wage, ln.back_pay, ln.employer, ln.worker, ln.epoch, ln.tambahan, getattr(ln, "part", 0),
            months=-getattr(ln, "months", 0), event=source.version, line=i, suspended=held,
        )  # fmt: skip
        return self._next(source.stream, taken_back([line], fact.month, fact.paid_on, fact.kind))

    def opening(self, kpj: str, year: int, employer: int, worker: int, credited: int) -> Event | None:
        if kpj in self.opened:
            return None
        fact = opening(f"{year}-12-31", employer, worker, credited, 12 * (year - 2010), source="old")
        return self._opening(kpj, fact)

    def take_opening_back(self, kpj: str) -> Event | None:
        """The opening balance that stands is reversed; the card may get another one."""
        if kpj not in self.opened:
            return None
        version, fact = self.opened[kpj]
        return self._opening(kpj, OpeningBalanceReversed(event=version, **asdict(fact)))

    def _opening(self, kpj: str, fact: OpeningBalanceRecorded | OpeningBalanceReversed) -> Event:
        """Versions from 50 on, between those of `registered` and those of `people`."""
        name = f"opening of {kpj}"
        version = 50 + self.versions[name]
        self.versions[name] += 1
        if isinstance(fact, OpeningBalanceRecorded):
            self.opened[kpj] = (version, fact)
        else:
            del self.opened[kpj]
        return event(f"account:{kpj}", version, fact)

    def people(self, which: int, kpj: str) -> Event | None:
        """Changes of persons and accounts, in streams that `registered` began."""
        i = KPJS.index(kpj)
        person, account = f"person:{PERSON.format(i // 2)}", f"account:{kpj}"
        self.versions[person] = max(self.versions[person], 1)
        for stream in (account, f"account:{KPJS[i | 1]}"):
            self.versions[stream] = max(self.versions[stream], 100)
        facts: list[tuple[str, Fact]] = [
            (person, PersonCorrected(identity=f"corrected {which}")),
            (person, PersonCorrected(contact=f"corrected {which}")),
            (person, PersonErased("order")),
            (account, ended("PU", "2015-01", "2020-06", NPPS[which % 2])),
            (account, started("PU", "2020-07", NPPS[which % 2])),
            (account, SegmentChanged("BPU", "2020-08")),
            (account, started("BPU", "2021-01")),
            # Always the second card of a person into the first: nothing points in a circle.
            (f"account:{KPJS[i | 1]}", CardsMerged(KPJS[i & ~1])),
            (f"account:{KPJS[i | 1]}", CardsUnmerged(KPJS[i & ~1])),
            (account, AccountReassigned(PERSON.format(which % 3), PERSON.format(i // 2))),
            (person, PersonsJoined(PERSON.format(9))),
            (person, PersonsParted(PERSON.format(9))),
        ]
        return self._next(*facts[which % len(facts)])


_amount = st.sampled_from([0, 1, 50, 99_999, 185_000, 10**13])
_lines = st.lists(
    st.builds(
        Line,
        st.sampled_from(KPJS), st.sampled_from([0, 5_000_000]), st.sampled_from([0, 1_000]), _amount, _amount,
        st.sampled_from([0, 0, 0, 1, 3_000]), st.sampled_from([0, 0, 0, 1, 70_000]), st.sampled_from([0, 0, 1]),
        st.sampled_from([0, 1]),
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip
_month = st.sampled_from(["2018-01", "2019-12", "2020-01", "2026-08", "2026-10"])
_paid = st.sampled_from(["2018-02-14", "2019-12-31", "2020-01-01", "2026-11-14"])
_npp = st.sampled_from(NPPS)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("post"), _npp, _month, _paid, _lines, st.sampled_from(["regular", "supplement"])),
        st.tuples(st.just("suspend"), _npp, _month, _paid, _lines),
        st.tuples(st.just("release"), st.integers(0, 9)),
        st.tuples(st.just("reverse"), st.integers(0, 9)),
        st.tuples(st.just("reverse held"), st.integers(0, 9)),
        st.tuples(st.just("opening"), st.sampled_from(KPJS), st.integers(2014, 2017), _amount, _amount, _amount),
        st.tuples(st.just("take_opening_back"), st.sampled_from(KPJS)),
        st.tuples(st.just("people"), st.integers(0, 23), st.sampled_from(KPJS)),
    ),
    min_size=1,
    max_size=25,
)
"""What may happen on a ledger where `registered()` came first."""


def written(chosen: Sequence[tuple[object, ...]]) -> list[Event]:
    """The events of drawn operations, in order."""
    writer, events = Writer(), []
    for name, *given in chosen:
        act = {"reverse held": lambda which: writer.reverse(which, held=True)}.get(str(name))
        made = (act or getattr(writer, str(name)))(*given)
        if made is not None:
            events.append(made)
    return events


def rows_of(events: Sequence[Event], first: int = 1) -> list[StoredRow]:
    """Events as the log would return them, without a log."""
    return [
        StoredRow(first + i, e.stream, e.version, e.fact.NAME, stamp(encode(e), STAMP)) for i, e in enumerate(events)
    ]


@dataclass
class Model:
    """What the projections must say, worked out the slow way. Keyed by KPJ."""

    rows: dict[tuple[str, int, int, int], dict[str, int]] = field(default_factory=dict)
    entries: list[tuple[object, ...]] = field(default_factory=list)

    def _add(self, key: tuple[str, int, int, int], position: int, **amounts: int) -> None:
        row = self.rows.setdefault(key, defaultdict(int))
        for name, amount in amounts.items():
            row[name] += amount
        row["version"] = max(row["version"], position)

    def take(self, event: Event, position: int) -> None:
        fact = event.fact
        if isinstance(fact, Opening):
            kpj = event.stream.removeprefix("account:")
            sign, what = (1, "opening") if isinstance(fact, OpeningBalanceRecorded) else (-1, "opening-reversed")
            employer, worker, months = sign * fact.employer, sign * fact.worker, sign * fact.months
            self._add(
                (kpj, 0, 0, int(fact.as_of[:4])), position, employer=employer, worker=worker,
                credited=sign * fact.credited_yield, months=months,
            )  # fmt: skip
            self.entries.append((kpj, what, "opening", fact.as_of[:7], fact.as_of, "", employer, worker, months))
        if not isinstance(fact, ContributionsPosted | SuspenseReleased | ContributionsReversed):
            return
        npp = event.stream.split(":")[1] if event.stream.startswith("remittance-e") else ""
        kind_of_event = {ContributionsPosted: "posted", SuspenseReleased: "released"}.get(type(fact), "reversed")
        year, paid_month = int(fact.paid_on[:4]), int(fact.paid_on[5:7])
        for line in fact.lines:
            if getattr(line, "suspended", False):
                continue
            sign = -1 if kind_of_event == "reversed" else 1
            second = min(line.tambahan, line.employer + line.worker)
            second_worker = min(second, line.worker)
            second_employer = second - second_worker
            key = (line.kpj, line.epoch, 0, year)
            main = line.employer + line.worker - second
            self._add(
                key, position, employer=sign * (line.employer - second_employer),
                worker=sign * (line.worker - second_worker), weighted=sign * main * (12 - paid_month),
                months=line.months, reversals=int(sign < 0),
            )  # fmt: skip
            if sign > 0 and line.employer + line.worker > 0:
                row = self.rows[key]
                this = (fact.month, fact.paid_on, npp)
                row["last"] = max(row["last"] or ("", "", ""), this)  # type: ignore[call-overload]
            if second:
                self._add(
                    (line.kpj, line.epoch, 1, year), position, employer=sign * second_employer,
                    worker=sign * second_worker, weighted=sign * second * (12 - paid_month),
                )  # fmt: skip
            self.entries.append(
                (
                    line.kpj, kind_of_event, fact.kind, fact.month, fact.paid_on, npp, sign * line.employer,
                    sign * line.worker, line.months,
                )
            )  # fmt: skip

    def total(self, kpj: str, until: str = "9999-12-31") -> tuple[int, int, int]:
        """(employer + worker, credited is not in it, months) of entries paid until a day, and the entries' count."""
        mine = [e for e in self.entries if e[0] == kpj and str(e[4]) <= until]
        return sum(int(str(e[6])) + int(str(e[7])) for e in mine), sum(int(str(e[8])) for e in mine), len(mine)

    def last(self, kpj: str, until: str = "9999-12-31") -> tuple[str, str, str] | None:
        """(month, paid day, payer) of the newest contribution that still stands."""
        net: dict[tuple[str, str, str], int] = defaultdict(int)
        for e in self.entries:
            if e[0] == kpj and e[2] != "opening" and str(e[4]) <= until:
                net[str(e[3]), str(e[4]), str(e[5])] += int(str(e[6])) + int(str(e[7]))
        return max((key for key, amount in net.items() if amount > 0), default=None)
