"""Cancels leave one at a time, apart, far apart after a failure, and twice at most. XTQUANT.md 4.1, G12."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.errors import GatewayLost, GatewayTimeout
from qws.gateways.xt.cancels import CancelQueue
from qws.gateways.xt.settings import Pace
from qws.runtime.clock import LoopClock, VirtualLoop
from tests.conformance.brokers import TEN

PAUSE_S, GAP_S, SLACK_S = 2.1, 0.2, 1e-5
TAKEN, REFUSED, SILENT, TOLD_LATER = "taken", "refused", "silent", "told later"
Send = Callable[[str], Awaitable[bool]]
OUTCOMES = st.lists(st.sampled_from([TAKEN, TAKEN, TAKEN, REFUSED, SILENT, TOLD_LATER]), max_size=30)
ASKS = st.lists(st.tuples(st.floats(0, 20), st.integers(1, 12)), min_size=1, max_size=15)


@dataclass
class Counting:
    """A counter: each cancel has the outcome that is next, then is taken. Times are of the loop."""

    outcomes: list[str] = field(default_factory=list)
    answer_s: float = 0.01
    later_s: float = 0.05
    wants_s: float = 0.0  # between two cancels, or it refuses
    sent: list[tuple[float, str]] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)
    cancelled: set[str] = field(default_factory=set)
    queue: CancelQueue | None = None
    is_busy: bool = False

    async def send(self, order_id: str) -> bool:
        """As the broker does."""
        assert not self.is_busy
        self.is_busy = True
        began, is_too_soon = now_s(), bool(self.sent) and now_s() < self.sent[-1][0] + self.wants_s
        self.sent.append((began, order_id))
        outcome = self.outcomes.pop(0) if self.outcomes else REFUSED if is_too_soon else TAKEN
        await asyncio.sleep(self.answer_s)
        self.is_busy = False
        self.ended.append(now_s())
        if outcome == TOLD_LATER:
            asyncio.get_running_loop().call_later(self.later_s, self._tell)
        elif outcome in (REFUSED, SILENT):
            self.failed.append(now_s())
        else:
            self.cancelled.add(order_id)
        if outcome == SILENT:
            raise GatewayTimeout("no response")
        return outcome != REFUSED

    def _tell(self) -> None:
        assert self.queue is not None
        self.failed.append(now_s())
        self.queue.pause()


def now_s() -> float:
    return asyncio.get_running_loop().time()


def played(counter: Counting, asks: list[tuple[float, str]], *, gap_s: float = GAP_S) -> float:
    """Ask at those times of a virtual day, and let the queue run empty; the seconds until then."""

    async def body() -> float:
        queue = counter.queue = CancelQueue(counter.send, LoopClock(TEN), gap_s, PAUSE_S)
        for at_s, order_id in sorted(asks):
            await asyncio.sleep(max(0.0, at_s - now_s()))
            queue.ask(order_id)
        while queue._task is not None and not queue._task.done():
            await asyncio.wait([queue._task])
        over_s = now_s()
        await asyncio.sleep(counter.later_s + 1)
        await queue.end(1.0)
        return over_s

    return virtually(body())


def virtually(body: Awaitable[float]) -> float:
    async def run() -> float:
        return await body

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())


def at_once(count: int) -> list[tuple[float, str]]:
    return [(0.0, f"{number:03}") for number in range(count)]


def test_each_is_sent_once_in_order() -> None:
    counter = Counting()
    played(counter, [(0.0, "1"), (0.0, "2"), (0.0, "1"), (0.0, "3")])

    assert [order_id for _, order_id in counter.sent] == ["1", "2", "3"]


def test_a_halt_cancels_fifty_orders_at_the_pace_of_orders() -> None:
    counter = Counting()

    assert played(counter, at_once(50), gap_s=Pace().order_gap_s) <= 50 * (Pace().order_gap_s + counter.answer_s)
    assert len(counter.cancelled) == 50


def test_a_failed_one_is_tried_twice_after_the_others_and_everybody_keeps_away() -> None:
    counter = Counting([REFUSED])
    played(counter, [(0.0, "1"), (0.0, "2"), (0.0, "3")])

    assert [order_id for _, order_id in counter.sent] == ["1", "2", "3", "1"]
    assert all(later - earlier >= PAUSE_S - SLACK_S for (earlier, _), (later, _) in pairwise(counter.sent))


def test_no_answer_is_a_failure() -> None:
    counter = Counting([SILENT, SILENT, SILENT])
    played(counter, [(0.0, "1")])

    assert [order_id for _, order_id in counter.sent] == ["1", "1"]


def test_a_counter_that_wants_two_seconds_refuses_one_cancel_of_ten() -> None:
    """The first refusal is heard before the next leaves, whether the answer tells it or somebody later."""
    counter = Counting(wants_s=2.0)
    played(counter, at_once(10))
    late = Counting([TAKEN, TOLD_LATER], wants_s=2.0)
    played(late, at_once(10))

    assert len(counter.failed) == len(late.failed) == 1
    assert len(counter.cancelled) == 10
    assert len(late.cancelled) == 9  # the one is for the lists to tell, and for who asked to ask again


def test_an_old_failure_slows_no_later_cancels() -> None:
    counter = Counting([REFUSED, REFUSED])
    played(counter, [(0.0, "1"), (60.0, "2"), (60.0, "3")])

    (second, _), (third, _) = counter.sent[-2:]
    assert third - second < 2 * GAP_S


@settings(max_examples=150)
@given(OUTCOMES, ASKS, st.floats(0, 1), st.floats(0, 3))
def test_whatever_fails_the_distances_are_kept_and_each_is_tried(
    outcomes: list[str], asks: list[tuple[float, int]], answer_s: float, later_s: float
) -> None:
    counter = Counting(list(outcomes), answer_s, later_s)
    played(counter, [(at_s, f"{number}") for at_s, number in asks])

    starts = [at_s for at_s, _ in counter.sent]
    assert all(start >= end + GAP_S - SLACK_S for end, start in zip(counter.ended, starts[1:], strict=False))
    for failed in counter.failed:
        assert not [start for start in starts if failed + SLACK_S < start < failed + PAUSE_S - SLACK_S]
    asked = Counter(f"{number}" for _, number in asks)
    sent = Counter(order_id for _, order_id in counter.sent)
    assert set(sent) == set(asked)
    assert all(times <= 2 * asked[order_id] for order_id, times in sent.items())


@given(st.integers(2, 40), st.integers(0, 39), st.sampled_from([REFUSED, SILENT]))
def test_from_a_failure_on_all_that_waits_keeps_far_apart(count: int, place: int, outcome: str) -> None:
    counter = Counting([TAKEN] * (place % count) + [outcome])
    played(counter, at_once(count))

    (failed,) = counter.failed
    after = [failed, *(at_s for at_s, _ in counter.sent if at_s > failed)]
    assert len(after) == count - place % count + 1
    assert all(later - earlier >= PAUSE_S - SLACK_S for earlier, later in pairwise(after))
    assert len(counter.cancelled) == count


def test_without_a_connection_the_rest_is_dropped() -> None:
    sent: list[str] = []

    async def send(order_id: str) -> bool:
        sent.append(order_id)
        raise GatewayLost("down")

    ended(send, ["1", "2"], deadline_s=5.0)
    assert sent == ["1"]


def ended(send: Send, order_ids: list[str], *, deadline_s: float, after_s: float = 0.0) -> float:
    """Ask, end the queue after a time; how long the end took."""

    async def body() -> float:
        queue = CancelQueue(send, LoopClock(TEN), GAP_S, PAUSE_S)
        for order_id in order_ids:
            queue.ask(order_id)
        await asyncio.sleep(after_s)
        began = now_s()
        await queue.end(deadline_s)
        return now_s() - began

    return virtually(body())


@pytest.mark.parametrize(("deadline_s", "after_s", "sent"), [(5.0, 0.0, 5), (5.0, 0.1, 5), (0.5, 0.0, 3)])
def test_the_end_sends_what_waits_as_long_as_there_is_time(deadline_s: float, after_s: float, sent: int) -> None:
    counter = Counting()

    took_s = ended(counter.send, ["1", "2", "3", "4", "5"], deadline_s=deadline_s, after_s=after_s)
    assert took_s <= deadline_s + SLACK_S
    assert len(counter.sent) == sent


def test_the_end_sits_out_no_pause() -> None:
    counter = Counting([TAKEN, REFUSED])

    assert ended(counter.send, ["1", "2", "3"], deadline_s=5.0, after_s=1.0) == 0
    assert len(counter.sent) == 2


def test_a_queue_that_was_ended_in_a_pause_sends_again() -> None:
    counter = Counting([REFUSED])

    async def body() -> float:
        queue = CancelQueue(counter.send, LoopClock(TEN), GAP_S, PAUSE_S)
        queue.ask("1")
        await asyncio.sleep(1.0)
        await queue.end(5.0)
        await asyncio.sleep(10.0)
        queue.ask("2")
        queue.ask("3")
        await queue.end(5.0)
        return now_s()

    virtually(body())
    assert [order_id for _, order_id in counter.sent] == ["1", "2", "3"]
