"""Receipts and pages beside the weight files: messages in, files out. Called off the loop."""

from __future__ import annotations

import json
import locale
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from loguru import logger

from actors.result_writer import Note
from qws.domain.story import RunStory
from qws.domain.target_records import Mode
from qws.domain.targets import DroppedRow
from qws.language import language_of
from qws.messages import RunFinished, TargetAccepted, TargetRejected
from qws.reports.figure import Language
from qws.reports.result_page import RunResult, result_page
from qws.sentences import localised
from qws.store.parquet_file import write_atomically
from qws.text import describe

_DEFECTS = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError)


def page_language(wanted: str) -> Language:
    """The language of pages and pictures for a setting or an option: `auto` is the system's."""
    name = locale.setlocale(locale.LC_CTYPE) if wanted == "auto" else wanted
    return "zh" if language_of(name) == "zh_CN" else "en"


def _said(rows: Sequence[DroppedRow]) -> tuple[DroppedRow, ...]:
    return tuple(replace(row, text=localised(row.text)) for row in rows)


class FilePages:
    """One folder of results, which the one who drops files can read too; every file is replaced as a whole."""

    def __init__(self, results: Path, language: Language) -> None:
        self._results, self._language = results, language

    def write_receipt(self, answer: TargetAccepted | TargetRejected) -> bool:
        """`<file name>.receipt.json`: accepted or refused, the newest answer for that name."""
        document: dict[str, object] = {
            "file": answer.name,
            "sha256": answer.sha256,
            "status": "accepted" if isinstance(answer, TargetAccepted) else "refused",
            "at": answer.at.isoformat(),
        }
        if isinstance(answer, TargetAccepted):
            document |= {
                "target_id": answer.target_id,
                "days": [
                    {
                        "day": each.day.isoformat(),
                        "mode": str(each.mode),
                        "expires_at": None if each.expires_at is None else each.expires_at.isoformat(),
                        "names": len(each.weights),
                        "weight_sum": float(sum((weight.weight for weight in each.weights), Decimal(0))),
                    }
                    for each in answer.days
                ],
                "filtered": [
                    {"row": row.row, "stock_code": row.code, "reason": row.reason, "text": localised(row.text)}
                    for row in answer.dropped
                ],
                "sheets_not_read": list(answer.unread),
                "results": [
                    f"{answer.name}.{each.day:%Y%m%d}-{answer.target_id[:6]}*.result.*" for each in answer.days
                ],
            }
        else:
            document["refusals"] = [
                {"row": each.row, "reason": each.code, "text": localised(each.text)} for each in answer.refusals
            ]
        text = json.dumps(document, ensure_ascii=False, indent=1)
        return self._written(f"{answer.name}.receipt.json", lambda: text)

    def write_result(
        self, target: TargetAccepted | None, end: RunFinished, story: RunStory, notes: Sequence[Note]
    ) -> bool:
        """`<file name>.<run id>.result.html`: plan, fills, slippage, fees, residuals with their reasons."""
        file = target.name if target is not None else end.target_id
        result = RunResult(
            file,
            end.run_id,
            end.day,
            end.status,
            end.reason,
            localised(end.text),
            end.at,
            end.asset.total if end.asset is not None else None,
            end.asset.cash if end.asset is not None else None,
            end.fees,
            end.tracking_error,
            end.outcomes,
            _said(target.dropped) if target is not None else (),
            story.works,
            tuple(describe(note) for note in notes),
            target.days[0].mode if target is not None else Mode.FULL,
        )
        return self._written(f"{file}.{end.run_id}.result.html", lambda: result_page(result, self._language))

    def _written(self, name: str, text: Callable[[], str]) -> bool:
        try:
            content = text().encode("utf-8")
        except _DEFECTS as error:  # a page is never worth the end of the program; trying again would not help
            logger.opt(exception=error).error("{} cannot be made ({})", name, error)
            return True
        try:
            write_atomically(self._results / name, content)
        except OSError as error:
            logger.warning("{} cannot be written ({}); it is tried again later", self._results / name, error)
            return False
        return True
