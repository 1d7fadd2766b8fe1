from __future__ import annotations

import gettext
from collections.abc import Iterator
from pathlib import Path

import pytest

from qws import language
from qws.cli.home import make_home
from qws.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")


@pytest.fixture
def the_language_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever language a command chose ends with the test."""
    monkeypatch.setenv("LANGUAGE", "")
    before = language._translations
    yield
    language._translations = before
    gettext.textdomain("messages")
