"""Property tests: no wall-clock deadlines, and in CI the same examples every time (fresh ones are for people).

Programs that the tests start find their modules compiled, whatever the environment says: half of a start is compiling.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("people", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "people")

_PROOFS_OF_THE_ADAPTER = tuple(Path(__file__).parent / each for each in ("gateways/xt", "conformance"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where coverage is asked for, it is the adapter's, by its own tests: the others would only be slowed down."""
    for item in items:
        if not any(item.path.is_relative_to(folder) for folder in _PROOFS_OF_THE_ADAPTER):
            item.add_marker(pytest.mark.no_cover)
