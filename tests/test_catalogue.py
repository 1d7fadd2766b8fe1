"""The log speaks whole sentences in English and in Chinese, and nothing in the catalogue is missing or stale."""

from __future__ import annotations

import gettext
import locale
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from qws import language, text
from qws.domain.orders import OrderStatus
from qws.domain.sessions import Phase
from qws.domain.targets import DroppedRow
from qws.language import language_of, speak
from qws.runtime.message import Message
from qws.store.codec import MESSAGE_TYPES
from qws.text import describe
from qws.words import ORDER_STATUS, WORDS
from tests.support import catalogue
from tests.support.builders import a_target
from tests.support.specimens import MESSAGES

CHINESE = re.compile("[\u4e00-\u9fff]")
ASCII_WORD = re.compile("[A-Za-z]{2,}")


def named(message: Message) -> str:
    return type(message).__name__


@pytest.fixture(autouse=True)
def _the_language_stays() -> Iterator[None]:
    before = language._translations
    yield
    language._translations = before


class Listening(gettext.NullTranslations):
    """Notes what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[str] = set()

    def gettext(self, message: str) -> str:
        self.heard.add(message)
        return message


def test_the_catalogue_translates_every_marked_text_and_nothing_else() -> None:
    assert catalogue.marked()[catalogue.ROOT / "qws" / "text.py"]
    assert catalogue.complaints() == []


def test_every_translation_has_chinese_in_it_or_only_placeholders() -> None:
    kept = catalogue.entries(catalogue.read_catalogue())

    assert [source for source, said in kept.items() if not CHINESE.search(said) and ASCII_WORD.search(said)] == []


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    assert catalogue.MO.read_bytes() == catalogue.compiled(), "run `uv run python -m tests.support.catalogue`"


def test_a_text_that_is_no_plain_string_is_found(tmp_path: Path) -> None:
    file = tmp_path / "offender.py"
    file.write_text('_(f"{x} shares")\n_("good" " one")\nN_(word)\n_(_WORDS[code])\n', encoding="utf-8")

    assert list(catalogue.texts_of(file)) == [None, "good one", None]


def test_a_translation_with_another_format_is_no_translation_of_it() -> None:
    assert catalogue.placeholders("{a:,.2f} {b}") == catalogue.placeholders("{b}，{a:,.2f}")
    assert catalogue.placeholders("{a:,.2f}") != catalogue.placeholders("{a}")
    assert catalogue.placeholders("{a} {b}") != catalogue.placeholders("{a}")


def test_fuzzy_and_obsolete_entries_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "other.po"
    file.write_text(
        '#, fuzzy\nmsgid "buy"\nmsgstr "买"\n\nmsgid "sell"\nmsgstr "卖出"\n\n#~ msgid "old"\n#~ msgstr "旧"\n',
        encoding="utf-8",
    )
    with file.open("rb") as opened:
        read = read_po(opened, locale="zh_CN")

    assert catalogue.entries(read) == {"buy": "", "sell": "卖出"}
    assert list(read.obsolete) == ["old"]


def test_every_message_type_has_a_specimen_and_a_sentence_of_its_own() -> None:
    shown = {named(message) for message in MESSAGES}
    sentences = [text._PLAIN.get(kind) or describe.dispatch(kind) for kind in MESSAGE_TYPES.values()]

    assert shown == set(MESSAGE_TYPES)
    assert len(set(sentences)) == len(MESSAGE_TYPES)
    assert describe.dispatch(Message) not in sentences


def test_the_specimens_say_every_sentence_there_is() -> None:
    listening = Listening()
    language._translations = listening

    for message in MESSAGES:
        describe(message)

    assert catalogue.marked()[catalogue.ROOT / "qws" / "text.py"] <= listening.heard


@pytest.mark.parametrize("message", MESSAGES, ids=named)
def test_a_message_is_one_line_in_english(message: Message) -> None:
    speak("en")

    line = describe(message)

    assert line
    assert line != named(message)
    assert "\n" not in line
    assert "None" not in line
    assert not CHINESE.search(line)


@pytest.mark.parametrize("message", MESSAGES, ids=named)
def test_a_message_is_one_line_in_chinese_with_no_english_but_its_own_values(message: Message) -> None:
    speak("zh_CN")

    line = describe(message)

    assert CHINESE.search(line)
    assert "\n" not in line
    assert [word for word in ASCII_WORD.findall(line) if word not in repr(message)] == []


def test_every_phase_and_every_order_status_has_a_word() -> None:
    assert {*Phase, "holiday", "unknown"} <= set(WORDS)
    assert set(ORDER_STATUS) == set(OrderStatus)


def test_a_code_without_a_word_is_shown_as_it_is() -> None:
    speak("zh_CN")

    assert language.word("never_heard_of") == "never_heard_of"
    assert language.word("") == ""


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("zh_CN", "zh_CN"),
        ("zh_CN.UTF-8", "zh_CN"),
        ("zh_TW.UTF-8", "zh_CN"),
        ("zh-Hans-CN", "zh_CN"),
        ("zh", "zh_CN"),
        ("Chinese (Simplified)_China", "zh_CN"),
        ("Chinese (Simplified)_China.936", "zh_CN"),
        ("Chinese (Traditional)_Taiwan.950", "zh_CN"),
        ("Chinese_China", "zh_CN"),
        ("Chinese_China.utf8", "zh_CN"),
        ("en_US.UTF-8", "en"),
        ("English_United States.1252", "en"),
        ("zha_CN", "en"),
        ("C", "en"),
        ("C.UTF-8", "en"),
        ("POSIX", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_a_locale_names_a_language(name: str | None, language: str) -> None:
    assert language_of(name) == language


@pytest.mark.parametrize("language", ["auto", "en", "zh_CN"])
def test_a_language_can_be_chosen_at_any_time(language: str) -> None:
    speak("zh_CN")
    speak(language)

    expected = language_of(locale.setlocale(locale.LC_CTYPE)) if language == "auto" else language
    assert bool(CHINESE.search(describe(MESSAGES[0]))) == (expected == "zh_CN")


def test_sheets_that_were_not_read_are_named_up_to_a_bound() -> None:
    speak("en")
    target = a_target({"600000.SH": "0.5"})

    told = [describe(replace(target, unread=names)) for names in ((), ("备注", "Sheet2"), ("Sheet",) * 6)]

    assert "sheets" not in told[0]
    assert told[1] == told[0] + "; sheets that were not read: '备注', 'Sheet2'"
    assert (told[2].count("'Sheet'"), told[2].endswith(", ...")) == (5, True)


def test_filtered_rows_are_named_one_by_one_and_those_of_the_past_by_their_first() -> None:
    speak("en")
    one, past = DroppedRow(3, "430047.BJ", "not_a_share", "?"), DroppedRow(7, "", "past_date", "?")

    told = [describe(a_target({"600000.SH": "0.5"}, dropped=rows)) for rows in ((one, past), (one,) * 6)]

    assert told[0].endswith("; rows filtered: 2 (row 3 430047.BJ [not_a_share], row 7 [past_date])")
    assert told[1].endswith("[not_a_share], ...)")
