"""READY waits until the holdings are worth what the asset says, and never for ever. XTQUANT.md G6, 4.2."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from qws.gateways.xt.client import LinkState
from tests.conformance.brokers import CASH, HELD
from tests.gateways.xt.xt_rig import Stand, closed
from tests.xt_native.answers import Answers
from tests.xt_native.faults import ForeignRow
from tests.xt_native.structs import QueryStockPositionsReq, Struct, XtPosition

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
