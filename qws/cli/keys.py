"""Single keys of a terminal, on Windows and elsewhere; without a terminal there are none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qws.store.parquet_file import pause

_LOOK_S = 0.05
Pressed = Callable[[float], str]  # waits at most so many seconds for a key; "" when none came

if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def keys() -> Iterator[Pressed]:
        """How keys are asked for, until the block ends."""

        def pressed(wait_s: float) -> str:
            for _ in range(max(round(wait_s / _LOOK_S), 1)):
                if sys.stdin.isatty() and msvcrt.kbhit():
                    return msvcrt.getwch()
                pause(_LOOK_S)
            return ""

        yield pressed

else:
    import select
    import termios
    import tty

    @contextmanager
    def keys() -> Iterator[Pressed]:
        """How keys are asked for, until the block ends; the terminal is then as it was."""
        if not sys.stdin.isatty():
            yield _wait_only
            return
        before = termios.tcgetattr(sys.stdin)
        try:
            tty.setcbreak(sys.stdin)
            yield _key_of_terminal
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

    def _wait_only(wait_s: float) -> str:
        pause(wait_s)
        return ""

    def _key_of_terminal(wait_s: float) -> str:
        ready, _, _ = select.select([sys.stdin], [], [], wait_s)
        return sys.stdin.read(1) if ready else ""
