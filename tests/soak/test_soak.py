"""Days of soak in short: nothing grows, one that is planted is told, and actors remember what they must."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from actors import archivist, result_writer
from qws.app import ACTORS
from qws.runtime.actor import contract_of
from qws.runtime.clock import VirtualLoop
from qws.store.horizon import OF_A_RUN, RUN_DAYS
from tests.soak.memory import differences
from tests.soak.year import soak_days

DAYS, NAMES = 14, 8
LEAK_BYTES = 24_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("soak")


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, object]:
    return soak_days(folder, DAYS, NAMES, seed=21)


def test_two_weeks_with_faults_and_restarts_break_no_bound(found: dict[str, object]) -> None:
    assert found["violations"] == []
    assert found["days"] == DAYS
    assert found["runs_by_status"] == {"completed": DAYS}
    assert found["files"] == {"good": DAYS, "refused": 3}
    lives, faults, logs = found["lives"], found["faults"], found["logs"]
    assert isinstance(lives, dict)
    assert isinstance(faults, dict)
    assert isinstance(logs, dict)
    assert lives["killed"] >= 1
    assert lives["all"] > lives["killed"] + 1
    assert all(times > 0 for times in faults.values())
    assert 2 * 6 <= logs["files_most"] < 2 * DAYS  # a week has seven days, two of them without a word


def test_what_is_kept_each_day_is_told(tmp_path: Path) -> None:
    kept: list[bytes] = []
    opened: list[object] = []

    def leak() -> None:
        kept.append(bytes(range(256)) * (LEAK_BYTES // 256))
        opened.append((tmp_path / "kept").open("ab"))

    try:
        violations = soak_days(tmp_path, 7, 2, seed=1, leak=leak)["violations"]
    finally:
        for each in opened:
            each.close()  # type: ignore[attr-defined]

    assert isinstance(violations, list)
    assert [each.split()[:2] for each in violations] == [["resident", "memory"], ["opened", "files"]]


def test_behind_the_horizon_lies_only_what_the_next_day_forgets(found: dict[str, object], folder: Path) -> None:
    del found
    journal = folder / "home" / "state" / "journal.sqlite"

    first, last, differing = anyio.run(differences, journal, RUN_DAYS, backend_options={"loop_factory": VirtualLoop})

    assert 0 < first < last
    assert {path.partition(".")[0] for path in differing} == {"planner", "risk_guard"}
    assert all("._past." in path or "._runs." in path for path in differing)  # of days over, until the next plan


def test_the_results_that_a_start_writes_again_are_of_runs_that_it_recalls() -> None:
    assert max(archivist._RECALLED_MAX, result_writer._RECALLED_MAX) < RUN_DAYS


def recalled() -> Iterator[str]:
    for actor in ACTORS:
        yield from (kind.__name__ for kind in contract_of(actor).recalls)


def test_everything_that_is_recalled_lasts_or_is_of_a_run() -> None:
    lasting = {
        "ActorCrashed", "AlertAcknowledged", "AlertRaised", "AlertsSettled", "BackupEnded", "ControlOrdered",
        "DayReconciled", "EquityRecorded", "LinkLost", "LinkReady", "PlanDrafted", "PlanHeld", "ReadinessChecked",
        "RebalanceDue", "RunFinished", "RunMissed", "RunPaused", "Started", "StopTriggered", "Stopping",
        "StrayOrderSeen", "TargetAccepted", "TargetRejected", "WeightsFixed",
    }  # fmt: skip
    of_a_run = {kind.__name__ for kind in OF_A_RUN}

    assert set(recalled()) == lasting | of_a_run
    assert not lasting & of_a_run
