"""What a run does next, as messages: orders, cancels, questions and timers. RELIABILITY.md 6.3."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from qws import messages as m
from qws.domain.execution import Execution, Phase
from qws.domain.execution_rules import ExecutionRules
from qws.domain.pace import Rate
from qws.domain.run_orders import Leg
from qws.domain.schedule import Schedule
from qws.ports import Clock
from qws.runtime.message import Later

_LAST_LOOK_S = 2.0  # a fill may be told this much later than the end of its order
Timer = m.SellsOverdue | m.BuysOverdue | m.SendWindowDue | m.ChaseDue | m.ListsDue
Step = m.PlaceOrder | m.CancelOrder | m.PricesDue | m.ExecutionEnded | Later[Timer]


class RunSteps:
    """Takes a run as far as it can go now; without the broker, or while the program stops, nowhere."""

    def __init__(self, clock: Clock, schedule: Schedule, rules: ExecutionRules) -> None:
        self._clock, self._schedule, self._rules = clock, schedule, rules
        self.is_linked, self.is_stopping = False, False
        self._rate = Rate(rules.second_orders_max)

    def go_on(self, run: Execution | None) -> Iterator[Step]:
        """The only place where a run goes on."""
        now = self._clock.now()
        while run is not None and self.is_linked and not self.is_stopping and not run.asked:
            if rows := run.due():
                opens_at = self._schedule.next_send(now) if now.date() == run.day else None
                if opens_at == now and (room := self._rate.room(now)) is not None:
                    rows, opens_at = rows[:room], now if room else self._rate.opens_at()
                if opens_at is None:
                    run.end_sending("session_over")
                elif opens_at > now:
                    if run.opens_at != opens_at:
                        run.opens_at = opens_at
                        yield Later((opens_at - now).total_seconds(), m.SendWindowDue(*run.key))
                    break
                elif codes := run.codes_to_price(rows, now):
                    yield m.PricesDue(*run.key, codes)
                else:
                    good_until = now + timedelta(seconds=self._rules.price_age_max_s)
                    orders = run.send(rows, now, self._rate.room(now))
                    self._rate.note(len(orders), now)
                    yield from (m.PlaceOrder(run.plan.run_id, each, good_until) for each in orders)
            elif not run.is_phase_over():
                break
            elif run.turn() is Phase.ENDED:
                yield m.ExecutionEnded(run.plan.run_id, run.day, tuple(row.code for row in run.plan.rows))
        yield from self._timers(run, now) if run is not None else ()

    def cancel(self, run: Execution) -> Iterator[Step]:
        """Cancel what is left of the phase, and look again; without the broker it is owed."""
        run.owes_round = not self.is_linked
        if self.is_linked:
            now, overdue = self._clock.now(), m.SellsOverdue if run.phase is Phase.SELLING else m.BuysOverdue
            yield from self.withdraw(run, run.cancel_round(now.date()))
            if not run.is_phase_over():
                yield Later(self._schedule.pause_s(now, self._rules.cancel_wait_s), overdue(*run.key))
            yield from self.go_on(run)

    def withdraw(self, run: Execution, legs: Collection[Leg]) -> Iterator[m.CancelOrder]:
        """Cancel these orders now; in the same second so many fewer leave."""
        self._rate.note(len(legs), self._clock.now())
        yield from (m.CancelOrder(run.plan.run_id, *leg.ids) for leg in legs)

    def chase(self, run: Execution | None) -> Iterator[m.PricesDue | Later[m.ChaseDue]]:
        """Ask for the prices of names whose orders rest, and look again later."""
        now = self._clock.now()
        if run is not None and run.is_trading and not self.is_stopping:
            yield self._chase_timer(run, now)
            if self.is_linked and self._schedule.next_send(now) == now and (codes := run.resting(now)):
                yield m.PricesDue(*run.key, codes)

    def _timers(self, run: Execution, now: datetime) -> Iterator[Later[Timer]]:
        is_first = run.timed is None
        if run.needs_timer():
            overdue, wait_s = m.BuysOverdue, self._rules.buy_wait_s  # type: type[m.SellsOverdue | m.BuysOverdue], float
            if run.phase is Phase.SELLING:
                overdue, wait_s = m.SellsOverdue, self._rules.sell_wait_s
            yield Later(self._schedule.wait_s(now, wait_s), overdue(*run.key))
            if is_first and self._rules.chase.times:
                yield self._chase_timer(run, now)
        if look := run.chase.to_check():
            yield Later(_LAST_LOOK_S, m.ListsDue(*run.key, look))

    def _chase_timer(self, run: Execution, now: datetime) -> Later[m.ChaseDue]:
        return Later(self._schedule.pause_s(now, self._rules.chase.after_s), m.ChaseDue(*run.key))
