"""Rounds, medians and JSON for every benchmark: anchors run beside ours, interleaved, and only ratios count."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of a measurement and its spread over the rounds."""

    median: float
    lowest: float
    highest: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Goal:
    """A pass line: what was measured beside what is wanted."""

    text: str
    measured: float
    wanted: float
    is_met: bool


def figure(values: Sequence[float]) -> Figure:
    """The median and the spread of one number per round."""
    return Figure(median(values), min(values), max(values), len(values))


def interleaved(cases: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, Figure]:
    """Run every case once per round, so that a slow minute of the machine hits all of them; one warm-up round."""
    values: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds + 1):
        for name, case in cases.items():
            value = case()
            if number:
                values[name].append(value)
    return {name: figure(each) for name, each in values.items()}


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which `percent` of the values lie."""
    return quantiles(values, n=100)[percent - 1]


def at_least(text: str, measured: float, wanted: float) -> Goal:
    """A goal that more is better for."""
    return Goal(text, measured, wanted, measured >= wanted)


def at_most(text: str, measured: float, wanted: float) -> Goal:
    """A goal that less is better for."""
    return Goal(text, measured, wanted, measured <= wanted)


def machine() -> dict[str, str | int | None]:
    """What the figures depend on."""
    return {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()}


def report(name: str, figures: Mapping[str, Figure], goals: Sequence[Goal], *, as_json: bool) -> str:
    """The outcome as JSON or as lines for people."""
    if as_json:
        outcome = {
            "benchmark": name,
            "machine": machine(),
            "figures": {key: asdict(value) for key, value in figures.items()},
            "goals": [asdict(goal) for goal in goals],
        }
        return json.dumps(outcome, indent=2)
    lines = [f"{name}: {machine()}"]
    lines += [
        f"  {key:<44} {each.median:>14,.1f}  [{each.lowest:,.1f} - {each.highest:,.1f}]"
        for key, each in figures.items()
    ]
    lines += [
        f"  {'met ' if goal.is_met else 'MISSED'} {goal.text}: {goal.measured:.2f} (wanted {goal.wanted:g})"
        for goal in goals
    ]
    return "\n".join(lines)
