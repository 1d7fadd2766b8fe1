"""Property tests: no wall-clock deadlines, and in CI the same examples every time (fresh ones are for people).

Programs that the tests start find their modules compiled, whatever the environment says: half of a start is compiling.
They can be interrupted also when the tests run in the background of a shell, which makes its children deaf to it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from coverage import Coverage
from hypothesis import settings

_PROOFS_OF_THE_ADAPTER = tuple(Path(__file__).parent / each for each in ("gateways/xt", "conformance"))

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("people", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "people")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Where coverage is asked for, it is the adapter's, by its own tests: all others would only be slowed down."""
    traced: list[Coverage] = []  # in a worker pytest-cov begins twice
    is_proof = any(item.path.is_relative_to(folder) for folder in _PROOFS_OF_THE_ADAPTER)
    while not is_proof and (coverage := Coverage.current()) is not None:
        coverage.stop()
        traced.insert(0, coverage)
    try:
        return (yield)
    finally:
        for coverage in traced:
            coverage.start()


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Locks of accounts lie in the user's folder."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path
