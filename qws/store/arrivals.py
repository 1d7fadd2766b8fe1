"""Linux tells by inotify whether a file was renamed into a folder or is written there; time stamps cannot."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

if sys.platform == "linux":
    import ctypes
    import os
    import struct

    import anyio

    _CLOSE_WRITE, _MOVED_TO, _CREATE, _DELETE_SELF, _MOVE_SELF, _IGNORED = 0x8, 0x80, 0x100, 0x400, 0x800, 0x8000
    _MASK = _CLOSE_WRITE | _MOVED_TO | _CREATE | _DELETE_SELF | _MOVE_SELF
    _EVENT = struct.Struct("iIII")  # watch, mask, cookie, length of the name that follows

    async def arrivals(root: Path) -> AsyncIterator[frozenset[str]]:
        """At each change in `root`, the names renamed into it; ends when the folder goes. Raises `OSError`."""
        libc = ctypes.CDLL(None, use_errno=True)
        events = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if events < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        try:
            if libc.inotify_add_watch(events, os.fsencode(root), _MASK) < 0:
                raise OSError(ctypes.get_errno(), "inotify_add_watch", str(root))
            while True:
                await anyio.wait_readable(events)
                whole, is_gone = _names(os.read(events, 65536))
                yield whole
                if is_gone:
                    return
        finally:
            os.close(events)

    def _names(content: bytes) -> tuple[frozenset[str], bool]:
        """The names whose last event was a rename into the folder, and whether the folder itself went."""
        last, is_gone, at = dict[str, int](), False, 0
        while at < len(content):
            _, mask, _, length = _EVENT.unpack_from(content, at)
            at += _EVENT.size + length
            name = os.fsdecode(content[at - length : at].rstrip(b"\0"))
            last[name] = mask
            is_gone = is_gone or bool(mask & (_DELETE_SELF | _MOVE_SELF | _IGNORED))
        return frozenset(name for name, mask in last.items() if mask & _MOVED_TO), is_gone
