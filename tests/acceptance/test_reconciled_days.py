"""Whole days under faults, held against the broker's lists every evening: nothing differs but what somebody did."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws import messages as m
from tests.acceptance.test_readiness_days import a_checked_day
from tests.simulation.seeds import draw_world, judge
from tests.simulation.world import World

DOUBLED = 4  # a seed with an order that the broker took twice


def a_reconciled_world(seed: int) -> tuple[World, list[m.DayReconciled]]:
    world = draw_world(seed)
    try:
        world.reconciles = True
        world.run()
        assert judge(world).violations == ()
        return world, [each.body for each in world.diary.kept if isinstance(each.body, m.DayReconciled)]
    finally:
        world.close()


@pytest.mark.parametrize("seed", range(16))
def test_every_evening_somebody_lives_through_is_reconciled_once_and_only_doubled_orders_differ(seed: int) -> None:
    world, told = a_reconciled_world(seed)

    assert [each.day for each in told] == [day for day in world.workload.days if day not in world.blind_days]
    assert [each.problem for each in told if each.problem] == []
    odd = {found.code for each in told for found in each.unexplained}
    assert odd <= ({"order_unknown", "foreign_trade"} if world.weather.happened["order_doubled"] else set())


def test_an_order_that_the_broker_took_twice_is_named() -> None:
    _, told = a_reconciled_world(DOUBLED)

    assert [(each.code, each.explanation) for day in told for each in day.unexplained] == [
        ("order_unknown", "unexplained"),
        ("foreign_trade", "unexplained"),
    ]


def test_the_evening_is_one_line_after_a_first_day_and_after_a_restart_nothing(tmp_path: Path) -> None:
    day = a_checked_day(tmp_path)
    day.reconciles = True
    day.drop("09:00:00", "w.csv", {"600036.SH": "0.99"})

    day.live("08:50:00", "15:31:00", "kill")
    day.live("15:32:00", "2026-11-20 15:20:00", "kill")
    day.live("2026-11-20 16:00:00", "2026-11-20 16:10:00", "stop")

    told = day.of(m.DayReconciled)
    assert [(str(each.at)[:16], each.since is None, each.differences, each.problem) for each in told] == [
        ("2026-11-19 15:30", True, (), ""),
        ("2026-11-20 16:00", False, (), ""),
    ]
    assert told[0].orders > 0
    assert told[0].fills > 0
    assert [each.alert.kind for each in day.of(m.AlertRaised) if "reconciled" in each.alert.key] == []


def test_a_broker_that_does_not_answer_all_evening_is_told_at_midnight(tmp_path: Path) -> None:
    day = a_checked_day(tmp_path)
    day.reconciles = True
    day.outage = "15:20:00", "2026-11-20 00:30:00"

    day.live("08:50:00", "2026-11-20 01:00:00", "stop")

    (told,) = day.of(m.DayReconciled)
    assert (str(told.day), told.problem) == ("2026-11-19", "there is no connection")
    assert f"{told.at:%H:%M}" == "00:00"
    assert [each.alert.kind for each in day.of(m.AlertRaised) if each.alert.key.startswith("reconciled")] == [
        "day_differs"
    ]
