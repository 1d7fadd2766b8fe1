"""What the messages of the schedule change in the read models: targets that wait, runs that were missed."""

from __future__ import annotations

from collections.abc import Iterator

from qws.messages import RunMissed, TargetWaits
from qws.store.projection import Statement, Value, changes, time_text


@changes.register
def _target_waits(body: TargetWaits, at: str, id_: int) -> Iterator[Statement]:
    rows: list[tuple[Value, ...]] = [
        (body.target_id, each.at.date().isoformat(), time_text(each.at), each.name) for each in body.moments
    ]
    if body.idle is not None:
        rows.append((body.target_id, body.idle.isoformat(), None, ""))
    yield "INSERT OR REPLACE INTO waits VALUES (?, ?, ?, ?)", rows


@changes.register
def _run_missed(body: RunMissed, at: str, id_: int) -> Iterator[Statement]:
    row = (body.day.isoformat(), time_text(body.at), body.name)
    yield "INSERT OR REPLACE INTO missed VALUES (?, ?, ?)", [row]
