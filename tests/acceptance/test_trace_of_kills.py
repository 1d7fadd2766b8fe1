"""A run that was killed twice while its orders worked is explained by `qws trace`, order by order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qws.home import Home
from tests.acceptance.living import a_home, drop, exchange_tags, journalled, living, rows_of
from tests.acceptance.program import qws
from tests.crashes.doomed import doomed

HELD = {f"0000{number:02}.SZ": 500_000 for number in range(1, 5)}
ENDS = ("RunPaused", "RunFinished")
WANTED = {f"6000{number:02}.SH": "0.1" for number in range(6)}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Cut off right after the first intents were written, again as soon as orders work, then left to finish."""
    folder: Path = tmp_path_factory.mktemp("killed twice")
    home = a_home(folder / "home", sweep_s="0.3", absent_after_s="1.0", positions='"p.csv"')
    rows = ["stock_code,shares", *(f"{code},{shares}" for code, shares in HELD.items()), ""]
    (home.root / "p.csv").write_text("\n".join(rows), encoding="utf-8")
    drop(home, "w.csv", WANTED)
    with doomed(home, (1, "after"), "PlaceOrder") as daemon:
        daemon.process.wait(30)
    with living(home) as daemon:
        daemon.until(lambda: exchange_tags(home), "orders work")
        daemon.kill()
    with living(home) as daemon:
        daemon.until_runs_end()
        assert daemon.stop()[0] == 0
    return home


@pytest.fixture(scope="module")
def trace(home: Home) -> dict[str, Any]:
    found: dict[str, Any] = qws("trace", "last", "--home", home.root, "--json").json()
    return found


def test_the_trace_shows_both_cuts_each_attempt_and_the_final_result(home: Home, trace: dict[str, Any]) -> None:
    story = [each["kind"] for each in trace["messages"]]
    told = ("RebalanceDue", "Started", "Stopping", "RunStopOrdered", *ENDS)  # both times it was cut off, not stopped
    turns = [kind for kind in story[: story.index("RunFinished") + 1] if kind in told]
    again = ["Started", "RunStopOrdered", "RunPaused", "RebalanceDue"]

    assert turns == ["RebalanceDue", *again, *again, "RunFinished"]
    attempts = [each["depth"] for each in trace["messages"] if each["kind"] == "RebalanceDue"]
    assert len(set(attempts)) == 1
    text = qws("trace", "last", "--home", home.root).out
    assert text.count("started again; the process before it was cut off after #") == 2
    assert (trace["run"]["status"], trace["run"]["attempt"]) == ("completed", 2)
    last = [each["line"] for each in trace["messages"] if each["kind"] == "RunFinished"][-1]
    assert "run completed" in last
    assert last in text


def test_the_trace_tells_how_every_order_of_a_cut_attempt_was_settled(home: Home, trace: dict[str, Any]) -> None:
    books = dict(rows_of(home.exchange, "SELECT tag, traded FROM orders"))
    intents = [body["order"]["tag"] for body in journalled(home, "PlaceOrder")]
    final = {order["tag"] for order in trace["settled"]}

    assert [order["tag"] for order in trace["settled"]] == intents[: len(final)]
    assert {order["attempt"] for order in trace["settled"]} == {0, 1}
    for order in trace["settled"]:
        if order["tag"] in books:
            assert order["settled"].startswith("found at the broker: ")
            assert order["filled"] == books[order["tag"]]
        else:
            assert (order["settled"], order["filled"]) == ("never arrived", 0)
    assert {order["settled"] for order in trace["settled"] if order["attempt"] == 0} == {"never arrived"}
    assert any(order["tag"] in books for order in trace["settled"] if order["attempt"] == 1)
    text = qws("trace", "last", "--home", home.root).out
    assert all(
        order["tag"] in text.partition("orders of the attempts that were cut off")[2] for order in trace["settled"]
    )
