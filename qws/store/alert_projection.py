"""What the messages of alerts and of the day's checks change in the read models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from qws.messages import AlertAcknowledged, AlertRaised, AlertsSettled, DayReconciled
from qws.store.projection import Statement, changes, time_text


@changes.register
def _alert_raised(body: AlertRaised, at: str, id_: int) -> Iterator[Statement]:
    alert = body.alert
    row = (alert.alert_id, time_text(alert.at), str(alert.severity), alert.kind, alert.key, alert.text, id_)
    yield "INSERT OR REPLACE INTO alert VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, ?)", [row]


@changes.register
def _alerts_settled(body: AlertsSettled, at: str, id_: int) -> Iterator[Statement]:
    how = body.via, body.outcome, body.text, time_text(body.at)
    parts = [
        (each, channel, *how) for part in body.parts for each in part.alert_ids for channel in part.channels or ("",)
    ]
    yield "INSERT OR REPLACE INTO alert_told VALUES (?, ?, ?, ?, ?, ?)", parts


@changes.register
def _alert_acknowledged(body: AlertAcknowledged, at: str, id_: int) -> Iterator[Statement]:
    sql = "UPDATE alert SET acknowledged_by = ?, acknowledged_at = ? WHERE alert_id = ? AND acknowledged_at IS NULL"
    yield sql, [(body.by, at, each) for each in body.alert_ids]


@changes.register
def _day_reconciled(body: DayReconciled, at: str, id_: int) -> Iterator[Statement]:
    found = json.dumps([asdict(each) for each in body.differences], ensure_ascii=False)
    since = None if body.since is None else body.since.isoformat()
    row = (body.day.isoformat(), time_text(body.at), body.problem, since, body.orders, body.fills, found)
    yield "INSERT OR REPLACE INTO reconciled VALUES (?, ?, ?, ?, ?, ?, ?)", [row]
