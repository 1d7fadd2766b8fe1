"""What must hold when the days are over: the journal against the exchange's own books."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from qws.domain import rest
from qws.domain.known_orders import ASK, NEVER_ARRIVED
from qws.domain.orders import BrokerOrder, OrderStatus
from qws.domain.tags import day_part, same_day_part
from qws.messages import (
    ControlOrdered,
    EquityRecorded,
    FillReceived,
    OrderUpdated,
    PlaceOrder,
    RebalanceDue,
    RunFinished,
    RunPaused,
    TargetAccepted,
    TargetRejected,
)
from qws.runtime.message import Message
from tests.simulation.disk import PERSON
from tests.simulation.keys import Key, digit_of, key_of
from tests.simulation.world import World

M = TypeVar("M", bound=Message)
# Refusals that somebody else caused, by the counter's code.
_STORM = "STORM"
_BLIND = {"no_quote", "stale_quote", "stale_record", "no_snapshot"}  # the follow-up that might have sent more could not
_STRAYS = {"order_doubled": "duplicate", "remark_mangled": "mangled"}  # faults that halt trading, and how it is told
_PRICES_MOVE = Decimal("0.3")  # from a trade that nobody heard of to the next close, at most
_SMALL, _FEW = Decimal("0.05"), 3  # what may be sent again when it was lost: so small, and so many names


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
        self.each_record_tells_what_was_moved()
        self.fills_stay_within_orders()
        self.what_never_arrived_is_not_sent_again()
        self.results_tell_what_traded()
        self.what_is_left_is_carried_over()

    def told(self, kind: type[M]) -> Iterator[M]:
        """What was journalled of one type."""
        return (envelope.body for envelope in self._kept if isinstance(envelope.body, kind))

    def _ours(self) -> dict[str, BrokerOrder]:
        """The exchange's order of each tag that was journalled; of a doubled one that which the journal follows."""
        known = {told.order.tag: told.order.order_id for told in self.told(OrderUpdated)}
        found: dict[str, BrokerOrder] = {}
        for order in self._world.terminal.all_orders():
            if order.tag in self._world.witness.intents:
                is_followed = self._world.line.order_shown(order).order_id == known.get(order.tag)
                found[order.tag] = order if is_followed else found.get(order.tag, order)
        return found

    def _key_of(self, order: BrokerOrder) -> Key:
        return key_of(self._world.witness.intents[order.tag])

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
            happened = self._world.weather.happened
            if told.by != PERSON and not any(happened[fault] for fault, why in _STRAYS.items() if why in told.by):
                self._blame("I6", f"{told.command} by {told.by}")
        strangers = {told.order.tag for told in self.told(OrderUpdated)} - self._world.witness.intents.keys()
        if strangers:
            self._blame("I17", f"orders of others were taken for ours: {sorted(strangers)}")

    def _may_ask_about(self, order: BrokerOrder) -> bool:
        """An id that no list shows, of an error that a dead process heard: only a person knows."""
        return order.message.startswith(ASK) and bool(self._world.weather.happened["order_unlisted"])

    def both_books_agree(self) -> None:
        """I7: what the exchange knows of our orders is what the journal knows, and nothing else is."""
        known = {told.order.tag: told.order for told in self.told(OrderUpdated)}
        ours = self._ours()
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
                if mine is None or (mine.status is not OrderStatus.JUNK and not self._may_ask_about(mine)):
                    self._blame("I7", f"{tag} is not at the exchange, the journal says {mine}")
            elif mine is None or (mine.status, mine.traded) != (theirs.status, theirs.traded):
                self._blame("I7", f"the exchange says {theirs}, the journal {mine}")
            elif filled[tag] != theirs.traded:
                self._blame("I7", f"{tag} traded {theirs.traded}, fills of {filled[tag]} were told")

    def refusals_are_explained(self) -> None:
        """I5, I18: the broker refuses nothing, unless somebody else's doing explains it."""
        plans, others = self._world.witness.plans, self._world.others
        for order in self._ours().values():
            code = order.message.partition(":")[0]
            if order.status is not OrderStatus.JUNK or code == _STORM:
                continue
            explained = {
                "INSUFFICIENT_CASH": others.has_cash_gone(plans[self._key_of(order)].at),
                "INSUFFICIENT_SHARES": order.code in others.codes,
                "QTY_ODD_LOT": order.code in others.codes,
                "ST_DAILY_CAP": order.code in others.codes,
                "PHASE_CLOSED": others.has_gap,
                "PRICE_CAGE": order.code in others.dirty or order.tag in others.late,
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
        """I8, I13: every attempt that was due has ended by the evening, every run has one result, on file too."""
        ends = {(end.run_id, end.attempt) for end in self.told(RunFinished)}
        ends |= {(paused.run_id, paused.attempt) for paused in self.told(RunPaused)}
        results = Counter(end.run_id for end in self.told(RunFinished))
        for due in self.told(RebalanceDue):
            if (due.run_id, due.attempt) not in ends:
                self._blame("I13", f"{due.run_id} attempt {due.attempt} of {due.trigger} never ended")
            if results[due.run_id] != 1:
                self._blame("I8", f"{due.run_id} has {results[due.run_id]} results")
            if results[due.run_id] and due.run_id not in self._world.shelf.results:
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

    def each_record_tells_what_was_moved(self) -> None:
        """I9d: what people brought or took since the close before, whatever else happened, and nothing else.

        What traded on an evening that nobody lived through, or is missing in a short list, is known by its shares
        only, and worth about what they are worth. What an ex-date brought is told together with what was moved on the
        same day, or all of it is taken for that; and what nobody can tell from a deposit may be told as one.
        """
        closes = [told for told in self.told(EquityRecorded) if told.kind == "close"]
        heard = {(told.trade.at.date(), told.trade.code, told.trade.trade_id) for told in self.told(FillReceived)}
        is_short = self._world.weather.happened["trades_short"] > 0
        for before, now in pairwise(closes):
            moved = sum((amount for when, amount in self._world.moved if before.at < when <= now.at), Decimal(0))
            unheard = sum(
                trade.shares * trade.price
                for trade in map(self._world.line.trade_shown, self._world.terminal.all_trades())
                if before.at < trade.at <= now.at and (is_short or trade.at.date() in self._world.blind_days)
                and (trade.at.date(), trade.code, trade.trade_id) not in heard
            )  # fmt: skip
            span, slack = (before.at, now.at), 1 + unheard * _PRICES_MOVE
            earned = self._world.payments.between(*span) if moved or unheard else Decimal(0)
            is_blind = any(before.day <= day <= now.day for day in self._world.blind_days)
            unclear = self._world.payments.unclear(*span, is_blind=is_blind)
            sums = (moved, moved + earned, moved + unclear, Decimal(0) if earned else moved)
            if now.flow is None or not min(sums) - slack <= now.flow <= max(sums) + slack:
                self._blame("I9d", f"{now.day}: {now.flow} is told, {moved} was moved")

    def fills_stay_within_orders(self) -> None:
        """I2: no order trades more than it asked for, and no attempt more than it planned."""
        traded: Counter[tuple[str, str, str]] = Counter()
        for order in self._ours().values():
            if order.traded > order.shares:
                self._blame("I2", f"{order} traded too much")
            traded[*self._key_of(order), order.code] += order.traded
        for (run_id, attempt, code), shares in traded.items():
            plan = self._world.witness.plans[run_id, attempt]
            most = next(row.shares for row in plan.rows if row.code == code)
            if shares > most:
                self._blame("I2", f"{run_id} attempt {attempt} traded {shares} of {code}, planned {most}")

    def what_never_arrived_is_not_sent_again(self) -> None:
        """I1c: no more of a name in a run that lost an order of it, but once where that was allowed.

        An order that a kill cut off before its answer is not lost: nobody was told that it may be on its way.
        """
        unanswered: set[str] = set()
        lost: dict[tuple[str, str], str] = {}  # the attempt that lost an order, by run and code
        turns: dict[Key, RebalanceDue] = {}
        followed: Counter[Key] = Counter()
        for body in (envelope.body for envelope in self._kept):
            match body:
                case RebalanceDue() as due:
                    turns[due.run_id, digit_of(due.attempt)] = due
                    if due.trigger == "recovery" and self._world.execution.absent is rest.Absent.AGAIN:
                        lost = {key: attempt for key, attempt in lost.items() if key[0] != due.run_id}
                case OrderUpdated(order=order) if order.status is OrderStatus.UNKNOWN:
                    unanswered.add(order.tag)
                case OrderUpdated(order=order) if order.message.startswith(NEVER_ARRIVED) and order.tag in unanswered:
                    intent = self._world.witness.intents[order.tag]
                    lost[intent.run_id, order.code] = key_of(intent)[1]
                case PlaceOrder(order=order) as intent if (intent.run_id, order.code) in lost:
                    key = key_of(intent)  # what else an attempt has of the name is told of by I2
                    if key[1] == lost[intent.run_id, order.code]:
                        continue
                    del lost[intent.run_id, order.code]
                    if why := self._may_follow(turns[key], order.code, followed):
                        self._blame("I1c", f"{order.tag} {order.code} follows an order that was lost: {why}")
                case _:
                    pass

    def _may_follow(self, due: RebalanceDue, code: str, followed: Counter[Key]) -> str:
        """Why an attempt may not trade a name of which the run lost an order; empty when it may."""
        before = due.before
        if self._world.execution.absent is rest.Absent.HOLD or before is None:
            return "nothing may"
        then = next((each for each in before.end.outcomes if each.code == code), None)
        if then is None or (before.follow_ups != 1 and _BLIND.isdisjoint((then.reason, before.end.reason))):
            return f"as follow-up {before.follow_ups}"
        key = due.run_id, digit_of(due.attempt)
        self._world.weather.happened["lost_order_followed"] += 1
        followed[key] += bool(then.wanted)
        if then.wanted and abs(then.wanted - then.achieved) > _SMALL:
            return f"{then.wanted - then.achieved} is no small part"
        return f"{followed[key]} names are too many" if followed[key] > _FEW else ""

    def results_tell_what_traded(self) -> None:
        """I7: what is told of a run counts every share that its orders traded; with unknown orders no more."""
        traded: Counter[tuple[str, str, str]] = Counter()
        for order in self._ours().values():
            traded[*self._key_of(order), order.code] += order.traded
        for end in (*self.told(RunFinished), *(paused.end for paused in self.told(RunPaused))):
            for outcome in end.outcomes:
                attempts = map(digit_of, range(end.attempt + 1))
                theirs = sum(traded[end.run_id, each, outcome.code] for each in attempts)
                if outcome.filled != theirs and (end.reason != "unknown" or outcome.filled > theirs):
                    text = f"{outcome.filled} of {outcome.code}, the exchange {theirs}"
                    self._blame("I7", f"{end.run_id} attempt {end.attempt} says it traded {text}")

    def what_is_left_is_carried_over(self) -> None:
        """I13: what a day left over is planned on the next one, where that is wanted and somebody lives."""
        for day, after in pairwise(self._world.workload.days):
            target_id = self._world.witness.wanted.forgotten(day)
            if target_id and after not in self._world.blind_days:
                self._blame("I13", f"{target_id} was left over on {day}, and forgotten on {after}")
