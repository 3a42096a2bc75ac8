"""Every row of the table: what is measured, who takes part, and what the project aims at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.bench.world import World


class Measure(NamedTuple):
    """One figure: the row's value, peak memory in bytes, and figures beside it by name."""

    value: float
    memory: int
    extra: Mapping[str, float] = MappingProxyType({})


class Contender(NamedTuple):
    """Who is measured, and how."""

    name: str
    measure: Callable[[World], Measure]
    goal: str = ""
    ours: bool = True


class Row(NamedTuple):
    """One line of comparison: our contenders after the peers they are compared with."""

    name: str
    title: str
    unit: str
    contenders: tuple[Contender, ...]


STORES = (("postgres", "PostgreSQL"), ("sqlite", "SQLite"))


def rows() -> list[Row]:
    """The whole table."""
    from tests.bench import notices, one_month, ours, savings, sms, theirs, uploads, visits

    def peer(name: str, measure: Callable[[World], Measure]) -> Contender:
        return Contender(name, measure, ours=False)

    def both(make: Callable[[str], Callable[[World], Measure]], goals: str, what: str = "") -> tuple[Contender, ...]:
        return tuple(
            Contender(f"{label}{what}", make(kind), goal)
            for (kind, label), goal in zip(STORES, goals.split("|"), strict=True)
        )

    table = []
    for shape, lines, goals in (
        (1_000, 1_000_000, "200k, aim 300k|250k, aim 400k"),
        (20, 400_000, "|"),
        (1, 100_000, "|"),
        (100_000, 1_000_000, "|"),
    ):
        peers = (
            peer("plain SQL", theirs.sql_ingest(lines, shape, balances=False)),
            peer("plain SQL + balances", theirs.sql_ingest(lines, shape, balances=True)),
        )
        if shape == 1_000:
            peers += (
                peer("library, append alone", theirs.library("append", 20_000)),
                peer("library, with repository.get", theirs.library("ingest", 5_000)),
            )
        make = lambda kind, lines=lines, shape=shape: ours.ingest(kind, lines, shape)  # noqa: E731
        title = f"ingest {lines:,} lines, {shape:,} an employer"
        table.append(Row(f"ingest-{shape}", title, "lines/s", peers + both(make, goals)))
    for name, act, what, goal in (
        ("reverse-100000", one_month.reverse, "reversed", "50k|50k"),
        ("release-100000", one_month.release, "released", "50k|50k"),
        ("supplement-100000", one_month.supplement, "supplemented", "50k|50k"),
    ):
        make = lambda kind, act=act: act(kind, 100_000)  # noqa: E731
        table.append(Row(name, f"one remittance of 100,000 lines {what}", "lines/s", both(make, goal)))
    for lines in (10_000, 20_000):
        make = lambda kind, lines=lines: one_month.posts(kind, lines)  # noqa: E731
        title = f"one employer's month of {lines:,} lines in posts of 20"
        table.append(Row(f"posts-{lines}", title, "lines/s", both(make, "as fast at 20,000|as fast at 20,000")))
    million, five, twenty = 1_000_000, 5_000_000, 20_000_000
    table += [
        Row(
            "register",
            "register 1,000,000 accounts, sealed",
            "accounts/s",
            (
                peer("plain SQL, in clear", theirs.sql_register(million)),
                peer("library, AES cipher", theirs.library("register", 20_000)),
                *both(lambda kind: ours.register(kind, million), "12k, aim 25k|12k, aim 25k"),
            ),
        ),
        Row(
            "rebuild-balances",
            "rebuild balances from 5,000,000 lines, compared with those served",
            "lines/s",
            (
                peer("plain SQL, GROUP BY", theirs.sql_rebuild(five, "balances")),
                peer("plain SQL, best form", theirs.sql_rebuild(five, "balances", best=True)),
                peer("library, ProjectionRunner", theirs.library("project", 2_000)),
                *both(
                    lambda kind: ours.rebuild(kind, five, "balances"), "2.5 x, 1.3 x best form|2.5 x, 1.3 x best form"
                ),
            ),
        ),
        Row(
            "rebuild-all",
            "rebuild balances + entries from 5,000,000 lines, compared",
            "lines/s",
            (
                peer("plain SQL", theirs.sql_rebuild(five, "balances", "entries")),
                peer("plain SQL, best form", theirs.sql_rebuild(five, "balances", "entries", best=True)),
                *both(lambda kind: ours.rebuild(kind, five, "balances", "entries"), "1.8 x|2.2 x"),
            ),
        ),
        Row(
            "rebuild-20m",
            "rebuild balances from 20,000,000 lines, compared",
            "lines/s",
            (
                peer("plain SQL, GROUP BY", theirs.sql_rebuild(twenty, "balances", months=ours.MANY_MONTHS)),
                peer(
                    "plain SQL, best form", theirs.sql_rebuild(twenty, "balances", best=True, months=ours.MANY_MONTHS)
                ),
                *both(
                    lambda kind: ours.rebuild(kind, twenty, "balances", months=ours.MANY_MONTHS),
                    "4 x, under 500 MB|4 x, under 500 MB",
                ),
            ),
        ),
        Row(
            "rebuild-everything",
            "rebuild balances, entries, directory and account index from 5,000,000 lines",
            "lines/s",
            (
                peer("plain SQL, best form", theirs.sql_rebuild(five, "balances", "entries", "accounts", best=True)),
                *both(lambda kind: ours.rebuild(kind, five), "under 500 MB|under 500 MB"),
            ),
        ),
        Row(
            "follow",
            "committed -> visible, p99, at 50,000 lines/s",
            "ms",
            (
                peer("library, ProjectionRunner at 300/s", theirs.library("follow", 2_000)),
                *both(lambda kind: ours.follow(kind, 500_000, 50_000), "under 200|under 200"),
            ),
        ),
        Row(
            "follow-notices",
            "the same while 1,000 members are told of lines",
            "ms",
            both(lambda kind: notices.follow(kind, 500_000, 50_000, 1_000), "under 200|under 200"),
        ),
        *(
            Row(
                f"notices-{what}",
                f"notices to 5,000 members, {title}",
                "notices/s",
                both(partial(notices.told, full=5_000, what=what), "|"),
            )
            for what, title in (("posted", "of a posted line"), ("missing", "of months that stay out"))
        ),
        Row(
            "query",
            "balance query, 32 connections",
            "requests/s",
            (
                peer("bare endpoint", theirs.bare_query),
                peer("plain SQL, psycopg pool", theirs.sql_query),
                *both(
                    lambda kind: ours.query(kind, checked=False),
                    "aim 65 % of bare|aim 85 % of bare",
                    ", plain read",
                ),
                *both(
                    lambda kind: ours.query(kind, checked=True),
                    "aim 55 % of bare|aim 70 % of bare",
                    ", key + record",
                ),
            ),
        ),
        Row(
            "query-declared",
            "balance query, ten declared years, 32 connections",
            "requests/s",
            (
                peer("bare endpoint", theirs.bare_query),
                *both(
                    lambda kind: savings.plain(kind, 200_000),
                    "aim 65 % of bare|aim 85 % of bare",
                    ", plain read",
                ),
            ),
        ),
        Row(
            "past",
            "balance as it was known, 5,000,000 entries, p99, 4 connections",
            "ms",
            both(lambda kind: ours.past(kind, five), "under 50|under 50"),
        ),
        Row(
            "declare",
            "balance query, 2,000,000 accounts with ten years, the tenth just declared",
            "requests/s",
            both(lambda kind: savings.declare(kind, 2 * million), "80 % of before|80 % of before"),
        ),
        Row(
            "what-if",
            "the effect of a year on 2,000,000 accounts with ten years",
            "s",
            both(lambda kind: savings.what_if(kind, 2 * million), "under 60|under 60"),
        ),
        *(
            Row(
                name,
                f"{what} of cards with ten years of monthly lines, p99, 4 connections",
                "ms",
                both(partial(savings.working, full=2_000, what=path), goal),
            )
            for name, what, path, goal in (
                ("long-balance", "balance", "balance", "under 20|under 20"),
                ("explain", "working", "explain", "under 30|under 30"),
                ("statement", "a year's statement", "statement?year=2024", "|"),
            )
        ),
        Row(
            "forty-balance",
            "balance of cards with forty years of monthly lines, p99, 4 connections",
            "ms",
            both(partial(savings.working, full=2_000, what="balance", forty=True), "under 20|under 20"),
        ),
        Row(
            "statements",
            "a year's statements of all members as PDF",
            "statements/s",
            both(lambda kind: savings.statements(kind, 1_000), "60|60"),
        ),
        Row(
            "mobile",
            "the app's balance query, 32 connections, 1,000 members",
            "requests/s",
            (
                peer("bare endpoint, same JWT", theirs.bare_mobile),
                *both(ours.mobile, "60 % of bare|60 % of bare"),
            ),
        ),
        Row(
            "web",
            "website's balance page, eight years of months, 32 connections",
            "requests/s",
            (
                *both(
                    lambda kind: visits.pages(kind, visits.VISITORS),
                    "800, p99 under 60 ms|800, p99 under 60 ms",
                    ", each the first visit",
                ),
                *both(
                    lambda kind: visits.pages(kind, visits.RETURNING),
                    "800, p99 under 60 ms|800, p99 under 60 ms",
                    ", visitors come back",
                ),
            ),
        ),
        Row(
            "logins",
            "logins with a password, 30 a second come, while balances are read",
            "logins/s",
            both(visits.logins, "25, reads keep 80 %|25, reads keep 80 %"),
        ),
        Row(
            "sms",
            "balances by SMS through Kannel, 64 texts under way",
            "messages/s",
            (
                peer("Kannel alone", sms.alone(10_000)),
                *both(lambda kind: sms.texts(kind, 10_000), "200|200"),
            ),
        ),
        Row(
            "http",
            "HTTP remittances of 20 lines, 16 clients",
            "lines/s",
            (
                peer("plain SQL, no HTTP", theirs.sql_small(400_000)),
                peer("plain SQL, FastAPI", theirs.sql_http(400_000)),
                *both(lambda kind: ours.small_remittances(kind, 400_000), "aim 20k|aim 20k"),
            ),
        ),
    ]
    table.append(
        Row(
            "uploads",
            "memory above the base, 16 large uploads at once",
            "MB",
            tuple(
                Contender(f"{label}, {name}", measure, "under 300")
                for kind, label in STORES
                for name, measure in (
                    *((shape, uploads.by_key(kind, shape)) for shape in uploads.SHAPES),
                    ("employer's check, gzip", uploads.by_employer(kind)),
                )
            ),
        )
    )
    for kind, label in STORES:
        # One worker is what two are compared with, in the same row.
        table += [
            Row(
                f"workers-read-{kind}",
                "balance query, key + record, 32 connections, all cores",
                "requests/s",
                (
                    peer(f"JHT, {label}, 1 worker", ours.worker_reads(kind, 1)),
                    Contender(f"{label}, 2 workers", ours.worker_reads(kind, 2), "1.5 x one worker"),
                ),
            ),
            Row(
                f"workers-write-{kind}",
                "HTTP remittances of 20 lines, 16 clients",
                "lines/s",
                (
                    peer(f"JHT, {label}, 1 worker", ours.worker_writes(kind, 1, 400_000)),
                    Contender(f"{label}, 2 workers", ours.worker_writes(kind, 2, 400_000), "not slower"),
                ),
            ),
        ]
    return table
