"""What files want of each run, on their own day or carried over to the next; and that plans are of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from qws.domain.market import Side
from qws.domain.plan import Plan
from qws.messages import RebalanceDue, RunFinished, SnapshotTaken, StopTriggered, TargetAccepted
from qws.ports import Calendar
from qws.runtime.message import Envelope

Key = tuple[str, date]  # a target and its day
_MOMENT = timedelta(milliseconds=50)
CARRY, STOPS = "carry", "stops"
LEFT_OVER = ("not_filled", "session_over", "expired")  # ends of runs that go on the next day
# Why a name is not as wanted, where another day may change that.
_TOMORROW = ("not_filled", "not_sent", "rejected", "slippage", "at_limit", "drift", "never_arrived", "cash",
             "no_quote", "stale_quote", "stale_record", "limit_up", "limit_down", "suspended", "session_over",
             "t_plus_1")  # fmt: skip


class Wanted:
    """Follows targets, turns and ends of runs; `blame` is told what does not hold."""

    def __init__(self, blame: Callable[[str, str], None], calendar: Calendar, *, carries: bool) -> None:
        self._blame, self._calendar, self._carries = blame, calendar, carries
        self._weights: dict[Key, Mapping[str, Decimal]] = {}
        self._newest: dict[date, tuple[str, datetime]] = {}
        self._ends: dict[Key, RunFinished] = {}
        self._carried: dict[Key, Key] = {}  # what is planned on another day, and where it comes from
        self._out: dict[str, tuple[date, date]] = {}  # names that a stop ended: from this day on, and until that one

    def note(self, envelope: Envelope) -> None:
        """A message is on the disk."""
        match envelope.body:
            case TargetAccepted(target_id=target_id, days=days):
                for each in days:
                    self._weights[target_id, each.day] = {weight.code: weight.weight for weight in each.weights}
                    self._newest[each.day] = target_id, envelope.at
                    for weight in each.weights:
                        since, until = self._out.get(weight.code, (date.max, date.max))
                        if weight.weight and since < each.day < until:
                            self._out[weight.code] = since, each.day
            case StopTriggered(code=code, day=day):
                self._out[code] = day, date.max
            case RebalanceDue(target_id=target_id) if target_id == STOPS:
                pass  # of no file
            case RebalanceDue() as due if (due.target_id, due.day) not in self._weights:
                self._carry(due, envelope.at)
            case RunFinished() as end:
                self._ends[end.target_id, end.day] = end
            case _:
                pass

    def expect(self, plan: Plan, seen: SnapshotTaken) -> None:
        """I12, I22: what is traded has a price of that moment, and is wanted and held as file and account say."""
        key = seen.target_id, seen.day
        origin = self._carried.get(key)
        weights = self._weights.get(origin or key, {})
        held = {position.code: position.shares for position in seen.snapshot.positions}
        quoted = {quote.code for quote in seen.snapshot.quotes if quote.last or quote.prev_close}
        for row in plan.rows:
            if row.side is not None and row.code not in quoted:
                self._blame("I12", f"{plan.run_id} trades {row.code} without a quote")
            since, until = self._out.get(row.code, (date.max, date.max))
            if since <= seen.day < until:
                if row.weight or row.side is Side.BUY:
                    self._blame("I22", f"{plan.run_id} plans {row}, which a stop ended on {since}")
                continue
            if seen.target_id == STOPS:
                if row.side is not None:
                    self._blame("I22", f"{plan.run_id} plans {row}, which no stop ended")
                continue
            if (row.weight, row.held) != (weights.get(row.code, 0), held.get(row.code, 0)):
                self._blame("I22", f"{plan.run_id} plans {row}, wanted {weights.get(row.code)}, held {held}")
            if row.side is not None and origin is not None and not self._is_left(origin, row.code):
                self._blame("I22", f"{plan.run_id} trades {row.code}, of which nothing was left on {origin[1]}")

    def forgotten(self, day: date) -> str:
        """I13: the target that a day left over and the next session did not take up; empty when there is none."""
        target_id, _ = self._newest.get(day, ("", None))
        end, after = self._ends.get((target_id, day)), self._calendar.next_session(day)
        is_left = self._carries and end is not None and _is_left_over(end) and after not in self._newest
        return target_id if is_left and self._carried.get((target_id, after)) != (target_id, day) else ""

    def _carry(self, due: RebalanceDue, at: datetime) -> None:
        """I22: a target without this day goes on as README says, or this is an attempt more of it."""
        before = self._calendar.previous_session(due.day)
        origin, end = (due.target_id, before), self._ends.get((due.target_id, before))
        if self._carried.setdefault((due.target_id, due.day), origin) == origin and due.before is not None:
            return
        newest, _ = self._newest.get(before, ("", None))
        _, own_at = self._newest.get(due.day, ("", None))
        for is_wrong, why in (
            (not self._carries, "nothing is to be carried over"),
            (origin not in self._weights or newest != due.target_id, f"it was not the target of {before}"),
            (end is None or not _is_left_over(end), f"on {before} it came to {end and (end.status, end.reason)}"),
            (own_at is not None and own_at < at - _MOMENT, "the day has a target of its own"),
            (due.trigger not in (CARRY, "manual"), f"it is due by {due.trigger}"),
        ):
            if is_wrong:
                self._blame("I22", f"{due.run_id} plans {due.target_id} on {due.day}: {why}")

    def _is_left(self, origin: Key, code: str) -> bool:
        end = self._ends.get(origin)
        outcomes = end.outcomes if end is not None else ()
        return not outcomes or any(each.code == code and each.reason in _TOMORROW for each in outcomes)


def _is_left_over(end: RunFinished) -> bool:
    return end.status == "incomplete" and end.reason in LEFT_OVER
