"""Which orders go out now? Sells first; buys as money becomes certain, or when the sells are done or overdue."""

from __future__ import annotations

from collections.abc import Iterator

from qws import messages as m
from qws.domain.execution import INTERRUPTED, Phase
from qws.domain.execution_rules import ExecutionRules
from qws.domain.planner import PlanRules, repriced
from qws.domain.report import ending_of, unsent_status
from qws.domain.rest import FOLLOW_UP
from qws.domain.run_book import RunBook
from qws.domain.schedule import Schedule
from qws.ports import Clock
from qws.run_steps import RunSteps, Step
from qws.runtime.actor import Actor
from qws.runtime.message import Stopping


class OrderExecutor(Actor):
    """Sends a plan's orders, follows them to their end, and reports what became of every name."""

    on_crash = "halt"

    def __init__(self, clock: Clock, schedule: Schedule, rules: ExecutionRules, planning: PlanRules) -> None:
        self._clock, self._planning = clock, planning
        self._book, self._steps = RunBook(planning.costs, rules), RunSteps(clock, schedule, rules)

    def busy(self) -> bool:
        return self._book.run is not None and not self._steps.is_stopping

    def recall_plan_ready(self, msg: m.PlanReady) -> None:
        self._book.begin(msg.plan, INTERRUPTED)  # what an earlier life began is only followed to its end

    def recall_place_order(self, msg: m.PlaceOrder) -> None:
        self._book.adopt(msg.run_id, msg.order)

    def recall_order_updated(self, msg: m.OrderUpdated) -> None:
        self._book.note_order(msg.order)

    def recall_fill_received(self, msg: m.FillReceived) -> None:
        self._book.note_fill(msg.trade)

    def recall_run_stop_ordered(self, msg: m.RunStopOrdered) -> None:
        self._book.ask_end(msg.due.run_id, msg.due.attempt, msg.reason)

    def recall_run_finished(self, msg: m.RunFinished) -> None:
        self._book.end(msg.run_id, msg.attempt)

    def recall_run_paused(self, msg: m.RunPaused) -> None:
        self._book.pause(msg.run_id, msg.attempt, msg.so_far)

    def recall_control_ordered(self, msg: m.ControlOrdered) -> None:
        self._book.command(msg.command)

    on_run_finished = recall_run_finished
    on_run_paused = recall_run_paused

    def on_plan_ready(self, msg: m.PlanReady) -> Iterator[Step]:
        yield from self._steps.go_on(self._book.run) if self._book.begin(msg.plan) else ()

    def on_order_updated(self, msg: m.OrderUpdated) -> Iterator[Step]:
        self._book.note_order(msg.order)
        yield from self._steps.go_on(self._book.run)

    def on_fill_received(self, msg: m.FillReceived) -> Iterator[Step]:
        self._book.note_fill(msg.trade)
        yield from self._steps.go_on(self._book.run)

    def on_send_window_due(self, msg: m.SendWindowDue) -> Iterator[Step]:
        if run := self._book.of(msg.run_id, msg.attempt):
            run.opens_at = None
            yield from self._steps.go_on(run)

    def on_prices_taken(self, msg: m.PricesTaken) -> Iterator[Step]:
        run = self._book.of(msg.run_id, msg.attempt)
        if run is not None and run.asked == msg.codes and not self._steps.is_stopping:  # not an older question's answer
            market, worst = (msg.quotes, msg.instruments), run.worst_prices()
            worse = run.reprice(msg.at, repriced(run.asked_rows(), msg.at, market, self._planning, worst))
            yield from self._steps.withdraw(run, worse)
            yield from self._steps.go_on(self._book.run)

    def on_chase_due(self, msg: m.ChaseDue) -> Iterator[Step]:
        yield from self._steps.chase(self._book.of(msg.run_id, msg.attempt))

    def on_lists_read(self, msg: m.ListsRead) -> Iterator[Step]:
        if run := self._book.of(msg.run_id, msg.attempt):
            run.send_again(msg.look)
            yield from self._steps.go_on(self._book.run)

    def on_ledger_drift(self, msg: m.LedgerDrift) -> Iterator[Step]:
        if (run := self._book.of(msg.run_id, msg.attempt)) and msg.explanation != "fees":
            run.hold_buys("drift")
            yield from self._steps.go_on(run)

    def on_control_ordered(self, msg: m.ControlOrdered) -> Iterator[Step]:
        self._book.command(msg.command)
        if msg.command == "reduce_only":
            yield from self._steps.go_on(self._book.run)

    def on_sells_overdue(self, msg: m.SellsOverdue) -> Iterator[Step]:
        run = self._book.of(msg.run_id, msg.attempt)
        yield from self._steps.cancel(run) if run and run.phase is Phase.SELLING else ()

    def on_buys_overdue(self, msg: m.BuysOverdue) -> Iterator[Step]:
        run = self._book.of(msg.run_id, msg.attempt)
        yield from self._steps.cancel(run) if run and run.phase in (Phase.BUYING, Phase.ENDING) else ()

    def on_run_stop_ordered(self, msg: m.RunStopOrdered) -> Iterator[Step | m.RunFinished | m.RunPaused]:
        due = msg.due
        is_told, run = self._book.ask_end(due.run_id, due.attempt, msg.reason), self._book.of(due.run_id, due.attempt)
        if run is not None:
            yield from self._steps.cancel(run) if run.owes_round else ()
        elif not is_told:
            self._book.leave(due.run_id, due.attempt)
            text, now = "nothing of this attempt was sent", self._clock.now()
            end = m.RunFinished.without_trades(due, unsent_status(msg.reason), msg.reason, text, now)
            yield m.RunPaused.without_trades(due, msg.reason, end) if msg.reason == INTERRUPTED else end

    def on_link_lost(self, msg: m.LinkLost) -> None:
        self._steps.is_linked = False

    def on_link_ready(self, msg: m.LinkReady) -> Iterator[Step]:
        self._steps.is_linked, run = True, self._book.run
        yield from self._steps.cancel(run) if run is not None and run.owes_round else self._steps.go_on(self._book.run)

    def on_stopping(self, msg: Stopping) -> None:
        self._steps.is_stopping = True  # working orders go on living; the next start settles them

    def on_fills_reconciled(self, msg: m.FillsReconciled) -> Iterator[m.RunFinished | m.RunPaused]:
        run = self._book.run
        if run is not None and run.plan.run_id == msg.run_id and run.phase is Phase.ENDED:
            self._book.leave(*run.key)
            pause, ending = ending_of(run, msg.snapshot)
            end, follow_ups = m.RunFinished(*ending), run.before.follow_ups + (pause == FOLLOW_UP)
            yield m.RunPaused(pause, follow_ups, run.was_sent(), end) if pause else end
