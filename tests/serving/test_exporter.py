"""The facts of a day as metrics, read back by Prometheus' own parser; when the daemon counts as unwell."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from qws import messages as m
from qws.app import ACTORS
from qws.cli.home import make_home
from qws.config import Config, make_config
from qws.domain.orders import OrderStatus
from qws.errors import ConfigError
from qws.runtime.message import Envelope, Stopping
from qws.serving.exporter import Exporter, open_exporter, require_metrics
from qws.serving.exposition import Exposition
from qws.serving.facts import Facts
from qws.serving.health import Health, Worker
from qws.serving.watched_journal import WatchedJournal
from qws.store.journal import InlineJournal
from qws.store.reading import Views
from tests.acceptance.living import a_home, drop, living
from tests.acceptance.program import qws
from tests.cli.rig import fill as fill_views
from tests.store.samples import OPEN, a_run, at, intent, logged, report
from tests.support.specimens import MESSAGES

WITHOUT = """
import sys
sys.modules["prometheus_client"] = None
from qws.config import make_config
from qws.errors import ConfigError
from qws.serving.exporter import require_metrics
try:
    require_metrics(make_config({"serve": {"metrics": sys.argv[1]}}, "a test"))
except ConfigError as error:
    print(error)
    sys.exit(error.exit_code)
"""
Values = dict[tuple[str, tuple[str, ...]], float]


class Wall:
    """A clock that shows what it is told."""

    def __init__(self) -> None:
        self.time = at(20)

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits here")

    async def sleep_until(self, when: datetime) -> None:
        raise AssertionError("nothing waits here")


class Stand:
    """Facts, a journal on a watch and actors that a test moves."""

    def __init__(self) -> None:
        self.clock, self.workers = Wall(), [Worker("planner", "ready", 0, 7)]
        self.facts = Facts(OPEN)
        self.journal = WatchedJournal(asyncio.run(InlineJournal.open(":memory:")), self.clock)
        self.health = Health(self.facts, self.journal, lambda: self.workers, 60.0)
        self.health.beat(self.clock.now())

    def values(self) -> Values:
        text = Exposition(self.facts, self.journal, self.health, self.clock, "paper").text().decode()
        samples = [each for family in text_string_to_metric_families(text) for each in family.samples]
        found = {(each.name, tuple(each.labels.values())): each.value for each in samples}
        assert len(found) == len(samples)
        return found

    def problems(self) -> list[str]:
        return [each.code for each in self.health.problems(self.clock.now())]


def test_a_run_becomes_counters_and_gauges() -> None:
    stand = Stand()
    stand.facts.tap(a_run())
    found = stand.values()

    expected: dict[tuple[str, str], float] = {
        ("qws_messages_total", "FillReceived"): 3,
        ("qws_orders_placed_total", "buy"): 1,
        ("qws_orders_ended_total", "succeeded"): 1,
        ("qws_fills_total", "buy"): 3,
        ("qws_runs_total", "completed"): 1,
        ("qws_files_total", "accepted"): 1,
        ("qws_files_total", "rejected"): 1,
        ("qws_actor_crashes_total", "fill_tracker"): 1,
        ("qws_actor_queue", "planner"): 0,
        ("qws_actor_handled_total", "planner"): 7,
        ("qws_trading_state", "active"): 1,
        ("qws_trading_state", "halted"): 0,
    }
    assert {key: found[key[0], (key[1],)] for key in expected} == expected
    plain = {
        "qws_orders_working": 0,
        "qws_run_active": 0,
        "qws_total_asset_cny": 400100,
        "qws_snapshot_age_seconds": 16,
    }
    assert {name: found[name, ()] for name in plain} == plain


def test_every_message_of_the_program_passes_the_tap_and_can_be_shown() -> None:
    stand = Stand()
    stand.facts.tap(logged(*MESSAGES))

    found = stand.values()
    assert sum(value for (name, _), value in found.items() if name == "qws_messages_total") == len(MESSAGES)


def test_an_order_counts_once_however_often_its_end_is_told_and_rejections_apart() -> None:
    stand = Stand()
    junk = report("q1b", OrderStatus.JUNK)
    stand.facts.tap(
        logged(intent("q1a"), intent("q1b"), intent("q1c"), junk, junk, report("q1a", OrderStatus.CANCELED))
    )
    found = stand.values()

    assert found["qws_orders_ended_total", ("junk",)] == found["qws_orders_rejected_total", ()] == 1
    assert found["qws_orders_ended_total", ("canceled",)] == found["qws_orders_working", ()] == 1


def test_commits_are_timed_and_add_up() -> None:
    stand = Stand()
    for row in a_run():
        asyncio.run(stand.journal.append([row]))
    found = stand.values()

    assert found["qws_commit_seconds_count", ()] == found["qws_commit_seconds_bucket", ("+Inf",)] == len(a_run())
    assert stand.journal.waiting_since is None


def test_each_problem_makes_the_daemon_unwell_by_its_code() -> None:
    def later(stand: Stand, seconds: float) -> None:
        stand.clock.time += timedelta(seconds=seconds)

    well, silent, waiting, dead, stuck, lost, ending = (Stand() for _ in range(7))
    later(silent, 11)
    waiting.journal.waiting_since = waiting.clock.now() - timedelta(seconds=11)
    dead.workers[:] = [Worker("planner", "halted", 0, 7)]
    stuck.workers[:] = [Worker("planner", "ready", 3, 8)]
    stuck.health.beat(stuck.clock.now())
    later(stuck, 121)
    stuck.health.beat(stuck.clock.now())
    open_ = m.SessionPhaseChanged(OPEN.date(), "continuous", OPEN)
    lost.facts.tap(logged(open_, m.LinkReady(), m.LinkLost("gone")))
    later(lost, 70)
    lost.health.beat(lost.clock.now())
    ending.facts.tap(logged(Stopping()))

    assert [each.problems() for each in (well, silent, waiting, dead, stuck, lost, ending)] == [
        [], ["heartbeat"], ["journal"], ["actor"], ["stuck"], ["link"], ["stopping"],
    ]  # fmt: skip
    lost.facts.tap(logged(m.SessionPhaseChanged(OPEN.date(), "closed", OPEN)))
    assert lost.problems() == []


def test_earlier_processes_left_a_halt_alerts_and_an_account(tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    alert = next(each for each in MESSAGES if isinstance(each, m.AlertRaised))
    rows = a_run()
    rows += [Envelope(id_, id_, None, at(id_), "desk", body) for id_, body in
             ((len(rows) + 1, m.ControlOrdered("halt", "me")), (len(rows) + 2, alert))]  # fmt: skip
    fill_views(home, rows)
    stand = Stand()
    stand.facts.recall(Views(home.views))
    found = stand.values()

    assert found["qws_trading_state", ("halted",)] == 1
    assert found["qws_alerts_open", (str(alert.alert.severity),)] == 1
    assert found["qws_total_asset_cny", ()] == 400100
    assert stand.problems() == []  # a halt is a person's word, not an illness
    stand.facts.tap(logged(m.AlertAcknowledged((alert.alert.alert_id,), "me")))
    assert stand.values()["qws_alerts_open", (str(alert.alert.severity),)] == 0


def test_an_open_run_and_its_orders_are_known_after_a_restart(tmp_path: Path) -> None:
    home, stand = make_home(tmp_path / "home"), Stand()
    story = a_run()
    placed = next(each for each in story if isinstance(each.body, m.PlaceOrder))
    fill_views(home, story[: placed.id])

    stand.facts.recall(Views(home.views))

    assert (stand.values()["qws_run_active", ()], stand.values()["qws_orders_working", ()]) == (1, 1)
    stand.facts.tap(story[placed.id :])
    assert (stand.values()["qws_run_active", ()], stand.values()["qws_orders_working", ()]) == (0, 0)


def test_nothing_is_served_unless_it_is_asked_for() -> None:
    stand, on = Stand(), make_config({"serve": {"metrics": "127.0.0.1:0"}}, "a test")
    assert open_exporter(Config(), stand.clock, stand.journal) is None
    assert isinstance(open_exporter(on, stand.clock, stand.journal), Exporter)
    require_metrics(on)
    with pytest.raises(ConfigError, match="only an address of this computer"):
        make_config({"serve": {"metrics": "0.0.0.0:9110"}}, "a test")


@pytest.mark.parametrize(("metrics", "code"), [("127.0.0.1:0", 2), ("", 0)])
def test_without_the_package_only_who_wants_metrics_is_refused_with_the_remedy(metrics: str, code: int) -> None:
    child = subprocess.run(
        [sys.executable, "-c", WITHOUT, metrics], capture_output=True, text=True, encoding="utf-8", check=False
    )

    assert (child.returncode, "qws[metrics]" in child.stdout) == (code, bool(code))


def get(address: str) -> tuple[int, str]:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.status, answer.read().decode()


def test_a_real_daemon_serves_both_beside_its_work_and_a_second_on_that_port_trades_all_the_same(
    tmp_path: Path,
) -> None:
    home = a_home(tmp_path / "home", metrics='"127.0.0.1:0"')
    with living(home) as daemon:
        daemon.until_ready()
        drop(home, "w.csv", {"600519.SH": "0.3", "300750.SZ": "0.2"})
        daemon.until_runs_end()
        daemon.until(lambda: Views(home.views).daemon()["metrics"], "the address was told")
        address = str(Views(home.views).daemon()["metrics"])
        assert f"metrics: {address}" in qws("status", "--home", home.root).out
        status, text = get(address)
        samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
        found = {(each.name, *each.labels.values()): each.value for each in samples}
        assert (status, found["qws_runs_total", "completed"], found["qws_healthy",]) == (200, 1, 1)
        assert {key[1] for key in found if key[0] == "qws_actor_queue"} == {
            "".join(f"_{c.lower()}" if c.isupper() else c for c in actor.__name__).strip("_") for actor in ACTORS
        }
        status, text = get(address.replace("/metrics", "/healthz"))
        health = json.loads(text)
        assert (status, health["status"], health["link"], health["trading"]) == (200, "ok", True, "active")
        second = a_home(tmp_path / "second", metrics=f'"{address.split("/")[2]}"')
        with living(second) as other:
            other.until(lambda: "trading goes on" in other.log(), "told that the port is taken")
            drop(second, "w.csv", {"600519.SH": "0.3"})
            other.until_runs_end()
            assert other.stop()[0] == 0
        assert daemon.stop() == (0, "")
    assert "metrics:" not in qws("status", "--home", home.root).out
