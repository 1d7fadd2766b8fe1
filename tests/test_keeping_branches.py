"""A home that was made of an older backup than the newest has a history of its own, and its audit knows that."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

from qws.cli.home import make_home
from qws.home import Home
from qws.keeping import heads_of, restore
from qws.messages import LinkReady
from qws.preview import FrozenClock
from qws.store.chain import Walk
from qws.store.journal_copy import walk_journal
from tests.store.samples import OPEN, a_run, intent, logged
from tests.test_keeping import CLOCK, backed_up


def test_a_home_made_of_an_older_backup_is_not_accused_by_newer_ones_and_still_by_its_own(
    tmp_path: Path,
) -> None:
    home, shared = make_home(tmp_path / "home"), tmp_path / "shared"
    shared.mkdir()
    backed_up(home, str(shared / "old.zip"))
    last = a_run()[-1].id
    backed_up(home, str(shared / "newer.zip"), logged(LinkReady(), LinkReady(), start=last + 1))
    restore(shared / "old.zip", tmp_path / "there", CLOCK)
    there = Home(tmp_path / "there")
    backed_up(there, str(tmp_path / "own.zip"), logged(intent("t1"), LinkReady(), LinkReady(), start=last + 1))
    restore(tmp_path / "own.zip", tmp_path / "again", CLOCK)
    again = Home(tmp_path / "again")

    def problem(of: Home, *, knows: bool) -> str:
        heads = heads_of(shared, of if knows else None)
        return walk_journal(of.journal, Walk(heads), keep_on=lambda: None).problem

    assert str(shared / "newer.zip") in problem(there, knows=False)
    assert [problem(each, knows=True) for each in (home, there, again)] == ["", "", ""]
    later = FrozenClock(OPEN + timedelta(days=1))
    shutil.copy(tmp_path / "own.zip", shared / "own.zip")
    restore(shared / "old.zip", tmp_path / "cut", later)  # the end of it is gone, and a backup made since knows it
    marks = (tmp_path / "cut" / "state" / "journal" / "restored.json").read_text(encoding="utf-8")
    assert json.loads(marks) == [[last, later.now().isoformat()]]
    (there.journal_archive / "restored.json").unlink()
    assert "newer.zip" in problem(there, knows=True)
