"""What the messages of weight files change in the read models."""

from __future__ import annotations

import json
from collections.abc import Iterator

from qws.messages import TargetAccepted, TargetRejected
from qws.store.projection import Statement, changes, time_text


@changes.register
def _target_accepted(body: TargetAccepted, at: str, id_: int) -> Iterator[Statement]:
    days = [
        {
            "day": target.day.isoformat(),
            "mode": str(target.mode),
            "expires_at": None if target.expires_at is None else time_text(target.expires_at),
            "weights": [{"stock_code": each.code, "weight": float(each.weight)} for each in target.weights],
        }
        for target in body.days
    ]
    dropped = [{"row": each.row, "code": each.code, "reason": each.reason, "text": each.text} for each in body.dropped]
    row = (body.target_id, body.name, body.sha256, time_text(body.at), _json(days), _json(dropped), id_)
    yield "INSERT OR REPLACE INTO target VALUES (?, ?, ?, ?, ?, ?, ?)", [row]


@changes.register
def _target_rejected(body: TargetRejected, at: str, id_: int) -> Iterator[Statement]:
    refusals = [{"code": each.code, "text": each.text, "row": each.row} for each in body.refusals]
    yield (
        "INSERT OR REPLACE INTO rejected VALUES (?, ?, ?, ?, ?)",
        [(id_, body.name, body.sha256, time_text(body.at), _json(refusals))],
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
