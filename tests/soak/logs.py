"""The real log files in virtual time: rotated at virtual midnights, removed when they are virtually old."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import loguru._file_sink
import loguru._logger
import pytest
from loguru._datetime import datetime as loguru_datetime


@contextmanager
def virtual_logs(now: Callable[[], datetime]) -> Iterator[None]:
    """Inside, the log takes its time from `now`."""

    def aware_now() -> datetime:
        moment = now()
        fields = moment.timetuple()[:6]
        return loguru_datetime(*fields, moment.microsecond, moment.tzinfo)

    with pytest.MonkeyPatch.context() as patch:
        for module in (loguru._file_sink, loguru._logger):
            patch.setattr(module, "aware_now", aware_now)
        patch.setattr(loguru._file_sink, "get_ctime", lambda path: now().timestamp())
        yield


def age(folder: Path, today: date) -> None:
    """Make every log file look as old as the day in its name is before `today`: retention goes by that."""
    for path in folder.iterdir():
        days = (today - date.fromisoformat(path.name[4:14])).days
        if days > 0:
            written = path.stat().st_mtime
            real = max(each.stat().st_mtime for each in folder.iterdir())
            os.utime(path, (written, real - days * 86_400))


def text_bytes(folder: Path) -> dict[str, int]:
    """The size of each log file by its name."""
    return {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
