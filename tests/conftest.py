"""Property tests: no wall-clock deadlines, and in CI the same examples every time (fresh ones are for people).

Programs that the tests start find their modules compiled, whatever the environment says: half of a start is compiling.
"""

from __future__ import annotations

import os
import sys

from hypothesis import settings

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("people", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "people")
