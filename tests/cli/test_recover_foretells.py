"""What a rehearsal of the next start foretells comes true: lives in virtual time, killed at drawn messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qws.cli.home import make_home
from qws.cli.recover import document
from qws.config import Config, make_config
from qws.domain.orders import OrderStatus
from qws.home import Home
from qws.messages import (
    ExecutionEnded,
    FillReceived,
    LinkReady,
    OrderUpdated,
    PlaceOrder,
    PlanReady,
    RebalanceDue,
    RunFinished,
    RunStopOrdered,
    SnapshotDue,
    SnapshotTaken,
    TargetAccepted,
    WeightFileSettled,
)
from qws.paper import Paper
from qws.recovery import look_ahead
from qws.runtime.clock import SHANGHAI
from qws.runtime.message import Envelope, Message
from qws.runtime.system import Tap
from qws.virtual import KeepNothing, Stage, run_virtual
from tests.cli.rig import call

DAY = date(2026, 11, 19)
START = datetime.combine(DAY, time(10), SHANGHAI)
FIRST = {"600519.SH": "0.3", "300750.SZ": "0.25", "000001.SZ": "0.2"}
SECOND = {"600519.SH": "0.1", "601318.SH": "0.6"}
LEAVES_S, LONGEST_S = 2.0, 600.0


class Killed(Exception):
    pass


def drop(home: Home, name: str, weights: dict[str, str]) -> None:
    rows = [f"{DAY},{code},{weight}" for code, weight in weights.items()]
    (home.inbox / name).write_text("\n".join(["date,stock_code,weight", *rows, ""]), encoding="utf-8")


def a_config(home: Home, *, shares: int = 20_000) -> Config:
    """Of many shares the sale takes half a minute."""
    (home.root / "p.csv").write_text(f"stock_code,shares\n600036.SH,{shares}\n000002.SZ,30050\n", encoding="utf-8")
    paper = {"seed": 5, "cash": Decimal(1_000_000), "positions": "p.csv"}
    return make_config({"paper": paper}, "test")


def live(home: Home, config: Config, start: datetime, is_last: Callable[[Envelope], object]) -> list[Envelope]:
    """One life in virtual time, killed once a message is on the disk that is the last; everything it told."""
    told: list[Envelope] = []

    def make(stop: Callable[[], None], paper: Paper) -> Tap:
        asyncio.get_running_loop().call_later(LONGEST_S, stop)

        def tap(batch: Sequence[Envelope]) -> None:
            told.extend(batch)
            if any(is_last(each) for each in batch):
                raise Killed

        return tap

    with pytest.RaisesGroup(Killed, flatten_subgroups=True):
        run_virtual(Stage(home, config, start, KeepNothing(), [make], in_memory=False))
    return told


def foretold(home: Home, config: Config, now: datetime) -> dict[str, Any]:
    return document(look_ahead(home, config, now), config.link.absent_after_s)


def verdicts(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {run["run_id"]: (run["part"], run["verdict"]) for run in found["runs"]}


def of(kind: type[Message], number: int = 1) -> Callable[[Envelope], bool]:
    """True for the message of this type that comes so many-th."""
    left = iter(range(number, -1, -1))
    return lambda each: type(each.body) is kind and next(left) == 1


def contents(home: Home) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(home.root.rglob("*")) if path.is_file()}


POINTS: dict[str, tuple[type[Message], int]] = {
    "settled": (WeightFileSettled, 1),
    "accepted": (TargetAccepted, 1),
    "due": (RebalanceDue, 1),
    "look": (SnapshotDue, 1),
    "looked": (SnapshotTaken, 1),
    "planned": (PlanReady, 1),
    "intents": (PlaceOrder, 1),
    "first report": (OrderUpdated, 1),
    "first fill": (FillReceived, 1),
    "later fill": (FillReceived, 3),
    "execution ended": (ExecutionEnded, 1),
    "finished": (RunFinished, 1),
}


@pytest.mark.parametrize("point", POINTS)
def test_what_it_foretells_of_a_cut_run_comes_true(tmp_path: Path, point: str) -> None:
    home = make_home(tmp_path / "home")
    config = a_config(home)
    drop(home, "w.csv", FIRST)
    told = live(home, config, START, of(*POINTS[point]))
    again = told[-1].at + timedelta(seconds=LEAVES_S)
    before = contents(home)

    found = foretold(home, config, again)

    assert contents(home) == before
    assert found["status"] == "ready"
    lists = {order["tag"]: order for order in found["orders"]}
    assert lists.keys() == {each.body.order.tag for each in told if isinstance(each.body, PlaceOrder)}
    then = live(home, config, again, of(SnapshotDue if found["runs"] else LinkReady))
    looks = [each.body for each in then if isinstance(each.body, SnapshotDue)]
    assert {look.run_id: f"attempt {look.attempt}" for look in looks} == {
        run["run_id"]: run["text"].partition("as ")[2] for run in found["runs"]
    }
    updated = {each.body.order.tag: each.body.order for each in then if isinstance(each.body, OrderUpdated)}
    for tag, order in lists.items():
        if order["found"] == "not_listed":
            assert updated[tag].status is OrderStatus.JUNK
        elif order["journal"] != order["status"]:
            assert updated[tag].traded >= order["traded"]
    fills = {each.body.trade.trade_id for each in then if isinstance(each.body, FillReceived)}
    assert {fill["trade_id"] for fill in found["fills_not_journalled"]} <= fills


def test_a_run_cut_while_a_newer_target_takes_its_place_is_superseded(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    config = a_config(home, shares=6_000_000)
    drop(home, "a.csv", FIRST)

    def newer(each: Envelope) -> bool:
        if isinstance(each.body, PlaceOrder) and not (home.inbox / "b.csv").exists():
            drop(home, "b.csv", SECOND)
        return isinstance(each.body, RunStopOrdered)

    told = live(home, config, START, newer)
    first, second = (each.body for each in told if isinstance(each.body, RebalanceDue))

    found = foretold(home, config, told[-1].at + timedelta(seconds=LEAVES_S))

    assert verdicts(found) == {first.run_id: ("cut", "superseded"), second.run_id: ("waiting", "planned")}
    assert "(superseded)" in found["runs"][0]["text"]


@pytest.mark.parametrize(("point", "code"), [("due", "expired"), ("first report", "expired")])
def test_a_run_found_after_the_days_last_order_time_ends_there(tmp_path: Path, point: str, code: str) -> None:
    home = make_home(tmp_path / "home")
    config = a_config(home)
    drop(home, "w.csv", FIRST)
    live(home, config, START, of(*POINTS[point]))

    found = foretold(home, config, START.replace(hour=14, minute=56))

    assert [run["text"] for run in found["runs"]] == [f"ends as {code}"]


def test_a_run_that_waited_for_the_broker_until_the_day_was_over_ends_as_session_over(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    config = a_config(home)
    drop(home, "w.csv", FIRST)
    live(home, config, START.replace(hour=14, minute=55), of(TargetAccepted))

    found = foretold(home, config, START.replace(hour=14, minute=56))

    assert [(run["part"], run["text"]) for run in found["runs"]] == [("new", "ends as session_over")]


def test_an_order_of_a_past_day_without_an_end_needs_a_person(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    config = a_config(home)
    drop(home, "w.csv", FIRST)
    told = live(home, config, START, of(PlaceOrder))
    tags = {each.body.order.tag for each in told if isinstance(each.body, PlaceOrder)}

    found = foretold(home, config, START + timedelta(days=1))

    assert found["status"] == "needs_person"
    assert {order["tag"] for order in found["orders"] if order["found"] == "past_day"} == tags
    assert {alarm["code"] for alarm in found["alarms"]} == {"order_past_day", "run_unknown"}


def test_a_stored_halt_ends_the_cut_run(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    config = a_config(home)
    drop(home, "w.csv", FIRST)
    told = live(home, config, START, of(OrderUpdated))
    assert call(home, "halt").code == 0

    found = foretold(home, config, told[-1].at + timedelta(seconds=LEAVES_S))

    assert [(run["part"], run["verdict"]) for run in found["runs"]] == [("cut", "halted")]
    assert [each["command"] for each in found["waiting"]] == ["halt"]


def test_files_are_answered_in_advance(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    config = a_config(home)
    drop(home, "w.csv", FIRST)
    told = live(home, config, START, of(TargetAccepted))
    drop(home, "next.csv", SECOND)
    drop(home, "copy.csv", FIRST)
    (home.inbox / "bad.csv").write_text("date,stock_code\n", encoding="utf-8")

    found = foretold(home, config, told[-1].at + timedelta(seconds=LEAVES_S))

    answers = {file["name"]: (file["where"], file["text"]) for file in found["files"]}
    assert answers.pop("w.csv") == ("claimed", "was answered, will be filed away")
    assert {where for where, _ in answers.values()} == {"inbox"}
    assert "[missing_column]" in answers["bad.csv"][1]
    assert "[duplicate]" in answers["copy.csv"][1]
    (target_id,) = {run["target_id"] for run in found["runs"]} - {told[-1].body.target_id}  # type: ignore[attr-defined]
    assert answers["next.csv"][1].endswith(f"target {target_id}")


def test_orders_at_the_broker_that_a_lost_journal_lacks_need_a_person(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    config = a_config(home)
    drop(home, "w.csv", FIRST)
    told = live(home, config, START, of(RunFinished))
    tags = {each.body.order.tag for each in told if isinstance(each.body, PlaceOrder)}
    for path in (*home.state.glob("journal*"), *home.state.glob("views*")):
        path.unlink()

    found = foretold(home, config, told[-1].at)

    assert found["status"] == "needs_person"
    assert {order["tag"] for order in found["orders_not_journalled"]} == tags
    assert [alarm["code"] for alarm in found["alarms"]] == ["journal_behind"] * len(tags)
