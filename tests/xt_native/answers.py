"""What the terminal answers to queries: its lists as native rows, with what such lists get wrong. XTQUANT.md 4.2."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from qws.domain.account import Asset, Position
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder
from tests.xt_native import structs as native
from tests.xt_native.ports import Counter, Room
from tests.xt_native.rows import Rows
from tests.xt_native.structs import STOCK_ACCOUNT, Struct, filled


class Answers:
    """The lists of one account. `refused` orders were junked by the terminal and never reached the counter."""

    def __init__(self, room: Room, counter: Counter, rows: Rows) -> None:
        self._room, self._counter, self._rows, self._faults = room, counter, rows, room.faults
        self.refused: dict[str, BrokerOrder] = {}
        self._last: tuple[Asset, tuple[Position, ...]] | None = None
        self._stale: tuple[Asset, tuple[Position, ...]] | None = None
        self._stale_until = room.now()

    def orders(self) -> tuple[BrokerOrder, ...]:
        """Every order of today."""
        today = self._room.now().date()
        refused = (order for order in self.refused.values() if order.at.date() == today)
        return (*self._counter.orders(self._room.now()), *refused)

    def rows(self, request: Struct) -> Sequence[Struct]:
        """The rows a query asks for."""
        match request:
            case native.QueryStockAssetReq():
                asset = self._counter.asset(self._room.now()) if (stale := self._old()) is None else stale[0]
                return (self._rows.asset(asset, self._faults.foreign_rows),)
            case native.QueryStockPositionsReq():
                rows = self._positions()
                return [row for row in rows if request.stock_code in ("", row.stock_code)]
            case native.QueryStockOrdersReq():
                return self._order_rows(request)
            case native.QueryStockTradesReq():
                trades = [self._rows.trade(trade) for trade in self._counter.trades(self._room.now())]
                return [*trades, self._rows.junk()[1]] if self._faults.junk_row else trades
            case native.QueryAccountStatusReq():
                told = self._about_the_account(native.XtAccountStatus)
                told.status = self._room.status
                return (told,)
            case _:
                account = self._about_the_account(native.AccountRow)
                account.login_status = self._room.status
                return (account,)

    def keep(self, now: datetime) -> None:
        """Remember the account as it is now, for a time in which it will lag."""
        self._last = self._read(now) if self._faults.asset_lag_s else None

    def lag(self) -> None:
        """A fill has happened: show the account as it was before, for a while."""
        now = self._room.now()
        if self._last is not None and now >= self._stale_until:
            self._stale, self._stale_until = self._last, now + timedelta(seconds=self._faults.asset_lag_s)

    def _old(self) -> tuple[Asset, tuple[Position, ...]] | None:
        """The account as it was, while it lags."""
        return self._stale if self._stale is not None and self._room.now() < self._stale_until else None

    def _read(self, now: datetime) -> tuple[Asset, tuple[Position, ...]]:
        return self._counter.asset(now), self._counter.positions(now)

    def _order_rows(self, request: native.QueryStockOrdersReq) -> list[native.XtOrder]:
        rows = [
            self._rows.order(order)
            for order in self.orders()
            if request.order_id in (0, int(order.order_id)) and not (request.can_cancel and order.status.is_terminal)
        ]
        return [*rows, self._rows.junk()[0]] if self._faults.junk_row and not request.order_id else rows

    def _positions(self) -> list[native.XtPosition]:
        """Holdings, then a row without shares for whatever was sold out today, then what is no share."""
        working: dict[str, int] = {}
        for order in self.orders():
            if order.side is Side.SELL and not order.status.is_terminal:
                working[order.code] = working.get(order.code, 0) + order.shares - order.traded
        held = self._counter.positions(self._room.now()) if (stale := self._old()) is None else stale[1]
        rows = [self._rows.position(each, min(working.get(each.code, 0), each.shares - each.sellable)) for each in held]
        sold = {trade.code for trade in self._counter.trades(self._room.now()) if trade.side is Side.SELL}
        rows += [self._rows.bare_position(code) for code in sorted(sold - {each.code for each in held})]
        rows += [
            self._rows.bare_position(row.code, row.volume, row.sellable, row.value) for row in self._faults.foreign_rows
        ]
        return [*rows, self._rows.junk()[2]] if self._faults.junk_row else rows

    def _about_the_account(self, kind: type[native.S]) -> native.S:
        return filled(kind, account_type=STOCK_ACCOUNT, account_id=self._room.account_id)
