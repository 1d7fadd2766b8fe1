"""An outsider's check of the money rules over any number of days. RELIABILITY.md section 4: I2, I3b, I5."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from qws.domain.account import Asset, Position
from qws.domain.market import Side
from qws.domain.orders import Trade

_SHOWN_MAX = 20


@dataclass(slots=True)
class Audit:
    """Watches fills and account reports; `broken` names every rule that did not hold."""

    broken: list[str] = field(default_factory=list)
    checks: int = 0
    _shares: Counter[str] = field(default_factory=Counter)
    _sellable: Counter[str] = field(default_factory=Counter)
    _day: date | None = None
    _is_known: bool = False

    def on_trade(self, trade: Trade) -> None:
        """A fill: nothing may be sold that was not sellable when the day began."""
        self._turn(trade.at.date())
        if trade.side is Side.BUY:
            self._shares[trade.code] += trade.shares
            return
        self._shares[trade.code] -= trade.shares
        self._sellable[trade.code] -= trade.shares
        self._expect(self._sellable[trade.code] >= 0, f"{trade.at}: {trade.code} sold beyond what was sellable")

    def on_account(self, day: date, asset: Asset, positions: Iterable[Position]) -> None:
        """An account report: cash is never negative, and positions changed by exactly the fills between reports."""
        self._turn(day)
        reported = {position.code: position.shares for position in positions}
        self._expect(asset.cash >= 0 and asset.frozen >= 0, f"{day}: cash {asset.cash}, frozen {asset.frozen}")
        if self._is_known:
            ours = {code: shares for code, shares in self._shares.items() if shares}
            self._expect(ours == reported, f"{day}: fills explain {len(ours)} positions, reported {len(reported)}")
        else:
            self._sellable = Counter({position.code: position.sellable for position in positions})
        self._shares, self._is_known = Counter(reported), True

    def _turn(self, day: date) -> None:
        if self._day is not None and day != self._day:
            self._sellable = Counter(self._shares)
        self._day = day

    def _expect(self, holds: object, text: str) -> None:
        self.checks += 1
        if not holds and len(self.broken) < _SHOWN_MAX:
            self.broken.append(text)
