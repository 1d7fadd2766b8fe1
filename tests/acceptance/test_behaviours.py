"""Beside the behaviours of other programs: what they break on the same accounts and faults, this program does not."""

from __future__ import annotations

from decimal import Decimal

import pytest

from qws.domain.market import Side
from tests.bench.arena import Name, Outcome, draw_case, play
from tests.bench.behaviours import BEHAVIOURS, RIVALS, WORLDS, contender, play_seed, rows
from tests.bench.naive import PROGRAMS, Client

SEEDS = (*range(6, 13), 31)
MORE_SEEDS = range(14, 29)


@pytest.fixture(scope="module")
def played() -> list[dict[tuple[str, str], Outcome]]:
    return [play_seed(seed) for seed in SEEDS]


async def idle(client: Client) -> None:
    await client.goals()


async def twice(client: Client) -> None:
    """Everything wanted, ordered two times over."""
    goals, held = await client.goals(), await client.held()
    for _ in range(2):
        for code, goal in goals.items():
            for child in await client.sells(code, goal, held.get(code)):
                await client.send(child)
    await client.pause(5.0)
    for _ in range(2):
        for code, goal in goals.items():
            for child in await client.buys(code, goal, held.get(code)):
                await client.send(child)


def test_this_program_does_no_damage_and_pursues_its_target_to_the_end(
    played: list[dict[tuple[str, str], Outcome]],
) -> None:
    ours = [row for row in rows(played) if row.behaviour in RIVALS]

    assert len(ours) == len(RIVALS) * len(WORLDS)
    for row in ours:
        assert (row.duplicates, row.beyond, row.oversells, row.overspends, row.lost) == (0, 0, 0, 0, 0), row
        assert row.orders > len(SEEDS)
        assert row.rejected == 0, row


def test_the_naive_behaviours_do_every_kind_of_damage(played: list[dict[tuple[str, str], Outcome]]) -> None:
    naive = [row for row in rows(played) if row.behaviour in PROGRAMS and row.world == "foul"]

    assert len(naive) == len(PROGRAMS)
    for kind in ("duplicates", "beyond", "oversells", "overspends", "lost", "never", "rejected"):
        assert sum(getattr(row, kind) for row in naive) > 0, kind


def test_nobody_waits_longer_than_the_naive_in_a_calm_world(played: list[dict[tuple[str, str], Outcome]]) -> None:
    calm = {row.behaviour: row.invested_p50_s for row in rows(played) if row.world == "calm"}

    assert calm.keys() == set(BEHAVIOURS)
    assert max(calm[each] or 1e9 for each in RIVALS) <= min(calm[each] or 0.0 for each in PROGRAMS)


@pytest.mark.parametrize("behaviour", RIVALS)
def test_whatever_goes_wrong_nothing_is_doubled_oversold_or_overspent(behaviour: str) -> None:
    days = [play(draw_case(seed, is_foul=True), contender(behaviour)) for seed in MORE_SEEDS]

    assert [day for day in days if day.duplicates or day.beyond or day.oversells or day.overspends] == []
    assert sum(day.orders for day in days) > len(days)


def test_who_does_nothing_has_lost_the_day_and_never_invests() -> None:
    day = play(draw_case(3, is_foul=False), idle)

    assert (day.orders, day.duplicates, day.beyond, day.shortfall) == (0, 0, 0, 1)
    assert day.is_lost
    assert day.invested_s == float("inf")
    assert day.error > 0.1


def test_who_orders_everything_twice_is_found_out() -> None:
    day = play(draw_case(3, is_foul=False), twice)

    assert day.duplicates > day.orders / 3
    assert day.oversells + day.overspends > 0
    assert day.rejected["INSUFFICIENT_SHARES"] + day.rejected["INSUFFICIENT_CASH"] <= day.oversells + day.overspends


def test_both_worlds_of_a_seed_have_the_same_account_and_file() -> None:
    calm, foul = (draw_case(9, is_foul=is_foul) for is_foul in (False, True))

    assert (calm.workload.cash, calm.workload.positions) == (foul.workload.cash, foul.workload.positions)
    assert calm.weights == foul.weights
    assert calm.workload.deeds[0] == foul.workload.deeds[0]
    assert (calm.rates, calm.deaths, len(calm.workload.deeds)) == ({}, (), 1)


def test_one_seed_is_one_day(played: list[dict[tuple[str, str], Outcome]]) -> None:
    assert play_seed(SEEDS[0]) == played[0]


@pytest.mark.parametrize(
    ("side", "shares", "beyond"), [(Side.BUY, 1101, 0), (Side.BUY, 1301, 301), (Side.SELL, 500, 500)]
)
def test_a_holding_is_beyond_what_is_wanted_when_it_leaves_the_slack(side: Side, shares: int, beyond: int) -> None:
    assert Name(1000, 0, Decimal(10)).beyond(side, shares) == beyond
