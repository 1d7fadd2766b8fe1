"""What the daemon of a home is doing, and whether it goes by the settings that are in the file now."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from qws.domain.trading_state import TradingState
from qws.home import Home
from qws.store.lock import is_held, pid_of
from qws.store.reading import Record, Views

SILENT_MAX_S = 5.0  # the daemon's heart beats every 2 s
_TOLERANCE = timedelta(seconds=1)  # file systems keep coarse times


class SettingsChange(NamedTuple):
    """The settings file was written while the daemon ran, which reads it only when it starts; Shanghai times."""

    changed_at: datetime
    started_at: datetime

    @property
    def text(self) -> str:
        """What is wrong."""
        changed, started = (f"{at:%Y-%m-%d %H:%M:%S}" for at in self)
        return f"settings were changed at {changed}, after the daemon started at {started}: it still uses the old ones"

    @property
    def remedy(self) -> str:
        """What helps."""
        return "stop the daemon and start it again with `qws run`"


def state_of(home: Home, views: Views, daemon: Record) -> str:
    """The lock dies with its process; the heartbeat stops when the process hangs. Both must say that it lives."""
    if not is_held(home.lock):
        return "stopped" if daemon else "never started"
    has_spoken = _has_spoken(home, daemon)  # else it is only just starting
    if has_spoken and (daemon["state"] == "stopped" or (views.silent_s() or 0.0) > SILENT_MAX_S):
        return "stopped"
    trading = views.trading()
    return "running" if trading is TradingState.ACTIVE else str(trading)


def settings_change(home: Home, views: Views) -> SettingsChange | None:
    """The change of the settings that the living daemon has not read, None when there is none."""
    daemon = views.daemon()
    if not _has_spoken(home, daemon) or state_of(home, views, daemon) == "stopped":
        return None
    started_at = datetime.fromisoformat(str(daemon["started_at"]))
    try:
        changed_at = datetime.fromtimestamp(home.config_file.stat().st_mtime, started_at.tzinfo)
    except OSError:  # an editor is just putting a new file in its place
        return None
    return SettingsChange(changed_at, started_at) if changed_at > started_at + _TOLERANCE else None


def _has_spoken(home: Home, daemon: Record) -> bool:
    return bool(daemon) and daemon["pid"] == pid_of(home.lock)
