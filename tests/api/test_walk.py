"""Every route of the service as everybody: the right role comes in, and nobody else learns anything.

A route that stands in no class here fails the first test, so a new one cannot be forgotten. What each door does with the
right role, and forged mobile tokens, is tested beside that door (`mobile/test_walk.py`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from httpx2 import Response

from api.access.keys import SCOPES
from api.app import create_app
from ledger.settings import Settings
from tests.api.described import scopes
from tests.api.everybody import ANIS, CARD, EVIL, EVIL_COMPANY, SECRETS, UNKNOWN_HANDLE, Everybody
from tests.api.web.site import faults
from tests.conftest import MASTER_KEY
from tests.office import NPP, OTHER_NPP

ENTRANCE = {
    "member": "/masuk",
    "half": "/kantor/masuk",
    "counter": "/kantor/masuk",
    "supervisor": "/kantor/masuk",
    "employer": "/perusahaan/masuk",
}
ALLOWED = {
    "open": {"nobody"},
    "guest": {"nobody"},
    "member": {"budi", "ani"},
    "mobile": {"app"},
    "gateway": {"gateway"},
    "half": {"half"},
    "counter": {"counter", "supervisor"},
    "supervisor": {"supervisor"},
    "employer": {"employer"},
    **{scope: {scope, "all scopes"} for scope in SCOPES},
}
"""Class of a route -> the roles that come in. `open` answers anybody; `guest` too, but its forms want a token."""

TABLE = {
    "open": (
        "GET /", "GET /bantuan", "GET /mitra", "GET /bahasa", "GET /aset/{name}", "GET /livez", "GET /readyz", "GET /docs",
        "GET /docs/docs.css", "GET /openapi.json", "POST /v1/mobile/login", "POST /v1/mobile/refresh",
        "GET /sw.js", "GET /manifest/{language}",
    ),
    "guest": (
        "GET /daftar", "GET /daftar/data", "GET /daftar/email", "GET /daftar/terkirim", "POST /daftar/data",
        "GET /daftar/nomor", "POST /daftar/nomor",
        "POST /daftar/email", "POST /daftar/terkirim", "GET /tautan/{token}", "POST /tautan/{token}", "GET /masuk",
        "GET /periksa", "POST /periksa", "GET /masuk/passkey", "POST /masuk/passkey",
        "POST /masuk", "POST /keluar", "GET /luring", "GET /lupa", "POST /lupa", "GET /sandi/{token}", "POST /sandi/{token}",
        "GET /kantor/masuk", "POST /kantor/masuk", "GET /perusahaan/masuk", "POST /perusahaan/masuk",
    ),
    "member": (
        "GET /saldo", "GET /saldo/{handle}", "GET /saldo/{handle}/hitungan",
        "GET /saldo/{handle}/laporan", "GET /saldo/{handle}/laporan/{file}",
        "GET /saldo/{handle}/perkiraan", "POST /saldo/{handle}/perkiraan",
        "GET /iuran", "GET /kartu", "POST /kartu", "GET /akun", "POST /akun/sandi", "POST /akun/keluar-semua",
        "POST /akun/hp", "POST /akun/kabar", "GET /akun/akses", "GET /akun/data", "POST /akun/data",
        "GET /luring/saldo", "POST /akun/luring",
        "GET /akun/kontak", "POST /akun/kontak", "POST /akun/kontak/kode",
        "GET /akun/passkey", "POST /akun/passkey", "POST /akun/passkey/baru", "POST /akun/passkey/hapus",
    ),
    "mobile": (
        "GET /v1/mobile/cards", "GET /v1/mobile/cards/{handle}/balance", "GET /v1/mobile/cards/{handle}/entries",
        "GET /v1/mobile/cards/{handle}/months", "GET /v1/mobile/cards/{handle}/explain",
        "GET /v1/mobile/cards/{handle}/simulate", "GET /v1/mobile/cards/{handle}/statement",
        "POST /v1/mobile/cards", "POST /v1/mobile/logout", "POST /v1/mobile/logout-everywhere",
        "GET /v1/mobile/access-log", "GET /v1/mobile/me", "GET /v1/mobile/notices", "PUT /v1/mobile/notices",
        "GET /v1/mobile/contacts", "POST /v1/mobile/contacts", "POST /v1/mobile/contacts/number",
    ),
    "gateway": ("POST /channels/sms/kannel",),
    "counter": (
        "POST /kantor/keluar", "GET /kantor", "POST /kantor", "GET /kantor/peserta/{view}",
        "POST /kantor/peserta/{view}", "GET /kantor/peserta/{view}/surat",
        "GET /kantor/peserta/{view}/laporan/{card:int}/{file}",
        "GET /kantor/usulan", "GET /kantor/usulan/{proposal}", "POST /kantor/usulan/{proposal}",
    ),
    "half": ("GET /kantor/kode", "POST /kantor/kode", "POST /kantor/kode/hilang"),
    "supervisor": (
        "GET /kantor/hp-hilang", "POST /kantor/hp-hilang", "GET /kantor/hasil", "POST /kantor/hasil",
        "GET /kantor/permintaan", "GET /kantor/permintaan/{view}/{number:int}",
        "POST /kantor/permintaan/{view}/{number:int}",
    ),
    "employer": (
        "POST /perusahaan/keluar", "GET /perusahaan", "GET /perusahaan/{npp}", "POST /perusahaan/{npp}",
        "GET /perusahaan/{npp}/hasil/{handle}", "GET /perusahaan/{npp}/hasil/{handle}/{file}",
        "GET /perusahaan/{npp}/iuran", "GET /perusahaan/{npp}/iuran/{month}",
    ),
    "read": (
        "GET /v1/accounts/{kpj}/balance", "GET /v1/accounts/{kpj}/entries", "GET /v1/accounts/{kpj}/months",
        "GET /v1/accounts/{kpj}/statement",
        "GET /v1/accounts/{kpj}/explain", "GET /v1/accounts/{kpj}/simulate", "GET /v1/accounts/{kpj}/difference",
        "GET /v1/answers/{code}", "GET /v1/totals",
    ),
    "persons": ("GET /v1/persons/{person}/balance",),
    "suspense": ("GET /v1/suspense",),
    "register": ("POST /v1/employers", "POST /v1/registrations", "POST /v1/opening-balances"),
    "post": ("POST /v1/contributions",),
    "correct": ("POST /v1/reversals",),
    "metrics": ("GET /metrics",),
}  # fmt: skip
ROUTES = [(kind, *route.split(" ")) for kind, routes in TABLE.items() for route in routes]
PAGES = [(kind, method, path) for kind, method, path in ROUTES if kind in ENTRANCE or kind == "guest"]
FORMS = [(kind, path) for kind, method, path in PAGES if method == "POST"]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everybody]:
    """Everybody, on SQLite, shared by the module: each request begins a session of its own."""
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('walk') / 'jht.db'}", master_key=MASTER_KEY)
    with Everybody.opened_at_once(settings) as made:
        yield made


def test_every_route_stands_in_one_class() -> None:
    served = sorted(
        f"{method} {route.path}"
        for route in create_app(Settings(master_key=None)).routes
        for method in route.methods - {"HEAD"}
    )
    assert served == sorted(f"{method} {path}" for _, method, path in ROUTES)


def test_every_described_route_says_whom_it_lets_in() -> None:
    said = scopes(create_app(Settings(master_key=None)))
    wanted = {
        f"{method} {path}": {"key": [kind]} if kind in SCOPES else {"member": []} if kind == "mobile" else {}
        for kind, method, path in ROUTES
        if kind in SCOPES or kind == "mobile" or path in {"/livez", "/readyz", "/v1/mobile/login", "/v1/mobile/refresh"}
    }
    assert said == wanted


def allowed(kind: str, path: str) -> set[str]:
    """The roles that come in; every employer's user may go where no employer is named."""
    return ALLOWED[kind] | ({"other employer"} if kind == "employer" and "{npp}" not in path else set())


def refused(kind: str, path: str, answer: Response) -> bool:
    """Whether an answer lets nobody in: the way to the login, 401 or 403."""
    if path.endswith("/keluar"):
        # Both lead to the login; a log-out takes the cookie along.
        return 'jht=""' not in answer.headers.get("set-cookie", "")
    if answer.status_code == 303:
        return bool(re.fullmatch(re.escape(ENTRANCE.get(kind, "-")) + r"(\?kabar=lewat)?", answer.headers["location"]))
    return answer.status_code in {401, 403}


@pytest.mark.parametrize("kind", [kind for kind in TABLE if kind not in {"open", "guest"}])
def test_only_the_right_role_comes_in(town: Everybody, kind: str) -> None:
    wrong = []
    for _, method, path in (route for route in ROUTES if route[0] == kind):
        for role in town.roles:
            answer = town.visit(role).ask(method, path)
            if refused(kind, path, answer) == (role in allowed(kind, path)):
                wrong.append((role, method, path, answer.status_code, answer.headers.get("location")))
            if role not in allowed(kind, path):
                wrong += [(role, path, "tells", secret) for secret in SECRETS if secret in answer.text]
    assert not wrong, "\n".join(map(str, wrong))


def test_what_anybody_may_ask_tells_nothing_of_anybody(town: Everybody) -> None:
    for kind, method, path in ROUTES:
        # The description has amounts, of its examples, and so has the page made of it.
        if kind in {"open", "guest"} and path not in {"/openapi.json", "/docs"}:
            for role in town.roles:
                answer = town.visit(role).ask(method, path)
                assert answer.status_code < 500, (role, path)
                # The layout of a logged-in visitor may greet nobody by name either.
                assert not [secret for secret in SECRETS if secret in answer.text], (role, path)


def bare(answer: Response) -> tuple[int, str]:
    """Status and body, without what differs from one request to the next: tokens, numbers, the address itself."""
    body = re.sub(r'name="csrf" value="[^"]+"|"request_id":"[^"]+"', "", answer.text)
    return answer.status_code, re.sub(r"/(?:saldo|kantor|perusahaan)/[\w/.-]+", "", body).replace(OTHER_NPP, NPP)


def test_what_belongs_to_another_looks_like_what_does_not_exist(town: Everybody) -> None:
    budi, clerk, payroll = (
        (lambda: town.visit("budi")),
        (lambda: town.visit("counter")),
        (lambda: town.visit("employer")),
    )
    boss, bound = (lambda: town.visit("supervisor")), town.key("read", npps=[int(NPP)])
    anis = town.application.members.cards(town.ani)[0].handle
    theirs, elsewhere = clerk().view(town.ani), town.visit("other employer")
    kept = elsewhere.ask("POST", "/perusahaan/{npp}", OTHER_NPP, bulan="2026-11").headers["location"].rpartition("/")[2]
    pairs = {
        "a card's page": [budi().ask("GET", f"/saldo/{handle}") for handle in (anis, UNKNOWN_HANDLE)],
        "a view of another session": [clerk().ask("GET", f"/kantor/peserta/{view}") for view in (theirs, "x" * 80)],
        "its letter": [clerk().ask("GET", f"/kantor/peserta/{view}/surat") for view in (theirs, "x" * 80)],
        "its acts": [clerk().ask("POST", f"/kantor/peserta/{view}", tindakan="tutup") for view in (theirs, "x" * 80)],
        "its data": [
            clerk().ask("POST", f"/kantor/peserta/{view}", tindakan="minta", what="export", ktp="ya")
            for view in (theirs, "x" * 80)
        ],
        "its request": [boss().ask("GET", f"/kantor/permintaan/{view}/1") for view in (theirs, "x" * 80)],
        "an employer": [payroll().ask("GET", f"/perusahaan/{npp}") for npp in (OTHER_NPP, "99999999")],
        "its months": [payroll().ask("GET", f"/perusahaan/{npp}/iuran") for npp in (OTHER_NPP, "99999999")],
        "a month": [payroll().ask("GET", f"/perusahaan/{npp}/iuran/2026-09") for npp in (OTHER_NPP, "99999999")],
        "a check": [payroll().ask("GET", f"/perusahaan/{NPP}/hasil/{one}") for one in (kept, "abcdefghijklmnopqrst")],
        "its file": [
            payroll().ask("GET", f"/perusahaan/{NPP}/hasil/{one}/diterima.csv")
            for one in (kept, "abcdefghijklmnopqrst")
        ],
        "a bound key's account": [
            town.client.get(f"/v1/accounts/{kpj}/entries", headers=bound)
            for kpj in (ANIS, "26999999999")
        ],
        "its months for a bound key": [
            town.client.get(f"/v1/accounts/{kpj}/months", headers=bound)
            for kpj in (ANIS, "26999999999")
        ],
        "a link": [town.visit("nobody").ask("GET", f"/tautan/{secret}") for secret in ("A" * 43, "x")],
    }  # fmt: skip
    for what, (foreign, unknown) in pairs.items():
        assert foreign.status_code in {403, 404, 410}, (what, foreign.status_code)
        assert bare(foreign) == bare(unknown), what
        assert not [secret for secret in SECRETS if secret in foreign.text], what
    assert town.client.get(f"/v1/accounts/{CARD}/entries", headers=bound).status_code == 200


def test_a_check_of_a_file_is_for_the_session_that_sent_it(town: Everybody) -> None:
    owner, colleague = town.visit("employer"), town.visit("employer")
    address = owner.ask("POST", "/perusahaan/{npp}").headers["location"]
    assert owner.client.get(address).status_code == 200
    for path in (address, f"{address}/diterima.csv", f"{address}/perbaikan.xlsx"):
        assert owner.client.get(path).status_code == 200
        assert colleague.client.get(path).status_code == 410
        assert town.visit("nobody").client.get(path).headers["location"] == "/perusahaan/masuk"


@pytest.mark.parametrize(("kind", "path"), FORMS)
def test_a_form_that_is_not_ours_changes_nothing(town: Everybody, kind: str, path: str) -> None:
    role = {"guest": "nobody", "member": "budi"}.get(kind, kind)
    visitor, neighbour = town.visit(role), town.visit(role)
    address, own, foreign = visitor.address(path), visitor.csrf(), neighbour.csrf()
    if role == "nobody":
        foreign = str(town.application.identity.csrf.token(None, "h" * 32))
    for form, headers in (
        ({"lain": "1"}, {}), ({"csrf": ""}, {}), ({"csrf": foreign}, {}), ({"csrf": own[:-1]}, {}),
        ({"csrf": own}, {"Origin": "https://jahat.example"}), ({"csrf": own}, {"Origin": "http://testserver.jahat.example"}),
        ({"csrf": own}, {"Sec-Fetch-Site": "cross-site"}), ({"csrf": own}, {"Sec-Fetch-Site": "same-site"}),
    ):  # fmt: skip
        answer = visitor.send(address, form, **headers)
        assert (answer.status_code, "form-foreign" in answer.text) == (403, True), (form, headers)
    assert town.letters() == []


def test_no_answer_about_a_person_may_be_kept_or_shown_to_another(town: Everybody) -> None:
    asked = 0
    for kind, method, path in ROUTES:
        if kind in {"open", "metrics"}:
            continue
        for role in ALLOWED[kind]:
            answer = town.visit(role).ask(method, path)
            kept = answer.headers.get("cache-control", "")
            assert "no-store" in kept or ("private" in kept and "no-cache" in kept), (path, kept)
            if "private" in kept:
                assert "authorization" in answer.headers["vary"].lower(), path
            asked += 1
    assert asked > len(ROUTES)


def test_every_page_has_every_header_and_leads_nowhere_else(town: Everybody) -> None:
    for kind, method, path in PAGES:
        for role in ("nobody", *ALLOWED[kind]):
            answer = town.visit(role).ask(method, path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy, path
            assert "unsafe" not in policy, path
            assert "frame-ancestors 'none'" in policy, path
            assert answer.headers["x-content-type-options"] == "nosniff", path
            assert answer.headers["referrer-policy"] == "no-referrer", path
            assert answer.headers["cache-control"] == "no-store", path
            if answer.content:
                kind_told = answer.headers["content-type"]
                assert kind_told == "application/json" or kind_told.endswith("charset=utf-8"), (path, kind_told)
            assert re.match(r"/(?!/)", answer.headers.get("location", "/")), path


def test_a_hostile_name_is_only_text_on_every_page(town: Everybody) -> None:
    shown: dict[str, set[str]] = {"person": set(), "company": set()}
    for kind, method, path in PAGES:
        for role in ALLOWED[kind]:
            answer = town.visit(role).ask(method, path)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            assert faults(answer.text) == [], (role, path)
            for what, name in (("person", EVIL), ("company", EVIL_COMPANY)):
                assert name not in answer.text, (role, path)
                if name in html.unescape(answer.text):
                    shown[what].add(path)
    # Otherwise nothing was tested.
    assert {"/akun", "/kantor/peserta/{view}", "/kantor/peserta/{view}/surat"} <= shown["person"]
    assert {"/saldo", "/iuran", "/kantor/peserta/{view}", "/perusahaan/{npp}/iuran"} <= shown["company"]
