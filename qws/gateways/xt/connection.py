"""One vendor object with one session id on one thread, from its making to its end. XTQUANT.md G2, H4, H5, H13, H14."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from loguru import logger

from qws.domain.market import Side
from qws.domain.orders import OrderRequest
from qws.domain.tags import is_ours
from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.xt import rows
from qws.gateways.xt.pushes import Hear, Pushes
from qws.gateways.xt.replies import Replies
from qws.gateways.xt.rows import BadRow, Row
from qws.gateways.xt.session import SessionPool
from qws.gateways.xt.settings import Deadlines, Terminal
from qws.gateways.xt.vendor import Trader, TradeSide, load_trade_side
from qws.gateways.xt.worker import Caught, Workers, post

_STRATEGY = "qws"
_FIELDS = {
    "asset": rows.ASSET,
    "positions": rows.POSITION,
    "orders": rows.ORDER,
    "trades": rows.TRADE,
    "status": rows.STATUS,
}
_Answer = asyncio.Future[list[Row] | None]


class Connection:
    """Never connects again: `reason` says why it is over, empty while it lives. A seq is no proof of anything (H4)."""

    def __init__(self, terminal: Terminal, deadlines: Deadlines, workers: Workers, hear: Hear) -> None:
        self.reason = ""
        self._terminal, self._deadlines, self._hear = terminal, deadlines, hear
        self._worker = workers("xt trade")
        self._pushes: Pushes | None = None
        self._trader: Any = None
        self._account: object = None
        self._side: TradeSide
        self._orders, self._cancels = Replies(is_ours), Replies(str.isdecimal)
        self._answers: set[_Answer] = set()

    @property
    def is_stuck(self) -> bool:
        """Whether a call of the vendor never returned: its thread is lost until the process ends."""
        return bool(self._worker.reason)

    async def begin(self, pool: SessionPool) -> None:
        """Build, connect, subscribe. Raises VendorMissing, GatewayLost or GatewayTimeout; then `end` it."""
        limits, account = self._deadlines, self._terminal.account
        loading = partial(load_trade_side, self._terminal.package)
        self._side = await self._call("import", loading, limits.import_s)
        session = await self._call("session", pool.take, limits.call_s)
        loop = asyncio.get_running_loop()
        code = await self._call("connect", partial(self._build, session, loop), limits.connect_s)
        if code != 0:
            raise GatewayLost(self._refused("connect", code, session))
        code = await self._call("subscribe", lambda: self._trader.subscribe(self._account), limits.query_s)
        if code != 0:
            raise GatewayLost(f"subscribe answered {code}: account ...{account[-4:]} is not logged in at the terminal")
        if self.reason:
            raise GatewayLost(self.reason)
        logger.info("connected to {} with session {}", self._terminal.folder, session)

    async def end(self) -> None:
        """Detach, stop, and let the thread go; one that hangs is left behind."""
        self.over("closed")
        if self._pushes is not None:
            self._pushes.is_deaf = True
        trader = self._trader
        try:
            await self._worker.call("stop", self._stop, self._deadlines.stop_s)
        except GatewayError as error:
            logger.warning("{}", error)
        self._worker.end(self._stop)
        _close_loop(trader)

    def over(self, reason: str) -> None:
        """It is of no use any more; who waits for an answer learns that none will come."""
        if self.reason:
            return
        self.reason = reason
        for replies in (self._orders, self._cancels):
            replies.fail(reason)
        for answer in self._answers:
            if not answer.done():
                answer.set_exception(GatewayLost(reason))

    async def query(self, what: str) -> list[Row] | None:
        """Rows; None for no answer at all. `what` is asset, positions, orders, trades or status."""
        loop = asyncio.get_running_loop()
        answer: _Answer = loop.create_future()
        self._answers.add(answer)
        try:
            ask = partial(self._ask, what, partial(_hear_rows, loop, answer, _FIELDS[what]))
            await self._call(what, ask, self._deadlines.call_s)
            async with asyncio.timeout(self._deadlines.query_s):
                return await answer
        except TimeoutError:
            raise GatewayTimeout(f"{what}: no answer within {self._deadlines.query_s:g} s") from None
        finally:
            self._answers.discard(answer)
            if answer.done() and not answer.cancelled():
                answer.exception()

    async def order(self, request: OrderRequest) -> Row:
        """The terminal's response to a limit order; its order_id tells whether there is an order."""
        side, direction = self._side, self._side.buy if request.side is Side.BUY else self._side.sell
        send = partial(
            self._send_order, request.code, direction, request.shares, side.fix_price, float(request.price), request.tag
        )
        return await self._request(self._orders, request.tag, f"order {request.tag}", send)

    async def cancel(self, order_id: str) -> Row:
        """The terminal's response to a cancel: 0 means that it was asked for, not that it happened."""
        send = partial(self._send_cancel, int(order_id))
        return await self._request(self._cancels, order_id, f"cancel of {order_id}", send)

    async def _request(self, replies: Replies, key: str, what: str, send: Callable[[], int]) -> Row:
        answer = replies.expect(key)
        try:
            seq = await self._call(what, send, self._deadlines.call_s)
            if seq <= 0:
                raise GatewayError(f"{what}: the terminal answered {seq}")
            replies.sent(key, seq)
            async with asyncio.timeout(self._deadlines.query_s):
                return await answer
        except TimeoutError:
            text = f"{what}: no response within {self._deadlines.query_s:g} s: the outcome is unknown"
            raise GatewayTimeout(text) from None
        finally:
            replies.forget(key)

    async def _call(self, what: str, work: Callable[[], Any], deadline_s: float) -> Any:
        if self.reason:
            raise GatewayLost(f"{what}: {self.reason}")
        return await self._worker.call(what, work, deadline_s)

    def _told(self, kind: str, row: Row) -> None:
        """On the loop: answers find who waits for them, and everything is passed on."""
        if self.reason or not (kind == "disconnected" or rows.is_of(row, self._terminal.account)):
            return
        try:
            self._take(kind, row)
        except BadRow as error:  # the lists tell
            logger.warning("{} was not understood: {}", kind, error)

    def _take(self, kind: str, row: Row) -> None:
        seq, remark = rows.whole(row, "seq"), rows.text(row, "order_remark")
        match kind:
            case "order_response":
                self._hear(kind, {**row, "tag": self._orders.heard(seq, remark, row)})
            case "cancel_response":
                self._cancels.heard(seq, rows.id_of(row), row)
            case "disconnected":
                self.over("the terminal says that the connection is lost")
                self._hear(kind, row)
            case _:
                self._hear(kind, row)

    def _refused(self, what: str, code: int, session: int) -> str:
        folder = self._terminal.folder
        missing = "" if folder.is_dir() else " (no such folder)"
        return (
            f"{what} answered {code} for session {session} at {folder}{missing}: the terminal must run, be logged in, "
            "in the same Windows session as this program, and the folder must be its userdata_mini"
        )

    # From here on: on the worker's thread.

    def _build(self, session: int, loop: asyncio.AbstractEventLoop) -> int:
        side, account = self._side, self._side.make_account(self._terminal.account)
        if isinstance(account, str):  # H16: the vendor returns what it should raise
            raise GatewayError(f"account {self._terminal.account!r}: {account}")
        kind: Callable[..., Pushes] = type("Callback", (Pushes, side.callback_base), {})
        self._pushes = kind(loop, self._told)
        self._account = account
        self._trader = side.make_trader(str(self._terminal.folder), session, self._pushes)
        self._trader.start()
        return int(self._trader.connect())

    def _stop(self) -> None:
        trader, self._trader = self._trader, None
        if trader is not None:
            try:
                trader.stop()
            finally:
                _close_loop(trader)  # also of one that was built after everybody had gone

    def _send_order(self, code: str, direction: int, shares: int, price_type: int, price: float, tag: str) -> int:
        trader: Trader = self._trader
        return trader.order_stock_async(self._account, code, direction, shares, price_type, price, _STRATEGY, tag)

    def _send_cancel(self, order_id: int) -> int:
        trader: Trader = self._trader
        return trader.cancel_order_stock_async(self._account, order_id)

    def _ask(self, what: str, hear: Callable[[Any], None]) -> None:
        trader: Trader = self._trader
        match what:
            case "asset":
                trader.query_stock_asset_async(self._account, hear)
            case "positions":
                trader.query_stock_positions_async(self._account, hear)
            case "orders":
                trader.query_stock_orders_async(self._account, hear)
            case "trades":
                trader.query_stock_trades_async(self._account, hear)
            case _:
                trader.query_account_status_async(hear)


def _hear_rows(loop: asyncio.AbstractEventLoop, answer: _Answer, names: Collection[str], found: Any) -> None:
    """On a vendor's thread: a list, one struct, or nothing."""
    with Caught() as caught:
        structs: Iterable[Any] | None = [found] if found is not None and not hasattr(found, "__iter__") else found
        copies = None if structs is None else [rows.copied(struct, names) for struct in structs]
        post(loop, partial(_settle, answer, copies))
    if caught.error is not None:
        logger.warning("an answer of the terminal could not be read: {!r}", caught.error)


def _settle(answer: _Answer, copies: list[Row] | None) -> None:
    if not answer.done():
        answer.set_result(copies)


def _close_loop(trader: Any) -> None:
    """H14: each vendor object keeps an event loop of its own that it never runs nor closes."""
    loop = getattr(trader, "loop", None)
    if isinstance(loop, asyncio.AbstractEventLoop):
        with Caught():
            loop.close()
