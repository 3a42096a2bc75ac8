"""What is told of a posted line, to whom and when: a table of conditions, each through the door itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from api.mail.texts import said, short
from ledger.members.state import MISSING, POSTED
from projections.rebuild import rebuild
from tests.ledger.members.conftest import CARD, ON_FILE, OTHERS, PHONE, SECOND
from tests.office import opening, person
from tests.projections.notices.conftest import Town, paid

BOTH = (POSTED, MISSING)


def test_a_posted_line_is_told_by_each_chosen_way_and_an_sms_carries_month_and_amount_alone(town: Town) -> None:
    town.choose(mail=(POSTED,), sms=(POSTED,))
    town.pay(paid(), paid(OTHERS))
    mail, sms = sorted(town.told(), key=lambda due: due.way)
    assert (mail.way, mail.letter.to, mail.letter.kind) == ("mail", ON_FILE, "contribution-posted")
    words = said(mail.letter, "https://saldo.example")
    assert words.rows == (("Oktober 2026, PT 10000001, kartu ***0017", "Iuran Rp285.000; dasar upah Rp5.000.000"),)
    assert (sms.way, sms.letter.to, sms.letter.rows) == ("sms", PHONE, (("2026-10", "285000"),))
    assert short(sms.letter) == (
        "JHT: iuran Okt-26 sudah tercatat, Rp285.000. Hentikan kabar ini: kirim STOP KABAR ke 2757. Info 175."
    )
    assert town.told() == []


def test_the_language_of_the_choice_is_that_of_the_notice(town: Town) -> None:
    town.choose(language="en")
    town.pay(paid())
    (mail,) = town.told()
    assert said(mail.letter, "https://saldo.example").heading == "The contribution for Oct-26 was posted"


def ordinary(town: Town) -> None:
    town.choose()
    town.pay(paid())


def another_card(town: Town) -> None:
    """A card that the member never linked is the person's too."""
    town.choose()
    town.pay(paid(SECOND))


def opened_later(town: Town) -> None:
    town.choose()
    town.office.register(person("26000000041"))
    town.pay(paid("26000000041"))


def sixty_days(town: Town) -> None:
    town.choose()
    town.pay(paid(month="2026-08", paid_on=(town.now.date() - timedelta(days=60)).isoformat()))


def sixty_one_days(town: Town) -> None:
    town.choose()
    town.pay(paid(month="2026-08", paid_on=(town.now.date() - timedelta(days=61)).isoformat()))


def chosen_after(town: Town) -> None:
    town.pay(paid())
    town.choose()


def chosen_again(town: Town) -> None:
    """Posted while nothing was chosen: choosing again does not bring it."""
    town.choose()
    town.choose(mail=())
    town.pay(paid())
    town.choose()


def kept_while_more_is_chosen(town: Town) -> None:
    town.choose(mail=(POSTED,))
    town.pay(paid())
    town.choose(mail=BOTH, sms=BOTH)


def only_missing(town: Town) -> None:
    town.choose(mail=(MISSING,))
    town.pay(paid())


def stopped(town: Town) -> None:
    town.choose()
    town.pay(paid())
    town.choose(mail=())


def access_closed(town: Town) -> None:
    town.choose()
    town.pay(paid())
    town.members.close(town.person, "office", town.acting())
    town.letters()


def backdated(town: Town) -> None:
    town.choose()
    town.pay(paid(), backdate=True)


def released(town: Town) -> None:
    """It waited for its card, and is released by itself when the card is there."""
    town.choose()
    town.pay(paid("26000000041"))
    town.office.register(person("26000000041"))
    town.office.door.release(0)


def opening_balance(town: Town) -> None:
    town.choose()
    town.office.openings(opening(CARD))


def reversed_and_again(town: Town) -> None:
    """The correction of a mistake is news; what was taken back is none."""
    town.choose()
    town.pay(paid())
    town.take_back(CARD)
    town.pay(paid(wage=6_000_000, reference="TRX-2"))


def somebody_elses(town: Town) -> None:
    town.choose()
    town.pay(paid(OTHERS))


TABLE: dict[Callable[[Town], None], int] = {
    ordinary: 1, another_card: 1, opened_later: 1, sixty_days: 1, sixty_one_days: 0, chosen_after: 0, chosen_again: 0,
    kept_while_more_is_chosen: 1, only_missing: 0, stopped: 0, access_closed: 0, backdated: 0, released: 0,
    opening_balance: 0, somebody_elses: 0, reversed_and_again: 1,
}  # fmt: skip


@pytest.mark.parametrize("happens", TABLE, ids=lambda happens: happens.__name__)
def test_the_table_of_conditions(town: Town, happens: Callable[[Town], None]) -> None:
    happens(town)
    assert len(town.told()) == TABLE[happens]
    town.move(days=1)
    assert town.told() == []


def test_one_a_day_and_what_comes_later_is_told_the_next_day(town: Town) -> None:
    town.choose()
    town.pay(paid())
    assert [due.letter.rows[0][0] for due in town.told()] == ["2026-10"]
    town.pay(paid(month="2026-09"))
    town.pay(paid(month="2026-08", paid_on="2026-10-01"))
    assert town.told() == []
    town.move(hours=23)
    (due,) = town.told()
    assert [row[0] for row in due.letter.rows] == ["2026-08", "2026-09"]


@pytest.mark.parametrize("quiet", ["9-11"])
def test_nothing_is_told_in_quiet_hours_and_everything_after_them(town: Town) -> None:
    town.choose()
    town.pay(paid())
    assert town.told() == []
    town.move(hours=1)
    assert len(town.told()) == 1


def test_ten_years_of_history_loaded_with_notices_on_tell_nobody_anything(town: Town) -> None:
    town.choose(mail=BOTH, sms=BOTH)
    months = [f"{year}-{month:02d}" for year in range(2016, 2027) for month in range(1, 13)]
    town.office.register(person("26000000041", registered_on="2016-01-04"))
    rows = [
        paid("26000000041", month, f"{after[:7]}-10") for month, after in pairwise(months) if after <= "2026-11"
    ]  # fmt: skip
    town.pay(*rows, backdate=True)
    rebuild(town.log, town.store)
    for _ in range(4):
        assert town.told() == []
        town.move(days=1)


def test_a_rebuild_and_a_new_follower_tell_nothing_again(town: Town) -> None:
    town.choose()
    town.pay(paid())
    assert len(town.told()) == 1
    rebuild(town.log, town.store)
    town.move(days=1)
    assert town.told() == []


def test_the_first_run_begins_at_the_head(town: Town) -> None:
    town.choose()
    with town.log.database.write() as tx:
        tx.run("delete from notice_place")
    town.pay(paid())
    assert town.told() == []
    town.pay(paid(month="2026-09"))
    assert [due.letter.rows[0][0] for due in town.told()] == ["2026-09"]


def test_a_phone_that_another_person_has_now_is_told_nothing(town: Town) -> None:
    town.choose(mail=(), sms=(POSTED,))
    town.pay(paid())
    with town.log.database.write() as tx:
        tx.run("update member_phones set person = ?", [town.other])
    assert town.told() == []
    town.move(days=1)
    assert town.told() == []


def test_an_erased_person_leaves_nothing_that_waits(town: Town) -> None:
    town.choose()
    town.pay(paid())
    town.follower._quiet = town.follower._quiet._replace(start=0, end=23)
    town.follow()
    with town.log.database.write() as tx:
        assert tx.rows("select count(*) from notice_waiting") == [(1,)]
        tx.run("delete from vault_persons where person = ?", [town.person])
        for table in ("notice_choices", "notice_waiting", "notice_told", "notice_missing", "outbox"):
            assert tx.rows(f"select count(*) from {table}") == [(0,)]
