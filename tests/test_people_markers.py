"""`test_markers` for the doors of people: website, app, SMS, branch and employer, over a real server.

A page may show a person's data to who may see it, and a form what its sender typed. Searched are the store with its
write-ahead log, the log, the counters, every header and address, and the pages of errors.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx2
from pydantic import SecretStr

from api.access.sessions import EMPLOYER, STAFF
from api.access.users import Users
from ledger.clock import read_now
from ledger.members import Members
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.outbox import Letter
from ledger.store.vault import Vault
from tests.api import peopled
from tests.api.phone import Phone
from tests.office import CONTRIBUTION, NPP, REGISTRATION, csv_of, line
from tests.system.running import jht
from tests.system.serving import serving
from tests.test_markers import (
    BORN,
    CARD,
    EMAIL,
    NAME,
    NIK,
    OTHER_NIK,
    PASSWORD,
    PHONE,
    SECOND,
    WORDS,
    found_in,
    marked,
    stored,
)

GATEWAY = "kunci-gateway"
STAFF_PASSWORD = "kerbau biru di sawah"
YEAR, MONTH, DAY = BORN.split("-")
CLAIM = {
    "segment": "PU", "nik": NIK, "day": DAY, "month": MONTH, "year": YEAR, "kpj": CARD, "email": EMAIL,
    "password": PASSWORD,
}  # fmt: skip
WORD = WORDS[0]


class Asked:
    """A browser that keeps what must hold no marker: headers and addresses always, the text of errors."""

    def __init__(self, address: str, kept: list[tuple[str, bytes]]) -> None:
        self.client = httpx2.Client(base_url=address, trust_env=False, timeout=30)
        self.kept = kept
        self.page = ""

    def get(self, path: str, **headers: str) -> httpx2.Response:
        return self._seen(self.client.get(path, headers=headers))

    def post(self, path: str, page: str = "", files: object = None, **form: str) -> httpx2.Response:
        """A form with the token of `page`, or of the page that was seen last."""
        if page:
            self.get(page)
        token = re.search(r'name="csrf" value="([^"]+)"', self.page)
        fields = {"csrf": token[1] if token else "", **form}
        return self._seen(self.client.post(path, data=fields, files=files))  # type: ignore[arg-type]

    def json(self, path: str, body: object, token: str = "") -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._seen(self.client.post(path, json=body, headers=headers))

    def _seen(self, answer: httpx2.Response) -> httpx2.Response:
        assert answer.status_code != 500, (answer.request.url, answer.text)
        self.page = answer.text
        what = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
        self.kept.append((what, str(answer.headers).encode()))
        typed_back = answer.headers.get("content-type", "").startswith("text/html") and "<form" in answer.text
        if answer.status_code >= 400 and not typed_back:
            self.kept.append((what, answer.content))
        return answer


def prepared(settings: Settings) -> Members:
    """The ledger with the marked person, users of the branch and of the employer; its members."""
    employers = f"npp,name,registered_on\n{NPP},PT Satu,2024-01-02\n".encode()
    jht(settings, "ingest", "employers", "-", stdin=employers)
    jht(settings, "ingest", "registrations", "-", stdin=csv_of(REGISTRATION, [marked(CARD)]))
    rows = [line(CARD), line(CARD, month="2026-09", paid_on="2026-10-14", nik=OTHER_NIK, name=NAME)]
    jht(settings, "ingest", "contributions", "-", stdin=csv_of([*CONTRIBUTION, "nik", "name"], rows))
    jht(settings, "follow", "--once")
    log = Log.open(settings)
    members = Members.open(log, Vault.open(log))
    jht(settings, "users", "list")
    hashed = peopled.hashed(STAFF_PASSWORD)
    users = Users(log.database)
    users.create("dewi", STAFF, hashed, read_now(), roles=["supervisor"])
    users.create("hrd", EMPLOYER, hashed, read_now(), npps=[int(NPP)])
    return members


def letters(members: Members) -> list[Letter]:
    """What waits to be sent and was not taken by an earlier call; the rows stay."""
    return [due.letter for due in members.outbox.due(read_now(), 100)]


def at_the_website(members: Members, guest: Asked) -> None:
    guest.post("/daftar/data", "/daftar", **CLAIM)
    guest.post("/daftar/email", "/daftar", **CLAIM)
    guest.post("/daftar/terkirim", "/daftar", **CLAIM | {"nik": OTHER_NIK})
    guest.post("/daftar/terkirim", "/daftar", **CLAIM | {"nik": NAME, "segment": EMAIL})
    assert guest.post("/daftar/terkirim", "/daftar", **CLAIM).status_code == 303
    (verify,) = [letter for letter in letters(members) if letter.kind == "verify"]
    for wrong in (NAME, EMAIL):
        guest.post("/masuk", "/masuk", identifier=wrong, password=PASSWORD)
    link = f"/tautan/{verify.details['token']}"
    assert guest.post(link, link, password=PASSWORD).headers["location"] == "/saldo"
    for path in (
        "/saldo", "/iuran", "/akun", "/akun/akses", f"/saldo/{NIK}", f"/saldo?nama={WORD}", f"/iuran?tahun={NIK}",
        f"/akun?kabar={WORD}", f"/tautan/{NIK}", f"/sandi/{EMAIL}", f"/tidak/{NIK}", f"/bahasa?ke=en&dari=/akun/{NIK}",
        f"/akun/akses?sebelum={EMAIL}",
    ):  # fmt: skip
        guest.get(path, user_agent=WORD, referer=f"https://x/{NIK}", accept_language=WORD)
    guest.post("/kartu", "/kartu", kpj=NIK)
    guest.post("/kartu", "/kartu", kpj=SECOND)
    assert guest.post("/akun/data", "/akun/data", what="correct", text=f"{NAME} {NIK} {EMAIL}").status_code == 303
    guest.post("/akun/sandi", "/akun", old=NAME, password=f"{PASSWORD} lain")
    guest.post("/akun/hp", "/akun", phone=PHONE)
    guest.post("/keluar", "/akun")
    guest.post("/lupa", "/lupa", identifier=EMAIL)
    guest.post("/lupa", "/lupa", identifier=OTHER_NIK)
    (reset,) = [letter for letter in letters(members) if letter.kind == "reset"]
    link = f"/sandi/{reset.details['token']}"
    guest.post(link, link, password=NIK)
    assert guest.post(link, link, password=PASSWORD).headers["location"] == "/masuk?kabar=sandi"
    assert guest.post("/masuk", "/masuk", identifier=NIK, password=PASSWORD).headers["location"] == "/saldo"


def at_the_app(app: Asked) -> None:
    login = {"identifier": EMAIL, "password": PASSWORD, "device": NAME}
    token = app.json("/v1/mobile/login", login).json()["access_token"]
    for body in (login | {"password": NAME}, login | {NAME: NIK}, {"identifier": [NIK]}, NAME, [EMAIL]):
        assert app.json("/v1/mobile/login", body).status_code >= 400
    app.json("/v1/mobile/refresh", {"refresh_token": NAME})
    app.json("/v1/mobile/cards", {"kpj": NIK}, token)
    app.json("/v1/mobile/cards", {NAME: EMAIL}, token)
    for path in (f"cards/{NIK}/balance", f"cards/{NIK}/entries", "cards", f"cards?nama={WORD}", f"me?nik={NIK}"):
        app.get(f"/v1/mobile/{path}", Authorization=f"Bearer {token}")
    app.get("/v1/mobile/cards", Authorization=f"Bearer {NIK}")


def by_sms(texts: Asked) -> None:
    born = f"{DAY}-{MONTH}-{YEAR}"
    for number, (text, sender, password) in enumerate((
        (f"DAFTAR SALDO#{NIK}#{born}#{CARD}#{EMAIL}", PHONE, GATEWAY), (f"SALDO {CARD}", PHONE, GATEWAY),
        (f"DAFTAR SALDO#{NIK}#{NAME}#{born}#{CARD}#{EMAIL}", "081355550000", GATEWAY), ("SALDO", PHONE, GATEWAY),
        (f"SALDO {NIK}", PHONE, GATEWAY), (f"{NAME} {EMAIL}", PHONE, GATEWAY), (f"STOP {NAME}", PHONE, GATEWAY),
        (f"SALDO {NIK}", NAME, GATEWAY), ("SALDO", PHONE, NAME),
    )):  # fmt: skip
        answer = texts.client.post(
            "/channels/sms/kannel", params={"id": f"m{number}", "smsc": WORD, "from": sender}, content=text.encode(),
            headers={"Content-Type": "text/plain"}, auth=("kannel", password),
        )  # fmt: skip
        texts.kept.append((f"sms {number}", answer.content + str(answer.headers).encode()))
        assert answer.status_code == (401 if password == NAME else 200), answer.text
    texts.client.post("/channels/sms/kannel", params={"id": NAME, "from": PHONE}, auth=("kannel", GATEWAY))


def at_the_branch(clerk: Asked) -> None:
    clerk.post("/kantor/masuk", "/kantor/masuk", nama=NAME, sandi=PASSWORD)
    assert clerk.post("/kantor/masuk", "/kantor/masuk", nama="dewi", sandi=STAFF_PASSWORD).status_code == 303
    clerk.post("/kantor/kode", "/kantor/kode", kode=NAME)
    code = Phone.of(clerk.get("/kantor/kode").text).code(read_now())
    assert clerk.post("/kantor/kode", "/kantor/kode", kode=code).headers["location"] == "/kantor"
    for number in (OTHER_NIK, NAME, EMAIL):
        clerk.post("/kantor", "/kantor", nomor=number, alasan="counter-visit")
    clerk.post("/kantor", "/kantor", nomor=NIK, alasan=NAME)
    view = str(clerk.post("/kantor", "/kantor", nomor=NIK, alasan="counter-visit").headers["location"])
    assert WORD in clerk.get(view).text
    clerk.get(f"{view}/surat")
    clerk.get(f"/kantor/peserta/{NIK}")
    clerk.post(view, view, tindakan=NAME)
    clerk.post(view, view, tindakan="kartu", kartu=NIK, ktp="ya")
    clerk.post(view, view, tindakan="daftar", kartu=CARD, email=EMAIL, ktp="ya")
    listed = clerk.get("/kantor/permintaan").text
    (request,) = set(re.findall(r'href="(/kantor/permintaan/[\w-]+/[0-9]+)"', listed))
    for form in ({"name": NAME + "sari", "email": EMAIL, "phone": PHONE}, {"nik": NAME}, {"birth_date": NIK}):
        clerk.post(request, request, tindakan="koreksi", versi=_seen(clerk, request), **form)
    clerk.post(request, request, tindakan="jawab", hasil=NAME, versi=_seen(clerk, request))
    done = clerk.post(request, request, tindakan="jawab", hasil="done", versi=_seen(clerk, request))
    assert done.status_code == 303


def _seen(clerk: Asked, page: str) -> str:
    """What a page's forms say that it showed."""
    found = re.search(r'name="versi" value="([^"]+)"', clerk.get(page).text)
    assert found
    return found[1]


def at_the_employer(payroll: Asked) -> None:
    home = f"/perusahaan/{NPP}"
    payroll.post("/perusahaan/masuk", "/perusahaan/masuk", nama=EMAIL, sandi=PASSWORD)
    assert payroll.post("/perusahaan/masuk", "/perusahaan/masuk", nama="hrd", sandi=STAFF_PASSWORD).status_code == 303
    names = ("kpj", "wage", "nik", "name")
    rows = [{"kpj": CARD, "wage": 5_000_000, "nik": NIK, "name": NAME}, {"kpj": NIK, "wage": NAME, "name": EMAIL}]
    for name, body in (
        (f"{NAME}.csv", csv_of(names, rows)), (f"{NIK}.csv", csv_of((*names, NAME), rows)), (f"{NAME}.xlsx", NAME.encode()),
    ):  # fmt: skip
        sent = payroll.post(home, home, files={"berkas": (name, body, "text/csv")}, bulan="2026-11")
        if sent.status_code == 303:
            for path in ("", "/diterima.csv", "/perbaikan.csv", "/perbaikan.xlsx", f"/{WORD}.csv"):
                payroll.get(str(sent.headers["location"]) + path)
    payroll.post(home, home, files={"berkas": (NAME, b"kpj\n", "text/csv")}, bulan=NIK)
    for path in (
        f"{home}/iuran",
        f"{home}/iuran/2026-10",
        f"{home}/iuran/{NIK}",
        f"{home}/iuran?tahun={NIK}",
        f"/perusahaan/{NIK}",
    ):
        payroll.get(path)


def test_what_people_say_at_their_doors_is_nowhere_in_clear(settings: Settings, tmp_path: Path) -> None:
    members = prepared(settings)
    key = jht(settings, "keys", "create", "markers", "metrics", "--json").json["key"]
    opened = settings.model_copy(update={"sms_gateway_password": SecretStr(GATEWAY), "address_tries": 1000})
    log, kept = tmp_path / "served", list[tuple[str, bytes]]()
    with serving(opened, key, log) as server:
        acts: tuple[Callable[[Asked], None], ...] = (
            partial(at_the_website, members), at_the_app, by_sms, at_the_branch, at_the_employer,
        )  # fmt: skip
        for act in acts:
            asked = Asked(server.address, kept)
            with asked.client:
                act(asked)
        kept.append(("metrics", server.ask("/metrics").body))
        # The write-ahead log of SQLite is only there while somebody has the file open.
        kept += stored(settings)
    kept += stored(settings)
    kept.append(("the server's log", log.read_bytes()))
    for done in (
        jht(settings, "outbox"),
        jht(settings, "users", "list"),
        jht(settings, "status"),
        jht(settings, "export"),
    ):
        kept.append(("output", (done.stdout + done.stderr).encode()))
    found = [told for where, data in kept for told in found_in(where, data)]
    assert not found, f"{len(found)} found\n" + "\n".join(dict.fromkeys(found))
    assert b'"route":"/kantor/peserta/{view}"' in log.read_bytes()
    # It was not lost: the member's contact is what the branch corrected it to.
    person = members.find_person(nik=NIK)
    assert person is not None
    assert members.about(person).identity.name == NAME + "sari"
    members.log.close()
