"""A paper broker that cannot be reached at times: what every broker behind a cut line has in common."""

from __future__ import annotations

from qws.domain.account import Asset, Position
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.errors import GatewayLost
from qws.gateways.sim.broker import PaperBroker


class UnreachableBroker(PaperBroker):
    """Every call fails while the line is out; when that is, a subclass says."""

    async def place(self, order: OrderRequest) -> str:
        self._reach()
        return await super().place(order)

    async def cancel(self, order_id: str) -> None:
        self._reach()
        await super().cancel(order_id)

    async def asset(self) -> Asset:
        self._reach()
        return await super().asset()

    async def positions(self) -> tuple[Position, ...]:
        self._reach()
        return await super().positions()

    async def orders(self) -> tuple[BrokerOrder, ...]:
        self._reach()
        return await super().orders()

    async def trades(self) -> tuple[Trade, ...]:
        self._reach()
        return await super().trades()

    def _is_out(self) -> bool:
        raise NotImplementedError

    def _reach(self) -> None:
        if self._is_out():
            raise GatewayLost("there is no connection")
