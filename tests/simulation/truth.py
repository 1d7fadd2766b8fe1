"""What the market really did: no order is sized by a price that nobody paid, and no stop ends what has not crossed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from qws.domain.market import Quote
from qws.domain.plan import Plan
from qws.domain.stops import STOP_LOSS, TAKE_PROFIT
from qws.messages import PlanReady, StopTriggered
from qws.runtime.message import Envelope
from tests.simulation.wanted import STOPS

if TYPE_CHECKING:
    from tests.simulation.world import World

_ABSURD = 2  # times the last price, or a part of it: no quote that is as old as one may be
_STEP, _STEPS = timedelta(seconds=3), 60  # what two looks at quotes that are not too old can have seen
_SAME, _SLACK = Decimal("0.011"), Decimal("0.005")  # a part of a price: cents of the broker, a start of the average
_ATR, _SESSIONS = 14, 120
_ZERO, _ONE = Decimal(0), Decimal(1)


class Truth:
    """Follows plans and stops; what the market did not show is told to the witness."""

    def __init__(self, world: World) -> None:
        self._world, self._blame = world, world.witness.blame
        self._market = world.terminal.market
        self._ex = {each.code: each for each in world.workload.ex_dates}

    def note(self, envelope: Envelope) -> None:
        """A message is on the disk."""
        match envelope.body:
            case PlanReady(plan=plan) if not plan.preview and plan.target_id != STOPS:
                self._expect_sane(plan)
            case StopTriggered() as stop:
                self._world.weather.note(f"stopped_by_{stop.rule}")
                if why := self._is_wrong(stop):
                    self._blame("I18", f"{stop.rule} of {stop.code} at {stop.at:%m-%d %H:%M:%S}: {why}")
            case _:
                pass

    def _expect_sane(self, plan: Plan) -> None:
        for row in plan.rows:
            record, price = self._market.instrument(row.code, plan.at), self._market.last_price(row.code, plan.at)
            if row.side is None or record is None or record.limit_up is None:
                continue  # without limits of the day nobody can tell at one look
            if not price / _ABSURD < row.mark < price * _ABSURD:
                self._blame("I18", f"{plan.run_id} sizes {row.code} by {row.mark}, it trades at {price}")

    def _is_wrong(self, stop: StopTriggered) -> str:
        """Why it should not have been triggered; empty when it may have been."""
        ex, since = self._ex.get(stop.code), stop.at - _STEP * _STEPS
        trades = [each for each in self._world.terminal.all_trades() if each.code == stop.code]
        is_cost = stop.rule in (STOP_LOSS, TAKE_PROFIT)
        if is_cost and ex is not None and ex.day == stop.day:
            return f"a cost of before an ex-date ({ex})"
        if any(each.at >= since or (ex is not None and each.at.date() >= ex.day) for each in trades):
            return ""  # its cost moves
        cost = self._world.terminal.cost(stop.code)
        if stop.rule == STOP_LOSS:
            level = cost * self._world.payments.left_in_cost(stop.code) * (1 - self._world.stops.stop_loss)
        elif stop.rule == TAKE_PROFIT:
            level = cost * (1 + self._world.stops.take_profit)
        else:
            level = self._highest(stop) - self._world.stops.trailing_atr * self._reach(stop.code, stop.day)
        level *= 1 - _SLACK if stop.rule == TAKE_PROFIT else 1 + _SLACK
        seen = list(self._seen(stop.code, stop.at))
        is_crossed = (
            max(seen, default=_ZERO) >= level if stop.rule == TAKE_PROFIT else min(seen, default=level) <= level
        )
        return "" if is_crossed else f"level {level:.4f}, cost {cost}, it was at {min(seen)} to {max(seen)}"

    def _seen(self, code: str, now: datetime) -> Iterator[Decimal]:
        for step in range(_STEPS):
            quote = self._market.quote(code, now - step * _STEP)
            yield from _prices(quote) if quote is not None else ()

    def _highest(self, stop: StopTriggered) -> Decimal:
        """At most the highest price since it was held, in prices of that day."""
        days = (day for day in self._world.workload.days if day <= stop.day)
        return max(self._bar(stop.code, day, stop.day)[0] for day in days)

    def _reach(self, code: str, day: date) -> Decimal:
        """Wilder's average true range of the sessions before a day, in its prices."""
        sessions, before = list[date](), day
        for _ in range(_SESSIONS):
            before = self._world.calendar.previous_session(before)
            sessions.insert(0, before)
        bars = [self._bar(code, each, day) for each in sessions]
        ranges = [max(high, before) - min(low, before) for high, low, before in bars]
        average = sum(ranges[:_ATR], _ZERO) / _ATR
        for each in ranges[_ATR:]:
            average += (each - average) / _ATR
        return average

    def _bar(self, code: str, day: date, today: date) -> tuple[Decimal, Decimal, Decimal]:
        """High, low and previous close, in prices of today."""
        bar, ex = self._market.bars.bar(code, day), self._ex.get(code)
        assert bar is not None
        part = self._world.payments.factor(ex) if ex is not None and day < ex.day <= today else _ONE
        return bar.high * part, bar.low * part, bar.prev_close * part


def _prices(quote: Quote) -> tuple[Decimal, ...]:
    return tuple(price for price in (quote.last, *(level.price for level in quote.bids[:1])) if price)
