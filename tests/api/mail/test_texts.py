"""Every letter has its words in both languages, and they tell no secret but the reader's own link."""

from __future__ import annotations

import re
import string

import pytest

from api.mail.texts import LANGUAGES, kinds, said, short, texts
from ledger.members import rows
from tests.api.mail.letters import DENY, DETAILS, TOKEN, URL, letter, written

MAILS = [(kind, language) for kind in kinds("mail") for language in LANGUAGES]
MESSAGES = [(kind, language) for kind in kinds("sms") for language in LANGUAGES]
# GSM 03.38: what fits into one septet, and what takes two.
ONE = set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà" + string.ascii_letters + string.digits)
TWO = set("^{}\\[~]|€")


def test_every_letter_that_is_written_has_words_and_every_words_a_writer() -> None:
    found = {kind: path for path, kind in written()}
    assert {kind: path for kind, path in found.items() if kind not in texts()} == {}
    assert set(texts()) - {"every"} == set(found)
    assert set(DETAILS) == set(found)


@pytest.mark.parametrize(("kind", "language"), MAILS)
def test_a_mail_is_complete_in_each_language(kind: str, language: str) -> None:
    words = said(letter(kind, language=language), URL)
    everything = [words.subject, words.heading, *words.paragraphs, *words.steps, words.foot, words.until]
    assert all(text == text.strip() for text in everything)
    assert not any("{" in text or "}" in text for text in everything)
    assert words.subject
    assert words.buttons
    assert all(button.address.startswith(f"{URL}/") for button in words.buttons)


@pytest.mark.parametrize(("kind", "language"), MAILS)
def test_the_two_languages_have_the_same_parts(kind: str, language: str) -> None:
    mine, other = (texts()[kind][one] for one in (language, "en" if language == "id" else "id"))
    assert set(mine) == set(other)
    for part in ("paragraphs", "steps"):
        assert len(mine.get(part, [])) == len(other.get(part, []))
    assert mine.get("words", {}).keys() == other.get("words", {}).keys()
    for name, known in mine.get("words", {}).items():
        assert known.keys() == other["words"][name].keys()


def test_no_subject_has_a_place_to_fill() -> None:
    subjects = [texts()[kind][language]["subject"] for kind, language in MAILS]
    assert all(subject.isprintable() and "{" not in subject for subject in subjects)


def test_links_go_where_the_website_takes_them() -> None:
    assert [button.address for button in said(letter("confirm-login"), URL + "/").buttons] == [
        f"{URL}/tautan/{TOKEN}",
        f"{URL}/tautan/{DENY}",
    ]
    for kind in ("reset", "office-invite"):
        assert [button.address for button in said(letter(kind), URL).buttons] == [f"{URL}/sandi/{TOKEN}"]
    assert [button.address for button in said(letter("register-received"), URL).buttons] == [f"{URL}/bantuan"]


def test_the_hours_told_are_the_hours_a_link_lasts() -> None:
    lasting = {
        "verify": rows.VALID, "office-invite": rows.VALID, "reset": rows.VALID_RESET,
        "confirm-login": rows.VALID_CONFIRM, "confirm-phone": rows.VALID_CONFIRM,
        "confirm-contact": rows.VALID_CONFIRM, "prove-contact": rows.VALID,
    }  # fmt: skip
    told = {kind: row["hours"] * 3600 for kind, row in texts().items() if "link" in row}
    assert told == {kind: valid.total_seconds() for kind, valid in lasting.items()}
    assert said(letter("verify"), URL).until.startswith("Tautan berlaku 24 jam")
    assert said(letter("reset", language="en"), URL).until.startswith("The link is valid for 1 hour from")
    assert said(letter("confirm-login"), URL).until.startswith("Tautan berlaku 7 hari")


def test_a_detail_that_is_a_code_is_told_in_words() -> None:
    for kind, name in (("data-request", "what"), ("data-answered", "outcome")):
        for language in LANGUAGES:
            for value, word in texts()[kind][language]["words"][name].items():
                (paragraph,) = said(letter(kind, language=language, **{name: value}), URL).paragraphs
                assert word in paragraph


@pytest.mark.parametrize(("kind", "language"), MESSAGES)
def test_an_sms_is_one_gsm_segment(kind: str, language: str) -> None:
    text = short(letter(kind, language=language))
    assert set(text) <= ONE | TWO
    assert sum(2 if sign in TWO else 1 for sign in text) <= 160
    assert "http" not in text


def test_nothing_in_the_words_looks_like_a_balance_a_nik_or_a_card() -> None:
    for kind, language in MAILS:
        words = said(letter(kind, language=language), URL)
        text = " ".join([words.subject, words.heading, *words.paragraphs, *words.steps, words.foot, words.promise])
        assert not re.search(r"Rp\s?\d|\d{5,}", text)


def test_sentences_end() -> None:
    for kind, language in MAILS:
        words = said(letter(kind, language=language), URL)
        texts_of = [*words.paragraphs, *words.steps, words.foot, words.until, words.promise]
        assert all(not text or text[-1] in ".:?" for text in texts_of), (kind, language)
