"""The watcher on real folders: mostly in virtual time, where only scans find files, and with real hints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from actors.file_watcher import WatchSettings
from qws.messages import WeightFileSettled
from qws.store.journal import InlineJournal
from tests.intake.world import START, World, a_target, virtual

SCAN_S = WatchSettings().scan_s
SETTLE_S = WatchSettings().settle_ms / 1000
IN_PLACE_S = WatchSettings().in_place_settle_ms / 1000
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who writes and what was renamed")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "inbox")


def settled(world: World) -> list[str]:
    return [msg.name for msg in world.ears.heard if isinstance(msg, WeightFileSettled)]


def test_a_file_already_there_is_told_at_the_start(world: World) -> None:
    world.drop("a.csv", a_target())

    async def day() -> None:
        async with world.running():
            await world.ears.verdicts()
            assert world.clock.now().timestamp() - START.timestamp() == pytest.approx(SETTLE_S)

    virtual(day)
    assert world.names("accepted") == ["a.csv"]
    assert world.names() == []


def test_without_hints_the_scan_finds_the_file(world: World) -> None:
    async def day() -> None:
        async with world.running():
            await world.clock.sleep(SCAN_S / 2)
            world.drop("a.csv", a_target())
            await world.ears.verdicts()
            assert world.clock.now().timestamp() - START.timestamp() == pytest.approx(SCAN_S + SETTLE_S)

    virtual(day)
    assert settled(world) == ["a.csv"]


def test_a_hundred_files_settle_together_oldest_first(world: World) -> None:
    for number in range(100):
        world.drop(f"{number:02}.csv", a_target(number + 1))
        os.utime(world.root / f"{number:02}.csv", (1_700_000_000 - number // 2,) * 2)

    async def day() -> None:
        async with world.running():
            await world.ears.verdicts(100)
            assert world.clock.now().timestamp() - START.timestamp() == pytest.approx(SETTLE_S)

    virtual(day)
    assert settled(world) == [f"{number:02}.csv" for number in sorted(range(100), key=lambda n: (-(n // 2), n))]
    assert len(world.names("accepted")) == 100


def test_a_hundred_identical_files_give_one_target_and_99_reasons(world: World) -> None:
    for number in range(100):
        world.drop(f"{number:02}.csv", a_target())

    async def day() -> None:
        async with world.running():
            await world.ears.verdicts(100)

    virtual(day)
    assert world.names("accepted") == ["00.csv"]
    assert "duplicate: the same bytes were accepted as 00.csv" in world.reason("99.csv")
    assert len(world.names("rejected")) == 198


def test_a_writer_who_opens_the_file_again_and_again_is_waited_for(world: World) -> None:
    lines = [*a_target().splitlines(keepends=True), b"2026-11-23,000001.SZ,0.1\n"]

    async def day() -> None:
        async with world.running():
            for line in lines:
                with (world.root / "a.csv").open("ab") as file:
                    file.write(line)
                await world.clock.sleep(IN_PLACE_S * 0.8)
            assert settled(world) == []
            await world.ears.verdicts()

    virtual(day)
    assert (world.root / "accepted" / "a.csv").read_bytes() == b"".join(lines)


@linux_only
def test_a_writer_who_keeps_the_file_open_is_waited_for(world: World) -> None:
    path = str(world.root / "a.csv")
    program = f"f = open({path!r}, 'ab')\nfor line in open(0, 'rb'): f.write(line); f.flush()"
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE)

    async def day() -> None:
        async with world.running():
            assert other.stdin is not None
            for line in a_target().splitlines(keepends=True):
                other.stdin.write(line)
                other.stdin.flush()
                await world.clock.sleep(60)
                assert settled(world) == []
            other.stdin.close()
            other.wait()
            await world.ears.verdicts(seconds=60)

    with other:
        virtual(day)
    assert (world.root / "accepted" / "a.csv").read_bytes() == a_target()


def test_a_file_that_windows_will_not_let_go_is_taken_when_it_is_free(tmp_path: Path) -> None:
    is_held = [True]

    def rename(source: Path, target: Path) -> None:
        if is_held[0] and source.name == "a.csv":
            error = PermissionError(13, "used by another process")
            error.winerror = 32  # type: ignore[attr-defined, unused-ignore]
            raise error
        source.replace(target)

    world = World(tmp_path / "inbox", rename)
    world.drop("a.csv", a_target(1))

    async def day() -> None:
        async with world.running():
            await world.clock.sleep(600)
            assert settled(world) == []
            world.drop("b.csv", a_target(2))
            await world.ears.verdicts()
            assert settled(world) == ["b.csv"]
            is_held[0] = False
            await world.ears.verdicts(2)

    virtual(day)
    assert world.names("accepted") == ["a.csv", "b.csv"]


def test_what_cannot_be_read_is_refused_once_and_left_where_it_lies(world: World) -> None:
    (world.root / "readme.txt").write_text("hello", encoding="utf-8")
    (world.root / "folder.csv").mkdir()
    (world.root / "w.csv.tmp").write_text("hello", encoding="utf-8")

    async def day() -> None:
        async with world.running():
            await world.ears.verdicts(2)
            (world.root / "folder.csv" / "inside.csv").write_bytes(a_target())
            await world.clock.sleep(3600)

    virtual(day)
    assert {(msg.name, msg.path) for msg in world.ears.judged} == {("folder.csv", ""), ("readme.txt", "")}
    assert len(world.ears.judged) == 2
    assert world.names("rejected") == ["folder.csv.reason.txt", "readme.txt.reason.txt"]
    assert "unsupported_file: only .csv" in world.reason("readme.txt")
    assert "not_a_file" in world.reason("folder.csv")
    assert world.names() == ["readme.txt", "w.csv.tmp"]


def test_a_restart_answers_nothing_twice_and_forgets_nothing(world: World) -> None:
    world.drop("good.csv", a_target())
    (world.root / "readme.txt").write_text("hello", encoding="utf-8")

    async def day() -> None:
        journal = await InlineJournal.open(":memory:")
        async with world.running(journal=journal):
            await world.ears.verdicts(2)
        world.drop("again.csv", a_target())
        async with world.running(journal=journal):
            await world.ears.verdicts(3)
            await world.clock.sleep(60)
        await journal.close()

    virtual(day)
    assert sorted(msg.name for msg in world.ears.judged) == ["again.csv", "good.csv", "readme.txt"]
    assert world.names("rejected") == ["again.csv", "again.csv.reason.txt", "readme.txt.reason.txt"]


def test_a_file_claimed_before_a_crash_is_judged_after_it(world: World) -> None:
    world.drop("a.csv", a_target())
    [drop] = world.inbox.scan() or []
    assert world.inbox.claim(drop, START) is not None

    async def day() -> None:
        async with world.running():
            await world.ears.verdicts()

    virtual(day)
    assert world.names("accepted") == ["a.csv"]


def test_a_file_judged_before_a_crash_is_filed_away_after_it_and_not_judged_again(tmp_path: Path) -> None:
    power = [False]

    def rename(source: Path, target: Path) -> None:
        if not power[0] and target.parent.name in ("accepted", "rejected") and target.suffix == ".csv":
            raise OSError(5, "the power went")
        source.replace(target)

    world = World(tmp_path / "inbox", rename)
    world.drop("good.csv", a_target())
    world.drop("bad.csv", b"nonsense\n1\n")

    async def day() -> None:
        journal = await InlineJournal.open(":memory:")
        async with world.running(journal=journal):
            await world.ears.verdicts(2)
        assert world.names("accepted") == []
        power[0] = True
        async with world.running(journal=journal):
            await world.clock.sleep(60)
        await journal.close()

    virtual(day)
    assert len(world.ears.judged) == 2
    assert world.names("accepted") == ["good.csv"]
    assert world.names("rejected") == ["bad.csv", "bad.csv.reason.txt"]
    assert world.names(".claimed") == []


def test_a_move_that_fails_is_tried_again_at_the_next_scan(tmp_path: Path) -> None:
    failures = [3]

    def rename(source: Path, target: Path) -> None:
        if target.parent.name == "accepted" and failures[0]:
            failures[0] -= 1
            raise OSError(5, "the share is busy")
        source.replace(target)

    world = World(tmp_path / "inbox", rename)
    world.drop("a.csv", a_target())

    async def day() -> None:
        async with world.running():
            await world.clock.sleep(SCAN_S * 5)

    virtual(day)
    assert world.names("accepted") == ["a.csv"]


def test_a_share_that_vanishes_and_returns_is_survived(world: World) -> None:
    async def day() -> None:
        async with world.running():
            world.root.rename(world.root.with_name("away"))
            await world.clock.sleep(600)
            assert world.ears.heard == []
            world.root.with_name("away").rename(world.root)
            world.drop("a.csv", a_target())
            await world.ears.verdicts()

    virtual(day)
    assert world.names("accepted") == ["a.csv"]


def test_an_inbox_made_anew_gets_its_folders_again(world: World) -> None:
    async def day() -> None:
        async with world.running():
            shutil.rmtree(world.root)
            await world.clock.sleep(60)
            world.root.mkdir()
            world.drop("a.csv", a_target())
            world.drop("b.csv", b"nonsense\n1\n")
            await world.ears.verdicts(2)

    virtual(day)
    assert world.names("accepted") == ["a.csv"]
    assert world.names("rejected") == ["b.csv", "b.csv.reason.txt"]
