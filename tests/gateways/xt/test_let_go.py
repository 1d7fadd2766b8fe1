"""The one order of a live conformance run is not left alone before it is seen to have ended, or a person is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qws.conformance.one_lot import let_go
from qws.conformance.stand import PATIENCE_S
from qws.conformance.verdict import CardFailed
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus
from qws.errors import GatewayTimeout
from qws.ports import Broker
from qws.runtime.clock import VirtualLoop
from tests.conformance.brokers import KINDS, Stand, standing
from tests.conformance.test_cards import one_lot
from tests.conformance.test_cards_can_fail import LyingBroker

Played = Callable[[Stand, "Lagging"], Awaitable[None]]


@dataclass
class Lagging(LyingBroker):
    """Loses the answer to an order if it may, lists it late, and notes what is to be cancelled."""

    listed_after_s: float = 0.0
    answers: bool = True
    arrives: bool = True
    asked: list[tuple[float, str]] = field(default_factory=list)
    placed_at: float = 0.0

    async def place(self, order: OrderRequest) -> str:
        self.placed_at = now_s()
        order_id = await self.broker.place(order) if self.arrives else ""
        if not self.answers:
            raise GatewayTimeout("no response")
        return order_id

    async def cancel(self, order_id: str) -> None:
        self.asked.append((now_s() - self.placed_at, order_id))
        await super().cancel(order_id)

    async def orders(self) -> tuple[BrokerOrder, ...]:
        return await super().orders() if now_s() >= self.placed_at + self.listed_after_s else ()


def now_s() -> float:
    return asyncio.get_running_loop().time()


def played(path: Path, body: Played, **how: float) -> None:
    """One order is placed in virtual time, and whatever came of that is let go."""

    async def run() -> None:
        async with standing(KINDS["embedded"], path) as stand:
            honest = stand.broker
            stand.lot = await one_lot(stand)
            stand.lot.cash = (await honest.asset()).cash
            stand.broker = broker = Lagging(honest, **how)  # type: ignore[arg-type]
            try:
                stand.lot.order_id = await broker.place(stand.lot.order)
            except GatewayTimeout:
                assert not broker.answers
            await body(stand, broker)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(run())


async def statuses(broker: Broker) -> list[OrderStatus]:
    return [order.status for order in await broker.orders()]


def test_an_order_that_is_listed_late_is_waited_for_and_cancelled_once(tmp_path: Path) -> None:
    async def body(stand: Stand, broker: Lagging) -> None:
        assert await let_go(stand) == ""
        assert await statuses(broker.broker) == [OrderStatus.CANCELED]
        ((asked_s, _),) = broker.asked
        assert 5.0 <= asked_s < 6.0

    played(tmp_path, body, listed_after_s=5.0, answers=False)


def test_an_order_whose_id_is_known_is_cancelled_before_it_is_listed(tmp_path: Path) -> None:
    async def body(stand: Stand, broker: Lagging) -> None:
        assert await let_go(stand) == ""
        assert await statuses(broker.broker) == [OrderStatus.CANCELED]
        assert stand.lot is not None
        assert [order_id for _, order_id in broker.asked] == [stand.lot.order_id]
        assert broker.asked[0][0] == 0

    played(tmp_path, body, listed_after_s=5.0)


@pytest.mark.parametrize("how", [{"answers": False, "arrives": False}, {"listed_after_s": 60.0, "answers": False}])
def test_an_order_that_is_never_listed_may_still_live_and_a_person_is_told(
    tmp_path: Path, how: dict[str, float]
) -> None:
    async def body(stand: Stand, broker: Lagging) -> None:
        began, left = now_s(), await let_go(stand)

        assert stand.lot is not None
        assert stand.lot.order.tag in left
        assert "may still" in left
        assert "see there" in left
        assert now_s() - began >= PATIENCE_S

    played(tmp_path, body, **how)


def test_an_order_that_does_not_end_is_asked_for_once_and_told(tmp_path: Path) -> None:
    async def body(stand: Stand, broker: Lagging) -> None:
        with pytest.raises(CardFailed, match=r"order \w+ may still work: cancel it at the terminal"):
            await let_go(stand)
        assert len(broker.asked) == 1

    played(tmp_path, body, cancels=False)


def test_what_never_left_is_not_looked_for(tmp_path: Path) -> None:
    async def body(stand: Stand, broker: Lagging) -> None:
        began, stand.lot = now_s(), await one_lot(stand)

        assert await let_go(stand) == ""
        assert now_s() == began

    played(tmp_path, body, arrives=False)
