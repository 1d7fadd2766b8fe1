"""The page beside a weight file: everything of the run in it, and no text of a file is ever markup."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.plan import Outcome
from qws.domain.target_modes import LEFT_ALONE
from qws.domain.targets import DroppedRow, Mode
from qws.reports.figure import Language
from qws.reports.reasons import CODES, explained
from qws.reports.result_page import WORDS, RunResult, result_page
from tests.domain.test_quality import BUY, SELL
from tests.reports.pictures import Page
from tests.support.builders import at

ROOT = Path(__file__).parents[2]
RESULT = RunResult(
    "weights.csv", "20261119-aaaaaa", date(2026, 11, 19), "incomplete", "not_filled", "", at("10:05:00"),
    Decimal("1000000.50"), Decimal("12345.67"), Decimal("15.00"), Decimal("0.01234"),
    (
        Outcome(BUY.code, Decimal("0.5"), Decimal("0.49"), 1000, 1000, ""),
        Outcome(SELL.code, Decimal(0), Decimal("0.02"), 500, 300, "not_filled"),
    ),
    (DroppedRow(3, "430047.BJ", "not_a_share", "row 3: 430047.BJ is not a share"),),
    (BUY, SELL), ("drift of money",),
)  # fmt: skip
EVIL = "<script>alert(1)</script>\"'&<b onmouseover=x>"


def read(result: RunResult, language: Language, folder: Path) -> Page:
    path = folder / "result.html"
    path.write_bytes(result_page(result, language).encode("utf-8"))
    return Page(path)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_plan_fills_slippage_fees_and_residuals_are_all_there(tmp_path: Path, language: Language) -> None:
    page = read(RESULT, language, tmp_path)

    shown = ("weights.csv", "20261119-aaaaaa", "1,000,000.50", "12,345.67", "15.00", "1.234%", "drift of money")
    trades = ("10.014", "+14.0", "+10.0", "19.980", "80.00%", "430047.BJ", "row 3: 430047.BJ is not a share")
    assert [text for text in (*shown, *trades) if text not in page.text] == []
    assert explained("not_filled", language) in page.text
    assert explained("not_a_share", language) in page.text
    assert page.is_offline()
    assert page.drawings
    assert "script" not in page.tags


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_target_that_is_not_full_says_so_and_what_it_left_alone_is_not_missing(
    tmp_path: Path, language: Language
) -> None:
    alone = tuple(Outcome(f"60000{n}.SH", Decimal("0.1"), Decimal("0.1"), 0, 0, LEFT_ALONE) for n in range(3))
    page = read(replace(RESULT, mode=Mode.SUBSET, outcomes=(*RESULT.outcomes, *alone)), language, tmp_path)

    assert WORDS[language]["subset"].format(count=3) in page.text
    assert explained(LEFT_ALONE, language) not in page.text
    assert WORDS[language]["subset"].format(count=0) not in read(RESULT, language, tmp_path).text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_whatever_a_file_says_stays_text(tmp_path: Path, language: Language) -> None:
    evil = replace(
        RESULT, file=EVIL, reason=EVIL, text=EVIL, notes=(EVIL,), works=(replace(BUY, code=EVIL), SELL),
        outcomes=(replace(RESULT.outcomes[0], code=EVIL, reason=EVIL),), filtered=(DroppedRow(2, EVIL, EVIL, EVIL),),
    )  # fmt: skip

    page = read(evil, language, tmp_path)

    assert not {"script", "b"} & set(page.tags)
    assert page.text.count(EVIL) >= 8


@given(st.text(min_size=1, max_size=30))
def test_any_name_of_a_file_gives_a_page_that_can_be_written(name: str) -> None:
    page = result_page(replace(RESULT, file=name), "zh")

    assert page.count("<h1>") == 1
    assert not re.search(r"<h1>[^<]*<(?!/h1>)", page)


def test_a_run_without_trades_says_so(tmp_path: Path) -> None:
    empty = replace(RESULT, status="refused", reason="halted", outcomes=(), works=(), filtered=(), total_asset=None)

    page = read(empty, "en", tmp_path)

    assert WORDS["en"]["nothing"] in page.text
    assert explained("halted", "en") in page.text


def test_both_languages_say_the_same_things_and_every_documented_reason_has_words() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("| reason | why a name") :].split("\n\n")[0]
    rows = {code for line in table.splitlines() for code in re.findall(r"`(\w+)`", line.split("|")[1])}
    ends = re.findall(r"`(\w+)`", readme[readme.index("Reasons why a run ends early") :].split("\n\n")[0])
    filtered = re.findall(r"`(\w+)`", readme[readme.index("Rows that are **filtered**") :].split("\n\n")[0])

    assert rows
    assert ends
    assert sorted({*rows, *ends, *filtered} - CODES) == []
