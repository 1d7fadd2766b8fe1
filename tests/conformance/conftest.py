from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.conformance.brokers import KINDS, standing
from tests.conformance.cards import Card, Play


@pytest.fixture(params=KINDS)
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play:
    """Plays a card on a new account of each kind of broker."""
    loop_factory, life = KINDS[request.param]

    async def played(card: Card) -> None:
        async with standing(life, tmp_path) as stand:
            await card(stand)

    def run(card: Card) -> None:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(played(card))

    return run
