"""Behaviours of other programs, written anew from what they do: each is what a good quant writes in an afternoon.

None keeps a journal; started again, each begins from the start. All get sound quotes, legal prices and legal lots.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from qws.app import Ports
from qws.domain.account import Position
from qws.domain.legaliser import CageMargin, Child, Context, Wish, legalise
from qws.domain.market import Instrument, Quote, Side
from qws.domain.orders import BrokerOrder, OrderRequest
from qws.domain.pricing import Price, limit_price, mark_price
from qws.domain.tags import make_tag
from qws.errors import GatewayError
from qws.ports import Clock

T = TypeVar("T")
Program = Callable[["Client"], Awaitable[None]]
ROUNDS, TRIES = 10, 3
BUY_LEVEL, SELL_LEVEL, LOT = 3, 5, 100
_MARGIN = CageMargin(3.0, Decimal("0.25"))
_FEES = Decimal("1.0003")
_COMMISSION_MIN = 5


class Client:
    """What such a program works with: the broker, the quotes and its weights, in the order of the file."""

    def __init__(self, ports: Ports, clock: Clock, weights: Mapping[str, Decimal], life: int) -> None:
        self.broker, self._quotes, self._book, self._clock = ports.broker, ports.quotes, ports.rules, clock
        self._weights, self._life, self._sent = weights, life, 0
        self._records: dict[str, Instrument] = {}

    async def pause(self, seconds: float) -> None:
        """Sleep."""
        await self._clock.sleep(seconds)

    async def answer(self, call: Callable[[], Awaitable[T]]) -> T:
        """Ask each second until there is an answer."""
        while True:
            try:
                return await call()
            except GatewayError:
                await self.pause(1.0)

    async def cash(self) -> Decimal:
        """Money that may be spent, in CNY."""
        return (await self.answer(self.broker.asset)).cash

    async def held(self) -> dict[str, Position]:
        """All holdings by code."""
        return {each.code: each for each in await self.answer(self.broker.positions)}

    async def open_orders(self) -> list[BrokerOrder]:
        """Every order that may still trade."""
        return [order for order in await self.answer(self.broker.orders) if not order.status.is_terminal]

    async def goals(self) -> dict[str, int]:
        """Wanted shares: weight x total asset / last price, down to 100; zero for what is held and not in the file."""
        await self.broker.open()
        total, held = (await self.answer(self.broker.asset)).total, await self.held()
        codes = [*self._weights, *(code for code in held if code not in self._weights)]
        self._records = dict(await self.answer(lambda: self._quotes.instruments(codes)))
        quotes = await self.answer(lambda: self._quotes.quotes(codes))
        goals = dict.fromkeys(codes, 0)
        for code, weight in self._weights.items():
            goals[code] = int(weight * total / mark_price(quotes[code]) / LOT) * LOT
        return goals

    async def children(self, side: Side, code: str, shares: int, sellable: int) -> Sequence[Child]:
        """Legal orders for so many shares at ask 3 or bid 5 of this moment; none where there is no price."""
        quote = (await self.answer(lambda: self._quotes.quotes([code])))[code]
        context = self._context(quote, sellable)
        price = limit_price(side, BUY_LEVEL if side is Side.BUY else SELL_LEVEL, context)
        return legalise(Wish(side, shares, price.value), context).children if isinstance(price, Price) else ()

    async def sells(self, code: str, goal: int, position: Position | None) -> Sequence[Child]:
        """Orders that sell what is too much: whole lots, or all that is left."""
        held, sellable = (position.shares, position.sellable) if position else (0, 0)
        shares = min(held - goal if goal == 0 else (held - goal) // LOT * LOT, sellable)
        return await self.children(Side.SELL, code, shares, sellable) if shares > 0 else ()

    async def buys(self, code: str, goal: int, position: Position | None) -> Sequence[Child]:
        """Orders that buy what is missing, in whole lots."""
        shares = (goal - (position.shares if position else 0)) // LOT * LOT
        return await self.children(Side.BUY, code, shares, 0) if shares > 0 else ()

    async def send(self, child: Child) -> str:
        """Place an order and give its remark. Raises GatewayError when no answer came."""
        self._sent += 1
        tag = make_tag(self._clock.now().date(), "behaviours", self._life, self._sent)
        await self.broker.place(OrderRequest(tag, child.code, child.side, child.shares, child.price))
        return tag

    async def send_or_give_up(self, child: Child) -> None:
        """Place an order; one without an answer has failed and is seen to in the next round."""
        try:
            await self.send(child)
        except GatewayError:
            await self.pause(1.0)

    async def send_again(self, child: Child) -> str:
        """Place an order; where no answer comes it has failed and is sent again. Empty when it failed every time."""
        for _ in range(TRIES):
            try:
                return await self.send(child)
            except GatewayError:
                await self.pause(1.0)
        return ""

    def _context(self, quote: Quote, sellable: int) -> Context:
        return Context(self._book, self._clock.now(), self._records[quote.code], quote, sellable, 0, _MARGIN)


def affordable(child: Child, cash: Decimal) -> tuple[Child | None, Decimal]:
    """The order cut to the money, in whole lots, and what of the money is left."""
    shares = min(child.shares, int((cash - _COMMISSION_MIN) / child.price / _FEES / LOT) * LOT)
    if shares <= 0:
        return None, cash
    left = cash - shares * child.price * _FEES - _COMMISSION_MIN
    return Child(child.code, child.side, shares, child.price), left


async def naive_loop(client: Client) -> None:
    """For each name in file order the difference is ordered; no answer: again; no list of holdings: none held.

    PEERS.md 1, findings 3 and 6 (the requirement's loop on queried state); 2.1, 1 and 2 (a timeout is sent again);
    2.2, 29 (an empty answer is read as flat). Ten rounds, 15 s apart, until nothing is left to order.
    """
    goals = await client.goals()
    for _ in range(ROUNDS):
        try:
            held = {each.code: each for each in await client.broker.positions() or ()}
        except GatewayError:
            held = {}
        is_done = True
        for code, goal in goals.items():
            position = held.get(code)
            for child in (*await client.sells(code, goal, position), *await client.buys(code, goal, position)):
                is_done = False
                await client.send_again(child)
        if is_done:
            return
        await client.pause(15.0)


async def sleep_then_reread(client: Client) -> None:
    """What is open is cancelled and ordered anew at once; sells, 15 s of sleep, cash read again, buys cut to it.

    PEERS.md 1, finding 2 (lumibot's sleep and re-read cash), finding 4 (a cancel is not waited for: vnpy, jq2qmt,
    hummingbot). Ten rounds, until nothing is left to order.
    """
    goals = await client.goals()
    for _ in range(ROUNDS):
        is_done = True
        for order in await client.open_orders():
            try:
                await client.broker.cancel(order.order_id)
            except GatewayError:
                continue
        held = await client.held()
        for code, goal in goals.items():
            for child in await client.sells(code, goal, held.get(code)):
                is_done = False
                await client.send_or_give_up(child)
        await client.pause(0.0 if is_done else 15.0)
        cash, held = await client.cash(), await client.held()
        for code, goal in goals.items():
            for child in await client.buys(code, goal, held.get(code)):
                is_done = False
                cut, cash = affordable(child, cash)
                if cut is not None:
                    await client.send_or_give_up(cut)
        if is_done:
            return
        await client.pause(15.0)


async def sells_without_waiting(client: Client) -> None:
    """All sells, then at once all buys sized on total asset; target - holding - open orders, once a minute.

    PEERS.md 1, finding 2 (Lean orders sells first and does not wait: Lean#9231, Lean#2107); 5.2 and 5.3 (what Lean
    does at each bar: quantity = target - holdings - open orders). Ten bars, until nothing is left to order.
    """
    goals = await client.goals()
    for _ in range(ROUNDS):
        held, working = await client.held(), await client.open_orders()
        coming = dict.fromkeys(goals, 0)
        for order in working:
            coming[order.code] += (order.shares - order.traded) * (1 if order.side is Side.BUY else -1)
        is_done = not working
        for order_of in (client.sells, client.buys):
            for code, goal in goals.items():
                for child in await order_of(code, goal - coming[code], held.get(code)):
                    is_done = False
                    await client.send_or_give_up(child)
        if is_done:
            return
        await client.pause(60.0)


async def phase_with_blocking(client: Client) -> None:
    """Sells, then buys, each phase waited for until its last order has ended; no answer: ordered again.

    PEERS.md 1, finding 2 (jq2qmt: any unfilled sell blocks all buys); finding 3 (a timeout is a failure); 2.2, 33 and
    35 (a restart begins the phase again, ten rounds). Looks once a second.
    """
    goals = await client.goals()
    for _ in range(ROUNDS):
        held = await client.held()
        sent = [
            await client.send_again(child)
            for code, goal in goals.items()
            for child in await client.sells(code, goal, held.get(code))
        ]
        await _ended(client, sent)
        cash, held, bought = await client.cash(), await client.held(), list[str]()
        for code, goal in goals.items():
            for child in await client.buys(code, goal, held.get(code)):
                cut, cash = affordable(child, cash)
                if cut is not None:
                    bought.append(await client.send_again(cut))
        await _ended(client, bought)
        if not sent and not bought:
            return


async def _ended(client: Client, tags: Sequence[str]) -> None:
    """Wait until all of these orders have ended, however long that takes."""
    waiting = set(tags) - {""}
    while waiting:
        await client.pause(1.0)
        found = await client.answer(client.broker.orders)
        waiting -= {order.tag for order in found if order.status.is_terminal}


PROGRAMS: Mapping[str, Program] = {
    program.__name__: program for program in (naive_loop, sleep_then_reread, sells_without_waiting, phase_with_blocking)
}
