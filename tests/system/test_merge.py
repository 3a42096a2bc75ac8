"""`jht merge` and `jht unmerge` as they are typed: the number typed again, one sum told, and apart again."""

from __future__ import annotations

from pathlib import Path

from ledger.settings import Settings
from tests.office import REGISTRATION, csv_of, person
from tests.system.conftest import CARD, SECOND
from tests.system.running import jht

NEWER = "26000000033"
WHY = ("--reason", "member-asked")


def test_an_old_card_is_merged_told_and_taken_apart(filled: Settings, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    more.write_bytes(csv_of(REGISTRATION, [person(NEWER)]))
    jht(filled, "ingest", "registrations", more)
    assert "reason-missing" in jht(filled, "merge", CARD, NEWER, "--yes", code=2).stderr
    for given, code in (
        ((CARD, CARD), "merge-with-itself"), ((CARD, SECOND), "merge-two-persons"),
        ((CARD, "26000099999"), "account-not-found"),
        (("x", CARD), "kpj-unreadable"),
    ):  # fmt: skip
        assert code in jht(filled, "merge", *given, *WHY, "--yes", code=2).stderr
    assert "merge-not-there" in jht(filled, "unmerge", CARD, *WHY, "--yes", code=2).stderr
    assert "card-differs" in jht(filled, "merge", CARD, NEWER, *WHY, stdin=NEWER.encode(), code=2).stderr
    assert f"Merged {CARD} into {NEWER}" in jht(filled, "merge", CARD, NEWER, *WHY, stdin=f"{CARD}\n".encode()).stdout
    assert "merge-circle" in jht(filled, "merge", NEWER, CARD, *WHY, "--yes", code=2).stderr
    assert "merge-already" in jht(filled, "merge", CARD, NEWER, *WHY, "--yes", code=2).stderr
    both = {
        "into": NEWER, "balance": 285_000,
        "cards": [{"kpj": CARD, "balance": 285_000, "into": NEWER}, {"kpj": NEWER, "balance": 0, "into": None}],
    }  # fmt: skip
    for kpj, own in ((CARD, 285_000), (NEWER, 0)):
        told = jht(filled, "balance", kpj, "--json").json
        assert (told["balance"], told["group"]) == (own, both)
        assert jht(filled, "explain", kpj, "--json").json["balance"]["group"] == both
    assert "together Rp285.000" in jht(filled, "balance", NEWER).stdout
    assert f"Un-merged {CARD}" in jht(filled, "unmerge", CARD, *WHY, "--yes").stdout
    assert jht(filled, "balance", CARD, "--json").json["group"] is None


def test_a_card_is_given_to_the_holder_of_another(filled: Settings) -> None:
    why = ("--reason", "wrong-person")
    assert "reason-missing" in jht(filled, "reassign", CARD, "--to", SECOND, "--yes", code=2).stderr
    assert "reassign-same-person" in jht(filled, "reassign", CARD, "--to", CARD, *why, "--yes", code=2).stderr
    assert "person-unknown" in jht(filled, "reassign", CARD, "--to", "c" * 32, *why, "--yes", code=2).stderr
    assert "card-differs" in jht(filled, "reassign", CARD, "--to", SECOND, *why, stdin=b"x\n", code=2).stderr
    assert (
        f"Reassigned {CARD}" in jht(filled, "reassign", CARD, "--to", SECOND, *why, stdin=f"{CARD}\n".encode()).stdout
    )
    assert jht(filled, "balance", CARD, "--json").json["balance"] == 285_000
    held = [card["kpj"] for card in jht(filled, "person", "export", SECOND).json["cards"]]
    assert held == [CARD, SECOND]


def test_two_records_of_one_person_are_joined(filled: Settings) -> None:
    why = ("--reason", "registered-twice")
    join = ("person", "join")
    for given, code in (
        ((CARD, "--into", SECOND, "--yes"), "reason-missing"), ((CARD, "--into", CARD, *why, "--yes"), "join-with-itself"),
        ((CARD, "--into", "c" * 32, *why, "--yes"), "person-unknown"), (("x", "--into", SECOND, *why), "kpj-unreadable"),
    ):  # fmt: skip
        assert code in jht(filled, *join, *given, code=2).stderr
    assert "card-differs" in jht(filled, *join, CARD, "--into", SECOND, *why, stdin=b"x\n", code=2).stderr
    done = jht(filled, *join, CARD, "--into", SECOND, *why, stdin=f"{CARD}\n".encode())
    assert "Joined person" in done.stdout
    told = jht(filled, "person", "export", CARD).json
    assert [card["kpj"] for card in told["cards"]] == [CARD, SECOND]
    (record,) = told["joined"]
    ended = record["person"]
    for typed in (
        ("person", "export", ended), ("person", "correct", ended), ("person", "erase", ended, "--yes"),
        (*join, ended, "--into", SECOND, *why, "--yes"), (*join, SECOND, "--into", ended, *why, "--yes"),
        ("reassign", CARD, "--to", ended, "--reason", "wrong-person", "--yes"),
    ):  # fmt: skip
        refused = jht(filled, *typed, stdin=b"{}", code=2)
        assert "person-joined" in refused.stderr, typed
        assert told["person"] in refused.stderr, typed
    assert jht(filled, "balance", CARD, "--json").json["balance"] == 285_000
    back = ("--reason", "joined-by-mistake")
    part = ("person", "part")
    assert "card-differs" in jht(filled, *part, record["person"], *back, stdin=b"x\n", code=2).stderr
    done = jht(filled, *part, record["person"], *back, "--yes")
    assert "Parted person" in done.stdout
    assert "part-not-joined" in jht(filled, *part, record["person"], *back, "--yes", code=2).stderr
    assert [card["kpj"] for card in jht(filled, "person", "export", CARD).json["cards"]] == [CARD]
