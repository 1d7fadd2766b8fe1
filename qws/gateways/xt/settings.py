"""What an xt gateway must be told: which terminal and account, how long to wait, how fast to ask."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Terminal:
    """The vendor package's name, the terminal's `userdata_mini` folder, the account, and the account's lock file."""

    package: str
    folder: Path
    account: str
    lock: Path


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds within which the vendor must answer (XTQUANT.md G2); importing reads a large native library."""

    import_s: float = 60.0
    connect_s: float = 30.0
    stop_s: float = 5.0
    call_s: float = 5.0
    query_s: float = 5.0
    quote_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between orders, between queries of one kind, after a failed cancel, between attempts to connect, between
    looks at an account that is not ready, and of silence after which the terminal is asked whether it lives."""

    order_gap_s: float = 0.2
    query_gap_s: float = 1.0
    cancel_pause_s: float = 2.1
    reconnect_s: tuple[float, ...] = (2.0, 4.0, 8.0, 16.0, 30.0)
    look_again_s: float = 1.0
    silence_s: float = 30.0
