"""What a run did, name by name, gathered from the messages as they come: for pages that people read afterwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from qws.domain.market import Quote, Side
from qws.domain.orders import Trade
from qws.domain.plan import Plan
from qws.domain.quality import Arrival, Part, Work

_Key = tuple[str, Side]
_NOWHERE = Arrival(None, None, None)


@dataclass(frozen=True, slots=True)
class RunStory:
    """The names that a run meant to trade, in the order in which they were planned, with their fills."""

    works: tuple[Work, ...]


class Gathering:
    """One run on its way; every message may be told again, and changes nothing then."""

    def __init__(self) -> None:
        self._arrivals: dict[str, Arrival] = {}
        self._planned: dict[_Key, tuple[int, Decimal]] = {}
        self._sent: dict[_Key, datetime] = {}
        self._fills: defaultdict[_Key, dict[tuple[date, str, str], Part]] = defaultdict(dict)

    def look(self, quotes: Iterable[Quote]) -> None:
        """The market at a look of the run: the first one counts for each name."""
        for quote in quotes:
            self._arrivals.setdefault(quote.code, Arrival.of(quote))

    def plan(self, plan: Plan) -> None:
        """A plan that is sent: a later attempt plans only what is left, so the first counts."""
        for row in plan.rows:
            if row.side is not None and row.shares:
                self._planned.setdefault((row.code, row.side), (row.shares, row.price))

    def sent(self, code: str, side: Side, at: datetime) -> None:
        """An order of this name left, or was seen at the broker."""
        self._sent[code, side] = min(at, self._sent.get((code, side), at))

    def fill(self, trade: Trade) -> None:
        """An order of the run traded; each fill counts once, its fee may be told later."""
        key = trade.at.date(), trade.order_id, trade.trade_id
        self._fills[trade.code, trade.side][key] = Part(trade.shares, trade.price, trade.at, trade.fee)

    def story(self) -> RunStory:
        """How it stands."""
        works = [
            Work(
                code, side, shares, price, self._arrivals.get(code, _NOWHERE), self._sent.get((code, side)),
                tuple(self._fills[code, side].values()),
            )
            for (code, side), (shares, price) in self._planned.items()
        ]  # fmt: skip
        return RunStory(tuple(works))
