"""What the native layer gets wrong during a seed: the vendor's own faults in the place of the line's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from qws.domain.tags import is_ours
from tests.simulation.others import Others
from tests.simulation.weather import RATES, Weather
from tests.xt_native import FOREIGN_ROWS, Faults

# How often at most, where a seed has them at all: what the native layer gets wrong, and what is no matter of the line.
VENDOR_RATES = {
    "order_lost": 0.15,
    "order_refused": 0.1,
    "order_refused_loudly": 0.1,
    "order_unlisted": 0.1,
    "response_lost": 0.2,
    "response_late": 0.4,
    "ghost_order": 0.15,
    "reject_storm": 0.1,
    "cancel_lost": 0.9,
    "cancel_refused": 0.5,
    "cancel_unconfirmed": 0.9,
    "push_lost": 0.5,
    "push_doubled": 0.5,
    "push_late": 0.4,
    "push_shuffled": 0.5,
    "trade_first": 0.5,
    "query_lost": 0.1,
    "query_late": 0.1,
    "query_empty": 0.1,
    "connect_refused": 0.5,
    "connect_hangs": 0.2,
    "subscribe_refused": 0.5,
    "stop_hangs": 0.3,
    "early_push": 0.5,
    "day_replayed": 1.0,
    "account_barred": 0.7,
    "remark_emptied": 0.1,
    "remark_cut": 0.1,
    **{kind: rate for kind, rate in RATES.items() if kind.startswith(("quote_", "hint_", "fil", "inbox_"))},
    "query_short": 0.1,
}
_DELAYS = {
    "push_late": (0.5, 200.0),
    "trade_first": (0.01, 5.0),
    "response_late": (0.2, 20.0),
    "query_late": (0.2, 20.0),
}
_SILENCES = {"order_lost", "response_lost", "response_late", "cancel_lost", "query_lost", "query_late", "ghost_order"}
_SILENCES |= {"connect_hangs", "stop_hangs"}
SILENT = timedelta(seconds=45)
_CUT = 14  # bytes
_STOPS_MAX = 7  # with more threads that hang the program ends itself, and what is used up is cleared away


class Moods(Faults):
    """Faults as a seed's weather has them."""

    def __init__(self, seed: int, weather: Weather, others: Others, now: Callable[[], datetime]) -> None:
        super().__init__(seed=seed)
        self._others = others
        self._remarks: dict[str, str] = {}
        self.silent_until = datetime.min.replace(tzinfo=now().tzinfo)
        self._weather, self._now = weather, now
        chance = Random(f"{seed}:terminal")
        self.latency_s = chance.choice((0.001, 0.001, 0.02, 0.2))
        for kind, share in (("foreign_rows", 0.15), ("junk_row", 0.15), ("asset_lag", 0.2)):
            if weather.is_foul and chance.random() < share and seed % 20:
                weather.note(kind)
                self._get(kind, chance)

    def strikes(self, name: str) -> bool:
        """Whether the named fault happens now."""
        if name == "stop_hangs" and self._weather.happened[name] >= _STOPS_MAX:
            return False
        is_struck = self._weather.strikes(name)
        if is_struck and name in _SILENCES:
            self.silent_until = self._now() + SILENT
        return is_struck

    def delay_s(self, name: str) -> float:
        """Seconds."""
        return self._weather.between(name, *_DELAYS[name]) if self._weather.is_foul else _DELAYS[name][0]

    def remark(self, tag: str) -> str:
        """The remark that comes back for a tag, always the same."""
        if is_ours(tag) and tag not in self._remarks:
            self._remarks[tag] = tag
            for kind, shown in (("remark_emptied", ""), ("remark_cut", tag[:_CUT])):
                if self._weather.strikes(kind):
                    self._others.unreadable.add(tag)
                    self._remarks[tag] = shown
        return self._remarks.get(tag, tag)

    def _get(self, kind: str, chance: Random) -> None:
        match kind:
            case "foreign_rows":
                self.foreign_rows = FOREIGN_ROWS
            case "junk_row":
                self.junk_row = True
            case _:
                self.asset_lag_s = chance.uniform(0.2, 3.0)
