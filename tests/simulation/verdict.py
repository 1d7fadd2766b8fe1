"""What must hold when the days are over: the journal against the exchange's own books."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TypeVar

from qws.domain import rest
from qws.domain.orders import BrokerOrder, OrderStatus
from qws.domain.tags import day_part, is_ours, same_day_part
from qws.messages import (
    ControlOrdered,
    EquityRecorded,
    FillReceived,
    OrderUpdated,
    PlaceOrder,
    RebalanceDue,
    RunFinished,
    TargetAccepted,
    TargetRejected,
)
from qws.runtime.message import Message
from tests.simulation.keys import digit_of, key_of
from tests.simulation.world import World

M = TypeVar("M", bound=Message)
# Refusals that somebody else caused, by the counter's code.
_STORM = "STORM"


class Verdict:
    """Judges one world; what did not hold is told to its witness."""

    def __init__(self, world: World) -> None:
        self._world, self._blame = world, world.witness.blame
        self._kept = world.diary.kept
        self._blind = {day_part(day) for day in world.blind_days}

    def reach(self) -> None:
        """Check everything."""
        self.facts_are_monotone()
        self.both_books_agree()
        self.refusals_are_explained()
        self.each_file_has_one_answer()
        self.each_run_has_one_end()
        self.each_day_has_one_record()
        self.fills_stay_within_orders()
        self.what_never_arrived_is_not_sent_again()
        self.results_tell_what_traded()

    def told(self, kind: type[M]) -> Iterator[M]:
        """What was journalled of one type."""
        return (envelope.body for envelope in self._kept if isinstance(envelope.body, kind))

    def facts_are_monotone(self) -> None:
        """I3: no end is taken back, no share untraded, no id changed, no fill told twice."""
        known: dict[str, BrokerOrder] = {}
        for order in (told.order for told in self.told(OrderUpdated)):
            before = known.get(order.tag, order)
            is_reborn = before.status.is_terminal and order.status is not before.status and before.order_id
            if is_reborn or order.traded < before.traded or order.order_id != (before.order_id or order.order_id):
                self._blame("I3", f"{before} became {order}")
            known[order.tag] = order
        fills = Counter(
            (told.trade.at.date(), told.trade.code, told.trade.order_id, told.trade.trade_id)
            for told in self.told(FillReceived)
        )
        for key, times in fills.items():
            if times > 1:
                self._blame("I3", f"fill {key} was told {times} times")
        for told in self.told(ControlOrdered):
            if told.by.startswith("the journal"):
                self._blame("I6", f"{told.command} by {told.by}")
        strangers = {told.order.tag for told in self.told(OrderUpdated)} - self._world.witness.intents.keys()
        if strangers:
            self._blame("I17", f"orders of others were taken for ours: {sorted(strangers)}")

    def both_books_agree(self) -> None:
        """I7: what the exchange knows of our orders is what the journal knows, and nothing else is."""
        known = {told.order.tag: told.order for told in self.told(OrderUpdated)}
        ours = {order.tag: order for order in self._world.terminal.all_orders() if is_ours(order.tag)}
        for order in (told.order for told in self.told(OrderUpdated)):
            if order.status is OrderStatus.JUNK and not order.order_id and order.tag in ours:
                self._blame("I7", f"{order.tag} was held to be absent, and the exchange has it")
        filled: Counter[str] = Counter()
        for told in self.told(FillReceived):
            filled[told.trade.tag] += told.trade.shares
        for tag in self._world.witness.intents:
            if same_day_part(tag) in self._blind:
                continue
            theirs, mine = ours.get(tag), known.get(tag)
            if theirs is None:
                if mine is None or (mine.status, mine.order_id) != (OrderStatus.JUNK, ""):
                    self._blame("I7", f"{tag} is not at the exchange, the journal says {mine}")
            elif mine is None or (mine.status, mine.traded) != (theirs.status, theirs.traded):
                self._blame("I7", f"the exchange says {theirs}, the journal {mine}")
            elif filled[tag] != theirs.traded:
                self._blame("I7", f"{tag} traded {theirs.traded}, fills of {filled[tag]} were told")

    def refusals_are_explained(self) -> None:
        """I5, I18: the broker refuses nothing, unless somebody else's doing explains it."""
        world, witness = self._world, self._world.witness
        for order in world.terminal.all_orders():
            code = order.message.partition(":")[0]
            if not is_ours(order.tag) or order.status is not OrderStatus.JUNK or code == _STORM:
                continue
            explained = {
                "INSUFFICIENT_CASH": witness.has_cash_gone(order.tag),
                "INSUFFICIENT_SHARES": order.code in witness.strangers,
                "QTY_ODD_LOT": order.code in witness.strangers,
                "ST_DAILY_CAP": order.code in witness.strangers,
                "PHASE_CLOSED": witness.has_gap,
                "PRICE_CAGE": order.code in witness.dirty,
            }
            if not explained.get(code, False):
                self._blame("I5" if code.startswith("INSUFF") else "I18", f"{order.tag} {order.code}: {order.message}")

    def each_file_has_one_answer(self) -> None:
        """I8: every file that was claimed is accepted or refused, once; no content is accepted twice."""
        answers: defaultdict[str, list[str]] = defaultdict(list)
        for accepted in self.told(TargetAccepted):
            answers[accepted.path].append("accepted")
        for rejected in self.told(TargetRejected):
            answers[rejected.path].append("rejected")
        folder = self._world.folder
        for path in folder.taken:
            if len(answers[path]) != 1:
                self._blame("I8", f"{path} was answered with {answers[path]}")
        if folder.claimed or folder.dropped.keys() - {name for name in folder.dropped if not name.endswith(".csv")}:
            self._blame("I8", f"left over: {sorted(folder.claimed)} claimed, {sorted(folder.dropped)} in the inbox")
        times = Counter(accepted.sha256 for accepted in self.told(TargetAccepted))
        if times and max(times.values()) > 1:
            self._blame("I8", f"accepted more than once: {times}")

    def each_run_has_one_end(self) -> None:
        """I8, I13: every attempt that was due has ended by the evening, every run has one final result, on file too."""
        ends = Counter((end.run_id, end.attempt, end.status == "interrupted") for end in self.told(RunFinished))
        final = Counter(end.run_id for end in self.told(RunFinished) if end.status != "interrupted")
        for due in self.told(RebalanceDue):
            if not ends[due.run_id, due.attempt, False] + ends[due.run_id, due.attempt, True]:
                self._blame("I13", f"{due.run_id} attempt {due.attempt} of {due.trigger} never ended")
            if final[due.run_id] != 1:
                self._blame("I8", f"{due.run_id} has {final[due.run_id]} final results")
            if final[due.run_id] and due.run_id not in self._world.shelf.results:
                self._blame("I8c", f"{due.run_id} ended without a result beside its file")

    def each_day_has_one_record(self) -> None:
        """I9: one equity record after each close, on file too."""
        closes = [told.day for told in self.told(EquityRecorded) if told.kind == "close"]
        wanted = [day for day in self._world.workload.days if day not in self._world.blind_days]
        if [day for day in closes if day not in self._world.blind_days] != wanted:
            self._blame("I9", f"records of {closes}, days {wanted}")
        missing = {(str(day), "close", "") for day in wanted} - self._world.shelf.equity
        if missing:
            self._blame("I9c", f"not on file: {sorted(missing)}")

    def fills_stay_within_orders(self) -> None:
        """I2: no order trades more than it asked for, and no attempt more than it planned."""
        traded: Counter[tuple[str, str, str]] = Counter()
        for order in self._world.terminal.all_orders():
            if order.traded > order.shares:
                self._blame("I2", f"{order} traded too much")
            if order.tag in self._world.witness.intents:
                traded[*key_of(self._world.witness.intents[order.tag]), order.code] += order.traded
        for (run_id, attempt, code), shares in traded.items():
            plan = self._world.witness.plans[run_id, attempt]
            most = next(row.shares for row in plan.rows if row.code == code)
            if shares > most:
                self._blame("I2", f"{run_id} attempt {attempt} traded {shares} of {code}, planned {most}")

    def what_never_arrived_is_not_sent_again(self) -> None:
        """I1c: a follow-up leaves alone what was lost on its way, however sure that is."""
        lost: set[tuple[str, str, str]] = set()
        for envelope in self._kept:
            match envelope.body:
                case RunFinished(reason=rest.FOLLOW_UP) as end:
                    codes = {each.code for each in end.outcomes if each.reason == "never_arrived"}
                    lost |= {(end.run_id, digit_of(end.attempt + 1), code) for code in codes}
                case PlaceOrder() as intent if (*key_of(intent), intent.order.code) in lost:
                    self._blame("I1c", f"{intent.order.tag} {intent.order.code} follows an order that was lost")
                case _:
                    pass

    def results_tell_what_traded(self) -> None:
        """I7: the result of a run counts every share that its orders traded; one with unknown orders no more."""
        traded: Counter[tuple[str, str, str]] = Counter()
        for order in self._world.terminal.all_orders():
            if order.tag in self._world.witness.intents:
                traded[*key_of(self._world.witness.intents[order.tag]), order.code] += order.traded
        for end in (end for end in self.told(RunFinished) if end.outcomes):
            for outcome in end.outcomes:
                theirs = traded[end.run_id, digit_of(end.attempt), outcome.code]
                if outcome.filled != theirs and (end.reason != "unknown" or outcome.filled > theirs):
                    text = f"{outcome.filled} of {outcome.code}, the exchange {theirs}"
                    self._blame("I7", f"{end.run_id} attempt {end.attempt} says it traded {text}")
