"""The port `Broker` of an account at a MiniQMT terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

from loguru import logger

from qws.domain.account import Asset, Position
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.xt import rows
from qws.gateways.xt.agreement import Difference, Gap, gap_of, unlike
from qws.gateways.xt.book import Book
from qws.gateways.xt.cancels import CancelQueue
from qws.gateways.xt.client import Link, LinkState
from qws.gateways.xt.rows import BadRow, Row
from qws.gateways.xt.session import AccountLock
from qws.gateways.xt.settings import Deadlines, Pace, Terminal
from qws.gateways.xt.turns import Turns
from qws.gateways.xt.vendor import VendorMissing
from qws.gateways.xt.worker import ThreadWorker, Workers
from qws.ports import BrokerEvent, Clock, LinkDown, LinkUp

_NEWS_MAX = 100_000


class XtBroker:
    """A `Broker` over the vendor's asynchronous calls; what it cannot be sure of it raises, and never repeats.

    A lost connection is told as LinkDown, sought again until `close`, whether or not anybody listens meanwhile, and
    told as LinkUp once asset, positions, orders and trades have been read and agree. One process trades an account.
    """

    def __init__(
        self,
        terminal: Terminal,
        clock: Clock,
        deadlines: Deadlines | None = None,
        pace: Pace | None = None,
        workers: Workers = ThreadWorker,
    ) -> None:
        self._clock, self._deadlines, self._pace = clock, deadlines or Deadlines(), pace or Pace()
        self._account, self._lock = terminal.account, AccountLock(terminal.lock)
        self._link = Link(
            terminal,
            clock,
            self._deadlines,
            self._pace,
            workers,
            hear=self._hear,
            reconcile=self._problem,
            lost=self._lose,
        )
        self._news: asyncio.Queue[BrokerEvent | None] = asyncio.Queue()  # None: closed
        self._mending: asyncio.Task[None] | None = None
        self._book = Book()
        self._cancels = CancelQueue(self._cancel, clock, self._pace.order_gap_s, self._pace.cancel_pause_s)
        self._order_turns = Turns(clock, self._pace.order_gap_s)
        self._query_turns: dict[str, Turns] = {}
        self._older: set[str] = set()  # ids of orders of another day in the list that was read last
        self._difference = Difference()
        self._ours, self._foreign = Decimal(0), Decimal(0)  # CNY of the holdings that were read last

    @property
    def state(self) -> LinkState:
        """How far the connection is."""
        return self._link.state

    @property
    def reason(self) -> str:
        """Why it is not further, empty when it is ready."""
        return self._link.reason

    @property
    def stuck_threads(self) -> int:
        """How many threads hang inside the vendor's library; with one of them the process cannot be trusted to end."""
        return self._link.stuck_threads

    async def open(self) -> None:
        """Connect, subscribe and wait until the account is ready, for as long as it takes.

        Raises AlreadyRunning while another process trades the account, and VendorMissing.
        """
        await self.close()
        self._news = asyncio.Queue()
        self._lock.acquire()
        await self._link.up(at_once=True)

    async def close(self) -> None:
        """Let go of the connection and end the stream of events; working orders go on living at the exchange."""
        await self._cancels.end(self._deadlines.stop_s)
        self._news.put_nowait(None)
        await self._link.down()
        if self._mending is not None:
            await asyncio.wait([self._mending], timeout=self._deadlines.stop_s)
            self._mending.cancel()
        self._lock.release()

    async def place(self, order: OrderRequest) -> str:
        """Hand one limit order over; its id once the terminal has told it, "" when it was turned down.

        Raises GatewayLost when nothing was sent, GatewayTimeout and GatewayError when the outcome is unknown.
        """
        self._link.ready("order")
        await self._order_turns.wait()
        connection = self._link.ready("order")
        now = self._clock.now()
        self._book.begin(now.date())
        self._book.send(order, now)
        try:
            row = await connection.order(order)
        except GatewayTimeout:
            self._link.note_stuck()
            raise
        self._take_answer(order.tag, row)
        return rows.id_of(row)

    async def cancel(self, order_id: str) -> None:
        """Ask for a cancel, after those that wait already. Raises GatewayLost while the account is not ready."""
        self._link.ready("cancel")
        if not order_id.isdecimal():
            logger.warning("no order at this broker can have the id {!r}: nothing to cancel", order_id)
        elif not self._book.has_ended(order_id):
            self._cancels.ask(order_id)

    async def asset(self) -> Asset:
        """The account's money now, without holdings that are no shares, funds or bonds of ours."""
        self._link.ready("asset")
        return await self._asset()

    async def positions(self) -> tuple[Position, ...]:
        """All holdings with shares > 0; no holdings while there is a market value is no answer."""
        self._link.ready("positions")
        return await self._positions()

    async def orders(self) -> tuple[BrokerOrder, ...]:
        """Every order of today; none while some were seen is no answer."""
        self._link.ready("orders")
        return await self._orders()

    async def trades(self) -> tuple[Trade, ...]:
        """Every fill of today, with its order's tag; none while some were seen is no answer."""
        self._link.ready("trades")
        return await self._trades()

    async def events(self) -> AsyncIterator[BrokerEvent]:
        """Order reports, fills and link changes, as they come, until `close`. One consumer at a time."""
        news = self._news
        while (event := await self._next(news)) is not None:
            yield event

    async def _next(self, news: asyncio.Queue[BrokerEvent | None]) -> BrokerEvent | None:
        while True:
            try:
                async with asyncio.timeout(self._pace.silence_s):
                    return await news.get()
            except TimeoutError:
                await self._link.probe()

    async def _asset(self) -> Asset:
        found = await self._rows("asset")
        asset = rows.asset_of(found[0] if found else None)
        return rows.without_foreign(asset, self._ours, self._foreign)

    async def _positions(self) -> tuple[Position, ...]:
        held, foreign = rows.positions_of(await self._rows("positions"))
        if not held:
            found = await self._rows("asset")
            value = rows.asset_of(found[0] if found else None).market_value
            if value > foreign + 1:
                raise BadRow(f"positions: the terminal answered none, and a market value of {value}")
        self._ours, self._foreign = sum((each.market_value for each in held), Decimal(0)), foreign
        return held

    async def _orders(self) -> tuple[BrokerOrder, ...]:
        found, now = await self._rows("orders"), self._clock.now()
        self._book.begin(now.date())
        read = [each for row in found if (each := rows.order_of(row, now)) is not None]
        self._older = {each.order_id for each in read if each.at.date() != now.date()}
        orders = tuple(self._book.named(each) for each in read if each.at.date() == now.date())
        is_short = self._book.is_short({each.order_id for each in orders}, now)
        if not orders and is_short:
            raise BadRow("orders: the terminal answered none, and some were seen today")
        is_proof = not is_short and self._link.state is LinkState.READY
        return (*orders, *self._book.turned_down(orders, now, proves=is_proof))

    async def _trades(self) -> tuple[Trade, ...]:
        found, now = await self._rows("trades"), self._clock.now()
        self._book.begin(now.date())
        trades = [each for row in found if (each := rows.trade_of(row)) is not None and each.at.date() == now.date()]
        if not trades and self._book.lacks_trades(now):
            raise BadRow("trades: the terminal answered none, and some were seen today")
        if not all(self._book.knows(each.order_id) for each in trades):
            await self._orders()
        return tuple(self._book.joined(each) for each in trades)

    async def _rows(self, what: str) -> list[Row]:
        turns = self._query_turns.setdefault(what, Turns(self._clock, self._pace.query_gap_s))
        await turns.wait()
        found = await self._link.query(what)
        if found is None:
            raise BadRow(f"{what}: the terminal answered nothing")
        return list(rows.of_account(found, self._account))

    async def _problem(self) -> str:
        """What does not agree yet in the terminal's answers; empty when they can be traded on (G6).

        A list that is still being loaded changes from look to look. So a gap between asset and holdings that the next
        look finds again, as far as prices may move between two queries, counts as agreement: this terminal counts
        otherwise, and is not waited for for ever. What is not whole then is still no snapshot to plan on (I12).
        """
        try:
            gap = await self._gap()
            if gap.is_open:
                await self._clock.sleep(self._pace.look_again_s)
                before, gap = gap, await self._gap()
                text = f"market value: the asset says {gap.value} CNY more than the holdings, and before {before.value}"
                if gap.is_open and not gap.is_again(before):
                    return text
                if gap.is_open:
                    logger.warning("{}: this terminal counts otherwise", text)
            orders = await self._orders()
            return self._difference.left(unlike(orders, await self._trades(), self._older), self._clock.now())
        except (GatewayLost, GatewayTimeout):
            raise
        except GatewayError as error:
            return str(error)

    async def _gap(self) -> Gap:
        held = await self._positions()
        return gap_of(await self._asset(), held)

    def _hear(self, kind: str, row: Row) -> None:
        now = self._clock.now()
        self._book.begin(now.date())
        match kind:
            case "order" if (order := rows.order_of(row, now)) is not None and order.at.date() == now.date():
                self._tell(self._book.named(order))
            case "trade" if (trade := rows.trade_of(row)) is not None and trade.at.date() == now.date():
                self._tell(self._book.joined(trade))
            case "order_response" if tag := rows.text(row, "tag"):
                self._take_answer(tag, row)
            case "order_error":
                why, remark = rows.words(row, "error_msg"), rows.text(row, "order_remark")
                logger.warning("order {} {}: {}", rows.id_of(row), remark, why)
                self._book.note_error(remark, rows.id_of(row), why)
            case "cancel_error":
                logger.warning("cancel of {}: {}", rows.id_of(row), rows.words(row, "error_msg"))
                self._cancels.fail(rows.id_of(row))
            case _:
                logger.debug("the terminal told {}: {}", kind, rows.shown(row))

    def _take_answer(self, tag: str, row: Row) -> None:
        """An answer without an id is final (XTQUANT.md 4.1)."""
        if order_id := rows.id_of(row):
            self._book.answer(tag, order_id)
        elif turned_down := self._book.turn_down(tag, rows.words(row, "error_msg"), self._clock.now()):
            self._tell(turned_down)

    def _tell(self, event: BrokerOrder | Trade) -> None:
        if self._news.qsize() < _NEWS_MAX:
            return self._news.put_nowait(event)
        while not self._news.empty():  # nobody listens: what was lost is read from the lists after LinkUp
            self._news.get_nowait()
        self._link.overrun(f"{_NEWS_MAX} events waited for too long")

    def _lose(self, reason: str) -> None:
        self._book.look_again()
        self._difference = Difference()
        self._news.put_nowait(LinkDown(reason))
        self._mending = asyncio.create_task(self._mend(self._news))

    async def _mend(self, news: asyncio.Queue[BrokerEvent | None]) -> None:
        """Not in `events`: whoever hears of the loss may be waiting for lists that only a connection has."""
        try:
            await self._link.up(at_once=False)
        except VendorMissing as error:
            logger.error("{}; restart when it is there again", error)
        if news is self._news and self._link.state is LinkState.READY:
            news.put_nowait(LinkUp())

    async def _cancel(self, order_id: str) -> bool:
        if self._book.has_ended(order_id):  # while it waited its turn
            return True
        try:
            row = await self._link.ready("cancel").cancel(order_id)
        except GatewayTimeout:
            self._link.note_stuck()
            raise
        result = rows.whole(row, "cancel_result")
        if result != 0:
            logger.warning("cancel of {} answered {}: {}", order_id, result, rows.words(row, "error_msg"))
        return result == 0
