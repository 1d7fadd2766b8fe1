"""Which orders go out now? Sells first; buys from certain money when the sells are done or overdue."""

from __future__ import annotations

from collections.abc import Iterator

from qws import messages as m
from qws.domain.execution import Execution, ExecutionRules, Phase, unsent_status
from qws.domain.orders import OrderRequest
from qws.domain.planner import PlanRules, repriced
from qws.domain.report import ending_of
from qws.domain.run_book import RunBook
from qws.domain.schedule import Schedule
from qws.ports import Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Later, Stopping

_Overdue = m.SellsOverdue | m.BuysOverdue
_Next = m.PlaceOrder | m.CancelOrder | m.PricesDue | m.ExecutionEnded | Later[_Overdue | m.SendWindowDue]


class OrderExecutor(Actor):
    """Sends a plan's orders, follows them to their end, and reports what became of every name."""

    on_crash = "halt"

    def __init__(self, clock: Clock, schedule: Schedule, rules: ExecutionRules, planning: PlanRules) -> None:
        self._clock, self._schedule, self._rules, self._planning = clock, schedule, rules, planning
        self._book = RunBook(planning.costs)
        self._is_linked, self._is_stopping, self._owes_round = False, False, False  # a cancel round waits for the link

    def busy(self) -> bool:
        return self._book.run is not None and not self._is_stopping

    def recall_plan_ready(self, msg: m.PlanReady) -> None:
        if run := self._book.begin(msg.plan):
            self._owes_round = run.stop("interrupted")  # what an earlier life began is only followed to its end

    def recall_place_order(self, msg: m.PlaceOrder) -> None:
        self._book.adopt(msg.run_id, msg.order)

    def recall_order_updated(self, msg: m.OrderUpdated) -> None:
        self._book.note_order(msg.order)

    def recall_fill_received(self, msg: m.FillReceived) -> None:
        self._book.note_fill(msg.trade)

    def recall_run_stop_ordered(self, msg: m.RunStopOrdered) -> None:
        self._book.ask_end(msg.due.run_id, msg.due.attempt)
        if run := self._book.of(msg.due.run_id, msg.due.attempt):
            run.stop(msg.reason)

    def recall_run_finished(self, msg: m.RunFinished) -> None:
        self._book.end(msg.run_id, msg.attempt, msg.status)

    on_run_finished = recall_run_finished

    def on_plan_ready(self, msg: m.PlanReady) -> Iterator[_Next]:
        if self._book.begin(msg.plan):
            self._owes_round = False
            yield from self._advance()

    def on_order_updated(self, msg: m.OrderUpdated) -> Iterator[_Next]:
        self.recall_order_updated(msg)
        yield from self._advance()

    def on_fill_received(self, msg: m.FillReceived) -> Iterator[_Next]:
        self.recall_fill_received(msg)
        yield from self._advance()

    def on_send_window_due(self, msg: m.SendWindowDue) -> Iterator[_Next]:
        yield from self._advance()

    def on_prices_taken(self, msg: m.PricesTaken) -> Iterator[_Next]:
        if run := self._book.of(msg.run_id, msg.attempt):
            market = msg.quotes, msg.instruments
            run.reprice(msg.at, repriced(run.plan.rows, run.next_side, msg.at, market, self._planning))
            yield from self._advance()

    def on_sells_overdue(self, msg: m.SellsOverdue) -> Iterator[_Next]:
        run = self._book.of(msg.run_id, msg.attempt)
        yield from self._cancel_round(run) if run and run.phase is Phase.SELLING else ()

    def on_buys_overdue(self, msg: m.BuysOverdue) -> Iterator[_Next]:
        run = self._book.of(msg.run_id, msg.attempt)
        yield from self._cancel_round(run) if run and run.phase in (Phase.BUYING, Phase.ENDING) else ()

    def on_run_stop_ordered(self, msg: m.RunStopOrdered) -> Iterator[_Next | m.RunFinished]:
        key = msg.due.run_id, msg.due.attempt
        is_told = self._book.ask_end(*key)
        if run := self._book.of(*key):
            yield from self._cancel_round(run) if run.stop(msg.reason) else ()
        elif not is_told:
            self._book.end(*key, "told")
            status, now = unsent_status(msg.reason), self._clock.now()
            yield m.RunFinished.without_trades(msg.due, status, msg.reason, "nothing was sent", now)

    def on_link_lost(self, msg: m.LinkLost) -> None:
        self._is_linked = False

    def on_link_ready(self, msg: m.LinkReady) -> Iterator[_Next]:
        self._is_linked, run = True, self._book.run
        yield from self._cancel_round(run) if run is not None and self._owes_round else self._advance()

    def on_stopping(self, msg: Stopping) -> None:
        self._is_stopping = True  # working orders go on living; the next start settles them

    def on_fills_reconciled(self, msg: m.FillsReconciled) -> Iterator[m.RunFinished]:
        run = self._book.run
        if run is not None and run.plan.run_id == msg.run_id and run.phase is Phase.ENDED:
            self._book.end(*run.key, "told")
            yield m.RunFinished(*ending_of(run, msg.snapshot))

    def _advance(self) -> Iterator[_Next]:
        """The only place where a run goes on, and only when nothing of the phase before it is open."""
        run, now = self._book.run, self._clock.now()
        while run is not None and self._is_linked and not self._is_stopping and not run.waits():
            if run.phase in (Phase.READY, Phase.SELLING):
                opens_at = self._schedule.next_send(now) if now.date() == run.day else None
                if opens_at is None:
                    run.stop("session_over")
                elif opens_at > now:
                    yield Later((opens_at - now).total_seconds(), m.SendWindowDue(*run.key))
                    return
                elif codes := run.codes_to_price(now, self._rules.price_age_max_s):
                    yield m.PricesDue(*run.key, codes)
                    return
            if run.phase is Phase.READY:
                yield from self._send(run.sells(), m.SellsOverdue(*run.key), self._rules.sell_wait_s)
            elif run.phase is Phase.SELLING:
                buys = run.buys(self._rules.cash_reserve, self._planning.costs.on(run.day))
                yield from self._send(buys, m.BuysOverdue(*run.key), self._rules.buy_wait_s)
            else:
                run.phase = Phase.ENDED
                yield m.ExecutionEnded(run.plan.run_id, run.day, tuple(row.code for row in run.plan.rows))

    def _send(self, requests: list[OrderRequest], overdue: _Overdue, wait_s: float) -> Iterator[_Next]:
        yield from (m.PlaceOrder(overdue.run_id, request) for request in requests)
        if requests:
            yield Later(self._schedule.wait_s(self._clock.now(), wait_s), overdue)

    def _cancel_round(self, run: Execution) -> Iterator[_Next]:
        """Cancel what is left of the phase, and look again; without the link it is owed."""
        self._owes_round = not self._is_linked
        if self._is_linked:
            now, overdue = self._clock.now(), m.SellsOverdue if run.phase is Phase.SELLING else m.BuysOverdue
            yield from (m.CancelOrder(run.plan.run_id, *leg.ids) for leg in run.cancel_round(now.date()))
            if run.waits():
                yield Later(self._schedule.pause_s(now, self._rules.cancel_wait_s), overdue(*run.key))
            yield from self._advance()
