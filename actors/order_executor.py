"""Which orders go out now? Sells first; buys from certain money when the sells are done or overdue."""

from __future__ import annotations

from collections.abc import Iterator

from qws import messages as m
from qws.domain.costs import Costs
from qws.domain.execution import Execution, ExecutionRules, Phase, unsent_status
from qws.domain.orders import OrderRequest
from qws.domain.report import ending_of
from qws.domain.schedule import Schedule
from qws.ports import Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Later, Stopping

_Overdue = m.SellsOverdue | m.BuysOverdue
_Next = m.PlaceOrder | m.CancelOrder | m.ExecutionEnded | Later[m.SellsOverdue | m.BuysOverdue | m.SendWindowDue]


class OrderExecutor(Actor):
    """Sends a plan's orders, follows them to their end, and reports what became of every name."""

    on_crash = "halt"

    def __init__(self, clock: Clock, schedule: Schedule, rules: ExecutionRules, costs: Costs) -> None:
        self._clock, self._schedule, self._rules, self._costs = clock, schedule, rules, costs
        self._run: Execution | None = None
        self._over: tuple[tuple[str, int], ...] = ()  # runs whose late plans mean nothing any more
        self._owed: _Overdue | None = None  # a cancel round that waits for the link
        self._is_linked, self._is_stopping = False, False

    def busy(self) -> bool:
        return self._run is not None and not self._is_stopping

    def recall_plan_ready(self, msg: m.PlanReady) -> None:
        if run := self._begin(msg):
            run.stop("interrupted")  # what an earlier life began is only followed to its end
            self._owed = m.BuysOverdue(*run.key)

    def recall_place_order(self, msg: m.PlaceOrder) -> None:
        if self._run is not None and self._run.plan.run_id == msg.run_id:
            self._run.adopt(msg.order)

    def recall_order_updated(self, msg: m.OrderUpdated) -> None:
        if self._run is not None:
            self._run.on_order(msg.order)

    def recall_fill_received(self, msg: m.FillReceived) -> None:
        if self._run is not None:
            self._run.on_fill(msg.trade, self._costs.on(self._run.day))

    def recall_run_stop_ordered(self, msg: m.RunStopOrdered) -> None:
        self._over = (*self._over[-99:], (msg.due.run_id, msg.due.attempt))
        if self._run is not None and self._run.key == self._over[-1]:
            self._run.stop(msg.reason)

    def recall_run_finished(self, msg: m.RunFinished) -> None:
        self._over = (*self._over[-99:], (msg.run_id, msg.attempt))
        if self._run is not None and self._run.key == self._over[-1]:
            self._run = None

    on_run_finished = recall_run_finished

    def on_plan_ready(self, msg: m.PlanReady) -> Iterator[_Next]:
        if self._begin(msg):
            yield from self._advance()

    def on_order_updated(self, msg: m.OrderUpdated) -> Iterator[_Next]:
        self.recall_order_updated(msg)
        yield from self._advance()

    def on_fill_received(self, msg: m.FillReceived) -> Iterator[_Next]:
        self.recall_fill_received(msg)
        yield from self._advance()

    def on_send_window_due(self, msg: m.SendWindowDue) -> Iterator[_Next]:
        yield from self._advance()

    def on_sells_overdue(self, msg: m.SellsOverdue) -> Iterator[_Next]:
        yield from self._cancel_round(msg)

    def on_buys_overdue(self, msg: m.BuysOverdue) -> Iterator[_Next]:
        yield from self._cancel_round(msg)

    def on_run_stop_ordered(self, msg: m.RunStopOrdered) -> Iterator[_Next | m.RunFinished]:
        self._over = (*self._over[-99:], (msg.due.run_id, msg.due.attempt))
        if self._run is None or self._run.key != self._over[-1]:
            status, now = unsent_status(msg.reason), self._clock.now()
            yield m.RunFinished.without_trades(msg.due, status, msg.reason, "nothing was sent", now)
        elif self._run.stop(msg.reason):
            yield from self._cancel_round(m.BuysOverdue(*self._run.key))

    def on_link_lost(self, msg: m.LinkLost) -> None:
        self._is_linked = False

    def on_link_ready(self, msg: m.LinkReady) -> Iterator[_Next]:
        owed, self._owed, self._is_linked = self._owed, None, True
        yield from self._advance() if owed is None else self._cancel_round(owed)

    def on_stopping(self, msg: Stopping) -> None:
        self._is_stopping = True  # working orders go on living; the next start settles them

    def on_fills_reconciled(self, msg: m.FillsReconciled) -> Iterator[m.RunFinished]:
        run = self._run
        if run is not None and run.plan.run_id == msg.run_id and run.phase is Phase.ENDED:
            self._run = None
            yield m.RunFinished(*ending_of(run, msg.snapshot))

    def _begin(self, msg: m.PlanReady) -> Execution | None:
        run = Execution(msg.plan, msg.plan.at.date(), msg.plan.cash)
        if self._run is None and not msg.plan.preview and run.key not in self._over:
            self._run = run
        return run if self._run is run else None

    def _advance(self) -> Iterator[_Next]:
        """The only place where a run goes on, and only when nothing of the phase before it is open."""
        run, now = self._run, self._clock.now()
        while run is not None and self._is_linked and not self._is_stopping and not run.waits():
            if run.phase in (Phase.READY, Phase.SELLING):
                opens_at = self._schedule.next_send(now) if now.date() == run.day else None
                if opens_at is None:
                    run.stop("session_over")
                elif opens_at > now:
                    yield Later((opens_at - now).total_seconds(), m.SendWindowDue(*run.key))
                    return
            if run.phase is Phase.READY:
                yield from self._send(run.sells(), m.SellsOverdue(*run.key), self._rules.sell_wait_s)
            elif run.phase is Phase.SELLING:
                requests = run.buys(self._rules.cash_reserve, self._costs.on(run.day))
                yield from self._send(requests, m.BuysOverdue(*run.key), self._rules.buy_wait_s)
            else:
                run.phase = Phase.ENDED
                yield m.ExecutionEnded(run.plan.run_id, run.day, tuple(row.code for row in run.plan.rows))

    def _send(self, requests: list[OrderRequest], overdue: _Overdue, wait_s: float) -> Iterator[_Next]:
        yield from (m.PlaceOrder(overdue.run_id, request) for request in requests)
        if requests:
            yield Later(self._schedule.wait_s(self._clock.now(), wait_s), overdue)

    def _cancel_round(self, overdue: _Overdue) -> Iterator[_Next]:
        run, now, is_selling = self._run, self._clock.now(), isinstance(overdue, m.SellsOverdue)
        if not self._is_linked:
            self._owed = overdue
        elif run is not None and run.expects((overdue.run_id, overdue.attempt), is_selling=is_selling):
            for leg in run.cancel_round(now.date()):
                yield m.CancelOrder(run.plan.run_id, leg.request.tag, leg.order_id)
            if run.waits():
                yield Later(self._schedule.pause_s(now, self._rules.cancel_wait_s), overdue)
            yield from self._advance()
