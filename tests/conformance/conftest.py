from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.conformance.brokers import KINDS, Kind, standing
from tests.conformance.cards import Card, Play


@pytest.fixture(params=KINDS)
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play:
    """Plays a card on a new account of each kind of broker."""
    return _player(KINDS[request.param], tmp_path)


@pytest.fixture
def embedded(tmp_path: Path) -> Play:
    """Plays a card on the broker that needs no real second."""
    return _player(KINDS["embedded"], tmp_path)


def _player(kind: Kind, path: Path) -> Play:
    async def played(card: Card) -> None:
        async with standing(kind, path) as stand:
            await card(stand)

    def run(card: Card) -> None:
        with asyncio.Runner(loop_factory=kind.loop) as runner:
            runner.run(played(card))

    return run
