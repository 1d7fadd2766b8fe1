"""How well a run traded: slippage against the market at its first look, spread, fill ratio, time, fees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import NamedTuple

from qws.domain.market import Quote, Side

_NOTHING = Decimal(0)
_BP = Decimal(10_000)


class Arrival(NamedTuple):
    """The market when the run first looked at it, CNY per share; None where a side was empty or nothing had traded."""

    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None

    @classmethod
    def of(cls, quote: Quote) -> Arrival:
        """The best prices of a snapshot."""
        bid, ask = (levels[0].price if levels else None for levels in (quote.bids, quote.asks))
        return cls(bid, ask, quote.last)

    @property
    def mid(self) -> Decimal | None:
        """The middle of the best bid and the best ask."""
        return None if self.bid is None or self.ask is None else (self.bid + self.ask) / 2

    @property
    def half_spread(self) -> Decimal | None:
        """What crossing from the middle to the best price costs."""
        return None if self.bid is None or self.ask is None else (self.ask - self.bid) / 2


class Part(NamedTuple):
    """One fill: shares, CNY per share; the fee is None where it is not known."""

    shares: int
    price: Decimal
    at: datetime
    fee: Decimal | None


@dataclass(frozen=True, slots=True)
class Work:
    """One name on one side in one run: the shares planned first, their limit, when the first order left, its fills."""

    code: str
    side: Side
    planned: int
    price: Decimal
    arrival: Arrival
    sent_at: datetime | None
    parts: tuple[Part, ...]

    @property
    def filled(self) -> int:
        """Shares traded."""
        return sum(part.shares for part in self.parts)

    @property
    def value(self) -> Decimal:
        """CNY traded."""
        return sum((part.shares * part.price for part in self.parts), _NOTHING)

    @property
    def average(self) -> Decimal | None:
        """The average price in CNY per share."""
        return self.value / self.filled if self.filled else None

    @property
    def fees(self) -> Decimal | None:
        """CNY; None when a fee is not known."""
        known = [part.fee for part in self.parts if part.fee is not None]
        return sum(known, _NOTHING) if len(known) == len(self.parts) else None

    @property
    def fill_s(self) -> float | None:
        """Seconds from the first order to the last fill."""
        if self.sent_at is None or not self.parts:
            return None
        return max((max(part.at for part in self.parts) - self.sent_at).total_seconds(), 0.0)

    def cost_against(self, price: Decimal | None) -> Decimal | None:
        """CNY that the fills cost more than at this price; negative when they were better."""
        if price is None or not self.filled:
            return None
        more = self.value - self.filled * price
        return more if self.side is Side.BUY else -more

    def slippage_bp(self, price: Decimal | None) -> Decimal | None:
        """The same in hundredths of a per cent."""
        cost = self.cost_against(price)
        return None if cost is None or not price else cost / (self.filled * price) * _BP


@dataclass(frozen=True, slots=True)
class Quality:
    """Several names together: CNY, seconds, and hundredths of a per cent of what was traded; None is not known.

    `slippage_mid_bp` and `slippage_last_bp` are against the middle and the last price of the first look, positive when
    trading cost more; `spread_bp` is half the spread of that look; `cost_bp` is slippage and fees together.
    """

    names: int
    planned: Decimal
    traded: Decimal
    fill_ratio: float | None
    slippage_mid_bp: float | None
    slippage_last_bp: float | None
    spread_bp: float | None
    fees: Decimal | None
    fees_bp: float | None
    cost_bp: float | None
    fill_s: float | None
    fill_s_max: float | None


def quality_of(works: Sequence[Work], fees: Decimal | None = None) -> Quality:
    """Sum up names of one run or of many; `fees` is what they cost where the broker tells no fee of a single fill."""
    traded = sum((work.value for work in works), _NOTHING)
    planned = sum((work.planned * _worth(work) for work in works), _NOTHING)
    done = sum((min(work.filled, work.planned) * _worth(work) for work in works), _NOTHING)
    known = [work.fees for work in works if work.fees is not None]
    total = sum(known, _NOTHING) if len(known) == len(works) else fees
    mid = _bp([(work.cost_against(work.arrival.mid), work, work.arrival.mid) for work in works])
    fees_bp = float(total / traded * _BP) if total is not None and traded else None
    waits = [work.fill_s for work in works if work.fill_s is not None]
    return Quality(
        len(works),
        planned,
        traded,
        float(done / planned) if planned else None,
        mid,
        _bp([(work.cost_against(work.arrival.last), work, work.arrival.last) for work in works]),
        _bp([(_spread(work), work, work.arrival.mid) for work in works]),
        total,
        fees_bp,
        None if mid is None or fees_bp is None else mid + fees_bp,
        median(waits) if waits else None,
        max(waits, default=None),
    )


def _worth(work: Work) -> Decimal:
    return work.arrival.mid or work.arrival.last or work.price


def _spread(work: Work) -> Decimal | None:
    half = work.arrival.half_spread
    return None if half is None else half * work.filled


def _bp(costs: Sequence[tuple[Decimal | None, Work, Decimal | None]]) -> float | None:
    """Costs over what the shares were worth at the price they are measured against, where both are known."""
    known = [(cost, work.filled * price) for cost, work, price in costs if cost is not None and price]
    base = sum((worth for _, worth in known), _NOTHING)
    return float(sum((cost for cost, _ in known), _NOTHING) / base * _BP) if base else None
