"""Tear sheets that are written by themselves: `reports/daily` and `reports/monthly` of a home."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

from loguru import logger

from qws.config import ReportsSection
from qws.errors import QwsError
from qws.home import Home
from qws.masking import discreet
from qws.store.archive import read_equity
from qws.store.parquet_file import pause

_RECORD_WAIT_S, _CHILD_WAIT_S, _LOOK_S = 20.0, 300.0, 0.2
_KINDS = (".html", ".png")
_NAME = re.compile("[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
_Wanted = tuple[str, str, Path, int]


class HomeSheets:
    """Draws by `qws report` in a process of its own: a picture takes seconds of a processor that trading may need."""

    def __init__(self, home: Home, section: ReportsSection, is_stopped: Callable[[], bool]) -> None:
        self._home, self._section, self._is_stopped = home, section, is_stopped

    def write(self, day: date, *, again: bool) -> bool:
        """The sheets of a day and of its month so far, then remove the oldest; what fails is a line of the log."""
        wanted = []
        if self._section.daily:
            wanted.append(("--day", f"{day}", self._home.reports / "daily", self._section.daily_kept))
        if self._section.monthly:
            wanted.append(("--month", f"{day:%Y-%m}", self._home.reports / "monthly", self._section.monthly_kept))
        try:
            if not wanted or (not again and self._are_there(wanted, day)):
                return True
            return self._wait_for_close(day) and all(self._made(*each) for each in wanted)
        except (OSError, QwsError) as error:
            logger.warning("tear sheet of {}: {}", day, error)
            return False

    def _are_there(self, wanted: Sequence[_Wanted], day: date) -> bool:
        """Whether all were drawn when the close was known: a month's may be of the day before."""
        paths = [folder / f"{name}{kind}" for _, name, folder, _ in wanted for kind in _KINDS]
        known_at = self._known_at(day)
        return known_at is not None and all(
            each.exists() and each.stat().st_mtime >= known_at.timestamp() for each in paths
        )

    def _known_at(self, day: date) -> datetime | None:
        """When the newest word on a close was said; None while the archive has none."""
        said = [row.at for row in read_equity(self._home.equity) if row.kind == "close" and row.day == day]
        return max(said, default=None)

    def _wait_for_close(self, day: date) -> bool:
        """Whether the archive has the close, which another actor writes at this moment."""
        for _ in range(round(_RECORD_WAIT_S / _LOOK_S)):
            if self._known_at(day) is not None:
                return True
            if self._is_stopped():
                return False
            pause(_LOOK_S)
        logger.warning("tear sheet of {}: its close is not in {}", day, self._home.equity)
        return False

    def _made(self, option: str, name: str, folder: Path, kept: int) -> bool:
        folder.mkdir(parents=True, exist_ok=True)
        html, png = (folder / f"{name}{kind}" for kind in _KINDS)
        command = [sys.executable, "-P", "-X", "utf8", "-m", "qws", "report", "--home", str(self._home.root)]
        problem = self._run([*command, option, name, "--html", str(html), "--png", str(png)])
        if problem:
            logger.warning("tear sheet {} cannot be made ({}); it is tried again later", html, problem)
            return False
        _prune(folder, kept)
        return True

    def _run(self, command: list[str]) -> str:
        """Why a command did not end well; empty when it did."""
        if self._is_stopped():
            return "stopped"
        flags = 0
        if sys.platform == "win32":
            flags = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS
        with subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, creationflags=flags
        ) as child:
            if sys.platform != "win32":
                os.setpriority(os.PRIO_PROCESS, child.pid, 10)
            for _ in range(round(_CHILD_WAIT_S / _LOOK_S)):
                try:
                    said, _unused = child.communicate(timeout=_LOOK_S)
                except subprocess.TimeoutExpired:
                    if self._is_stopped():
                        break
                    continue
                lines = said.decode("utf-8", "replace").strip().splitlines()
                return "" if child.returncode == 0 else discreet(lines[-1] if lines else f"exit {child.returncode}")
            child.kill()
        return "stopped" if self._is_stopped() else f"no end within {_CHILD_WAIT_S:g} s"


def _prune(folder: Path, kept: int) -> None:
    """Only what has a name that we give: what a person puts beside them is not ours."""
    for kind in _KINDS:
        ours = [path for path in folder.glob(f"*{kind}") if _NAME.fullmatch(path.stem)]
        for path in sorted(ours)[:-kept]:
            path.unlink(missing_ok=True)
