"""How the terminal tells orders, fills and holdings: vendor codes, dirty floats, seconds. XTQUANT.md section 4."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from qws.domain.account import Asset, Position
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderStatus, Trade
from tests.xt_native.faults import Faults, ForeignRow
from tests.xt_native.structs import STOCK_ACCOUNT, XtAsset, XtOrder, XtPosition, XtTrade, filled

BUY, SELL = 23, 24
FIX_PRICE = 11
_SHOWN_LIMIT = 50  # what the price type of a limit order is reported back as
_OFFSETS = {Side.BUY: 48, Side.SELL: 49}
_TYPES = {Side.BUY: BUY, Side.SELL: SELL}
_WITHOUT_SYSID = frozenset({OrderStatus.UNREPORTED, OrderStatus.WAIT_REPORTING, OrderStatus.JUNK})


def dirty(amount: Decimal | float) -> float:
    """A price or an amount as a binary float that has been calculated with: 8.95 is 8.950000000000001."""
    exact = float(amount)
    return math.nextafter(exact, math.inf) if exact else 0.0


def seconds(at: datetime) -> int:
    """Unix seconds."""
    return int(at.timestamp())


@dataclass
class Memory:
    """What the terminal remembers of orders beyond the counter's own rows."""

    strategies: dict[str, str] = field(default_factory=dict)
    entered: dict[str, datetime] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)

    def take(self, trade: Trade) -> None:
        """Count a fill into its order's amount, once."""
        if trade.trade_id not in self.seen:
            self.seen.add(trade.trade_id)
            self.amounts[trade.order_id] = self.amounts.get(trade.order_id, Decimal(0)) + trade.shares * trade.price


@dataclass
class Rows:
    """Makes the structs of one account."""

    account_id: str
    faults: Faults
    memory: Memory = field(default_factory=Memory)

    def of(self, event: BrokerOrder | Trade) -> XtOrder | XtTrade:
        """The push of an event."""
        return self.order(event) if isinstance(event, BrokerOrder) else self.trade(event)

    def order(self, order: BrokerOrder) -> XtOrder:
        """A row of the order list, or an order push."""
        amount = self.memory.amounts.get(order.order_id, Decimal(0))
        return filled(
            XtOrder,
            account_type=STOCK_ACCOUNT,
            account_id=self.account_id,
            stock_code=order.code,
            stock_code1=order.code,
            order_id=int(order.order_id),
            order_sysid="" if order.status in _WITHOUT_SYSID else sysid(order.order_id),
            order_time=seconds(self.memory.entered.get(order.order_id, order.at)),
            order_type=_TYPES[order.side],
            order_volume=order.shares,
            price_type=_SHOWN_LIMIT,
            price=dirty(order.price),
            traded_volume=order.traded,
            traded_price=dirty(amount / order.traded) if order.traded else 0.0,
            order_status=int(self.faults.status(order)),
            status_msg=order.message,
            strategy_name=self.memory.strategies.get(order.order_id, ""),
            order_remark=self.faults.remark(order.tag),
            direction=48,
            offset_flag=_OFFSETS[order.side],
            secu_account="A000000001",
            instrument_name=order.code[:6],
        )

    def trade(self, trade: Trade) -> XtTrade:
        """A row of the trade list, or a trade push."""
        return filled(
            XtTrade,
            account_type=STOCK_ACCOUNT,
            account_id=self.account_id,
            stock_code=trade.code,
            stock_code1=trade.code,
            order_id=int(trade.order_id),
            order_sysid=sysid(trade.order_id),
            order_type=_TYPES[trade.side],
            traded_id=trade.trade_id,
            traded_time=seconds(trade.at),
            traded_price=dirty(trade.price),
            traded_volume=trade.shares,
            traded_amount=dirty(trade.shares * trade.price),
            commission=dirty(trade.fee or Decimal(0)),
            strategy_name=self.memory.strategies.get(trade.order_id, ""),
            order_remark=self.faults.remark(trade.tag),
            direction=48,
            offset_flag=_OFFSETS[trade.side],
            secu_account="A000000001",
            instrument_name=trade.code[:6],
        )

    def position(self, held: Position, working: int) -> XtPosition:
        """A row of the position list; `working` shares are in sells that have not ended."""
        price = held.market_value / held.shares
        profit = held.market_value - held.shares * held.cost_price
        bought = held.shares - held.sellable - working
        return filled(
            XtPosition,
            account_type=STOCK_ACCOUNT,
            account_id=self.account_id,
            stock_code=held.code,
            stock_code1=held.code,
            volume=held.shares,
            can_use_volume=held.sellable,
            frozen_volume=working,
            on_road_volume=bought,
            yesterday_volume=held.shares - bought,
            market_value=dirty(held.market_value),
            open_price=dirty(held.cost_price),
            avg_price=dirty(held.cost_price),
            last_price=dirty(price),
            float_profit=dirty(profit),
            position_profit=dirty(profit),
            profit_rate=dirty(price / held.cost_price - 1) if held.cost_price else 0.0,
            direction=48,
            secu_account="A000000001",
            instrument_name=held.code[:6],
        )

    def bare_position(self, code: str, volume: int = 0, sellable: int = 0, value: float = 0.0) -> XtPosition:
        """A row with a code and little else: what stays after a liquidation, and what is no share."""
        return filled(
            XtPosition,
            account_type=STOCK_ACCOUNT,
            account_id=self.account_id,
            stock_code=code,
            stock_code1=code,
            volume=volume,
            can_use_volume=sellable,
            market_value=value,
            direction=48,
        )

    def asset(self, asset: Asset, foreign: tuple[ForeignRow, ...]) -> XtAsset:
        """The account's money; `foreign` rows count in value and total."""
        extra = sum(row.value for row in foreign)
        return filled(
            XtAsset,
            account_type=STOCK_ACCOUNT,
            account_id=self.account_id,
            cash=dirty(asset.cash),
            frozen_cash=dirty(asset.frozen),
            market_value=dirty(float(asset.market_value) + extra),
            total_asset=dirty(float(asset.total) + extra),
            fetch_balance=dirty(asset.cash),
            current_balance=dirty(asset.cash + asset.frozen),
        )

    def junk(self) -> tuple[XtOrder, XtTrade, XtPosition]:
        """One row of nonsense for each list."""
        order = filled(XtOrder, account_id=self.account_id, order_status=255, price=math.nan, traded_price=math.inf)
        trade = filled(XtTrade, account_id=self.account_id, traded_price=math.nan, traded_time=-1)
        position = filled(XtPosition, account_id=self.account_id, volume=-100, can_use_volume=-100, market_value=-1.0)
        return order, trade, position


def sysid(order_id: str) -> str:
    """The counter's own number of an order (合同编号)."""
    return f"E{order_id}"
