"""What waits for its moment, and what missed it, as text."""

from __future__ import annotations

from collections.abc import Sequence

from qws.cli.options import echo
from qws.cli.table import Column, table
from qws.store.reading import Record


def show_waiting(targets: Sequence[Record]) -> None:
    """Targets without a run, when each starts, and what to do where nothing will start it."""
    if targets:
        names = ("day", "file", "target_id", "accepted_at", "starts_at", "run")
        echo(f"\ntargets that wait\n{_table(names, targets)}")
    for each in targets:
        if each["run"] == "":  # none of its day
            echo(f"no run of {each['day']} is left for {each['file']}; `qws rebalance` starts it")


def show_missed(missed: Sequence[Record]) -> None:
    """Runs of the schedule that nobody could start."""
    if missed:
        echo(f"\nruns that were missed in the last week\n{_table(('at', 'name'), missed)}")


def _table(names: Sequence[str], rows: Sequence[Record]) -> str:
    cells = [[_cell(name, row[name]) for name in names] for row in rows]
    return table([Column(name, "") for name in names], cells)


def _cell(name: str, value: object) -> str:
    text = "" if value is None else str(value)
    return text[:19].replace("T", " ") if name.endswith("at") else text
