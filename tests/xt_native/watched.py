"""A terminal that notes what it is asked for."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

from qws.domain.calendar import AlwaysOpenCalendar
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest
from qws.gateways.sim.exchange import SimExchange
from qws.runtime.clock import SystemClock
from tests.gateways.sim_rig import FixedBars, a_market, an_exchange, flat
from tests.xt_native.faults import Faults
from tests.xt_native.ports import Client
from tests.xt_native.rig import ACCOUNT, BOUGHT, CASH, HELD, INDEX
from tests.xt_native.structs import Struct
from tests.xt_native.terminal import SimTerminal

ORDERING = {"orderStock", "cancelOrderStock"}


class Watched(SimTerminal):
    """A terminal that notes what it is asked for, and keeps its counter in reach."""

    counters: list[SimExchange]
    dies_after_an_order = False

    @cached_property
    def senders(self) -> set[str]:
        """What was asked for."""
        return set()

    def request(self, client: Client, sender: str, seq: int, request: Struct) -> None:
        self.senders.add(sender)
        super().request(client, sender, seq, request)
        if sender == "orderStock" and self.dies_after_an_order:
            self._lane.put(self._blink)

    def _blink(self) -> None:
        self.die()
        self.revive()

    def orders(self) -> tuple[BrokerOrder, ...]:
        return self.ask(lambda: self.counters[0].orders(self.now()))


def a_watched_terminal(faults: Faults | None = None, *, dies_after_an_order: bool = False) -> Watched:
    """A market that never closes; somebody bought by hand, and left an order in the book."""
    bars = FixedBars({BOUGHT: flat("10.00"), HELD: flat("20.00"), INDEX: flat("3500.00")})
    market, clock, counters = a_market(bars, always_open=True), SystemClock(), list[SimExchange]()

    def counter() -> SimExchange:
        opened = clock.now() - timedelta(seconds=5)
        exchange = an_exchange(market, opened, cash=CASH, positions=((HELD, 3000, 2000),))
        quote, record = market.quote(BOUGHT, opened), market.instrument(BOUGHT, opened)
        assert quote is not None
        assert record is not None
        assert record.limit_down is not None
        exchange.submit(OrderRequest("手工", BOUGHT, Side.BUY, 200, quote.asks[2].price), opened)
        exchange.submit(OrderRequest("", BOUGHT, Side.BUY, 100, record.limit_down), opened)
        counters.append(exchange)
        return exchange

    terminal = Watched(counter, market, AlwaysOpenCalendar(), clock, account_id=ACCOUNT, faults=faults)
    terminal.counters, terminal.dies_after_an_order = counters, dies_after_an_order
    return terminal
