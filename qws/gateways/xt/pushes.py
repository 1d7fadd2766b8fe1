"""What the vendor calls back, on its own threads. XTQUANT.md 1.3, H1, H2, H12."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from loguru import logger

from qws.gateways.xt import rows
from qws.gateways.xt.rows import Row
from qws.gateways.xt.worker import Caught, post

Hear = Callable[[str, Row], None]


class Pushes:
    """Copies plain values and hands each to the loop in one step; never calls the vendor, never blocks or raises."""

    def __init__(self, loop: asyncio.AbstractEventLoop, hear: Hear) -> None:
        self.failures = 0
        self.is_deaf = False
        self._loop, self._hear = loop, hear

    def on_disconnected(self) -> None:
        self._tell("disconnected", None, ())

    def on_account_status(self, status: Any) -> None:
        self._tell("status", status, rows.STATUS)

    def on_stock_order(self, order: Any) -> None:
        self._tell("order", order, rows.ORDER)

    def on_stock_trade(self, trade: Any) -> None:
        self._tell("trade", trade, rows.TRADE)

    def on_order_error(self, order_error: Any) -> None:
        self._tell("order_error", order_error, rows.ORDER_ERROR)

    def on_cancel_error(self, cancel_error: Any) -> None:
        self._tell("cancel_error", cancel_error, rows.CANCEL_ERROR)

    def on_order_stock_async_response(self, response: Any) -> None:
        self._tell("order_response", response, rows.ORDER_RESPONSE)

    def on_cancel_order_stock_async_response(self, response: Any) -> None:
        self._tell("cancel_response", response, rows.CANCEL_RESPONSE)

    def _tell(self, kind: str, struct: Any, names: Iterable[str]) -> None:
        with Caught() as caught:
            if not self.is_deaf:
                post(self._loop, partial(self._hear, kind, rows.copied(struct, names)))
        if caught.error is not None:
            self.failures += 1
            logger.warning("a callback of the terminal failed ({} so far): {} {!r}", self.failures, kind, caught.error)
