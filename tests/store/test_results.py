from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from qws.language import speak
from qws.messages import LedgerDrift, RunFinished
from qws.store.results import FileArchive
from qws.text import describe
from tests.support.builders import RUN, a_due, at

SHARES = LedgerDrift(RUN, 0, "600000.SH", Decimal(400), Decimal(500), "manual_trade")
MONEY = LedgerDrift(RUN, 0, "", Decimal("1000.00"), Decimal("900.50"), "transfer")


def test_a_result_lists_every_drift_with_both_numbers_and_its_explanation(tmp_path: Path) -> None:
    end = RunFinished.without_trades(a_due(), "incomplete", "drift", "", at("10:00:00"))

    FileArchive(tmp_path, tmp_path, tmp_path).write_result(None, end, [SHARES, MONEY])

    (file,) = tmp_path.glob("*.result.json")
    assert json.loads(file.read_text(encoding="utf-8"))["drifts"] == [
        {"stock_code": "600000.SH", "explanation": "manual_trade", "ours": 400, "theirs": 500},
        {"stock_code": "", "explanation": "transfer", "ours": 1000, "theirs": 900.5},
    ]


def test_the_line_of_a_drift_names_both_numbers_and_says_why_in_words_and_by_code() -> None:
    speak("en")

    for drift, numbers in ((SHARES, ("600000.SH", "400", "500")), (MONEY, ("1,000.00", "900.50"))):
        line = describe(drift)
        assert all(number in line for number in numbers)
        assert line.endswith(f"[{drift.explanation}]")
        assert drift.explanation.replace("_", " ") not in line.partition(";")[0]
