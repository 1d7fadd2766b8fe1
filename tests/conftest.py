"""Property tests: no wall-clock deadlines, and in CI the same examples every time (fresh ones are for people)."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("people", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "people")
