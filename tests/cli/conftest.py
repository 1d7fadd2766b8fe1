from __future__ import annotations

from pathlib import Path

import pytest

from qws.cli.home import make_home
from qws.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")
