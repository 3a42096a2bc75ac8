"""`jht users`: passwords by standard input only, roles and employers checked, sessions end with every change."""

from __future__ import annotations

import json
import re

import pytest

from ledger.settings import Settings
from tests.system.running import Done, environment, run

GOOD = b"empat kuda benar\n"


def users(settings: Settings, *arguments: str, stdin: bytes = b"") -> Done:
    return run(environment(settings), "users", *arguments, stdin=stdin)


def test_users_are_made_listed_changed_and_disabled(settings: Settings) -> None:
    assert users(settings, "create", "Ani", "--role", "counter", "--role", "supervisor", stdin=GOOD).code == 0
    employer = ("create", "pt.satu", "--kind", "employer", "--npp", "10000001")
    assert users(settings, *employer, stdin=b"empat kuda benar\r\n").code == 0
    listed = users(settings, "list", "--json").json
    assert [(row["name"], row["kind"], row["roles"], row["npps"], row["disabled_at"]) for row in listed] == [
        ("ani", "staff", ["counter", "supervisor"], [], ""),
        ("pt.satu", "employer", [], ["10000001"], ""),
    ]
    assert "argon2" not in json.dumps(listed)
    # What events call them by: of one form, different, and without the name in it.
    called = [row["by"] for row in listed]
    assert all(re.fullmatch(r"user:[0-9a-f]{16}", one) for one in called)
    assert len(set(called)) == 2
    assert users(settings, "password", "ANI", stdin=b"lima kuda benar\n").code == 0
    assert users(settings, "disable", "ani").code == 0
    assert users(settings, "list", "--json").json[0]["disabled_at"] != ""
    assert "pt.satu" in users(settings, "list").stdout


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        ("create ani --role counter", b"short\n", "password-weak"),
        ("create ani --role counter", b"", "password-weak"),
        ("create panjang.sekali --role counter", b"panjang.sekali\n", "password-weak"),
        ("create ani", GOOD, "user-role-wrong"),
        ("create ani --role king", GOOD, "user-role-wrong"),
        ("create ani --kind employer", GOOD, "user-employer-wrong"),
        ("create ani --kind employer --npp 10000001 --role counter", GOOD, "user-role-wrong"),
        ("create ani --kind staff --npp 10000001 --role counter", GOOD, "user-employer-wrong"),
        ("create ani --kind employer --npp 1", GOOD, "npp-unreadable"),
        ("create ani --kind member --role counter", GOOD, "user-kind-unknown"),
        ("create a --role counter", GOOD, "user-name-unreadable"),
        ("create ani@contoh.id --role counter", GOOD, "user-name-unreadable"),
        ("password nobody", GOOD, "user-unknown"),
        ("disable nobody", b"", "user-unknown"),
    ],
)
def test_what_cannot_be_is_refused(settings: Settings, arguments: str, stdin: bytes, code: str) -> None:
    done = users(settings, *arguments.split(), stdin=stdin)
    assert done.code == 2
    assert code in done.stderr
    assert users(settings, "list", "--json").json == []


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_name_is_given_once(settings: Settings) -> None:
    assert users(settings, "create", "ani", "--role", "counter", stdin=GOOD).code == 0
    again = users(settings, "create", "ANI", "--role", "counter", stdin=GOOD)
    assert (again.code, "user-exists" in again.stderr) == (2, True)
