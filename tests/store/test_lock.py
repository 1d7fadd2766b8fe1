from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from qws.errors import AlreadyRunning, StoreError
from qws.store.lock import HomeLock, is_held, pid_of

HOLDER = """
import sys
from pathlib import Path
from qws.store.lock import HomeLock
lock = HomeLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def holding(path: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_a_second_process_is_refused_by_the_first_ones_number_until_that_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "daemon.lock"
    child = holding(path)
    try:
        assert is_held(path)
        assert pid_of(path) == child.pid
        with pytest.raises(AlreadyRunning, match=rf"process {child.pid} .*daemon\.lock"):
            HomeLock(path).acquire()
    finally:
        child.kill()
        child.communicate()
    assert not is_held(path)
    with HomeLock(path):
        assert is_held(path)
    assert not is_held(path)
    assert pid_of(path) is None


def test_asking_creates_nothing_and_leaves_the_lock_free(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "nowhere" / "daemon.lock")
    assert list(tmp_path.iterdir()) == []
    with HomeLock(tmp_path / "daemon.lock"):
        pass
    assert not is_held(tmp_path / "daemon.lock")
    with HomeLock(tmp_path / "daemon.lock"):
        assert is_held(tmp_path / "daemon.lock")


def test_a_lock_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"daemon\.lock"):
        HomeLock(tmp_path / "file" / "daemon.lock").acquire()
