"""The terminal's answers about one account: requests in, responses and pushes out. XTQUANT.md sections 1.2 and 4."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from tests.xt_native import structs as native
from tests.xt_native.answers import Answers
from tests.xt_native.ports import Client, Counter, Event, Room
from tests.xt_native.rows import BUY, FIX_PRICE, SELL, Rows
from tests.xt_native.structs import STOCK_ACCOUNT, Struct, filled

# sender -> the binder its answer goes through
ANSWERS = {
    "subscribe": "SubscribeResp",
    "unsubscribe": "UnsubscribeResp",
    "orderStock": "OrderStockResp",
    "cancelOrderStock": "CancelOrderStockResp",
    "queryStockAsset": "QueryStockAsset",
    "queryStockOrders": "QueryStockOrders",
    "queryStockTrades": "QueryStockTrades",
    "queryStockPositions": "QueryStockPositions",
    "queryAccountInfos": "QueryAccountInfos",
    "queryAccountStatus": "QueryAccountStatus",
}
_SIDES = {BUY: Side.BUY, SELL: Side.SELL}
_PRICE_STEP = Decimal("0.0001")
_NO_ACCOUNT = "未找到账号"
_JUNKED_FROM = 9_000_000
UNLISTED_FROM = 990_000_000
_ERROR_NUMBER = re.compile(r"\[COUNTER\]\[(\d+)\]")


class Desk:
    """Runs on the terminal's thread only. Whoever subscribed hears every order and trade of the account."""

    def __init__(self, room: Room, counter: Counter) -> None:
        self._room, self._counter, self._faults = room, counter, room.faults
        self._rows = Rows(room.account_id, room.faults)
        self._answers = Answers(room, counter, self._rows)
        self._memory = self._rows.memory
        self._askers: dict[str, tuple[Client, int]] = {}
        self._turned_down = 0
        self._order_late: dict[str, bool] = {}
        self._known = {order.order_id: order for order in counter.orders(room.now())}
        for trade in counter.trades(room.now()):
            self._memory.take(trade)

    def close(self) -> None:
        """Let go of the counter."""
        self._counter.close()

    def answer(self, client: Client, sender: str, seq: int, request: Struct) -> None:
        """Do what a client asks, in the order of asking."""
        match request:
            case native.SubscribeReq():
                self._subscribe(client, seq, request)
            case native.UnsubscribeReq():
                client.is_subscribed = False
                self._reply(client, sender, seq, 0)
            case native.OrderStockReq():
                self._order(client, seq, request)
            case native.CancelOrderStockReq():
                self._cancel(client, seq, request)
            case _:
                self._query(client, sender, seq, request)

    def look(self) -> datetime | None:
        """Tell what happened since the last look; when there will be something again."""
        now = self._room.now()
        events = list(self._counter.advance(now))
        for event in events:
            if isinstance(event, Trade):
                self._memory.take(event)
                self._answers.lag()
            else:
                self._known[event.order_id] = event
        self._answers.keep(now)
        if len(events) > 1 and self._faults.strikes("push_shuffled"):
            self._faults.draw("order of pushes").shuffle(events)
        for event in events:
            self._push(event)
        return self._counter.next_due()

    def _subscribe(self, client: Client, seq: int, request: native.SubscribeReq) -> None:
        is_refused = self._faults.strikes("subscribe_refused") or request.account_id != self._room.account_id
        client.is_subscribed = not is_refused
        client.deliver(ANSWERS["subscribe"], seq, -1 if is_refused else 0)
        for trade in self._faults.replay if client.is_subscribed else ():
            client.deliver("StockTrade", self._rows.trade(trade), after_s=self._room.latency_s)

    def _order(self, client: Client, seq: int, request: native.OrderStockReq) -> None:
        if self._faults.strikes("order_lost"):
            return
        reason = self._refusal(request)
        if not reason and self._faults.strikes("order_refused_loudly"):
            reason = "[COUNTER][251010] 委托失败"
            self._error(client, seq, -1, reason, request)
        if reason or self._faults.strikes("order_refused"):
            self._respond(client, seq, -1, reason or "下单失败", request)
            return
        if self._faults.strikes("order_unlisted"):
            self._turned_down += 1
            self._respond(client, seq, UNLISTED_FROM + self._turned_down, "", request)
            self._error(client, seq, UNLISTED_FROM + self._turned_down, "[COUNTER][260200] 可用资金不足", request)
            return
        price = Decimal(repr(request.price)).quantize(_PRICE_STEP)
        order = OrderRequest(
            request.order_remark, request.stock_code, _SIDES[request.order_type], request.order_volume, price
        )
        if self._faults.strikes("order_junked"):
            order_id = self._junk(order)
        else:
            order_id = self._counter.submit(order, self._room.now())
        self._memory.entered[order_id] = self._room.now()
        self._memory.strategies[order_id] = request.strategy_name
        self._askers[order_id] = client, seq
        self._respond(client, seq, int(order_id), "", request)
        if order_id in self._answers.refused:
            self._tell_junked(order_id)

    def _refusal(self, request: native.OrderStockReq) -> str:
        if request.account_id != self._room.account_id or request.account_type != STOCK_ACCOUNT:
            return _NO_ACCOUNT
        is_known = request.order_type in _SIDES and request.price_type == FIX_PRICE
        is_sound = request.order_volume > 0 and 0 < request.price < float("inf")
        return "" if is_known and is_sound else "无效的请求参数"

    def _respond(self, client: Client, seq: int, order_id: int, message: str, request: native.OrderStockReq) -> None:
        if order_id > 0 and self._faults.strikes("response_lost"):
            return
        is_late = order_id > 0 and self._faults.strikes("response_late")
        response = filled(
            native.OrderStockResp,
            account_id=request.account_id,
            order_id=order_id,
            strategy_name=request.strategy_name,
            order_remark=self._faults.remark(request.order_remark),
            error_msg=message,
        )
        self._reply(client, "orderStock", seq, response, self._faults.delay_s("response_late") if is_late else 0.0)

    def _error(
        self, client: Client, seq: int, order_id: int, message: str, order: native.OrderStockReq | BrokerOrder
    ) -> None:
        remark = order.order_remark if isinstance(order, native.OrderStockReq) else order.tag
        number = _ERROR_NUMBER.search(message)
        told = filled(
            native.XtOrderError,
            account_type=STOCK_ACCOUNT,
            account_id=self._room.account_id,
            order_id=order_id,
            error_id=int(number[1]) if number else 0,
            error_msg=message,
            order_remark=self._faults.remark(remark),
            seq=seq,
        )
        client.deliver("OrderError", told, after_s=self._room.latency_s)

    def _junk(self, order: OrderRequest) -> str:
        order_id = str(_JUNKED_FROM + len(self._answers.refused))
        row = BrokerOrder.unknown(order, self._room.now())
        text = "[COUNTER][260999] 柜台拒绝"
        row = replace(row, order_id=order_id, status=OrderStatus.JUNK, message=text)
        self._answers.refused[order_id] = self._known[order_id] = row
        return order_id

    def _tell_junked(self, order_id: str) -> None:
        row = self._answers.refused[order_id]
        for status in (OrderStatus.WAIT_REPORTING, OrderStatus.REPORTED):
            self._push(replace(row, status=status, message=""))
        self._push(row)

    def _push(self, event: Event) -> None:
        """Tell the subscribers of an order or a fill; a report that says why no cancel came is a cancel error."""
        if isinstance(event, BrokerOrder) and event.message.startswith("CANCEL_NOT_ALLOWED"):
            self._cancel_error(event.order_id, event.message)
            return
        name, struct, is_late = "StockTrade", self._rows.of(event), False
        if isinstance(event, BrokerOrder):
            name = "StockOrder"
            if event.order_id not in self._order_late:
                self._order_late[event.order_id] = self._faults.strikes("trade_first")
            is_late = self._order_late[event.order_id]
        for _ in range(2 if self._faults.strikes("push_doubled") else 1):
            if self._faults.strikes("push_lost"):
                continue
            wait_s = self._room.latency_s
            wait_s += self._faults.delay_s("push_late") if self._faults.strikes("push_late") else 0.0
            wait_s += self._faults.delay_s("trade_first") if is_late else 0.0
            for client in self._room.subscribers():
                client.deliver(name, struct, after_s=wait_s)
        if isinstance(event, BrokerOrder) and event.status is OrderStatus.JUNK and event.order_id in self._askers:
            client, seq = self._askers.pop(event.order_id)
            self._error(client, seq, int(event.order_id), event.message, event)

    def _cancel(self, client: Client, seq: int, request: native.CancelOrderStockReq) -> None:
        if self._faults.strikes("cancel_lost"):
            return
        order_id = str(request.order_id) if request.order_id else request.order_sysid.removeprefix("E")
        found = self._known.get(order_id)
        result, message = 0, ""
        if request.account_id != self._room.account_id:
            result, message = -3, _NO_ACCOUNT
        elif found is None:
            result, message = -2, "委托不存在"
        elif found.status.is_terminal:
            result, message = -1, "委托已结束"
        elif self._faults.strikes("cancel_refused"):
            result, message = -1, "[COUNTER][251301] 撤单失败"
        response = filled(
            native.CancelOrderStockResp,
            account_id=request.account_id,
            cancel_result=result,
            order_id=request.order_id,
            order_sysid=request.order_sysid,
            error_msg=message,
        )
        self._reply(client, "cancelOrderStock", seq, response)
        if found is not None and result == 0 and self._faults.strikes("cancel_unconfirmed"):
            self._faults.unconfirmed.add(order_id)
            self._push(found)
        elif result == 0:
            self._faults.unconfirmed.discard(order_id)
            self._counter.cancel(order_id, self._room.now())
        elif found is not None:
            self._cancel_error(order_id, message)

    def _cancel_error(self, order_id: str, message: str) -> None:
        number = _ERROR_NUMBER.search(message)
        told = filled(
            native.XtCancelError,
            account_type=STOCK_ACCOUNT,
            account_id=self._room.account_id,
            order_id=int(order_id),
            error_id=int(number[1]) if number else 0,
            error_msg=message,
        )
        for client in self._room.subscribers():
            client.deliver("CancelError", told, after_s=self._room.latency_s)

    def _query(self, client: Client, sender: str, seq: int, request: Struct) -> None:
        faults = self._faults
        if faults.strikes_query("query_lost", sender):
            return
        rows = self._answers.rows(request)
        is_other = isinstance(request, native.AccountStruct) and request.account_id not in ("", self._room.account_id)
        if is_other or faults.strikes_query("query_empty", sender):
            rows = ()
        elif faults.strikes_query("query_short", sender):
            rows = tuple(row for row in rows if faults.draw("query_short").random() < 0.5)
        is_late = faults.strikes_query("query_late", sender)
        self._reply(client, sender, seq, list(rows), faults.delay_s("query_late") if is_late else 0.0)

    def _reply(self, client: Client, sender: str, seq: int, answer: object, more_s: float = 0.0) -> None:
        client.deliver(ANSWERS[sender], seq, answer, after_s=self._room.latency_s + more_s)
