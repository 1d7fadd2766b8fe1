"""A file named HALT in the inbox, and what becomes of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from qws.domain.drops import is_halt


class HaltFile:
    """Finds it under any spelling and suffix; the receipt carries the time, so that none replaces another."""

    def __init__(
        self, root: Path, now: Callable[[], datetime], *, rename: Callable[[Path, Path], None] = os.rename
    ) -> None:
        self._root, self._now, self._rename = root, now, rename

    def asked(self) -> str:
        """The name of a file that asks for a halt, "" for none or while the folder cannot be reached."""
        try:
            with os.scandir(self._root) as entries:
                return min((entry.name for entry in entries if is_halt(entry.name)), default="")
        except OSError:
            return ""

    def take(self, name: str) -> bool:
        """Rename it to `HALT.<time>.accepted`; false while somebody holds it."""
        try:
            self._rename(self._root / name, self._root / f"HALT.{self._now():%Y%m%d-%H%M%S}.accepted")
        except OSError:
            return False
        return True
