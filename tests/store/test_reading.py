from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from qws.errors import StoreError
from qws.messages import LinkLost, RunStopOrdered, SessionPhaseChanged, SweepDue
from qws.runtime.message import Envelope
from qws.store.reading import Views, answer_of, ask
from tests.store.samples import BANK, DAY, MOUTAI, a_run, at, intent
from tests.store.test_views import projected

HEAVY = ("pandas", "pyarrow", "numpy", "pydantic", "loguru", "asyncio", "anyio")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def views(tmp_path: Path) -> Views:
    path = tmp_path / "views.sqlite"
    projected(path, a_run())
    return Views(path)


def test_orders_and_fills_have_the_documented_keys(views: Views) -> None:
    (order,) = views.orders()
    assert {
        "order_id": "77",
        "stock_code": MOUTAI,
        "side": "buy",
        "shares": 100,
        "price": 1688.0,
        "filled": 100,
        "status": "succeeded",
        "time": at(8).isoformat(),
    }.items() <= order.items()
    first, second = views.fills("R1")
    assert {
        "order_id": "77",
        "stock_code": MOUTAI,
        "side": "buy",
        "shares": 40,
        "price": 1687.5,
        "fee": 5.0,
        "time": at(9).isoformat(),
    }.items() <= first.items()
    assert (second["shares"], second["fee"]) == (60, None)
    assert views.orders("R2") == views.fills("R2") == []


def test_a_run_tells_its_file_status_and_times(views: Views) -> None:
    (run,) = views.runs()
    assert run == views.last_run()
    assert {
        "run_id": "R1",
        "file": "weights.csv",
        "sha256": "ab12",
        "status": "completed",
        "started_at": at(4).isoformat(),
        "finished_at": at(16).isoformat(),
        "day": DAY.isoformat(),
        "trigger": "drop",
        "fees": 10.0,
        "total_asset": 399990.0,
        "tracking_error": 0.078,
    }.items() <= run.items()


def test_plan_and_outcomes_explain_every_name(views: Views) -> None:
    bought, kept = views.plan("R1")
    assert (bought["stock_code"], bought["side"], bought["shares"], bought["price"]) == (MOUTAI, "buy", 100, 1688.0)
    assert (kept["stock_code"], kept["side"], kept["held"], kept["reason"]) == (BANK, None, 200, "t_plus_one")
    (outcome,) = views.outcomes("R1")
    assert (outcome["code"], outcome["wanted"], outcome["achieved"]) == (MOUTAI, 0.5, 0.422)
    assert views.plan("R2") == views.outcomes("R2") == []


def test_positions_and_account_are_the_newest_and_hold_no_empty_row(views: Views) -> None:
    assert views.positions() == {
        BANK: {"shares": 200, "sellable": 0, "value": 2240.0},
        MOUTAI: {"shares": 100, "sellable": 0, "value": 168800.0},
    }
    assert views.account() == {
        "total_asset": 400100.0,
        "cash": 200050.0,
        "frozen_cash": 0.0,
        "market_value": 200050.0,
        "at": at(19).isoformat(),
    }


def test_targets_refusals_and_equity_are_told(views: Views) -> None:
    (target,) = views.targets()
    weights = [{"stock_code": MOUTAI, "weight": 0.5}]
    assert target["days"] == [{"day": DAY.isoformat(), "mode": "full", "expires_at": None, "weights": weights}]
    (rejected,) = views.rejected()
    assert rejected["refusals"] == [{"code": "empty_file", "text": "no rows", "row": None}]
    (point,) = views.equity()
    assert (point["kind"], point["total_asset"], point["benchmark"]) == ("close", 400100.0, 3500.25)


def test_everything_can_be_printed_as_json(views: Views) -> None:
    for answer in (views.runs(), views.orders(), views.fills(), views.positions(), views.targets(), views.trace("R1")):
        assert json.loads(json.dumps(answer)) == answer


def test_a_trace_joins_pushes_to_their_intent_and_the_run_to_its_file(views: Views) -> None:
    lines = [(row["id"], row["kind"], row["depth"]) for row in views.trace("R1")]
    assert lines == [
        (1, "WeightFileSettled", 0),
        (2, "TargetAccepted", 1),
        (3, "PlanningDue", 2),
        (4, "RebalanceDue", 3),
        (5, "SnapshotDue", 4),
        (6, "SnapshotTaken", 5),
        (7, "PlanDrafted", 6),
        (8, "PlanReady", 7),
        (9, "PlaceOrder", 8),
        (11, "OrderUpdated", 9),  # a push without a cause hangs under its intent
        (12, "FillReceived", 9),  # and so does what a sweep found
        (13, "FillReceived", 9),
        (14, "FillReceived", 9),
        (15, "OrderUpdated", 10),
        (16, "ActorCrashed", 11),
        (17, "RunFinished", 11),
    ]
    assert views.trace("R1")[0]["line"] == "a WeightFileSettled"


def test_a_trace_leaves_out_other_runs_and_endless_timers(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    due = a_run()[3]
    bodies = [SweepDue(), intent("q2a", "R2"), SessionPhaseChanged(DAY, "close", at(0)), LinkLost("gone")]
    noise = [Envelope(100 + id_, due.corr, due.id, at(0), "test", body) for id_, body in enumerate(bodies)]
    stop = Envelope(110, 110, None, at(0), "test", RunStopOrdered(due.body, "halted"))  # type: ignore[arg-type]
    projected(path, [*a_run(), *noise, stop])

    traced = {row["id"] for row in Views(path).trace("R1")}

    assert traced & {100, 101, 102, 103, 110} == {102, 103, 110}
    assert [row["id"] for row in Views(path).trace("R2")] == [101]
    assert Views(path).trace("") == Views(path).trace("R3") == []


def test_a_missing_or_unwritten_file_reads_as_empty(tmp_path: Path) -> None:
    missing, unwritten = tmp_path / "nowhere" / "views.sqlite", tmp_path / "views.sqlite"
    unwritten.touch()
    for views in (Views(missing), Views(unwritten)):
        assert views.runs() == views.orders() == views.fills() == views.equity() == views.targets() == []
        assert views.actors() == views.plan("R1") == views.outcomes("R1") == views.trace("R1") == []
        assert views.positions() == views.account() == views.daemon() == views.last_run() == {}
    assert not missing.parent.exists()


def test_a_question_without_a_daemon_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="qws run"):
        ask(tmp_path / "views.sqlite", "halt", "", "li", at(0))
    with pytest.raises(StoreError, match="qws run"):
        answer_of(tmp_path / "views.sqlite", 1)
    assert not (tmp_path / "views.sqlite").exists()


def test_tables_of_another_version_or_of_nobody_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    path.write_text("this is no database, and it is longer than the header of one " * 9, encoding="utf-8")
    with pytest.raises(StoreError, match="qws run"):
        Views(path).runs()


def test_reading_imports_nothing_heavy(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    projected(path, a_run())
    code = (
        "import sys; from pathlib import Path; from qws.store.reading import Views; "
        f"print(len(Views(Path({str(path)!r})).orders()), sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=True
    )
    assert answer.stdout == "1 []\n"


WRITER = """
import sys
from pathlib import Path
from qws.messages import LinkReady
from qws.store.views import Projector
from tests.store.samples import a_run, logged
projector = Projector(Path(sys.argv[1]), lambda message: "x")
for number in range(150):
    projector.apply(a_run() if number == 0 else logged(*[LinkReady()] * 20, start=number * 20))
    projector.flush()
    if number == 0:
        print("first", flush=True)
projector.close()
print("done", flush=True)
"""


def test_readers_and_the_writer_of_another_process_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "first\n"
        seen = 0
        while child.poll() is None or seen == 0:
            (run,) = Views(path).runs()
            assert run["status"] == "completed"
            ask(path, "halt", "", "li", at(0))
            seen += 1
        assert child.stdout.read() == "done\n"
    assert child.returncode == 0
    assert answer_of(path, seen) is None
