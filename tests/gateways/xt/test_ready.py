"""READY waits until the holdings are worth what the asset says, and never for ever. XTQUANT.md G6, 4.2."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from qws.domain.orders import Trade
from qws.errors import GatewayError
from qws.gateways.xt.client import LinkState
from tests.conformance.brokers import CASH, HELD
from tests.gateways.xt.xt_rig import Stand, a_buy, closed
from tests.xt_native.answers import Answers
from tests.xt_native.faults import ForeignRow
from tests.xt_native.structs import (
    QueryAccountStatusReq,
    QueryStockPositionsReq,
    QueryStockTradesReq,
    Struct,
    XtAccountStatus,
    XtPosition,
    XtTrade,
)

TRUE = 60_000.0  # 3000 shares at 20 CNY
Worth = Callable[[int], float]


class Restless(Answers):
    """The holding's worth, look by look."""

    worth: Worth
    looks = 0

    def rows(self, request: Struct) -> Sequence[Struct]:
        found = super().rows(request)
        if isinstance(request, QueryStockPositionsReq):
            for row in found:
                if isinstance(row, XtPosition) and row.stock_code == HELD:
                    row.market_value = self.worth(self.looks)
            self.looks += 1
        return found


def restless(stand: Stand, worth: Worth) -> Restless:
    desk = stand.terminal._desk
    answers = desk._answers = Restless(desk._room, desk._counter, desk._rows)
    answers.worth = worth
    return answers


async def opened_within(stand: Stand, seconds: float) -> bool:
    opening = asyncio.create_task(stand.broker.open())
    await asyncio.wait([opening], timeout=seconds)
    if not opening.done():
        await stand.broker.close()
        await opening
        return False
    return stand.broker.state is LinkState.READY


@pytest.mark.parametrize(
    ("worth", "looks"),
    [
        (lambda look: TRUE, 1),
        (lambda look: TRUE * 1.1, 1),  # prices have moved: 6000 of five millions
        (lambda look: TRUE - 50_000 if look == 0 else TRUE, 2),  # still being loaded
        (lambda look: TRUE + 900_000, 2),  # this terminal counts otherwise
        (lambda look: TRUE + 900_000 + 1_000 * look, 2),  # so does this one, and its prices move
        (lambda look: TRUE + 100_000 * max(0, 5 - look), 6),  # it was loaded in the end
    ],
)
def test_holdings_that_are_worth_what_the_asset_says_or_twice_the_same_are_ready(
    tmp_path: Path, worth: Worth, looks: int
) -> None:
    async def body(stand: Stand) -> None:
        answers = restless(stand, worth)

        assert await opened_within(stand, 3)
        assert answers.looks == looks

    closed(tmp_path, body)


def test_holdings_that_differ_otherwise_with_every_look_are_not_ready_and_it_is_said_why(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        restless(stand, lambda look: TRUE + 100_000 * (1 + look % 7))
        opening = asyncio.create_task(stand.broker.open())
        await asyncio.wait([opening], timeout=0.3)

        assert stand.broker.state is LinkState.RECONCILING
        assert "market value" in stand.broker.reason
        restless(stand, lambda look: TRUE)
        await asyncio.wait_for(opening, 3)
        assert (await stand.broker.asset()).cash == CASH

    closed(tmp_path, body)


@pytest.mark.parametrize("foreign", [0.0, 2_000_000.0])
def test_what_is_no_share_of_ours_is_left_out_of_both(tmp_path: Path, foreign: float) -> None:
    async def body(stand: Stand) -> None:
        answers = restless(stand, lambda look: TRUE)
        stand.faults.foreign_rows = (ForeignRow("204001.SH", 20_000, 0, foreign),)

        assert await opened_within(stand, 3)
        assert answers.looks == 1

    closed(tmp_path, body)


class Doubled(Answers):
    """Each fill is listed twice."""

    def rows(self, request: Struct) -> Sequence[Struct]:
        found = super().rows(request)
        return [*found, *found] if isinstance(request, QueryStockTradesReq) else found


class Corrected(Answers):
    """A fill was taken back and told anew under another number."""

    def rows(self, request: Struct) -> Sequence[Struct]:
        found = list(super().rows(request))
        if isinstance(request, QueryStockTradesReq) and found:
            taken, again = copy(found[0]), copy(found[0])
            assert isinstance(taken, XtTrade)
            assert isinstance(again, XtTrade)
            taken.traded_volume, taken.traded_id, again.traded_id = -taken.traded_volume, "taken back", "again"
            found += [taken, again]
        return found


@pytest.mark.parametrize(("kind", "since_s"), [(Doubled, 0), (Corrected, 11)])
def test_fills_that_are_told_twice_or_corrected_bar_nobody_for_ever(
    tmp_path: Path, kind: type[Answers], since_s: int
) -> None:
    async def body(stand: Stand) -> None:
        await stand.broker.open()
        fills: tuple[Trade, ...] = ()
        await stand.broker.place(a_buy("q1", 100, Decimal("10.20")))
        async with asyncio.timeout(5):
            while not fills:
                with suppress(GatewayError):
                    fills = await stand.broker.trades()
        await stand.broker.close()
        desk = stand.terminal._desk
        desk._answers = kind(desk._room, desk._counter, desk._rows)
        opening = asyncio.create_task(stand.broker.open())
        async with asyncio.timeout(5):
            while since_s and "fills of 200 shares" not in stand.broker.reason:
                await asyncio.wait([opening], timeout=0.01)
        stand.clock.put_to(stand.clock.now() + timedelta(seconds=since_s))
        await asyncio.wait([opening], timeout=5)

        assert stand.broker.state is LinkState.READY

    closed(tmp_path, body)


class TwoAccounts(Answers):
    """A margin account that is barred has the same id."""

    def rows(self, request: Struct) -> Sequence[Struct]:
        found = list(super().rows(request))
        if isinstance(request, QueryAccountStatusReq):
            other = copy(found[0])
            assert isinstance(other, XtAccountStatus)
            other.account_type, other.status = 3, 9
            found = [other, *found]
        return found


def test_an_account_of_another_type_under_the_same_id_bars_nobody(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        desk = stand.terminal._desk
        desk._answers = TwoAccounts(desk._room, desk._counter, desk._rows)

        assert await opened_within(stand, 3)

    closed(tmp_path, body)


def test_a_broker_that_is_closed_while_it_seeks_the_terminal_leaves_no_connection(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        await stand.broker.open()
        stand.told("disconnected")
        await asyncio.sleep(0)
        await stand.broker.close()

        assert stand.broker.state is LinkState.DOWN
        assert [client for client in stand.terminal.clients if client.is_subscribed] == []

    closed(tmp_path, body)
