"""What the cards of the broker's conformance suite have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from decimal import Decimal

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderStatus
from tests.conformance.brokers import Stand

Card = Callable[[Stand], Coroutine[object, object, None]]
Play = Callable[[Card], None]
CENT = Decimal("0.01")


async def adds_up(stand: Stand) -> None:
    """Asset and positions are of one account."""
    asset, positions = await stand.broker.asset(), await stand.broker.positions()
    assert asset.total == asset.cash + asset.frozen + asset.market_value
    assert asset.market_value == sum(position.market_value for position in positions)
    assert all(0 <= position.sellable <= position.shares and position.shares for position in positions)


async def rests(stand: Stand, tag: str, side: Side, code: str, shares: int) -> BrokerOrder:
    """Place an order that nobody meets, and wait until the exchange has it."""
    await stand.order(tag, side, code, shares, await stand.resting(side, code))
    await stand.ear.until(lambda _: any(order.status is OrderStatus.REPORTED for order in stand.ear.orders(tag)))
    return await stand.listed(tag)


async def junk(stand: Stand, tag: str, placing: Awaitable[str]) -> BrokerOrder:
    """The order is turned down, says why, is listed so, and leaves the account as it was."""
    before = await stand.broker.asset(), await stand.broker.positions()
    await placing
    order = await stand.ended(tag)
    assert order.status is OrderStatus.JUNK
    assert order.message
    assert order.traded == 0
    assert await stand.listed(tag) == order
    assert (await stand.broker.asset(), await stand.broker.positions()) == before
    return order
