"""What a soak of virtual days took, day by day, and which bound it broke."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from statistics import mean, median
from typing import NamedTuple

from qws import messages as m
from qws.home import Home
from qws.runtime.message import ActorCrashed, Message
from tests.soak.gauges import MB, bytes_below, slope
from tests.soak.plot import Plot

_WARM = 0.2  # of the days: caches and tables fill
_RSS_DAY_MB, _RSS_MB = 0.1, 10.0  # resident memory may grow by so much a day, and so much in all (caches, allocator)
_OPENED_MORE = 2
_START_S, _START_TIMES = 3.0, 2.0  # a start takes at most so long, or so many times what it took in the first quarter
_ROWS_TIMES = 1.5
_RETENTION_DAYS = 5


class Day(NamedTuple):
    """What was taken at the close of a day."""

    day: date
    rss_mb: float
    opened: int
    threads: int
    journal_bytes: int
    journal_rows: int
    views_bytes: int
    log_bytes: int
    log_files: int


class Start(NamedTuple):
    """A start of the program: when, behind how many rows of the journal, seconds until the broker was ready."""

    at: datetime
    rows: int
    seconds: float


@dataclass
class Seen:
    """What all lives told."""

    days: list[Day] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    accepted: dict[str, str] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    notices: int = 0
    violations: list[str] = field(default_factory=list)

    def hear(self, body: Message) -> None:
        """Count one message."""
        self.kinds[type(body).__name__] += 1
        match body:
            case m.TargetAccepted():
                self.answers[body.name] += 1
                self.accepted[body.name] = body.target_id
            case m.TargetRejected():
                self.answers[body.name] += 1
            case m.RunFinished():
                self.ends[body.target_id] += 1
                self.statuses[body.status] += 1
            case ActorCrashed():
                self.violations.append(f"{body.actor} crashed: {body.error}")
            case _:
                pass


def report(home: Home, plot: Plot, seen: Seen, wall_s: float) -> dict[str, object]:
    """All of it as one JSON object; `violations` is empty when every bound held."""
    days, starts = seen.days, seen.starts
    warm = days[int(len(days) * _WARM) :]
    quarters = [days[min(round(len(days) * part / 4), len(days) - 1)] for part in range(1, 5)] if days else []
    growth = slope([(number, day.rss_mb) for number, day in enumerate(warm)])
    middle = next((each for each in starts if each.at.date() >= plot.days[len(plot.days) // 2]), None)
    marks = {"first": starts[:1], "middle": [middle] if middle else [], "last": starts[-1:]}
    results = home.inbox / "results"
    return {
        "days": len(days),
        "names": len(plot.names),
        "files": {"good": len(plot.good), "refused": len(plot.refused)},
        "runs_by_status": dict(seen.statuses),
        "orders": seen.kinds["PlaceOrder"],
        "fills": seen.kinds["FillReceived"],
        "messages": seen.messages,
        "alerts": {"raised": seen.kinds["AlertRaised"], "sent": seen.notices},
        "lives": {"all": len(plot.lives), "killed": sum(each.is_killed for each in plot.lives)},
        "faults": dict(seen.faults),
        "rss_mb": {
            "first_day": round(days[0].rss_mb, 1) if days else None,
            "quarters": [round(each.rss_mb, 1) for each in quarters],
            "slope_per_day": round(growth, 4),
        },
        "opened": {"first": days[0].opened, "most": max(each.opened for each in days)} if days else {},
        "threads_most": max((each.threads for each in days), default=0),
        "journal": {
            "mb": round(bytes_below(home.state, "journal.sqlite") / MB, 1),
            "rows": seen.messages,
            "mb_per_day": round(bytes_below(home.state, "journal.sqlite") / MB / max(len(days), 1), 3),
        },
        "views_mb": round(bytes_below(home.state, "views.sqlite") / MB, 1),
        "exchange_mb": round(bytes_below(home.state, "exchange.sqlite") / MB, 1),
        "logs": {"mb": round(bytes_below(home.logs, "*") / MB, 1), "files_most": max(d.log_files for d in days)},
        "folders_mb": {
            "targets": round(bytes_below(home.archive, "*") / MB, 1),
            "equity": round(bytes_below(home.equity, "*") / MB, 2),
            "results": round(bytes_below(results, "*") / MB, 1),
            "backups": round(bytes_below(home.root / "backups", "*") / MB, 1),
        },
        "start_up_s": {
            **{name: round(each[0].seconds, 2) for name, each in marks.items() if each},
            "longest": round(max(each.seconds for each in starts), 2),
        },
        "wall_s": round(wall_s, 1),
        "violations": [*seen.violations, *_broken(home, plot, seen, warm, growth)],
    }


def _broken(home: Home, plot: Plot, seen: Seen, warm: list[Day], growth: float) -> Iterator[str]:
    if growth * len(warm) > _RSS_MB + _RSS_DAY_MB * len(warm):
        yield f"resident memory grows by {growth:.3f} MB a day"
    opened = [each.opened for each in warm]
    if max(opened) > median(opened[: len(opened) // 2]) + _OPENED_MORE:
        yield f"opened files went from {opened[0]} to {max(opened)}"
    if max(each.log_files for each in warm) > 2 * (_RETENTION_DAYS + 3):
        yield f"{max(each.log_files for each in warm)} log files: they are kept for {_RETENTION_DAYS} days"
    rows = [later.journal_rows - before.journal_rows for before, later in pairwise(seen.days)]
    quarter = max(len(rows) // 4, 1)
    if mean(rows[-quarter:]) > _ROWS_TIMES * mean(rows[:quarter]):
        yield f"a day's messages grew from {mean(rows[:quarter]):.0f} to {mean(rows[-quarter:]):.0f}"
    early = [each.seconds for each in seen.starts[: max(len(seen.starts) // 4, 1)]]
    longest = max(each.seconds for each in seen.starts)
    if longest > max(_START_S, _START_TIMES * max(early)):
        yield f"a start takes {longest:.1f} s"
    yield from _unanswered(home, plot, seen)


def _unanswered(home: Home, plot: Plot, seen: Seen) -> Iterator[str]:
    if len(seen.days) != len(plot.days):
        yield f"{len(seen.days)} closes in {len(plot.days)} days"
    results = Counter(path.name.rpartition(".result.json")[0] for path in home.inbox.glob("results/*.result.json"))
    written = Counter(name.rpartition(".")[0] for name in results.elements())
    for name in (*plot.good, *plot.refused):
        if seen.answers[name] != 1:
            yield f"{name}: {seen.answers[name]} answers"
    for name in plot.good:
        if seen.ends[seen.accepted.get(name, "")] != 1 or written[name] != 1:
            yield f"{name}: {seen.ends[seen.accepted.get(name, '')]} ends, {written[name]} results on disk"
