"""What the broker's rows are to the system, as messages. RELIABILITY.md 6.4, 6.5."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from qws import messages as m
from qws.domain.known_orders import KnownOrders
from qws.domain.orders import BrokerOrder, Trade

News = m.OrderUpdated | m.FillReceived | m.StrayOrderSeen | m.ControlOrdered | m.CancelOrder


def heard(known: KnownOrders, orders: Iterable[BrokerOrder], trades: Iterable[Trade], today: date) -> list[News]:
    """What is new about orders and fills; a row that should not be there stops all trading, a late one excepted."""
    updates, strays = list(known.merge_orders(orders, today)), known.strays()
    fills = [m.FillReceived(each) for each in known.merge_trades(trades, today)]  # it is known now whose
    ill = (each for each in strays if each.reason != "ghost")
    news: list[News] = [m.ControlOrdered("halt", f"the broker has an order of ours that is {each}") for each in ill]
    return [*news, *map(m.StrayOrderSeen, strays), *fills, *map(m.OrderUpdated, updates)]


def unwanted(known: KnownOrders, rows: Iterable[BrokerOrder]) -> Iterator[m.CancelOrder]:
    """Cancel what nobody wants."""
    return (m.CancelOrder("", row.tag, row.order_id) for row in known.to_cancel(rows))
