"""A payroll clerk checks a month's file, takes the corrected ones home, and sees what was posted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ledger.clock import jakarta_date, read_now
from tests.office import NPP, csv_of
from tests.system.browser.town import CLERK, EMPLOYER, NEW, PASSWORD, Town
from tests.system.browser.visitor import Visitor


def wages(*rows: tuple[str, object]) -> bytes:
    """A clerk's file: card numbers and wages."""
    return csv_of(("kpj", "wage"), [{"kpj": kpj, "wage": wage} for kpj, wage in rows])


def check(visitor: Visitor, name: str, body: bytes) -> None:
    """Send a file of last month."""
    today = jakarta_date(read_now())
    month = (today.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    visitor.page.get_by_label(visitor.t("employer.month"), exact=True).select_option(month)
    visitor.page.get_by_label(visitor.t("employer.file"), exact=True).set_input_files(
        [{"name": name, "mimeType": "text/csv", "buffer": body}]
    )
    visitor.press("employer.submit")


def download(visitor: Visitor, key: str, **given: object) -> Path:
    """Take a file home."""
    with visitor.page.expect_download() as taken:
        visitor.page.get_by_role("link", name=visitor.t(key, **given), exact=True).click()
    return taken.value.path()


def test_a_file_is_checked_and_nothing_of_it_is_posted(each_visitor: Visitor, town: Town) -> None:
    visitor, t, page = each_visitor, each_visitor.t, each_visitor.page
    visitor.enter("employer", "bukan-siapa-siapa")
    visitor.said(page.get_by_role("alert").inner_text())
    visitor.enter("employer", CLERK)
    assert visitor.path == f"/perusahaan/{NPP}"
    visitor.said(EMPLOYER, t("employer.check_lead"))
    visitor.press("employer.submit")
    visitor.said(t("employer.file_missing"))
    one, two, three = (town.somebody(NEW) for _ in range(3))
    body = wages((one.kpj, 5_000_000), (two.kpj, 6_000_000), ("26999999999", 5_000_000), (three.kpj, "lima juta"))
    check(visitor, "upah <b>.csv", body)
    assert visitor.path.startswith(f"/perusahaan/{NPP}/hasil/")
    visitor.said(t("employer.result_lead"), "upah <b>.csv", "26999999999", "Rp627.000")
    good = download(visitor, "employer.csv_good").read_text("utf-8-sig")
    bad = download(visitor, "employer.csv_bad").read_text("utf-8-sig")
    assert one.kpj in good
    assert "26999999999" in bad
    assert "lima juta" in bad
    assert one.kpj not in bad
    assert download(visitor, "employer.get_good", n=2).read_bytes()[:2] == b"PK"
    visitor.follow("employer.tab_months")
    visitor.said("Rp")
    with visitor.going():
        page.locator("main table a").first.click()
    visitor.said(t("employer.per_worker"))
    assert one.kpj not in visitor.text, "a check posts nothing"
    visitor.press("site.log_out")
    visitor.open(f"/perusahaan/{NPP}")
    assert visitor.path.startswith("/perusahaan/masuk")
    assert PASSWORD not in page.content()
