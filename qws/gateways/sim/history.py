"""What a simulated market did on the sessions before today."""

from __future__ import annotations

from datetime import date, timedelta

from qws.domain.bars import DailyBar
from qws.gateways.sim.market import SimMarket
from qws.gateways.sim.tape import usual_volume

_DAY = timedelta(days=1)
_CLOSED_MAX = 30  # calendar days beside two a session: more than any closure


def daily_bars(market: SimMarket, code: str, today: date, days: int) -> tuple[DailyBar, ...]:
    """At most so many bars before today, oldest first; the volume is what trades on an ordinary day."""
    found, day = list[DailyBar](), today
    for _ in range(2 * days + _CLOSED_MAX):
        day -= _DAY
        if len(found) == days:
            break
        bar = market.bars.bar(code, day) if market.is_session(day) else None
        if bar is not None:
            volume = usual_volume(bar.close, market.grid.steps)
            found.append(DailyBar(day, bar.high, bar.low, bar.close, bar.prev_close, volume))
    return tuple(reversed(found))
