"""One line per message, for tailing, and its JSON twin. The tail is the monitor."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from loguru import logger

from qws import messages as m
from qws.config import LogSection
from qws.errors import ConfigError
from qws.home import Home
from qws.masking import discreet
from qws.runtime.clock import SHANGHAI, SystemClock
from qws.runtime.message import ActorCrashed, Envelope, Message
from qws.text import describe

if TYPE_CHECKING:
    from loguru import Record

_WARNINGS = (m.TargetRejected, m.PlanRefused, m.PlanHeld, m.LinkLost, m.LedgerDrift, m.RecordDisputed, m.StrayOrderSeen)
_CONTROLS = dict.fromkeys([*range(32), *range(127, 160), 0x2028, 0x2029], " ")
_SINK_WARNINGS = (m.ChannelFailed,)


def start_logging(home: Home, section: LogSection, *, console: bool, head: str = "") -> None:
    """Write to `logs/qws-<date>.log` and `.jsonl`; the date is in the name because Windows renames no tailed file.
    No record tells an account id: the vendor's own words hold some.

    Every further file begins with `head`; the first begins with what the caller says next. Raises ConfigError for a
    rotation that is none, OSError when the folder cannot be written.
    """
    logger.remove()
    logger.configure(patcher=_mask)
    home.logs.mkdir(parents=True, exist_ok=True)
    try:
        _add_files(home, section, discreet(head))
    except ValueError as error:
        text = 'write a time of day such as "00:00", or a size such as "100 MB"'
        raise ConfigError(f"{home.config_file}: log.rotation = {section.rotation!r}: {text}") from error
    if console:
        logger.add(sys.stderr, format=_text_line, level=section.level, diagnose=False, backtrace=False)


def _add_files(home: Home, section: LogSection, head: str) -> None:
    for name, line, begun in (
        ("qws-{time:YYYY-MM-DD}.log", _text_line, _text_head),
        ("qws-{time:YYYY-MM-DD}.jsonl", _json_line, _json_head),
    ):
        logger.add(
            str(home.logs / name),
            format=line,
            opener=_Opener(partial(begun, head)),
            level=section.level,
            rotation=section.rotation,
            retention=f"{section.retention_days} days",
            encoding="utf-8",
            diagnose=False,  # the default prints the values of variables, an account number included
            backtrace=False,
        )


class _Opener:
    """Opens log files. The first one is begun by what the caller says; each new one after it begins with a head."""

    def __init__(self, head: Callable[[datetime], str]) -> None:
        self._head = head
        self._is_first = True

    def __call__(self, path: str, flags: int) -> int:
        """As `os.open`."""
        file = os.open(path, flags, 0o666)
        if not self._is_first and not os.fstat(file).st_size:
            os.write(file, f"{self._head(SystemClock().now())}{os.linesep}".encode())
        self._is_first = False
        return file


def _text_head(head: str, at: datetime) -> str:
    return f"{_shown(at)} | {'INFO': <16} | {head}"


def _json_head(head: str, at: datetime) -> str:
    return _document(_shown(at), "INFO", {}, head)


@contextmanager
def silent() -> Iterator[None]:
    """Log nothing of ours: what a command shows says it."""
    logger.disable("qws")
    try:
        yield
    finally:
        logger.enable("qws")


def stop_logging() -> None:
    """Flush and close; a full disk must not turn an orderly stop into a crash."""
    try:
        logger.complete()
        logger.remove()
    except (OSError, ValueError):
        sys.stderr.write("the log could not be flushed: is the disk full?\n")


class LogTap:
    """Writes every envelope once it is durable."""

    def __init__(self) -> None:
        self._runs: dict[str, str] = {}

    def __call__(self, batch: Sequence[Envelope]) -> None:
        """Log a batch."""
        for envelope in batch:
            self._log(envelope)

    def _log(self, envelope: Envelope) -> None:
        body = envelope.body
        is_odd = isinstance(body, _WARNINGS + _SINK_WARNINGS) or (
            isinstance(body, m.TargetAccepted) and bool(body.dropped or body.unread)
        )
        is_odd = is_odd or (isinstance(body, m.RunFinished) and body.status in ("incomplete", "refused"))
        is_odd = is_odd or (isinstance(body, m.BackupEnded) and bool(body.problem))
        is_odd = is_odd or (isinstance(body, m.ReadinessChecked) and bool(body.problems))
        is_odd = is_odd or (isinstance(body, m.DayReconciled) and bool(body.problem or body.unexplained))
        level = "ERROR" if isinstance(body, ActorCrashed) else "WARNING" if is_odd else "INFO"
        run, number = self._run_of(body), f"#{envelope.id}"
        cause = "" if envelope.cause is None else f"#{envelope.cause}"
        logger.bind(
            at=_shown(envelope.at),
            run=run,
            id=f"{number}<-{cause}" if cause else number,
            actor=envelope.sender,
            kind=type(body).__name__,
        ).log(level, "{}", describe(body))

    def _run_of(self, body: Message) -> str:
        run = getattr(body, "run_id", "")
        match body:
            case m.PlaceOrder():
                self._runs[body.order.tag] = run
            case m.PlanDrafted() | m.PlanReady():
                run = body.plan.run_id
            case m.RunStopOrdered():
                run = body.due.run_id
            case m.OrderUpdated():
                run = self._runs.get(body.order.tag, "")
            case m.FillReceived():
                run = self._runs.get(body.trade.tag, "")
            case m.RunFinished():
                self._runs.clear()
            case _:
                pass
        return str(run)


def one_line(text: str) -> str:
    """A text without what would begin a line of its own or move the cursor: others' words make no line of the log."""
    return text.translate(_CONTROLS)


def _mask(record: Record) -> None:
    record["message"] = one_line(discreet(record["message"]))


def _shown(moment: datetime) -> str:
    """A time as every line shows it: Shanghai's, to the millisecond."""
    local = moment.astimezone(SHANGHAI)
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03}"


def _text_line(record: Record) -> str:
    if "kind" not in record["extra"]:
        record["extra"]["at"] = _shown(record["time"])
        return "{extra[at]} | {level: <16} | {message}\n"  # no traceback: nobody logs one, and its text is not masked
    record["extra"]["mark"] = "" if record["level"].name == "INFO" else f"{record['level'].name}: "
    return "{extra[at]} | {extra[run]:<16} | {extra[id]:<14} | {extra[actor]:<16} | {extra[mark]}{message}\n"


def _json_line(record: Record) -> str:
    extra = record["extra"]
    at = extra.get("at", _shown(record["time"]))
    extra["json"] = _document(at, record["level"].name, extra, record["message"])
    return "{extra[json]}\n"


def _document(at: str, level: str, extra: Mapping[str, str], text: str) -> str:
    told = {name: extra.get(name, "") for name in ("run", "id", "actor", "kind")}
    return json.dumps({"at": at, "level": level, **told, "text": text}, ensure_ascii=False)
