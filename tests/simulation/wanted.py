"""What files want of each run, on their own day or carried over to the next; and that plans are of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from qws.domain.market import Side
from qws.domain.plan import Plan
from qws.domain.targets import DayTarget, Mode
from qws.messages import (
    PlaceOrder,
    RebalanceDue,
    RunFinished,
    SnapshotTaken,
    StopTriggered,
    TargetAccepted,
    WeightsFixed,
)
from qws.ports import Calendar
from qws.runtime.message import Envelope

Key = tuple[str, date]  # a target and its day
_ZERO, _ROUNDED = Decimal(0), Decimal("1e-9")
_MOMENT = timedelta(milliseconds=50)
_QUOTE_AGE = timedelta(seconds=15)  # plan.quote_age_max_s, as it is shipped
CARRY, STOPS = "carry", "stops"
DAY_OVER = "refused", "session_over"
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
        self._days: dict[Key, DayTarget] = {}
        self._fixed: dict[Key, Mapping[str, Decimal]] = {}  # what the changes of a delta lead to
        self._seen: SnapshotTaken | None = None
        self._dropped: dict[str, frozenset[str]] = {}
        self._begun: set[str] = set()  # runs of which an order was to leave
        self._newest: dict[date, tuple[str, datetime]] = {}
        self._ends: dict[Key, RunFinished] = {}
        self._carried: dict[Key, Key] = {}  # what is planned on another day, and where it comes from
        self._out: dict[str, tuple[date, date]] = {}  # names that a stop ended: from this day on, and until that one

    def note(self, envelope: Envelope) -> None:
        """A message is on the disk."""
        match envelope.body:
            case TargetAccepted(target_id=target_id, days=days, dropped=dropped):
                self._dropped[target_id] = frozenset(each.code for each in dropped)
                for each in days:
                    self._weights[target_id, each.day] = {weight.code: weight.weight for weight in each.weights}
                    self._days[target_id, each.day] = each
                    self._newest[each.day] = target_id, envelope.at
                    for weight in each.weights:
                        since, until = self._out.get(weight.code, (date.max, date.max))
                        if weight.weight > 0 and since < each.day < until:  # what is to become less is not let in
                            self._out[weight.code] = since, each.day
            case StopTriggered(code=code, day=day):
                self._out[code] = day, date.max
            case RebalanceDue(target_id=target_id) if target_id == STOPS:
                pass  # of no file
            case RebalanceDue() as due if (due.target_id, due.day) not in self._weights:
                self._carry(due, envelope.at)
            case WeightsFixed(target_id=target_id, day=day, weights=weights) as fixed:
                if (target_id, day) in self._fixed:
                    self._blame("I22", f"{fixed.run_id} fixes {target_id} of {day} again")
                self._fixed[target_id, day] = listed = {each.code: each.weight for each in weights}
                changes, seen = self._weights[target_id, day], self._seen
                held = _weights_in(seen, _QUOTE_AGE) if seen is not None and seen.run_id == fixed.run_id else {}
                if not _is_change(held, changes, listed):
                    self._blame("I22", f"{fixed.run_id} holds {held}, changes {changes}, fixes {listed}")
            case SnapshotTaken() as seen if not seen.preview:
                self._seen = seen
            case PlaceOrder(run_id=run_id):
                self._begun.add(run_id)
            case RunFinished() as end if (end.status, end.reason) != DAY_OVER:  # that takes nothing from what is left
                self._ends[end.target_id, end.day] = end
            case _:
                pass

    def expect(self, plan: Plan, seen: SnapshotTaken) -> None:
        """I12, I22: what is traded has a price of that moment, and is wanted and held as file and account say."""
        key = seen.target_id, seen.day
        origin = self._carried.get(key)
        weights = self._wanted_of(origin or key, plan, seen)
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

    def _wanted_of(self, key: Key, plan: Plan, seen: SnapshotTaken) -> Mapping[str, Decimal]:
        """What a plan is to reach: the weights of a full file; else those of listed names, and what others weigh."""
        target = self._days.get(key)
        if target is None:
            return {}
        if target.expires_at is not None and plan.at >= target.expires_at and plan.run_id not in self._begun:
            self._blame("I22", f"{plan.run_id} starts at {plan.at:%H:%M:%S}, expired {target.expires_at:%H:%M:%S}")
        listed = self._weights[key]
        if target.mode is Mode.FULL:
            return listed
        held = _weights_in(seen)
        if target.mode is Mode.DELTA:
            listed = self._fixed.get(key, {})
        ended = {code for code, (since, until) in self._out.items() if since <= seen.day < until}
        traded = {row.code for row in plan.rows if row.side is not None} - ended
        if strangers := traded - listed.keys():
            self._blame("I22", f"{plan.run_id} trades {strangers}, which its file does not list")
        dropped = self._dropped.get(key[0], frozenset())
        return {**{code: weight for code, weight in held.items() if code not in dropped}, **listed}

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


def _weights_in(seen: SnapshotTaken, age_max: timedelta = timedelta.max) -> Mapping[str, Decimal]:
    """What each holding weighs by the quotes of that look, or by its value where they are too old."""
    snapshot = seen.snapshot
    fresh = (each for each in snapshot.quotes if each.suspended or abs(snapshot.at - each.at) <= age_max)
    marks = {quote.code: quote.last or quote.prev_close for quote in fresh}
    values = {each.code: each.shares * marks[each.code] if marks.get(each.code) else each.market_value
              for each in snapshot.positions}  # fmt: skip
    return {code: value / snapshot.asset.total if snapshot.asset.total else _ZERO for code, value in values.items()}


def _is_change(held: Mapping[str, Decimal], changes: Mapping[str, Decimal], fixed: Mapping[str, Decimal]) -> bool:
    """Whether fixed weights are what was held then and the changes, none below 0."""
    moved = {code for code, change in changes.items() if change}
    return fixed.keys() == moved and all(
        abs(fixed[code] - max(_ZERO, held.get(code, _ZERO) + changes[code])) < _ROUNDED for code in moved
    )


def _is_left_over(end: RunFinished) -> bool:
    return end.status == "incomplete" and end.reason in LEFT_OVER
