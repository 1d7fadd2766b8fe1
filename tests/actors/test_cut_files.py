"""A file that ends within a line: more of it may come, and nothing half is traded."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws.messages import WeightFileSettled
from tests.intake.world import START, World, a_target, virtual


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "inbox")


def settled(world: World) -> list[str]:
    return [msg.name for msg in world.ears.heard if isinstance(msg, WeightFileSettled)]


def test_a_file_cut_within_a_number_is_not_taken_while_somebody_may_go_on_with_it(world: World) -> None:
    whole = b"date,stock_code,weight\n2026-11-23,600519.SH,0.3\n2026-11-23,000001.SZ,0.25\n"

    async def day() -> None:
        async with world.running():
            (world.root / "a.csv").write_bytes(whole[:-2])  # 0.2
            await world.clock.sleep(14)
            assert settled(world) == []
            with (world.root / "a.csv").open("ab") as file:
                file.write(whole[-2:])
            await world.ears.verdicts()

    virtual(day)
    assert (world.root / "accepted" / "a.csv").read_bytes() == whole


def test_a_file_whose_last_line_has_no_end_is_taken_after_a_while(world: World) -> None:
    async def day() -> None:
        (world.root / "a.csv").write_bytes(a_target().rstrip(b"\n"))
        async with world.running():
            await world.ears.verdicts(seconds=20)
            assert world.clock.now().timestamp() - START.timestamp() == pytest.approx(15)

    virtual(day)
    assert settled(world) == ["a.csv"]


def test_a_newer_file_that_settles_together_with_a_cut_one_does_not_overtake_it(world: World) -> None:
    async def day() -> None:
        (world.root / "a.csv").write_bytes(a_target(1).rstrip(b"\n"))
        (world.root / "b.csv").write_bytes(a_target(2))
        async with world.running():
            await world.ears.verdicts(2, seconds=20)

    virtual(day)
    assert settled(world) == ["a.csv", "b.csv"]
