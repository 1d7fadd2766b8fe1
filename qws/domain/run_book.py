"""Which run is on, and which are over: one at a time, and a late plan of one that is over means nothing."""

from __future__ import annotations

from qws.domain.costs import Costs
from qws.domain.execution import Execution
from qws.domain.execution_rules import ExecutionRules
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.domain.plan import Plan
from qws.domain.rest import SoFar
from qws.domain.trading_state import TradingState, state_after


class RunBook:
    """The run that is on; of the others their end, told or asked for and not told, or what they did until a pause."""

    def __init__(self, costs: Costs, rules: ExecutionRules) -> None:
        self._costs, self._rules = costs, rules
        self._is_told: dict[tuple[str, int], bool] = {}
        self._paused: dict[str, SoFar] = {}
        self.run: Execution | None = None
        self._state = TradingState.ACTIVE

    def begin(self, plan: Plan, stopped: str = "") -> bool:
        """Begin the run of this plan, or only end it, unless another is on, it is a preview, or its run is over."""
        if self.run is not None or plan.preview or (plan.run_id, plan.attempt) in self._is_told:
            return False
        self.run = Execution(plan, self._rules, self._costs.on(plan.at.date()))
        self.run.before = self._paused.get(plan.run_id, self.run.before)
        self.run.owes_round = bool(stopped) and self.run.stop(stopped)
        self._reduce()
        return True

    def command(self, command: str) -> None:
        """A person ordered something: while trading only reduces, no run buys anything more."""
        self._state = state_after(self._state, command)
        self._reduce()

    def of(self, run_id: str, attempt: int) -> Execution | None:
        """The run that is on, if it is this one: a timer or an order of another one means nothing."""
        return self.run if self.run is not None and self.run.key == (run_id, attempt) else None

    def adopt(self, run_id: str, order: OrderRequest) -> None:
        """Take over an order that an earlier life of this process journalled."""
        if self.run is not None and self.run.plan.run_id == run_id:
            self.run.adopt(order)

    def note_order(self, order: BrokerOrder) -> None:
        """What the broker says of an order."""
        if self.run is not None:
            self.run.on_order(order)

    def note_fill(self, trade: Trade) -> None:
        """A fill, booked once."""
        if self.run is not None:
            self.run.on_fill(trade)

    def ask_end(self, run_id: str, attempt: int, reason: str) -> bool:
        """The end of a run was asked for: its plan may not begin any more. Whether its end was told already."""
        if (run := self.of(run_id, attempt)) is not None and run.stop(reason):
            run.owes_round = True
        return self._is_told.setdefault((run_id, attempt), False)

    def leave(self, run_id: str, attempt: int) -> None:
        """The end of an attempt was told."""
        self._is_told[run_id, attempt] = True
        if self.of(run_id, attempt) is not None:
            self.run = None

    def pause(self, run_id: str, attempt: int, so_far: SoFar) -> None:
        """The end of an attempt was told; its run may go on."""
        self._paused[run_id] = so_far
        self.leave(run_id, attempt)

    def end(self, run_id: str, attempt: int) -> None:
        """The end of a run was told."""
        self._paused.pop(run_id, None)
        self.leave(run_id, attempt)

    def _reduce(self) -> None:
        if self.run is not None and self._state is TradingState.REDUCE_ONLY:
            self.run.hold_buys("reduce_only")
