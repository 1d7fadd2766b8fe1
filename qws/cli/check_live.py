"""What `qws check` looks at before it speaks to a terminal: this Windows, folders, locks. XTQUANT.md 4.5, G14."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from qws.arming import account_label, obstacle
from qws.cli.check import Check, folder_check, skipped
from qws.config import Config
from qws.errors import QwsError
from qws.home import Home, account_lock
from qws.masking import masked
from qws.runtime.clock import SystemClock
from qws.store.lock import is_held, pid_of

_QUEUES = ("down_queue_win_*", "up_queue_win_*")
_QUEUES_WARN_BYTES = 2_000_000_000
_PORT, _PORT_WAIT_S = 58_610, 1.0
_BEIJING = timedelta(hours=8)
_POWER_WAIT_S = 10.0
_POWER_LINES, _POWER_AC = 5, 3  # of the answer: lowest, highest, step, plugged in, on battery


def live_checks(home: Home, config: Config) -> Iterator[Check]:
    """Everything about a live account, the terminal last."""
    from qws.cli.check_terminal import terminal_checks

    if config.mode == "live":
        yield armed_check(obstacle(home, config), account_label(config), home)
    yield hours_check(is_any=config.paper.always_open)
    yield session_check(_windows_session())
    yield zone_check(SystemClock().now().astimezone().utcoffset())
    yield sleep_check(_power_settings())
    folder = Path(config.xt.path)
    yield userdata_check(folder)
    yield queues_check(folder)
    yield port_check(config.xt.port, is_open=_listens(config.xt.port or _PORT))
    yield (account := process_check(home, config))
    yield from terminal_checks(home, config, is_free=account.status == "OK" and not is_held(home.lock))


def armed_check(reason: str, label: str, home: Home) -> Check:
    """Whether a person confirmed that this home trades real money."""
    if reason:
        return Check("armed", "FAIL", reason, f"look at the settings, then run `qws arm --home {home.root}`")
    return Check("armed", "OK", f"armed for {label}")


def hours_check(*, is_any: bool) -> Check:
    """Whether orders leave in the exchanges' sessions only; any hour is for a terminal that is simulated."""
    if is_any:
        remedy = "set paper.always_open = false, unless the terminal is a simulator"
        return Check("hours", "WARN", "paper.always_open = true: orders leave at ANY HOUR of any day", remedy)
    return Check("hours", "OK", "orders leave in the exchanges' sessions")


def session_check(session: int | None) -> Check:
    """Whether this is a person's Windows session: from session 0 (services, SYSTEM) connect always answers -1."""
    if session is None:
        return skipped("session", "this is no Windows, or it does not tell")
    if session == 0:
        remedy = "run it as the terminal's user, by a task that runs only when that user is logged on"
        return Check("session", "FAIL", "Windows session 0, of services: no terminal can be reached from here", remedy)
    return Check(
        "session", "OK", f"Windows session {session}; the terminal must run in the same one, not as another user"
    )


def zone_check(offset: timedelta | None) -> Check:
    """Whether this computer's own zone is Beijing's: some of the vendor's functions read it (XTQUANT.md H18)."""
    if offset == _BEIJING:
        return Check("zone", "OK", "this computer's own time zone is 8 hours ahead of UTC")
    remedy = "set the time zone (UTC+08:00) Beijing: this program does without, the vendor's library does not always"
    if offset is None:
        return skipped("zone", "this computer does not tell its time zone", remedy)
    return Check("zone", "WARN", f"this computer's own time zone is {offset} from UTC", remedy)


def sleep_check(settings: str | None) -> Check:
    """Whether the computer goes to sleep when plugged in, from the answer of `powercfg /query` in any language."""
    if settings is None:
        return skipped("sleep", "this is no Windows")
    numbers = re.findall(r"0x([0-9a-fA-F]{8})\b", settings)
    if len(numbers) != _POWER_LINES:
        return skipped("sleep", "`powercfg /query` gave no answer to read", "see that this computer never sleeps")
    if seconds := int(numbers[_POWER_AC], 16):
        remedy = "powercfg /change standby-timeout-ac 0"
        return Check("sleep", "WARN", f"this computer sleeps after {seconds // 60} minutes", remedy)
    return Check("sleep", "OK", "no sleep after a time, while plugged in; hibernation is not looked at")


def userdata_check(folder: Path) -> Check:
    """Whether xt.path is the folder through which MiniQMT talks, and can be written."""
    remedy = "set xt.path to userdata_mini in the terminal's folder; start the terminal once in minimal mode to make it"
    try:
        if not folder.is_dir():
            return Check("userdata", "FAIL", f"{folder} is no folder", remedy)
    except OSError as error:
        return Check("userdata", "FAIL", f"{folder} cannot be looked at: {error.strerror}", remedy)
    if (found := folder_check("userdata", folder)).status != "OK":
        return found
    if folder.name.lower() == "userdata":
        return Check("userdata", "FAIL", f"{folder} is of the full terminal, not of MiniQMT", remedy)
    if folder.name.lower() != "userdata_mini":
        return Check("userdata", "WARN", f"{folder} is not called userdata_mini", remedy)
    return found


def queues_check(folder: Path) -> Check:
    """How much the queue files of past sessions take: a killed process leaves one of some 75 MB each."""
    try:
        sizes = _queue_sizes(folder)
    except OSError as error:
        remedy = "correct xt.path, or give this user the right to read it"
        return skipped("queues", f"{folder} cannot be read: {error.strerror}", remedy)
    total = sum(sizes.values())
    text = f"{len(sizes)} queue files, {total / 1e6:,.0f} MB"
    if total > _QUEUES_WARN_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        remedy = "close the terminal and every program that uses it, then delete down_queue_win_* and up_queue_win_*"
        return Check("queues", "WARN", f"{text}, the largest {largest}", remedy)
    return Check("queues", "OK", text)


def port_check(port: int, *, is_open: bool) -> Check:
    """Whether anything listens where quotes come from; without xt.port the package may find another place."""
    place = f"127.0.0.1:{port or _PORT}"
    if is_open:
        return Check("port", "OK", f"something listens at {place}")
    if port:
        return Check("port", "FAIL", f"nothing listens at {place}", "start the terminal, or correct xt.port")
    return skipped("port", f"nothing listens at {place}, where quotes usually are", "see the line about quotes")


def process_check(home: Home, config: Config) -> Check:
    """Whether another process of this user trades the account."""
    shown = masked(config.xt.account)
    try:
        if is_held(home.lock):
            return Check("process", "OK", f"the daemon of this home runs, process {pid_of(home.lock)}")
        if is_held(account_lock(config.xt.account)):
            return Check("process", "FAIL", f"another process trades account {shown}", "stop it: one home an account")
    except QwsError as error:
        return Check("process", "FAIL", str(error), "give this user the right to read and write it")
    return Check("process", "OK", f"no other qws of this user trades account {shown}; other programs are not seen")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), _PORT_WAIT_S).close()
    except OSError:
        return False
    return True


def _queue_sizes(folder: Path) -> dict[str, int]:
    sizes = dict[str, int]()
    for file in folder.iterdir():
        if any(file.match(pattern) for pattern in _QUEUES):
            with suppress(FileNotFoundError):  # it went away in between
                sizes[file.name] = file.stat().st_size
    return sizes


if sys.platform == "win32":

    def _windows_session() -> int | None:
        import ctypes

        session = ctypes.c_ulong()
        kernel = ctypes.windll.kernel32
        is_told = kernel.ProcessIdToSessionId(kernel.GetCurrentProcessId(), ctypes.byref(session))
        return session.value if is_told else None

    def _power_settings() -> str | None:
        command = ["powercfg", "/query", "SCHEME_CURRENT", "SUB_SLEEP", "STANDBYIDLE"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_POWER_WAIT_S, check=False)  # noqa: S603
        except (OSError, subprocess.SubprocessError):
            return ""
        return "" if done.returncode else done.stdout.decode("ascii", errors="replace")

else:

    def _windows_session() -> int | None:
        return None

    def _power_settings() -> str | None:
        return None
