from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.conformance.brokers import KINDS, LEFT_OUT, Kind, standing
from tests.conformance.cards import Card, Play


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A card is played on every kind of broker but those for which it is left out."""
    if "play" in metafunc.fixturenames:
        number = metafunc.function.__name__.split("_")[1]
        kinds = [kind for kind in KINDS if not number.isdecimal() or (kind, int(number)) not in LEFT_OUT]
        metafunc.parametrize("play", kinds, indirect=True)


@pytest.fixture
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
