"""Every page in its states, looked at by axe-core: see `looks`. The journeys have shown what the pages say."""

from __future__ import annotations

from tests.system.browser.conftest import Look, Visit
from tests.system.browser.test_employer import check, wages
from tests.system.browser.test_office import search
from tests.system.browser.town import CLERK, NEW, PASSWORD, STAFF, SUPERVISOR, Town, links
from tests.system.running import jht


def test_the_square_of_a_paper_brings_its_code_to_the_check_and_tells_no_server(visit: Visit) -> None:
    code = "7Q2M-K4ZC-0XHD-9V3B-RT5W-1N8P-6GYJ-E0FA-4S"
    for script, found in ((True, code), (False, "")):
        visitor, asked = visit("id", script=script), list[str]()
        visitor.page.on("request", lambda request, asked=asked: asked.append(request.url.partition("#")[0]))
        visitor.open(f"/periksa#{code}")
        visitor.page.wait_for_load_state("networkidle")
        field = visitor.page.get_by_label(visitor.t("paper.code"))
        assert field.input_value() == found
        assert visitor.page.url.endswith("/periksa") or not script
        assert not [url for url in asked if code in url]
    hostile = visit("id")
    hostile.open("/periksa#%22%3E<b>not-a-code-at-all</b>")
    hostile.page.wait_for_load_state("networkidle")
    assert hostile.page.get_by_label(hostile.t("paper.code")).input_value() == ""


def test_pages_that_anybody_sees(visit: Visit, town: Town, look: Look) -> None:
    visitor, who = visit("id"), town.somebody()
    for name, path in (
        ("start", "/"),
        ("help", "/bantuan"),
        ("login", "/masuk"),
        ("forgot", "/lupa"),
        ("check", "/periksa"),
    ):
        visitor.open(path)
        look(visitor, name)
    visitor.open("/periksa")
    visitor.press("paper.do")
    look(visitor, "check-wrong")
    visitor.open("/lupa")
    visitor.press("password.forgot_send")
    look(visitor, "forgot-wrong")
    visitor.open("/lupa?kabar=terkirim")
    look(visitor, "forgot-sent")
    visitor.log_in("tidak@contoh.id")
    look(visitor, "login-wrong")
    assert visitor.open("/tidak-ada") == 404
    look(visitor, "error-404")
    assert visitor.open("/tautan/sudah-dipakai") == 410
    look(visitor, "error-410")
    visitor.open("/daftar")
    look(visitor, "register-1")
    visitor.press("register.next")
    look(visitor, "register-1-wrong")
    visitor.page.get_by_label(visitor.t("register.PMI")).check()
    visitor.press("register.next")
    look(visitor, "register-2")
    visitor.press("register.next")
    look(visitor, "register-2-wrong")
    visitor.to_the_last_step(who)
    look(visitor, "register-3")
    visitor.press("register.send")
    look(visitor, "register-3-wrong")
    visitor.register(who, f"lain-{who.email}")
    look(visitor, "register-sent")
    visitor.fill("register.number", "1234 5678")
    visitor.press("register.number_send")
    look(visitor, "register-number-wrong")
    confirm, deny = links(town.letter(who.email))
    for name, link in (("link-confirm", confirm), ("link-deny", deny)):
        visitor.open(link)
        look(visitor, name)
    town.letter(f"lain-{who.email}")
    visitor.use(confirm)
    visitor.open(town.link(f"lain-{who.email}"))
    look(visitor, "link-verify")
    with visitor.going():
        visitor.page.locator("main form button").click()
    look(visitor, "link-verify-wrong")


def test_the_page_for_those_who_write_programs(visit: Visit, look: Look) -> None:
    visitor = visit("en")
    visitor.open("/docs")
    look(visitor, "docs")
    visitor.page.get_by_role("link", name="Post received contributions").click()
    assert visitor.page.locator(":target h3").inner_text() == "Post received contributions"


def test_pages_of_a_member(visit: Visit, town: Town, look: Look) -> None:
    visitor = visit("id")
    who = visitor.member()
    look(visitor, "saldo")
    visitor.follow("saldo.card_more")
    look(visitor, "cards")
    visitor.press("cards.submit")
    look(visitor, "cards-wrong")
    visitor.fill("register.kpj", who.other)
    visitor.press("cards.submit")
    look(visitor, "saldo-two-cards")
    visitor.open(visitor.page.locator("a.card").first.get_attribute("href") or "")
    look(visitor, "saldo-card")
    visitor.follow("working.link")
    look(visitor, "working")
    visitor.follow("working.back")
    visitor.follow("statement.link")
    look(visitor, "statements")
    visitor.follow("working.back")
    visitor.follow("outlook.link")
    look(visitor, "outlook")
    visitor.fill("outlook.rate", "99")
    visitor.press("outlook.submit")
    look(visitor, "outlook-wrong")
    for name, path in (
        ("months", "/iuran"), ("months-2025", "/iuran?tahun=2025"), ("account", "/akun"), ("looks", "/akun/akses"),
        ("requests", "/akun/data"),
    ):  # fmt: skip
        visitor.open(path)
        look(visitor, name)
    visitor.press("requests.submit")
    look(visitor, "requests-wrong")
    visitor.page.get_by_label(visitor.t("requests.export")).check()
    visitor.press("requests.submit")
    look(visitor, "requests-sent")
    visitor.open("/akun")
    visitor.press("account.offline_start")
    look(visitor, "account-device")
    visitor.press("account.save")
    look(visitor, "account-wrong")
    town.letter(who.email)
    visitor.log_out()
    look(visitor, "login-out")
    visitor.open("/lupa")
    visitor.fill("login.identifier", who.email)
    visitor.press("password.forgot_send")
    town.letter(who.email)
    visitor.open(town.link(who.email))
    look(visitor, "reset")
    visitor.press("password.save")
    look(visitor, "reset-wrong")


def test_pages_of_a_member_without_money(visit: Visit, town: Town, look: Look) -> None:
    visitor, who = visit("en"), town.somebody(NEW)
    visitor.register(who)
    visitor.use(town.link(who.email))
    look(visitor, "saldo-zero")
    visitor.said("Rp0", visitor.t("saldo.zero", month="June 2026"))
    visitor.open("/iuran")
    look(visitor, "months-zero")


def test_pages_of_the_office(visit: Visit, town: Town, look: Look) -> None:
    member = visit("id")
    who = member.member()
    for kind in ("export", "correct", "erase"):
        member.open("/akun/data")
        member.page.get_by_label(member.t(f"requests.{kind}")).check()
        member.fill("requests.text", "Nama saya Budi Santosa")
        member.press("requests.submit")
    clerk = visit("id", "desktop")
    clerk.open("/kantor")
    look(clerk, "office-login")
    clerk.press("office.enter")
    look(clerk, "office-login-wrong")
    clerk.enter("office", STAFF)
    look(clerk, "office-search")
    clerk.press("office.find")
    look(clerk, "office-search-wrong")
    search(clerk, town.somebody().kpj)
    look(clerk, "office-member-new")
    search(clerk, who.kpj, "phone-call")
    look(clerk, "office-member-phone")
    search(clerk, who.kpj)
    look(clerk, "office-member")
    clerk.follow("office.letter")
    look(clerk, "office-letter")
    clerk.open("/kantor/permintaan")
    look(clerk, "office-refused")
    clerk.press("site.log_out")
    clerk.enter("office", SUPERVISOR)
    clerk.open("/kantor/permintaan")
    look(clerk, "office-requests")
    clerk.open("/kantor/hasil")
    look(clerk, "office-yield")
    clerk.page.locator("#since").fill("1")
    clerk.page.locator("#since_month").select_option("7")
    clerk.page.locator("#since_year").fill("2026")
    clerk.page.locator("#provisional").fill("99")
    clerk.press("yield.propose")
    look(clerk, "office-yield-wrong")
    search(clerk, who.kpj)
    look(clerk, "office-member-supervisor")
    answers = clerk.page.get_by_role("link", name=clerk.t("office.answer"), exact=True)
    for address in [one.get_attribute("href") or "" for one in answers.all()]:
        clerk.open(address)
        look(clerk, f"office-request-{address[-1]}")


def test_pages_of_the_employers(visit: Visit, town: Town, look: Look) -> None:
    clerk = visit("id", "desktop")
    clerk.open("/perusahaan")
    look(clerk, "employer-login")
    clerk.press("employer.enter")
    look(clerk, "employer-login-wrong")
    clerk.enter("employer", CLERK)
    look(clerk, "employer-check")
    clerk.press("employer.submit")
    look(clerk, "employer-check-wrong")
    one, two = town.somebody(NEW), town.somebody(NEW)
    check(clerk, "upah.csv", wages((one.kpj, 5_000_000), ("26999999999", 5_000_000), (two.kpj, "lima juta")))
    look(clerk, "employer-result")
    clerk.follow("employer.tab_check")
    check(clerk, "upah.csv", wages((one.kpj, 5_000_000)))
    look(clerk, "employer-result-good")
    clerk.follow("employer.tab_months")
    look(clerk, "employer-months")
    with clerk.going():
        clerk.page.locator("main table a").first.click()
    look(clerk, "employer-month")
    clerk.open("/perusahaan/10000002")
    look(clerk, "employer-refused")


def test_pages_whose_balance_is_not_known(visit: Visit, stale: Town, look: Look) -> None:
    visitor = visit("id", of=stale)
    visitor.log_in(stale.member().email)
    look(visitor, "saldo-stale")
    clerk = visit("en", "desktop", of=stale)
    clerk.enter("office", STAFF)
    search(clerk, stale.somebody().kpj)
    look(clerk, "office-member-stale")
    clerk.open(f"{clerk.path}/surat")
    look(clerk, "office-letter-stale")


def test_pages_of_what_waits_for_a_second_officer(visit: Visit, town: Town, look: Look) -> None:
    second = "wati"
    jht(town.settings, "users", "create", second, "--role", "supervisor", stdin=f"{PASSWORD}\n".encode())
    clerk, who, other = visit("id", "desktop"), town.member(), town.somebody()
    clerk.enter("office", STAFF)
    search(clerk, who.kpj)
    folds = (("gabung", {"gl": who.kpj, "gt": who.other}), ("pindah", {"dl": who.kpj}), ("satukan", {}))
    for fold, values in folds:
        form = clerk.page.get_by_role("region").filter(has=clerk.page.locator(f"#{fold}")).locator("form")
        for field, value in values.items():
            form.locator(f"#{field}").select_option(value)
        if fold != "gabung":
            form.locator("#nomor" if fold == "pindah" else "#lain").fill(other.kpj)
        form.get_by_role("checkbox").check()
        with clerk.going():
            form.locator("button").click()
        look(clerk, f"office-proposed-{fold}")
    clerk.press("site.log_out")
    clerk.enter("office", SUPERVISOR)
    clerk.follow("office.proposals")
    look(clerk, "office-proposals")
    for address in [one.get_attribute("href") or "" for one in clerk.page.locator("main li a").all()]:
        clerk.open(address)
        look(clerk, f"office-proposal-{clerk.heading.partition(' ')[0]}")
    clerk.open("/kantor/hasil")
    clerk.page.locator("#since").fill("1")
    clerk.page.locator("#since_month").select_option("7")
    clerk.page.locator("#since_year").fill("2026")
    clerk.page.locator("#provisional").fill("5,25")
    clerk.page.locator("#provisional_basis").fill("Perdir 7/2026")
    clerk.press("yield.propose")
    look(clerk, "office-yield-own")
    with clerk.going():
        clerk.page.locator("main li a").first.click()
    look(clerk, "office-rates-own")
    clerk.press("site.log_out")
    clerk.enter("office", second)
    clerk.open("/kantor/hasil")
    look(clerk, "office-yield-waits")
    with clerk.going():
        clerk.page.locator("main li a").first.click()
    look(clerk, "office-rates-waits")
    clerk.press("yield.confirm")
    look(clerk, "office-rates-waits-wrong")
    clerk.open("/kantor/hasil")
    clerk.page.locator("#year").fill("2025")
    clerk.page.locator("#rate").fill("5,7")
    clerk.page.locator("#basis").fill("Perdir 8/2026")
    clerk.page.locator("#reason").select_option(index=1)
    clerk.press("yield.work_out")
    look(clerk, "office-yield-busy")
