"""The doomed daemon at a terminal: the vendor's own Python over the fake native module, whose counter is elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from qws import daemon
from qws.config import Config
from qws.edges import Edges
from qws.gateways.wire.protocol import parse_address
from qws.gateways.xt.broker import XtBroker
from qws.gateways.xt.quotes import QuoteLine, XtQuotes
from qws.gateways.xt.settings import Deadlines, Pace, Terminal
from qws.home import Home
from qws.paper import open_market, tables
from qws.runtime.clock import SystemClock
from tests.crashes import doomed
from tests.xt_native import SimTerminal, install
from tests.xt_native.remote import RemoteCounter

MODULE = "tests.crashes.vendor"
_ACCOUNT = "1000000365"
_PACE = Pace(order_gap_s=0.0, query_gap_s=0.05)


@asynccontextmanager
async def at_a_terminal(home: Home, config: Config, clock: SystemClock) -> AsyncIterator[Edges]:
    """Broker and quotes of a terminal whose account lies at the exchange that the configuration names."""
    rules, calendar = tables(config, home.config_folder)
    market, _, _ = open_market(config, home.root, rules, calendar)
    address, native = parse_address(config.paper.exchange, named="paper.exchange"), install()
    native.attach(SimTerminal(lambda: RemoteCounter(address), market, calendar, clock, account_id=_ACCOUNT))
    broker = XtBroker(Terminal("xtquant", home.root, _ACCOUNT, home.root / "xt.lock"), clock, pace=_PACE)
    quotes = XtQuotes(QuoteLine("xtquant", Deadlines()), rules, clock)
    try:
        yield Edges(rules, calendar, broker, quotes)
    finally:
        await broker.close()
        await quotes.close()
        native.detach()


if __name__ == "__main__":
    vars(daemon)["open_edges"] = at_a_terminal
    doomed.main()
