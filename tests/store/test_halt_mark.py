"""A stored halt and the read models that may lose it."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws.store.halt_mark import follow_mark, leave_mark, remove_mark
from qws.store.reading import Views, ask
from qws.store.views import Projector
from tests.store.samples import at


@pytest.fixture
def views(tmp_path: Path) -> Path:
    Projector(tmp_path / "views.sqlite", str).close()
    return tmp_path / "views.sqlite"


def waiting(views: Path) -> list[tuple[object, object]]:
    return [(row["command"], row["by"]) for row in Views(views).waiting()]


def test_a_halt_that_the_tables_lost_is_ordered_again_once(tmp_path: Path, views: Path) -> None:
    mark = tmp_path / "HALT"
    leave_mark(mark, "李@desk")

    for _ in range(2):
        follow_mark(mark, views, at(1))

    assert waiting(views) == [("halt", "李@desk")]
    assert not mark.exists()


@pytest.mark.parametrize("command", ["halt", "reduce_only", "resume"])
def test_what_the_tables_still_know_is_left_as_it_was_ordered(tmp_path: Path, views: Path, command: str) -> None:
    leave_mark(tmp_path / "HALT", "li")
    ask(views, command, "", "wang", at(1))

    follow_mark(tmp_path / "HALT", views, at(2))

    assert waiting(views) == [(command, "wang")]
    assert not (tmp_path / "HALT").exists()


def test_an_acknowledgement_that_waits_does_not_stand_for_the_halt(tmp_path: Path, views: Path) -> None:
    leave_mark(tmp_path / "HALT", "li")
    ask(views, "ack", "A1", "wang", at(1))

    follow_mark(tmp_path / "HALT", views, at(2))

    assert waiting(views) == [("ack", "wang"), ("halt", "li")]


@pytest.mark.parametrize("content", [b"", bytes([255, 254])])
def test_a_torn_mark_halts_all_the_same(tmp_path: Path, views: Path, content: bytes) -> None:
    (tmp_path / "HALT").write_bytes(content)

    follow_mark(tmp_path / "HALT", views, at(1))

    assert [command for command, _ in waiting(views)] == ["halt"]


def test_without_a_mark_nothing_is_ordered(tmp_path: Path, views: Path) -> None:
    leave_mark(tmp_path / "HALT", "li")
    for _ in range(2):
        remove_mark(tmp_path / "HALT")

    follow_mark(tmp_path / "HALT", views, at(1))

    assert waiting(views) == []
