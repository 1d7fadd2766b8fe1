"""Has a held name crossed its stop?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta

from loguru import logger

from qws.domain.account import Position
from qws.domain.bars import unbroken
from qws.domain.calendar import UnknownDay
from qws.domain.schedule import Schedule
from qws.domain.stops import BARS, Stopped, StopRules, StopWatch, View
from qws.errors import GatewayError
from qws.messages import (
    ControlOrdered,
    EquityRecorded,
    PlanningDue,
    RebalanceDue,
    RunFinished,
    StopTriggered,
    TargetAccepted,
)
from qws.ports import Broker, Clock, Quotes
from qws.runtime.actor import Actor
from qws.stop_turns import AGAIN, StopTurns

_SHOWN, _PORTION = 5, 50
_QUIET = ("pre_open", "closed", "holiday", "unknown")


class StopWatcher(Actor):
    """Tells each crossing once, and makes a run due; what that cannot sell yet (T+1, limit-down) is tried again.

    It only looks and tells: the planner caps the name, and nothing but a plan sells it. Without `rules` it is silent.
    """

    on_crash = "restart"

    def __init__(
        self, broker: Broker, quotes: Quotes, clock: Clock, schedule: Schedule, rules: StopRules | None
    ) -> None:
        self._broker, self._quotes, self._clock, self._schedule, self._rules = broker, quotes, clock, schedule, rules
        self._watch, self._stopped = StopWatch(rules), Stopped()
        self._turns = StopTurns()
        self._read_on: date | None = None
        self._again: dict[str, datetime] = {}  # when the bars of a name are to be read again
        self._newest: StopTriggered | None = None  # the last one of a look: a run is due for all of it

    def recall_stop_triggered(self, msg: StopTriggered) -> None:
        self._stopped.stop(msg.code, msg.rule, msg.day)

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        self._stopped.note_target(msg.days)

    def recall_equity_recorded(self, msg: EquityRecorded) -> None:
        if msg.kind == "close":
            self._watch.close(msg.day, msg.positions)

    def recall_rebalance_due(self, msg: RebalanceDue) -> None:
        self._turns.begin(msg)

    def recall_run_finished(self, msg: RunFinished) -> None:
        self._turns.end(msg)

    def recall_control_ordered(self, msg: ControlOrdered) -> None:
        self._turns.command(msg.command)

    def on_stop_triggered(self, msg: StopTriggered) -> PlanningDue | None:
        self.recall_stop_triggered(msg)
        now = self._clock.now()
        return self._turns.due(now) if msg == self._newest and self._turns.may_at_once(now) else None

    on_target_accepted = recall_target_accepted
    on_equity_recorded = recall_equity_recorded
    on_rebalance_due = recall_rebalance_due
    on_run_finished = recall_run_finished
    on_control_ordered = recall_control_ordered

    async def source(self) -> AsyncIterator[StopTriggered | PlanningDue]:
        while (rules := self._rules) is not None:
            await self._clock.sleep(rules.check_s)
            try:
                crossed, is_due = await self._look(rules)
            except (GatewayError, UnknownDay):
                continue  # nothing is known, so nothing is done
            is_now = self._turns.goes_on or any(each.sellable for each in crossed)  # what is on may still buy it
            self._newest = crossed[-1] if crossed and is_now else None
            for msg in crossed:
                yield msg
                self.recall_stop_triggered(msg)
            if is_due and not crossed:
                yield self._turns.due(self._clock.now())

    async def _look(self, rules: StopRules) -> tuple[list[StopTriggered], bool]:
        """What has crossed, and whether what an earlier stop left may be tried again."""
        if self._schedule.phase_at(now := self._clock.now()) in _QUIET:
            return [], False
        out = self._stopped.on(now.date())
        held = [each for each in await self._broker.positions() if each.shares > 0 and rules.is_ours(each.code)]
        watched = [each for each in held if each.code not in out]
        await self._read_bars(watched, now)
        if self._schedule.phase_at(now) != "continuous" or self._schedule.next_send(now) != now:
            return [], False
        view = await self._view([each.code for each in held], rules)
        crossed = self._watch.look(watched, view)
        told = [StopTriggered.of(each, view.at) for each in crossed]
        left = [each for each in held if each.code in out and each.sellable and view.may_sell(each.code)]
        return told, bool(left) and self._turns.may_again(now)

    async def _read_bars(self, held: Sequence[Position], now: datetime) -> None:
        """In portions: those of a thousand names are no message for a socket, and nobody should wait for them."""
        if self._read_on != now.date():
            self._read_on, self._again = now.date(), {}
        due = sorted(each.code for each in held if self._again.get(each.code, now) <= now)
        for start in range(0, len(due), _PORTION):
            await self._read_some(due[start : start + _PORTION], now)

    async def _read_some(self, codes: list[str], now: datetime) -> None:
        try:
            bars = await self._quotes.daily_bars(codes, BARS)
        except GatewayError as error:
            self._again |= dict.fromkeys(codes, now + AGAIN)
            logger.warning("daily bars: {}; stops that need them wait for {}", error, AGAIN)
            return
        self._watch.note_bars({code: unbroken(found, self._schedule.calendar) for code, found in bars.items()})
        before = self._schedule.session_before(now.date())
        late = [code for code in codes if code not in bars or bars[code][-1].day != before]
        if new := [code for code in late if code not in self._again]:  # not downloaded yet, or it did not trade
            shown = ", ".join(new[:_SHOWN])
            logger.warning("stops: no daily bars of {} names up to {}: {}", len(new), before, shown)
        self._again |= dict.fromkeys(codes, now + timedelta(days=1)) | dict.fromkeys(late, now + AGAIN)

    async def _view(self, codes: list[str], rules: StopRules) -> View:
        quotes, records = await self._quotes.quotes(codes), await self._quotes.instruments(codes)
        now = self._clock.now()
        return View(now, quotes, records, self._schedule.session_before(now.date()), rules.age_max_s)
