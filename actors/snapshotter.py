"""What do account and market look like at this instant?"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal

from loguru import logger

from qws.domain.account import DayVolume, Snapshot, does_not_add_up
from qws.domain.bars import DailyBar, average_volume
from qws.domain.market import Instrument, Quote
from qws.domain.newest import in_force
from qws.domain.orders import BrokerOrder, OrderStatus
from qws.domain.tags import is_ours
from qws.errors import GatewayError
from qws.messages import (
    OrderUpdated,
    PlanRefused,
    PricesDue,
    PricesTaken,
    SnapshotDue,
    SnapshotTaken,
    TargetAccepted,
)
from qws.ports import Broker, Clock, Quotes
from qws.runtime.actor import Actor

_TRIES = 5
_TRY_AGAIN_S = 1.0
_SHOWN = 5
_LACKED = timedelta(seconds=60)  # a list that lacks an order for longer is believed: the order's own name stays blocked


class Snapshotter(Actor):
    """Reads asset, positions, quotes and instrument records together; an account that does not add up is not used."""

    on_crash = "halt"

    def __init__(self, broker: Broker, quotes: Quotes, clock: Clock, volume_days: int = 0) -> None:
        self._broker, self._quotes, self._clock, self._volume_days = broker, quotes, clock, volume_days
        self._volumes: tuple[date, dict[str, Decimal | None]] = date.min, {}  # of the day, None where not known
        self._codes: dict[tuple[str, date], frozenset[str]] = {}
        self._working: dict[str, BrokerOrder] = {}  # as far as was told: a list may lack some for a while
        self._lacked: dict[str, datetime] = {}  # by tag, since which look a list lacks it

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        self._codes = in_force(self._codes, msg.at.date())
        for target in msg.days:
            self._codes[msg.target_id, target.day] = frozenset(weight.code for weight in target.weights)

    def on_target_accepted(self, msg: TargetAccepted) -> None:
        self.recall_target_accepted(msg)

    def recall_order_updated(self, msg: OrderUpdated) -> None:
        self._working.pop(msg.order.tag, None)
        if msg.order.order_id and _is_working(msg.order) and msg.order.status is not OrderStatus.UNKNOWN:
            self._working[msg.order.tag] = msg.order

    on_order_updated = recall_order_updated

    async def on_snapshot_due(self, msg: SnapshotDue) -> SnapshotTaken | PlanRefused:
        days = [key for key in self._codes if key[0] == msg.target_id and key[1] <= msg.day]
        wanted = self._codes[max(days)] if days else frozenset()
        problem = ""
        for attempt in range(_TRIES):
            if attempt:
                await self._clock.sleep(_TRY_AGAIN_S)
            try:
                asset, positions = await self._broker.asset(), await self._broker.positions()
                working = self._still_working(await self._broker.orders())
                problem = f"orders still work: {working}" if working else does_not_add_up(asset, positions)
                if problem:
                    continue
                codes = sorted(wanted | {position.code for position in positions})
                quotes, instruments = await self._quotes.quotes(codes), await self._quotes.instruments(codes)
            except GatewayError as error:
                problem = str(error)
                continue
            now, volumes = self._clock.now(), await self._volumes_of(codes)
            snapshot = Snapshot(now, asset, positions, tuple(quotes.values()), tuple(instruments.values()), volumes)
            return SnapshotTaken(msg.run_id, msg.target_id, msg.day, msg.attempt, msg.preview, snapshot)
        text = f"no trustworthy account snapshot in {_TRIES} tries: {problem}"
        return PlanRefused(msg.run_id, msg.attempt, msg.preview, "no_snapshot", text)

    def _still_working(self, listed: tuple[BrokerOrder, ...]) -> list[str]:
        """Tags of orders of ours that work, by the list or, of today's that it lacks, by what was told before."""
        now, rows = self._clock.now(), {order.order_id: order for order in listed}
        self._working = {tag: order for tag, order in self._working.items() if order.at.date() == now.date()}
        self._lacked = {
            tag: self._lacked.get(tag, now) for tag, order in self._working.items() if order.order_id not in rows
        }
        unseen = [tag for tag, since in self._lacked.items() if now - since < _LACKED]
        nameless = [
            tag
            for tag, order in self._working.items()
            if (row := rows.get(order.order_id)) and not is_ours(row.tag) and row.code == order.code and _works(row)
        ]
        return [*(order.tag for order in listed if _is_working(order)), *unseen, *nameless]

    async def _volumes_of(self, codes: list[str]) -> tuple[DayVolume, ...]:
        """Shares of an average day, where a rule asks for them; each is read once a day."""
        if not self._volume_days:
            return ()
        today = self._clock.now().date()
        known = self._volumes[1] if self._volumes[0] == today else {}
        if missing := [code for code in codes if code not in known]:
            bars: Mapping[str, tuple[DailyBar, ...]] = {}
            with suppress(GatewayError):
                bars = await self._quotes.daily_bars(missing, self._volume_days)
            self._volumes = today, known | {code: average_volume(bars.get(code, ())) for code in missing}
            if unknown := [code for code in missing if code not in bars]:
                shown = ", ".join(unknown[:_SHOWN])
                logger.warning("average_volume does not limit {} names without daily bars: {}", len(unknown), shown)
        found = ((code, self._volumes[1][code]) for code in codes)
        return tuple(DayVolume(code, volume) for code, volume in found if volume is not None)

    async def on_prices_due(self, msg: PricesDue) -> PricesTaken:
        quotes: Mapping[str, Quote] = {}
        instruments: Mapping[str, Instrument] = {}
        for attempt in range(_TRIES):
            if attempt:
                await self._clock.sleep(_TRY_AGAIN_S)
            with suppress(GatewayError):
                instruments = await self._quotes.instruments(msg.codes)
                quotes = await self._quotes.quotes(msg.codes)
                break
        now = self._clock.now()
        return PricesTaken(msg.run_id, msg.attempt, msg.codes, now, tuple(quotes.values()), tuple(instruments.values()))


def _works(order: BrokerOrder) -> bool:
    return not order.status.is_terminal


def _is_working(order: BrokerOrder) -> bool:
    return is_ours(order.tag) and _works(order)
