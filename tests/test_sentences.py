"""What was said in English is read in Chinese: refusals, breaches, ends of runs, errors, whoever made the sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from time import process_time

import pytest

from qws import language
from qws.domain.drops import refusal_notice
from qws.domain.risk.catalogue import KINDS
from qws.domain.targets import Refusal
from qws.language import speak
from qws.reports.reasons import CODES
from qws.runtime.clock import SHANGHAI
from qws.sentences import localised, reasoned
from tests.support.sentences import sentences

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def _the_language_stays() -> Iterator[None]:
    before = language._translations
    speak("zh_CN")
    yield
    language._translations = before


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("row 3: 600000.SH is already in row 2 for 2026-11-23; keep one",
         "第 3 行：600000.SH 在 2026-11-23 已见于第 2 行；请只留一行"),
        ("600519.SH weighs 12.00%, the limit is 10.00%", "600519.SH 的权重为 12.00%，上限为 10.00%"),
        ("a newer target took its place", "被更新的目标取代"),
        ("halt: working orders are being cancelled", "halt: 正在撤销未成交委托"),
        ("-> make it with `qws init`", "-> 用 `qws init` 建立它"),
        ("no column is named weight (or target_weight, 权重, 目标权重); found date, code, needed weight",
         "没有名为 weight 的列（或 target_weight、权重、目标权重）；找到 date, code，需要 weight"),
        ("row 3: '贵州茅台' is not a Shanghai or Shenzhen code; write six digits and the exchange that lists them, "
         "such as 600519.SH",
         "第 3 行：'贵州茅台' 不是沪深代码；请写六位数字代码及其上市交易所，例如 600519.SH"),
        ("rows of 2026-11-20 are past and set aside: 2; write the day to trade on",
         "2026-11-20 的行已过期，放到一边，行数：2；请写要交易的日期"),
        ("missing_header: sheet '说明' (the first visible one with rows; no other is read): "
         "the first row is not a header; write date,stock_code,weight above it",
         "missing_header: 工作表 '说明'（第一个有内容的可见工作表，其他的都不读）："
         "第一行不是表头；请在上面加一行 date,stock_code,weight"),
        ("group: taken: HTTP 200 ok", "group：已接受：HTTP 200 ok"),
        ("group: NOT TAKEN: error code 93000: invalid webhook url",
         "group：未被接受：错误码 93000：invalid webhook url"),
        ("mail: taken: OK", "mail：已接受：OK"),
        ("ack: acknowledged", "ack: 已确认"),
        ("held [single_name]: 600519.SH weighs 12.00%, the limit is 10.00%",
         "等待批准 [single_name]：600519.SH 的权重为 12.00%，上限为 10.00%"),
        ("the columns are separated by semicolons; separate them by commas and write 0.05 with a point",
         "各列用分号分隔；请用逗号分隔，并写成 0.05 的形式"),
    ],
)  # fmt: skip
def test_a_sentence_keeps_its_values(said: str, read: str) -> None:
    assert localised(said) == read


@pytest.mark.parametrize("text", ["", "600519.SH", "weights.csv", "broker says: 委托失败", "nobody ever said this: so"])
def test_what_is_not_ours_stays_as_it_is(text: str) -> None:
    assert localised(text) == text


def test_english_stays_english() -> None:
    speak("en")

    assert localised("a newer target took its place") == "a newer target took its place"


def test_a_reason_file_is_chinese_and_keeps_its_codes() -> None:
    refusals = (Refusal("negative_weight", "row 2: 600519.SH has the negative weight -0.1", 2),)

    text = localised(refusal_notice("w.csv", datetime(2026, 11, 23, 9, 30, tzinfo=SHANGHAI), refusals, is_moved=True))

    assert text.splitlines()[0] == "w.csv 于 2026-11-23 09:30:00 被拒收。其中任何内容都不会交易。"
    assert "negative_weight: 第 2 行：600519.SH 的权重为负：-0.1" in text
    assert "请更正文件，再放入 inbox。" in text


def test_a_formatted_text_becomes_a_pattern_with_numbers_and_names_no_expression(tmp_path: Path) -> None:
    file = tmp_path / "offender.py"
    lines = (
        "def f(a: int) -> str:",
        '    """No text of ours."""',
        """    return f"{a + 1} rows are missing in {a!r}\\n[code] and more" """,
    )
    file.write_text("\n".join(lines), encoding="utf-8")

    assert sentences(file, "qws/offender.py") == {"{0} rows are missing in {1}", "and more"}
    assert sentences(file, "qws/runtime/offender.py") == set()


@pytest.mark.parametrize("value", [Decimal("0.1"), date(2026, 11, 23), "a: b; c, d"])
def test_a_value_may_hold_anything(value: object) -> None:
    assert localised(f"{value} is not a date") == f"{value} 不是日期"


def test_every_rule_has_words_and_keeps_its_code() -> None:
    ids = {kind.id for kind in KINDS} | {"restricted", "not_filled", "superseded", "halted"}

    assert ids <= CODES
    assert [
        code for code in ids if not CHINESE.search(reasoned(code)) or not reasoned(code).startswith(f"[{code}]")
    ] == []


def test_a_reason_in_english_is_its_code_and_its_text() -> None:
    speak("en")

    assert reasoned("not_filled", "no seller") == "[not_filled] no seller"
    assert reasoned("not_filled") == "[not_filled]"


@pytest.mark.parametrize(
    "said", ["insufficient amount of cash", "C:\\list of names\\w.csv", "for 3 days", "5 min left"]
)
def test_words_that_anybody_says_are_no_sentence_of_ours(said: str) -> None:
    assert localised(said) == said


@pytest.mark.parametrize(
    "said",
    [
        "order " + "x " * 150 + ": , of " * 50 + "shares !",
        "order " + "a: b, c of d; " * 130 + "shares !",
        "x of y: z; " * 10_000,
    ],
)
def test_a_hostile_text_takes_no_time_of_the_loop(said: str) -> None:
    before = process_time()

    read = localised(said)

    assert (read.endswith(said[-3:]), process_time() - before < 1.0) == (True, True)
