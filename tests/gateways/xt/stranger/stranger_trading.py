"""A stranger's `xtpythonclient`: one account, one mailbox for everybody, a thread of its own for every call back.

Answers are late, or with STRANGER_HASTE=1 done and told within the very call that asks for it. Responses come after
the pushes of their orders, fills have no remark, the account's status is an empty list, and whoever has connected with
a session id never does so again.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from types import ModuleType

from stranger_structs import STRUCTS, Plain, with_members

ACCOUNT, STOCK = "1000000365", 2
PRICES = {"600000.SH": 10.0, "600004.SH": 20.0}
LATE_S = 0.02
HASTE = bool(os.environ.get("STRANGER_HASTE"))
PUSHED = "Disconnected UpdateAccountStatus StockAsset StockOrder StockTrade StockPosition OrderError CancelError"
ANSWERED = """SubscribeResp UnsubscribeResp QueryStockAsset QueryStockOrders QueryStockTrades QueryStockPositions
    QueryAccountInfos QueryAccountStatus OrderStockResp CancelOrderStockResp SmtAppointmentResp"""
NEVER = """QueryCreditDetailResp QueryStkCompactsResp QueryCreditSubjectsResp QueryCreditSloCodeResp
    QueryCreditAssureResp QueryNewPurchaseLimit QueryIPOData TransferResp QueryComFundResp SmtQueryQuoterResp
    SmtQueryOrderResp SmtQueryCompactResp QueryPositionStatisticsResp ExportDataResp SyncTransactionFromExternalResp
    BankTransferResp QueryBankInfoResp QueryBankAmountResp QueryBankTransferStreamResp QuerySecuAccountResp
    CtpInternalTransferResp GetSmartAlgoParamResp SmartOrderStockResp QuerySmartAlgoTaskResp
    OperateSmartAlgoTaskResp"""


def a(name: str, **members: object) -> Plain:
    """A filled struct about the account."""
    struct = with_members(STRUCTS[name](), account_id=ACCOUNT)
    if hasattr(struct, "account_type"):
        with_members(struct, account_type=STOCK)
    return with_members(struct, **members)


class House:
    """The terminal and the counter behind it. Only its own thread touches the books."""

    def __init__(self) -> None:
        self.turn = threading.RLock()
        self.mail: queue.Queue[Callable[[], None]] = queue.Queue()
        self.sessions: list[int] = []
        self.listeners: list[Client] = []
        self.cash, self.held = 1_000_000.0, {"600004.SH": [1000, 1000]}  # shares, sellable
        self.orders: list[Plain] = []
        self.trades: list[Plain] = []
        self._order(ordered("600000.SH", 23, 200, 10.0, "by hand"), 700001)
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            self.mail.get()()

    def do(self, work: Callable[[], None]) -> int:
        """Now, or when its turn comes; what senders return says nothing."""
        if HASTE:
            with self.turn:
                work()
        else:
            self.mail.put(work)
        return 0

    def push(self, name: str, struct: Plain) -> None:
        for client in self.listeners:
            client.call(name, struct)

    def frozen(self) -> float:
        return sum(
            (each.order_volume - each.traded_volume) * each.price  # type: ignore[attr-defined]
            for each in self.orders
            if each.order_type == 23 and each.order_status in (50, 55)  # type: ignore[attr-defined]
        )

    def asset(self) -> list[Plain]:
        value = sum(shares * PRICES[code] for code, (shares, _) in self.held.items())
        free, frozen = self.cash - self.frozen(), self.frozen()
        total = free + frozen + value
        return [a("XtAsset", cash=free, frozen_cash=frozen, market_value=value, total_asset=total)]

    def positions(self) -> list[Plain]:
        return [
            a("XtPosition", stock_code=code, volume=shares, can_use_volume=sellable, market_value=shares * PRICES[code])
            for code, (shares, sellable) in self.held.items()
        ]

    def order(self, client: Client, seq: int, request: Plain) -> None:
        """Pushes first, and then the response."""
        price, volume, code = request.price, request.order_volume, request.stock_code  # type: ignore[attr-defined]
        is_good = code in PRICES and volume > 0 and price > 0 and request.price_type == 11  # type: ignore[attr-defined]
        order_id = 700001 + len(self.orders) if is_good else -1
        if is_good:
            self._order(request, order_id)
        remark, text = request.order_remark, "" if is_good else "无效的请求参数"  # type: ignore[attr-defined]
        client.call("OrderStockResp", seq, a("OrderStockResp", order_id=order_id, order_remark=remark, error_msg=text))

    def cancel(self, client: Client, seq: int, request: Plain) -> None:
        found = [each for each in self.orders if each.order_id == request.order_id]  # type: ignore[attr-defined]
        is_good = bool(found) and found[0].order_status in (50, 55)  # type: ignore[attr-defined]
        answer = a("CancelOrderStockResp", cancel_result=0 if is_good else -1, order_id=request.order_id)  # type: ignore[attr-defined]
        client.call("CancelOrderStockResp", seq, answer)
        if is_good:
            ended = 53 if found[0].traded_volume else 54  # type: ignore[attr-defined]
            self._show(found[0], order_status=51)
            self._show(found[0], order_status=ended)

    def _order(self, request: Plain, order_id: int) -> None:
        names = ("stock_code", "order_type", "order_volume", "price", "order_remark", "strategy_name")
        order = a("XtOrder", order_id=order_id, order_time=int(time.time()), price_type=50)
        with_members(order, **{name: getattr(request, name) for name in names})
        self.orders.append(order)
        self._show(order, order_status=49)
        self._show(order, order_status=50)
        code, market = order.stock_code, PRICES[order.stock_code]  # type: ignore[attr-defined]
        is_buy = order.order_type == 23  # type: ignore[attr-defined]
        if (order.price >= market) if is_buy else (order.price <= market):  # type: ignore[attr-defined]
            volume = order.order_volume  # type: ignore[attr-defined]
            for part in filter(None, (volume // 200 * 100, volume - volume // 200 * 100)):
                self._fill(order, code, part if is_buy else -part, market)

    def _fill(self, order: Plain, code: str, part: int, price: float) -> None:
        shares = self.held.setdefault(code, [0, 0])
        shares[0] += part
        shares[1] += min(part, 0)
        self.cash -= part * price + 5
        traded = order.traded_volume + abs(part)  # type: ignore[attr-defined]
        trade = a(
            "XtTrade",
            stock_code=code,
            order_id=order.order_id,  # type: ignore[attr-defined]
            order_type=order.order_type,  # type: ignore[attr-defined]
            traded_id=f"T{len(self.trades)}",
            traded_time=int(time.time()),
            traded_price=price + 1e-12,
            traded_volume=abs(part),
        )
        self.trades.append(trade)
        is_over = traded == order.order_volume  # type: ignore[attr-defined]
        self._show(order, traded_volume=traded, order_status=56 if is_over else 55)
        self.push("StockTrade", trade)

    def _show(self, order: Plain, **changes: object) -> None:
        with_members(order, **changes)
        copy = type(order)()
        for name in order.__slots__:
            setattr(copy, name, getattr(order, name))
        self.push("StockOrder", copy)


class Client:
    """`XtQuantAsyncClient`."""

    house: House

    def __init__(self, path: object, name: object, session: object) -> None:
        assert isinstance(path, bytes | str)
        assert (name, type(session)) == ("xtquant", int)
        self.session: int = session  # type: ignore[assignment]
        self.bound: dict[str, Callable[..., object]] = {}
        self.number, self.is_over, self.last = 0, False, threading.Event()
        self.last.set()

    def init(self) -> None:
        """Nothing."""

    def start(self) -> None:
        """Nothing."""

    def stop(self) -> None:
        self.is_over = True
        if self in self.house.listeners:
            self.house.listeners.remove(self)

    def connect(self) -> int:
        if self.session in self.house.sessions:
            return -1
        self.house.sessions.append(self.session)
        return 0

    def call(self, name: str, *given: object) -> None:
        """On a new thread, after the one before it, and late; or at once."""
        if HASTE:
            self.bound[name](*given)
            return
        before, done = self.last, threading.Event()
        self.last = done

        def run() -> None:
            before.wait()
            done.wait(LATE_S)
            if not self.is_over:
                self.bound[name](*given)
            done.set()

        threading.Thread(target=run, daemon=True).start()

    def next_seq(self) -> int:
        self.number += 1
        return self.number

    def subscribe(self, seq: int, request: Plain) -> None:
        is_known = request.account_id == ACCOUNT  # type: ignore[attr-defined]
        if is_known:
            self.house.listeners.append(self)
        self.call("SubscribeResp", seq, 0 if is_known else -1)


def _asked(client: Client, name: str, seq: int, answer: Callable[[], object]) -> int:
    return client.house.do(lambda: client.call(name, seq, answer()))


def module() -> ModuleType:
    """`xtpythonclient`."""
    made = ModuleType("xtquant.xtpythonclient")
    house = Client.house = House()
    members: dict[str, object] = {
        "nextSeq": Client.next_seq,
        "setTimeout": lambda client, timeout: None,
        "subscribeWithSeq": lambda client, seq, req: house.do(lambda: client.subscribe(seq, req)),
        "unsubscribeWithSeq": lambda client, seq, req: _asked(client, "UnsubscribeResp", seq, lambda: 0),
        "orderStockWithSeq": lambda client, seq, req: house.do(lambda: house.order(client, seq, req)),
        "cancelOrderStockWithSeq": lambda client, seq, req: house.do(lambda: house.cancel(client, seq, req)),
        "queryStockAssetWithSeq": lambda client, seq, req: _asked(client, "QueryStockAsset", seq, house.asset),
        "queryStockOrdersWithSeq": lambda client, seq, req: _asked(
            client, "QueryStockOrders", seq, lambda: list(house.orders)
        ),
        "queryStockTradesWithSeq": lambda client, seq, req: _asked(
            client, "QueryStockTrades", seq, lambda: list(house.trades)
        ),
        "queryStockPositionsWithSeq": lambda client, seq, req: _asked(
            client, "QueryStockPositions", seq, house.positions
        ),
        "queryAccountInfosWithSeq": lambda client, seq, req: _asked(client, "QueryAccountInfos", seq, list),
        "queryAccountStatusWithSeq": lambda client, seq, req: _asked(client, "QueryAccountStatus", seq, list),
    }
    for name in f"{PUSHED} {ANSWERED} {NEVER}".split():
        members[f"bindOn{name}Callback"] = _binder(name)
    made.XtQuantAsyncClient = type("XtQuantAsyncClient", (Client,), members)  # type: ignore[attr-defined]
    for name, kind in STRUCTS.items():
        setattr(made, name, kind)
    return made


def _binder(name: str) -> Callable[[Client, Callable[..., object]], None]:
    def bind(client: Client, callback: Callable[..., object]) -> None:
        client.bound[name] = callback

    return bind


def ordered(code: str, side: int, volume: int, price: float, remark: str) -> Plain:
    """A request of somebody else's."""
    return a("OrderStockReq", stock_code=code, order_type=side, order_volume=volume, price=price, order_remark=remark)
