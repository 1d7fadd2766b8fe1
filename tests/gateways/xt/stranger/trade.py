"""What a user's own script does with the broker: buy, see the fill, leave an order in the book, cancel it."""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal
from pathlib import Path

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.gateways.xt.broker import XtBroker
from qws.gateways.xt.quotes import QuoteLine, XtQuotes
from qws.gateways.xt.settings import Deadlines, Pace, Terminal
from qws.runtime.clock import SystemClock
from qws.tables import load_rules

CODE = "600000.SH"


async def main(folder: Path) -> None:
    clock = SystemClock()
    broker = XtBroker(Terminal("xtquant", folder, "1000000365", folder / "xt.lock"), clock, Deadlines(), Pace(0, 0))
    line = QuoteLine("xtquant", Deadlines())
    quote = (await XtQuotes(line, load_rules(), clock).quotes([CODE]))[CODE]
    await broker.open()
    events = broker.events()
    bought = await broker.place(OrderRequest("buys", CODE, Side.BUY, 300, quote.asks[-1].price))
    fills: list[Trade] = []
    statuses: list[int] = []
    while sum(each.shares for each in fills) < 300 or 56 not in statuses:
        event = await asyncio.wait_for(anext(events), 10)
        if isinstance(event, Trade):
            fills.append(event)
        elif isinstance(event, BrokerOrder):
            statuses.append(int(event.status))
    rests = await broker.place(OrderRequest("rests", CODE, Side.BUY, 100, Decimal("9.00")))
    await broker.cancel(rests)
    ended = ""
    while ended != "canceled":
        event = await asyncio.wait_for(anext(events), 10)
        ended = event.status.name.lower() if isinstance(event, BrokerOrder) and event.tag == "rests" else ""
    listed = {each.tag: [each.order_id, int(each.status), each.traded] for each in await broker.orders()}
    told = {
        "bought": bought,
        "rests": rests,
        "listed": listed,
        "statuses": statuses,
        "fills": [[each.tag, each.order_id, each.shares, f"{each.price}"] for each in fills],
        "cash": f"{(await broker.asset()).cash}",
        "positions": {each.code: [each.shares, each.sellable] for each in await broker.positions()},
    }
    await broker.close()
    line.close()
    print(json.dumps(told))


asyncio.run(main(Path(sys.argv[1])))
