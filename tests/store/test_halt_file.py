"""The file HALT: found under any spelling, answered by a receipt, and never taken for weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws.domain.drops import is_halt, is_ignored
from qws.store.halt_file import HaltFile
from qws.store.inbox import InboxFolder
from tests.support.builders import at

NOW = at("10:15:00")


def halts(root: Path) -> HaltFile:
    return HaltFile(root, lambda: NOW)


@pytest.mark.parametrize("name", ["HALT", "halt", "Halt.txt", "HALT.TXT", "halt.csv", "HALT.txt.txt"])
def test_a_file_with_this_name_is_found_answered_once_and_never_a_weight_file(tmp_path: Path, name: str) -> None:
    inbox = InboxFolder(tmp_path, 1000)
    inbox.prepare()
    (tmp_path / name).write_text("date,stock_code,weight\n2026-11-19,600000.SH,1\n", encoding="utf-8")

    assert inbox.scan() == []
    assert halts(tmp_path).asked() == name
    assert halts(tmp_path).take(name)
    assert halts(tmp_path).asked() == ""
    assert inbox.scan() == []
    assert (tmp_path / "HALT.20261119-101500.accepted").read_text(encoding="utf-8").startswith("date")


@pytest.mark.parametrize("name", ["HALTED.csv", "weights.halt", "ahalt", "HALT.20261119-101500.accepted"])
def test_other_names_ask_for_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()

    assert halts(tmp_path).asked() == ""
    assert not is_halt(name)


def test_only_names_of_ours_are_left_out_of_the_inbox() -> None:
    assert [is_ignored(name) for name in ("HALT", "halt.txt", "HALT.1.accepted", "halted.csv")] == [True] * 3 + [False]


def test_a_folder_that_is_gone_asks_for_nothing(tmp_path: Path) -> None:
    assert halts(tmp_path / "gone").asked() == ""


def test_a_file_that_somebody_holds_stays() -> None:
    def held(source: Path, target: Path) -> None:
        raise PermissionError(13, "the file is open in another program")

    assert not HaltFile(Path(), lambda: NOW, rename=held).take("HALT")
