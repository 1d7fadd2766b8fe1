"""The archive on disk: targets and equity as Parquet, results as JSON beside the file they belong to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from loguru import logger

from qws.domain.account import Asset
from qws.messages import EquityRecorded, LedgerDrift, RecordDisputed, RunFinished, TargetAccepted
from qws.sentences import localised
from qws.store.archive import EquityRow, MirrorStale, append_equity, is_mirrored, write_target
from qws.store.parquet_file import write_atomically


class FileArchive:
    """Keeps targets, results and equity in three folders."""

    def __init__(self, targets: Path, results: Path, equity: Path) -> None:
        self._targets, self._results, self._equity = targets, results, equity

    def write_target(self, target: TargetAccepted) -> None:
        """One Parquet file for each day of the target."""
        for each in target.days:
            write_target(
                self._targets,
                day=each.day,
                target_id=target.target_id,
                sha256=target.sha256,
                file_name=target.name,
                accepted_at=target.at,
                weights=[(weight.code, weight.weight) for weight in each.weights],
                mode=str(each.mode),
                expires_at=each.expires_at,
            )

    def write_result(
        self, target: TargetAccepted | None, result: RunFinished, notes: Sequence[LedgerDrift | RecordDisputed]
    ) -> None:
        """`<file name>.<run id>.result.json`: status, tracking error, and what became of every name."""
        file_name = target.name if target is not None else result.target_id
        document = {
            "run_id": result.run_id,
            "file": file_name,
            "target_id": result.target_id,
            "day": result.day.isoformat(),
            "mode": str(target.days[0].mode) if target is not None else None,
            "status": result.status,
            "reason": result.reason,
            "text": localised(result.text),
            "finished_at": result.at.isoformat(),
            "total_asset": float(result.asset.total) if result.asset else None,
            "cash": float(result.asset.cash) if result.asset else None,
            "fees": float(result.fees),
            "tracking_error": float(result.tracking_error) if result.tracking_error is not None else None,
            "outcomes": [
                {
                    "stock_code": outcome.code,
                    "wanted": float(outcome.wanted),
                    "achieved": float(outcome.achieved),
                    "planned": outcome.planned,
                    "filled": outcome.filled,
                    "reason": outcome.reason,
                }
                for outcome in result.outcomes
            ],
            "filtered": [
                {"row": row.row, "stock_code": row.code, "reason": row.reason, "text": localised(row.text)}
                for row in (target.dropped if target is not None else ())
            ],
            "drifts": [
                {"stock_code": note.code, "explanation": note.explanation, **_both(note)}
                for note in notes
                if isinstance(note, LedgerDrift)
            ],
            "disputed_records": [
                {"stock_code": note.code, "field": note.field, "record": note.record, "table": note.table}
                for note in notes
                if isinstance(note, RecordDisputed)
            ],
        }
        self._results.mkdir(parents=True, exist_ok=True)
        path = self._results / f"{file_name}.{result.run_id}.result.json"
        write_atomically(path, json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8"))

    def append_equity(self, record: EquityRecorded) -> None:
        """One row; a spreadsheet that holds the CSV mirror open only delays the mirror."""
        asset: Asset = record.asset
        row = EquityRow(
            day=record.day,
            at=record.at,
            kind="close" if record.kind == "close" else "run",
            run_id=record.run_id or None,
            total_asset=asset.total,
            cash=asset.cash,
            frozen_cash=asset.frozen,
            market_value=asset.market_value,
            benchmark=record.benchmark,
            flow=record.flow,
        )
        if is_mirrored(self._equity, row):  # every start tells the newest records again
            return
        try:
            append_equity(self._equity, row)
        except MirrorStale as error:
            logger.warning("{}", error)


def _both(drift: LedgerDrift) -> dict[str, float]:
    return {"ours": float(drift.ours), "theirs": float(drift.theirs)}
