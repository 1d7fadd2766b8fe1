"""Clock, gate, follower and executor at any pace: whatever comes when, every run has one final result."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from actors.market_clock import MarketClock
from actors.order_executor import OrderExecutor
from actors.run_follower import RunFollower
from actors.run_gate import RunGate
from qws import messages as m
from qws.domain.market import Side
from qws.domain.orders import OrderStatus
from qws.domain.rest import FollowUps
from qws.runtime.actor import Actor
from qws.runtime.message import Later, Message
from tests.support.builders import (
    RULES,
    HandClock,
    a_fill,
    a_plan,
    a_report,
    a_row,
    a_schedule,
    a_snapshot,
    a_target,
    at,
)
from tests.support.desk import RULES as EXECUTION
from tests.support.outputs import Told, told

CODE = "600000.SH"
FOLLOW_UPS = FollowUps(2, 60.0)
COMMANDS = ("halt", "cancel", "resume", "rebalance")
LUCK = ("no_quote", "no_quote", "limit_up", "no_snapshot", "part", "turnover")
LAG = 8


class World(Actor):
    """Takes snapshots, plans, compares books, and fills a part of an order; most attempts trade nothing: their name has
    no price or no hope, or the plan is refused."""

    def __init__(self, luck: list[str]) -> None:
        self._luck = luck

    def on_snapshot_due(self, msg: m.SnapshotDue) -> m.PlanReady | m.PlanRefused:
        luck = self._luck.pop() if self._luck else "limit_up"
        if luck in ("no_snapshot", "turnover"):
            return m.PlanRefused(msg.run_id, msg.attempt, msg.preview, luck, "")
        row = replace(a_row(CODE, Side.BUY, 400), weight=Decimal("0.1"))
        row = row if luck == "part" else row.without_trade(luck)
        plan = replace(a_plan(attempt=msg.attempt, run_id=msg.run_id, preview=msg.preview, cash="100000"), rows=(row,))
        return m.PlanReady(replace(plan, target_id=msg.target_id))

    def on_place_order(self, msg: m.PlaceOrder) -> list[m.OrderUpdated | m.FillReceived]:
        ended = a_report(msg.order, OrderStatus.PART_CANCEL, 100)
        return [m.FillReceived(a_fill(msg.order, 100)), m.OrderUpdated(ended)]

    def on_execution_ended(self, msg: m.ExecutionEnded) -> m.FillsReconciled:
        return m.FillsReconciled(msg.run_id, a_snapshot("1000"))


@dataclass
class Stage:
    """Actors that read one journal, each as far as it has come."""

    clock: HandClock
    luck: list[str]
    journal: list[Message] = field(default_factory=list)
    timers: list[tuple[datetime, Message]] = field(default_factory=list)
    targets: int = 0

    def __post_init__(self) -> None:
        schedule = a_schedule()
        self.actors: list[Actor] = [
            MarketClock(self.clock, schedule, carries=False),
            RunGate(self.clock, schedule),
            RunFollower(self.clock, schedule, FOLLOW_UPS),
            OrderExecutor(self.clock, schedule, EXECUTION, RULES),
            World(self.luck),
        ]
        self.read = [0] * len(self.actors)
        self.journal.append(m.LinkReady())

    def tell(self, answer: list[Told]) -> None:
        for each in answer:
            if isinstance(each, Later):
                self.timers.append((self.clock.now() + timedelta(seconds=each.seconds), each.message))
            else:
                self.journal.append(each)

    def step(self, number: int) -> bool:
        """Let one actor take its next message; false when it has none."""
        while self.read[number] < len(self.journal):
            message = self.journal[self.read[number]]
            self.read[number] += 1
            name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(message).__name__)
            if (handler := getattr(self.actors[number], f"on{name}", None)) is not None:
                self.tell(told(handler(message)))
                return True
        return False

    def settle(self) -> None:
        for _ in range(2000):
            if not any(self.step(number) for number in range(len(self.actors))) and not self.fire():
                return
        raise AssertionError("it never comes to rest")

    def fire(self) -> bool:
        """The timer that is due first."""
        if not self.timers:
            return False
        self.timers.sort(key=lambda timer: timer[0])
        when, message = self.timers.pop(0)
        self.clock.time = max(self.clock.time, when)
        self.journal.append(message)
        return True

    def happen(self, what: str) -> None:
        """Somebody drops a file or types a command."""
        if what == "file":
            self.targets += 1
            target_id = f"{self.targets:06d}" + "a" * 58
            self.journal.append(a_target({CODE: "0.1"}, target_id=target_id))
        else:
            self.journal.append(m.ControlOrdered(what, "me"))

    def finals(self) -> Counter[str]:
        return Counter(each.run_id for each in self.journal if isinstance(each, m.RunFinished))


def played(seed: int) -> Stage:
    """Actors that take turns by chance, none more than a few messages behind, and people who do what they like."""
    chance = Random(f"{seed}:turns")
    luck = [chance.choice(LUCK) for _ in range(chance.randrange(12))]
    stage = Stage(HandClock(at(chance.choice(("10:00:00", "14:54:30", "14:55:30")))), luck)
    stage.happen("file")
    for _ in range(chance.randrange(120)):
        draw = chance.random()
        if draw < 0.85:
            late = [number for number, read in enumerate(stage.read) if len(stage.journal) - read > LAG]
            stage.step(chance.choice(late or range(len(stage.actors))))
        elif draw < 0.9:
            stage.fire()
        else:
            stage.happen(chance.choice(("file", "file", *COMMANDS)))
    stage.settle()
    return stage


@pytest.mark.parametrize("hundred", range(20))
def test_every_run_has_exactly_one_final_result(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        stage = played(seed)

        runs = {each.run_id for each in stage.journal if isinstance(each, m.RebalanceDue)}
        assert stage.finals() == Counter(dict.fromkeys(runs, 1)), seed
        for end in (each for each in stage.journal if isinstance(each, m.RunFinished)):
            orders = [each for each in stage.journal if isinstance(each, m.PlaceOrder) and each.run_id == end.run_id]
            assert sum(each.filled for each in end.outcomes) == 100 * len(orders), seed
            assert not orders or end.status != "refused", seed


def test_the_turns_reach_every_way_in_which_a_pause_ends() -> None:
    ends = Counter[tuple[str, str, bool]]()
    for seed in range(400):
        journal = played(seed).journal
        pauses = {each.run_id for each in journal if isinstance(each, m.RunPaused)}
        told_of = [each for each in journal if isinstance(each, m.RunFinished)]
        ends.update((each.status, each.reason, each.run_id in pauses) for each in told_of)

    assert not any(ends["interrupted", reason, True] for reason in ("interrupted", "follow_up"))
    for reason in ("superseded", "halted", "cancelled", "no_snapshot"):
        assert any(ends[status, reason, True] for status in ("superseded", "refused")), reason
    assert ends["completed", "", True]
    assert ends["completed", "", False]


@pytest.mark.parametrize(
    ("luck", "ends"),
    [
        (["no_quote"], [1, "completed"]),
        (["no_snapshot"], [1, "completed"]),
        (["no_quote"] * 3, [1, 2, 3, "completed"]),
        (["no_snapshot"] * 3, [1, 2, 3, "refused"]),
        (["turnover"], ["refused"]),
        (["turnover", "part"], [1, "incomplete"]),
        (["no_snapshot"] * 3 + ["part"], [1, 2, 3, "incomplete"]),
        (["part"] * 3, [1, 2, 3, "incomplete"]),
        (["part", "no_quote", "part"], [1, 2, 3, "incomplete"]),
    ],
)
def test_left_alone_a_run_is_followed_up_as_often_as_allowed(luck: list[str], ends: list[object]) -> None:
    stage = Stage(HandClock(at("10:00:00")), luck)
    stage.happen("file")

    stage.settle()

    words = [each for each in stage.journal if isinstance(each, m.RunFinished | m.RunPaused)]
    assert [each.follow_ups if isinstance(each, m.RunPaused) else each.status for each in words] == ends
    follow_ups = [each for each in stage.journal if isinstance(each, m.FollowUpDue)]
    assert len(follow_ups) == min(len(ends) - 1, FOLLOW_UPS.times)
