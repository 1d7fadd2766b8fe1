"""A soak: a year of virtual days with faults and restarts, or a real hour at a hundred times the usual rate.

`uv run python -m tests.soak --virtual-days 250 [--names N] [--seed S] [--json]`
`uv run python -m tests.soak --real-seconds 3600 [--names N] [--seed S] [--json] [--folder F]`
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.soak.hour import soak
from tests.soak.year import soak_days


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def main() -> int:
    """Read the command line; exit code 1 when something grew or went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--virtual-days", type=int, help="trading days in virtual time")
    how.add_argument("--real-seconds", type=float, help="seconds of a real daemon")
    parser.add_argument("--names", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the home stays when it is over; it must not exist")
    parser.add_argument("--json", action="store_true", help="one object instead of lines")
    asked = parser.parse_args()
    with _folder(asked.folder) as folder:
        if asked.virtual_days is not None:
            found = soak_days(folder, asked.virtual_days, asked.names, asked.seed)
        else:
            found = soak(folder, asked.real_seconds, asked.names, asked.seed)
    if asked.json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
    else:
        print("\n".join(f"{key}: {value}" for key, value in found.items()))
    return int(bool(found["violations"]))


if __name__ == "__main__":
    sys.exit(main())
