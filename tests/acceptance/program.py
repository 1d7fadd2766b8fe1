"""The program as a user meets it: commands in this process or in one of their own, and the files they are given."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from qws.cli import cli
from qws.errors import QwsError

# A trading day in the middle of a week, and the sessions around it.
DAY = "2026-09-01"
DAY_BEFORE = "2026-08-31"


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """What was printed, which must be one JSON value on one line and nothing else."""
        assert self.out.count("\n") == 1, self
        return json.loads(self.out)


def qws(*arguments: object) -> Outcome:
    """Run a command in this process; whatever is neither an exit nor a refusal is a bug and is raised."""
    result = CliRunner().invoke(cli, [str(each) for each in arguments])
    error = result.exception
    if isinstance(error, QwsError):
        return Outcome(error.exit_code, result.stdout, f"qws: {error}")
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return Outcome(result.exit_code, result.stdout, result.stderr)


def in_process(*arguments: object, env: dict[str, str] | None = None, timeout_s: float = 60) -> Outcome:
    """Run a command as a process of its own."""
    command = [sys.executable, "-m", "qws", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, env=env, timeout=timeout_s, check=False, encoding="utf-8")
    return Outcome(done.returncode, done.stdout, done.stderr)


def demo(*arguments: object) -> dict[str, Any]:
    """The JSON object of a demo; its exit code must say the same as its status."""
    outcome = qws("demo", "--json", *arguments)
    found: dict[str, Any] = outcome.json()
    assert outcome.code == (0 if found["status"] == "completed" else 1), outcome
    return found


def weight_file(path: Path, weights: Mapping[str, object], *, days: Iterable[str] = (DAY,)) -> Path:
    """A weight file of the same weights for every one of `days`."""
    rows = [f"{day},{code},{weight}" for day in days for code, weight in weights.items()]
    path.write_text("\n".join(["date,stock_code,weight", *rows, ""]), encoding="utf-8")
    return path


def positions_file(path: Path, holdings: dict[str, tuple[int, int]]) -> Path:
    """Opening holdings: shares, and of these sellable."""
    rows = [f"{code},{shares},{sellable}" for code, (shares, sellable) in holdings.items()]
    path.write_text("\n".join(["stock_code,shares,sellable", *rows, ""]), encoding="utf-8")
    return path


def price_file(path: Path, bars: dict[tuple[str, str], str]) -> Path:
    """Daily bars as CSV; a bar is `open,high,low,close`."""
    rows = [f"{day},{code},{bar}" for (day, code), bar in bars.items()]
    path.write_text("\n".join(["date,stock_code,open,high,low,close", *rows, ""]), encoding="utf-8")
    return path
