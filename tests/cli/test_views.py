"""The commands that read: every JSON key is a promise."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from qws.home import Home
from qws.messages import ControlOrdered, RebalanceDue
from qws.runtime.message import Envelope
from qws.store.reading import ask
from tests.cli.rig import ROOT, as_json, beat, call, fill, held
from tests.store.samples import BANK, DAY, MOUTAI, a_run, at

HEAVY = ("pandas", "pyarrow", "numpy", "pydantic", "loguru", "asyncio", "anyio", "rich", "matplotlib", "filelock")
LINE = re.compile(r"[\d:]{8}(?P<space> +)(?P<kind>\w+) +#(?P<id>\d+) *(?:<-#(?P<cause>\d+))? +test +\S.*")
LOOK = """
import json, sys
from qws.cli import main
try:
    main()
except SystemExit as end:
    print(json.dumps([end.code, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.fixture
def traded(home: Home) -> Home:
    fill(home, a_run())
    return home


def ordered(*commands: str) -> list[Envelope]:
    return [
        Envelope(id_, id_, None, at(id_), "desk", ControlOrdered(each, "me")) for id_, each in enumerate(commands, 1)
    ]


def test_before_the_first_start_everything_is_empty_and_says_so(home: Home) -> None:
    assert as_json(home, "status") == {
        "state": "never started",
        "settings_changed_at": None,
        "halted": False,
        "trading": "active",
        "held": [],
        "halted_at": None,
        "waiting": [],
        "alerts": {},
        "readiness": None,
        "home": str(home.root),
        "daemon": None,
        "account": dict.fromkeys(("total_asset", "cash", "frozen_cash", "market_value", "at")),
        "actors": {},
        "missed": [],
        "targets_waiting": [],
        "last_run": None,
    }
    for command in ("runs", "orders", "fills"):
        assert as_json(home, command) == []
        assert " yet" in call(home, command).out
    assert as_json(home, "positions") == {}
    assert call(home, "positions").out == "no holding is known\n"
    assert "qws run" in call(home, "status").out
    assert list(home.state.iterdir()) == []


def test_status_tells_account_actors_and_last_run(traded: Home) -> None:
    beat(traded, pid=1, state="stopped")

    status = as_json(traded, "status")
    assert isinstance(status, dict)
    assert status["state"] == "stopped"
    assert status["account"] == {
        "total_asset": 400100.0,
        "cash": 200050.0,
        "frozen_cash": 0.0,
        "market_value": 200050.0,
        "at": at(19).isoformat(),
    }
    assert status["actors"] == {"planner": {"state": "ready", "inbox": 2, "handled": 17}}
    assert {"run_id": "R1", "file": "weights.csv", "status": "completed"}.items() <= status["last_run"].items()
    text = call(traded, "status").out
    assert "400,100.00" in text
    assert "R1" in text
    assert "planner" in text


def test_a_daemon_lives_while_its_lock_is_held_and_its_heart_beats(home: Home) -> None:
    with held(home) as pid:
        assert state(home) == "running"  # it has only just started

        beat(home, pid=pid - 1, silent_s=3600)  # what the one before has left behind
        assert state(home) == "running"

        started = beat(home, pid=pid)
        assert state(home) == "running"
        assert f"running since {started:%Y-%m-%d %H:%M:%S}" in call(home, "status").out

        beat(home, pid=pid, silent_s=60)
        assert state(home) == "stopped"
        assert f"process {pid} hangs" in call(home, "status").out

        beat(home, pid=pid, state="stopped")
        assert state(home) == "stopped"
        assert "hangs" not in call(home, "status").out

        beat(home, pid=pid)
    assert state(home) == "stopped"


@pytest.mark.parametrize(
    ("commands", "is_halted"),
    [(("halt",), True), (("halt", "resume"), False), (("resume", "halt", "cancel", "rebalance"), True), ((), False)],
)
def test_the_newest_halt_or_resume_decides(home: Home, commands: tuple[str, ...], *, is_halted: bool) -> None:
    fill(home, ordered(*commands))

    with held(home) as pid:
        beat(home, pid=pid)
        assert state(home) == ("halted" if is_halted else "running")
    status = as_json(home, "status")
    assert isinstance(status, dict)
    assert (status["state"], status["halted"]) == ("stopped", is_halted)
    assert ("qws resume" in call(home, "status").out) == is_halted


def test_an_order_that_no_daemon_has_taken_is_shown(traded: Home) -> None:
    ask(traded.views, "halt", "", "me@here", at(30))

    status = as_json(traded, "status")
    assert isinstance(status, dict)
    (waiting,) = status["waiting"]
    assert (waiting["command"], waiting["by"], waiting["asked_at"]) == ("halt", "me@here", at(30).isoformat())
    assert "waits for the daemon: halt" in call(traded, "status").out


def test_runs_orders_fills_and_positions_have_the_promised_keys(traded: Home) -> None:
    (run,) = listed(traded, "runs")
    assert {
        "run_id": "R1",
        "file": "weights.csv",
        "sha256": "ab12",
        "status": "completed",
        "started_at": at(4).isoformat(),
        "finished_at": at(16).isoformat(),
    }.items() <= run.items()
    (order,) = listed(traded, "orders")
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
    first, second = listed(traded, "fills")
    assert {
        "order_id": "77",
        "stock_code": MOUTAI,
        "side": "buy",
        "shares": 40,
        "price": 1687.5,
        "fee": 5.0,
        "time": at(9).isoformat(),
    }.items() <= first.items()
    assert second["fee"] is None
    assert as_json(traded, "positions") == {
        BANK: {"shares": 200, "sellable": 0, "value": 2240.0},
        MOUTAI: {"shares": 100, "sellable": 0, "value": 168800.0},
    }


def test_tables_show_numbers_a_person_can_read(traded: Home) -> None:
    assert "168,800.00" in call(traded, "positions").out
    assert "1,688.000" in call(traded, "orders").out
    assert "1,687.500" in call(traded, "fills").out
    assert "7.800%" in call(traded, "runs").out


def test_orders_and_fills_of_one_run(traded: Home) -> None:
    fill(traded, [Envelope(50, 50, None, at(50), "test", RebalanceDue("S2", "T1", DAY, 1, "manual", at(50)))])

    for name in ("R1", "R"):
        assert len(listed(traded, "orders", "--run", name)) == 1
        assert len(listed(traded, "fills", "--run", name)) == 2
    assert as_json(traded, "orders", "--run", "last") == as_json(traded, "fills", "--run", "S2") == []
    assert call(traded, "orders", "--run", "X").code == 1


def test_a_trace_begins_with_the_file_and_names_every_cause(traded: Home) -> None:
    title, *lines = call(traded, "trace", "last").out.partition("\n\n")[0].splitlines()
    found = [LINE.fullmatch(line) for line in lines]
    tree = {int(each["id"]): (len(each["space"]), each["kind"], int(each["cause"] or 0)) for each in found if each}

    assert title == DAY.isoformat()
    assert len(tree) == len(lines)
    pushed = dict.fromkeys((11, 12, 13, 14), 9)  # these name no cause of this run: their tag names the intent
    causes = {each.id: each.cause or 0 for each in a_run()} | pushed
    for envelope in a_run():
        if envelope.id in tree:
            space, kind, cause = tree[envelope.id]
            assert (kind, cause) == (type(envelope.body).__name__, causes[envelope.id])
            assert space == (tree[cause][0] + 2 if cause else 2)
    assert list(tree)[:3] == [1, 2, 3]
    assert [kind for _, kind, _ in tree.values()][-1] == "RunFinished"
    assert {"PlaceOrder", "OrderUpdated", "FillReceived"} <= {kind for _, kind, _ in tree.values()}


def test_a_trace_ends_with_what_was_not_traded_and_why(traded: Home) -> None:
    answer = as_json(traded, "trace", "R1")

    assert isinstance(answer, dict)
    assert set(answer) == {"run", "messages", "plan", "untraded", "settled"}
    assert answer["run"]["run_id"] == "R1"
    assert [row["stock_code"] for row in answer["plan"]] == [MOUTAI, BANK]
    dropped, kept = answer["untraded"]
    assert (dropped["stock_code"], dropped["row"], dropped["reason"]) == ("430047.BJ", 3, "not_a_share")
    assert (kept["stock_code"], kept["row"], kept["reason"]) == (BANK, None, "t_plus_one")
    first = answer["messages"][0]
    assert {"id": 1, "cause": None, "kind": "WeightFileSettled", "sender": "test", "depth": 0}.items() <= first.items()
    assert first["at"] == at(1).isoformat()
    text = call(traded, "trace", "R1").out
    assert "not_a_share" in text
    assert "t_plus_one" in text


def test_an_unknown_or_ambiguous_run_is_refused_with_those_there_are(traded: Home) -> None:
    due = RebalanceDue("R1-1", "T1", DAY, 1, "manual", at(50))
    fill(
        traded,
        [Envelope(id_, id_, None, at(id_), "t", replace(due, run_id=run)) for id_, run in ((50, "R1-1"), (51, "R2"))],
    )

    unknown, ambiguous, exact = (call(traded, "trace", name) for name in ("X", "R", "R1"))
    assert (unknown.code, unknown.out) == (ambiguous.code, ambiguous.out) == (1, "")
    assert "R1, R1-1, R2" in unknown.err
    assert "R1, R1-1, R2" in ambiguous.err
    assert exact.code == 0
    assert call(traded, "trace", "R2").code == 0


def test_reading_works_while_the_daemon_writes(traded: Home) -> None:
    with held(traded) as pid:
        beat(traded, pid=pid)
        assert len(listed(traded, "runs")) == 1


def test_damaged_read_models_are_a_broken_environment(home: Home) -> None:
    home.views.write_bytes(b"no database" * 500)

    answer = call(home, "runs", "--json")
    assert (answer.code, answer.out) == (3, "")
    assert "qws run" in answer.err


def test_a_folder_without_a_configuration_is_no_home(home: Home) -> None:
    home.config_file.unlink()

    answer = call(home, "status")
    assert answer.code == 2
    assert "qws init" in answer.err


def test_a_status_query_loads_nothing_heavy(traded: Home) -> None:
    with held(traded) as pid:
        beat(traded, pid=pid)
        for words in (["status"], ["status", "--json"], ["runs"], ["trace", "last"]):
            done = subprocess.run(
                [sys.executable, "-c", LOOK, *words],
                capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=True,
                env=os.environ | {"QWS_HOME": str(traded.root)},
            )  # fmt: skip
            code, modules = json.loads(done.stderr.splitlines()[-1])
            assert code == 0
            assert done.stdout
            assert [name for name in HEAVY if name in modules] == []


def state(home: Home) -> object:
    status = as_json(home, "status")
    assert isinstance(status, dict)
    return status["state"]


def listed(home: Home, *words: str) -> list[dict[str, object]]:
    rows = as_json(home, *words)
    assert isinstance(rows, list)
    return rows
