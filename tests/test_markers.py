"""Personal data comes in by every door and is then searched for everywhere: sealed is fine, in clear it is nowhere.

The markers are a NIK, a name, a birth date, an e-mail address, a phone number and a password that occur nowhere else.
They are sent where they belong and wherever somebody could put them by mistake; the doors of people (website, app, SMS,
branch, employer) have `test_people_markers`.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from ledger.settings import Settings
from ledger.store.codec import state_json
from ledger.store.log import Log
from tests.office import CONTRIBUTION, NPP, REGISTRATION, csv_of, line, nik, person
from tests.system.running import environment, jht, run
from tests.system.serving import Server, serving

NIK = nik(8642, born="1961-03-07")
OTHER_NIK = nik(9753, born="1961-03-07")
NAME = "Zulqarmarka Wibisonomark"
WORDS = NAME.split()
BORN = "1961-03-07"
EMAIL = "zmark.penanda@contoh.id"
PHONE = "081298761234"
PASSWORD = "kuda penanda rahasiamark"
MARKERS = (NIK, OTHER_NIK, *WORDS, BORN, EMAIL, "zmark.penanda", PHONE, PHONE[1:], "rahasiamark")

CARD, SECOND, FREE, NOBODY = "26000000017", "26000000025", "26000000033", "26999999999"
OPENING = ("kpj", "as_of", "employer", "worker", "credited_yield", "months", "source")
ALL = ("read", "suspense", "persons", "register", "post", "backdate", "correct", "metrics")
REASON = "wrong-amount"


def marked(card: str, **changes: object) -> dict[str, object]:
    """A registration of the person with the markers."""
    return person(card) | {
        "nik": NIK, "name": NAME, "birth_date": BORN, "email": EMAIL, "phone": PHONE,
    } | changes  # fmt: skip


def _registrations() -> Iterator[dict[str, object]]:
    yield marked(CARD)
    yield marked(SECOND, name="Other Spelling", email="", phone="")  # the same NIK with another name: told
    # A phone number reads as an old card number, and cards are no secret here.
    for column in ("kpj", "sex", "segment", "npp", "birth_date", "registered_on", "phone", "nik"):
        for value in (NAME, NIK, EMAIL, PHONE):
            if (column, value) not in {("nik", NIK), ("phone", PHONE), ("kpj", PHONE)}:
                yield marked(FREE, **{column: value})


def _contributions() -> Iterator[dict[str, object]]:
    yield line(CARD, nik=NIK, name=NAME)
    yield line(CARD, 100_000, kind="supplement", nik=NIK, name="Somebody Else")
    yield line(SECOND, nik=OTHER_NIK, name=NAME)  # another's NIK: the money waits
    yield line(NOBODY, nik=NIK, name=NAME)
    yield line(SECOND, month="2026-09", paid_on="2026-10-14", reference=NIK)
    for month, column in enumerate(
        ("npp", "month", "kpj", "wage", "back_pay", "employer", "worker", "paid_on", "reference", "kind", "division",
         "nik"), 1,
    ):  # fmt: skip
        for value in (NAME, NIK, EMAIL, PHONE, BORN):
            # A short payment reference of digits only is what banks give; it is no door for a phone number alone.
            if (column, value) not in {("nik", NIK), ("paid_on", BORN), ("reference", PHONE), ("reference", BORN)}:
                yield line(FREE) | {"month": f"2025-{month:02d}", column: value}


def _files(directory: Path) -> Iterator[tuple[str, Path]]:
    """(layout, file) of everything that a clerk could send."""
    contributions = [*CONTRIBUTION, "kind", "division", "nik", "name"]
    registrations = list(_registrations())
    headless = ",".join(str(value) for value in marked(CARD).values())
    bodies: list[tuple[str, str, bytes]] = [
        ("registrations", "r.csv", csv_of(REGISTRATION, registrations)),
        ("registrations", "r.ndjson", b"\n".join(json.dumps(row).encode() for row in registrations)),
        ("registrations", "r.json", json.dumps(registrations).encode()),
        ("contributions", "c.csv", csv_of(contributions, _contributions())),
        ("contributions", "c.ndjson", b"\n".join(json.dumps(row).encode() for row in _contributions())),
        ("employers", "e.csv", f"npp,name,registered_on\n{NIK},PT A,{NAME}\n{NAME},PT A,2024-01-01\n".encode()),
        ("opening-balances", "o.csv", csv_of(OPENING, [
            {"kpj": CARD, "as_of": "2025-12-31", "employer": 1, "worker": 1, "credited_yield": 0, "months": 1,
             "source": "OLD-SYSTEM"},
            {"kpj": NIK, "as_of": NAME, "employer": EMAIL, "worker": PHONE, "credited_yield": NAME, "months": NIK,
             "source": EMAIL},
        ])),
        ("registrations", "headless.csv", f"{headless}\n{headless}\n".encode()),
        ("contributions", "number-column.csv", f"npp,month,kpj,wage,paid_on,{NIK}\n1,2,3,4,5,6\n".encode()),
        ("registrations", "latin.csv", headless.replace("Zul", "Zül").encode("latin-1") + b"\n\xff"),
        ("registrations", "quote.csv", (",".join(REGISTRATION) + f'\n1,"{headless}\n').encode()),
        ("registrations", "cells.csv", (",".join(REGISTRATION) + f"\n{headless},{headless}\n").encode()),
        ("registrations", "broken.json", f'[{{"nik": "{NIK}", "name": "{NAME}", '.encode()),
        ("registrations", "types.json", json.dumps([{"nik": [NIK], "name": {NAME: EMAIL}}, NAME, [PHONE]]).encode()),
        ("registrations", "broken.ndjson", f'{{"nik": "{NIK}", "name" "{NAME}"}}\n'.encode()),
        ("registrations", "keys.json", json.dumps([{**marked(CARD), NIK: NAME}]).encode()),
        ("registrations", "broken.csv.gz", gzip.compress(headless.encode(), 0)[:-20]),
        ("registrations", "broken.xlsx", b"PK\x03\x04" + headless.encode()),
        ("contributions", "long.csv", b"npp,month,kpj,wage,paid_on\n" + NAME.encode() * 5_000),
    ]  # fmt: skip
    for layout, name, body in bodies:
        path = directory / name
        path.write_bytes(body)
        yield layout, path


def _commands(directory: Path) -> Iterator[tuple[Sequence[object], bytes]]:
    """(arguments, standard input) of commands that are told personal data where it does not belong."""
    for layout, path in _files(directory):
        yield ("ingest", layout, path), b""
        yield ("ingest", layout, path, "--json", "--dry-run"), b""
    yield ("ingest", "registrations", "-"), csv_of(REGISTRATION, _registrations())
    yield ("ingest", "contributions", "-", "--reason", NAME), b""
    yield ("balance", NIK), b""
    yield ("balance", CARD, "--as-of", NAME), b""
    yield ("reverse", "--receipt", NIK, "--reason", NAME), b""
    yield ("reverse", "--npp", NIK, "--month", NAME, "--reason", REASON), b""
    yield ("person", "export", NIK), b""
    yield ("person", "erase", CARD, "--yes", "--order", NAME), b""
    for changes in (
        {"name": NAME, "email": EMAIL, "phone": PHONE}, {"nik": OTHER_NIK}, {"birth_date": NAME}, {"nik": NAME},
        {"sex": NIK}, {NAME: NIK}, {"phone": EMAIL}, {"email": NAME},
    ):  # fmt: skip
        yield ("person", "correct", CARD), json.dumps(changes).encode()
    yield ("person", "correct", CARD), f'{{"nik": "{NIK}"'.encode()
    yield ("person", "correct", CARD, "--reason", "asked"), json.dumps({"nik": NIK}).encode()


def _told_by_http(server: Server, directory: Path) -> Iterator[bytes]:
    """Everything that the API answers, heads included, when it is told personal data by every door."""
    asked = []
    kinds = {".csv": "text/csv", ".json": "application/json", ".ndjson": "application/x-ndjson"}
    for layout, path in _files(directory):
        if path.suffix in kinds:
            asked.append(server.post(f"/v1/{layout}", path.read_bytes(), kinds[path.suffix]))
            asked.append(server.post(f"/v1/{layout}?dry_run=true", path.read_bytes(), kinds[path.suffix]))
    body = csv_of(CONTRIBUTION, [line(CARD)])
    balance = f"/v1/accounts/{CARD}/balance"
    name = WORDS[0]
    asked += [
        server.post("/v1/contributions", body, "text/csv", idempotency_key=f"{NIK}-{EMAIL}"),
        server.post("/v1/contributions", body + b"\n", "text/csv", idempotency_key=f"{NIK}-{EMAIL}"),
        server.post("/v1/contributions", body, f"text/{name}"),
        server.post(f"/v1/contributions?reason={name}", body, "text/csv"),
        server.post(f"/v1/contributions?dry_run={NIK}", body, "text/csv"),
        server.post("/v1/reversals", json.dumps({"reason": NAME, "receipt": NIK}).encode()),
        server.post("/v1/reversals", json.dumps({"reason": REASON, "receipt": NIK}).encode()),
        server.post("/v1/reversals", json.dumps({"reason": REASON, "remittance": f"remittance-e:{NIK}"}).encode()),
        server.post("/v1/reversals", json.dumps({"reason": REASON, "remittance": NAME, "kpj": NIK}).encode()),
        server.post("/v1/reversals", json.dumps({NAME: EMAIL}).encode()),
        server.post("/v1/reversals", f'{{"reason": "{NAME}'.encode()),
        server.ask(f"/v1/accounts/{NIK}/balance"),
        server.ask(f"/v1/accounts/{NAME.replace(' ', '-')}/entries"),
        server.ask(f"/v1/persons/{NIK}/balance"),
        server.ask(f"/v1/persons/{name}/balance"),
        server.ask(f"/v1/people/{NIK}?name={name}"),
        server.ask(f"{balance}?as_of={NIK}"),
        server.ask(f"{balance}?min_position={NIK}"),
        server.ask(f"{balance}?name={name}&email={EMAIL}"),
        server.ask(f"/v1/suspense?npp={NIK}&limit={PHONE}"),
        server.ask(f"/v1/suspense?cursor={base64.b64encode(NAME.encode()).decode()}"),
        server.ask(f"/v1/suspense?limit={name}"),
        server.ask(balance, x_reason=NAME, user_agent=NAME, accept_language=name, referer=f"https://x/{NIK}"),
        server.ask(balance, x_reason=EMAIL, x_forwarded_for=EMAIL, if_none_match=NIK, cookie=f"nik={NIK}"),
        server.ask("/v1/suspense"),
        server.ask(f"/v1/accounts/{SECOND}/entries"),
        server.send("GET", balance, None, Authorization=f"Bearer {NIK}"),
        server.send("GET", balance, None, Authorization=f"Bearer jht_{NIK}_{name}"),
        server.send("GET", balance, None, Authorization=name),
        server.send(name.upper(), balance, None),
        server.ask("/metrics"),
        server.ask("/readyz"),
    ]
    for answer in asked:
        assert answer.status != 500, answer
        yield answer.body + str(answer.headers).encode()


def _forms(marker: str) -> Iterator[bytes]:
    """A marker in clear, and in the ways that only look sealed."""
    for text in {marker, marker.upper(), marker.lower()}:
        data = text.encode()
        yield data
        yield data.hex().encode()
        yield text.encode("utf-16-le")
        # Within other base64 text it may begin at any of three places; what its neighbours change is left off.
        for shift in range(3):
            coded = base64.b64encode(bytes(shift) + data)
            inner = coded[4 if shift else 0 : len(coded) // 4 * 4 - 4]
            if len(inner) >= 8:
                yield inner
                yield inner.translate(bytes.maketrans(b"+/", b"-_"))


FORMS = [(marker, form) for marker in MARKERS for form in dict.fromkeys(_forms(marker))]


def found_in(where: str, data: bytes) -> list[str]:
    """Where a marker is in clear."""
    found = []
    for marker, form in FORMS:
        at = data.find(form)
        if at >= 0:
            found.append(f"{where}: {marker!r} at {at}: ...{data[max(0, at - 60) : at + 60]!r}")
    return found


def stored(settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Everything that the store holds, as bytes: whole files, or every row of every table."""
    if settings.sqlite_path is not None:
        for path in settings.sqlite_path.parent.glob(f"{settings.sqlite_path.name}*"):
            yield path.name, path.read_bytes()
    else:
        with psycopg.connect(settings.database_url) as connection:
            tables = connection.execute(
                "select format('%I.%I', schemaname, tablename) from pg_tables "
                "where schemaname not in ('pg_catalog', 'information_schema')"
            ).fetchall()
            assert len(tables) > 10
            for (table,) in tables:
                for (row,) in connection.execute(f"select t::text from {table} t"):
                    yield table, row.encode()
    log = Log.open(settings)
    after = 0
    while rows := log.read(after, 1000):
        after = rows[-1].position
        for row in rows:
            # Compressed states are as good as clear.
            yield row.name, state_json(row.state)
    log.close()


def test_the_search_finds_what_is_there() -> None:
    for marker in MARKERS:
        for hidden in (
            marker.encode(), marker.encode().hex().encode(), base64.b64encode(f"name={marker};".encode()),
            base64.urlsafe_b64encode(f'{{"nik":"{marker}"}}'.encode()),
        ):  # fmt: skip
            assert found_in("here", b"before " + hidden + b" after"), (marker, hidden)
    assert not found_in("here", b"nothing of the kind")


def test_personal_data_is_nowhere_in_clear(settings: Settings, tmp_path: Path) -> None:
    employers = f"npp,name,registered_on\n{NPP},PT Satu,2024-01-02\n".encode()
    jht(settings, "ingest", "employers", "-", stdin=employers)
    files = tmp_path / "input"
    files.mkdir()
    found: list[str] = []
    codes = set()
    for arguments, stdin in _commands(files):
        done = run(environment(settings), *arguments, stdin=stdin)
        said = f"jht {' '.join(str(one) for one in arguments)}"
        codes.add(done.code)
        assert done.code in (0, 2, 3), (said, done)
        assert "Traceback" not in done.stderr, (said, done)
        found += found_in(said, (done.stdout + done.stderr).encode())
    assert codes == {0, 2, 3}
    key = jht(settings, "keys", "create", "markers", *ALL, "--json").json["key"]
    log = tmp_path / "served"
    with serving(settings, key, log) as server:
        for answer in _told_by_http(server, files):
            found += found_in("answer", answer)
        # The write-ahead log of SQLite is only there while somebody has the file open.
        for where, data in stored(settings):
            found += found_in(where, data)
    for where, data in stored(settings):
        found += found_in(where, data)
    jht(settings, "follow", "--once")
    jht(settings, "rebuild")
    for where, data in stored(settings):
        found += found_in(where, data)
    found += found_in("the server's log", log.read_bytes())
    for output in (jht(settings, "status"), jht(settings, "export"), jht(settings, "keys", "list")):
        found += found_in("output", output.stdout.encode() + output.stderr.encode())
    assert not found, f"{len(found)} found\n" + "\n".join(dict.fromkeys(found))
    # It was not lost either: the person's own data comes back to who may ask.
    assert jht(settings, "person", "export", CARD).json["identity"]["name"] == NAME


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_national_number_among_other_signs_is_not_kept(settings: Settings) -> None:
    employers = f"npp,name,registered_on\n{NPP},PT Satu,2024-01-02\n".encode()
    jht(settings, "ingest", "employers", "-", stdin=employers)
    jht(settings, "ingest", "registrations", "-", stdin=csv_of(REGISTRATION, [marked(CARD)]))
    opening = {"kpj": CARD, "as_of": "2025-12-31", "employer": 1, "worker": 1, "credited_yield": 0, "months": 1}
    opened = csv_of(OPENING, [opening | {"source": NIK}])
    run(environment(settings), "ingest", "opening-balances", "-", stdin=opened)
    for month, reference in (("2026-10", f"TRX/{NIK}"), ("2026-09", f"x-{NIK}-y")):
        body = csv_of(CONTRIBUTION, [line(CARD, month=month, paid_on="2026-11-14", reference=reference)])
        jht(settings, "ingest", "contributions", "-", stdin=body)
    jht(settings, "follow", "--once")
    found = [told for where, data in stored(settings) for told in found_in(where, data)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_what_is_kept_of_a_request_holds_no_personal_data(settings: Settings, tmp_path: Path) -> None:
    key = jht(settings, "keys", "create", "markers", *ALL, "--json").json["key"]
    log = tmp_path / "served"
    with serving(settings, key, log) as server:
        server.ask("/v1/suspense", x_reason=NIK)
        server.ask("/v1/suspense", x_request_id=NIK)
        server.ask(f"/v1/accounts/{WORDS[0]}/entries")
        answer = server.ask(f"/v1/suspense?{NIK}=1")
    found = found_in("answer", answer.body) + found_in("the server's log", log.read_bytes())
    for where, data in stored(settings):
        found += found_in(where, data)
    assert not found, "\n".join(found)
