"""Whether anybody has a file open for writing: Linux answers with a read lease, elsewhere a rename tells."""

from __future__ import annotations

import sys
from pathlib import Path

if sys.platform == "linux":
    import errno
    import fcntl
    import os
    import signal

    def is_being_written(path: Path) -> bool:
        """Whether some process has the file open for writing; false where the file system cannot tell."""
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # Whoever opens the file meanwhile has the kernel signal us; the default signal would end the process.
            fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError as error:
            return error.errno == errno.EAGAIN
        finally:
            os.close(file)  # lets go of the lease as well
        return False

else:

    def is_being_written(path: Path) -> bool:
        """Always false: on Windows a file that is open for writing cannot be renamed, so it cannot be claimed."""
        return False
