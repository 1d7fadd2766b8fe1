"""Receipts beside the weight files: what was taken of a file, and what was not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from qws.domain.targets import DroppedRow
from qws.pages import FilePages
from tests.support.builders import a_target


def test_a_receipt_names_the_rows_and_the_sheets_that_were_left_out(tmp_path: Path) -> None:
    row = DroppedRow(3, "430047.BJ", "not_a_share", "?")
    target = replace(a_target({"600000.SH": "0.5"}, dropped=(row,)), unread=("备注", "Sheet2"))

    assert FilePages(tmp_path, "en").write_receipt(target)

    (file,) = tmp_path.glob("*.receipt.json")
    receipt = json.loads(file.read_text(encoding="utf-8"))
    assert receipt["status"] == "accepted"
    assert [(each["row"], each["reason"]) for each in receipt["filtered"]] == [(3, "not_a_share")]
    assert receipt["sheets_not_read"] == ["备注", "Sheet2"]
