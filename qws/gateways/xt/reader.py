"""An account at a terminal that is only read, and an opening that ends: for commands that a person waits for."""

from __future__ import annotations

import asyncio

from qws.domain.orders import OrderRequest
from qws.errors import GatewayLost, InvariantBroken
from qws.gateways.xt.broker import XtBroker
from qws.gateways.xt.client import LinkState

_LOOK_AGAIN_S, _TRIES_S = 0.05, 4.0
_FINAL = (LinkState.DOWN, LinkState.LOCKED)
_CLOSED = "closed"


class XtReader(XtBroker):
    """Connects, locks the account and reads as every other; nothing can be placed or cancelled through it."""

    async def place(self, order: OrderRequest) -> str:
        """Raises InvariantBroken: nothing reaches the terminal."""
        raise InvariantBroken(f"a look places no order: {order}")

    async def cancel(self, order_id: str) -> None:
        """Raises InvariantBroken: nothing reaches the terminal."""
        raise InvariantBroken(f"a look cancels no order: {order_id}")


async def opened(broker: XtBroker, patience_s: float) -> None:
    """Be ready, or say why not: the broker itself would go on trying, as it must when a session id is still taken.

    Raises GatewayLost after so many seconds, sooner where there is no hope; AlreadyRunning and VendorMissing.
    """
    opening, loop = asyncio.create_task(broker.open()), asyncio.get_running_loop()
    until, reason = loop.time() + patience_s, ""
    try:
        while not opening.done():
            await asyncio.wait([opening], timeout=_LOOK_AGAIN_S)
            if broker.state in _FINAL and broker.reason != _CLOSED:
                until = until if reason else min(until, loop.time() + _TRIES_S)
                reason = broker.reason
            if not opening.done() and (loop.time() > until or broker.state is LinkState.LOCKED):
                raise GatewayLost(reason or f"not ready within {patience_s:g} s: {broker.state}: {broker.reason}")
    finally:
        opening.cancel()
        await asyncio.wait([opening])
    opening.result()
