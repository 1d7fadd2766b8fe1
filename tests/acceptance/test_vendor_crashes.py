"""Real kills of a daemon at a terminal: the vendor's own Python in a process that dies, the account in another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crashes.__main__ import crash
from tests.crashes.vendor import MODULE

KILLS = 10


@pytest.mark.timeout(400)
def test_real_kills_at_a_terminal_double_nothing_and_lose_nothing(tmp_path: Path) -> None:
    figures = crash(tmp_path / "home", kills=KILLS, seed=1, module=MODULE)

    assert figures["violations"] == [], figures
    assert (figures["kills"], figures["duplicates"], figures["lost_intents"]) == (KILLS, 0, 0)
    assert figures["files"] == figures["files_with_one_final_result"]
    orders = figures["orders"]
    assert isinstance(orders, int)
    assert orders > KILLS
