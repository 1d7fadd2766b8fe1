"""What `qws top` shows, gathered from the read models and the log: one moment, whether the daemon runs or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from qws.cli.daemon_state import state_of
from qws.cli.log import fields_of, last_lines
from qws.domain.tags import same_attempt_part
from qws.home import Home
from qws.store.event_reading import Events
from qws.store.lock import is_held
from qws.store.reading import Record, Views

HANGS = "hangs"
_ENDED = frozenset({"part_cancel", "canceled", "succeeded", "junk"})
_LOOKS = ("SnapshotTaken", "FillsReconciled", "RunFinished", "EquityRecorded")  # what tells of holdings
_LINES_MAX, _TRADED_MAX, _FILLS_MAX = 60, 60, 5_000


@dataclass(frozen=True, slots=True)
class Progress:
    """One side of a run: orders, those without an end, and CNY at the orders' prices."""

    orders: int
    working: int
    filled: float
    planned: float

    @property
    def share(self) -> float:
        """What part of it has traded, 0 to 1."""
        return min(self.filled / self.planned, 1.0) if self.planned else 0.0


@dataclass(frozen=True, slots=True)
class Holding:
    """A name: weights are fractions of total asset, `profit` is in CNY against what the broker says it cost."""

    code: str
    weight: float
    wanted: float | None
    shares: int
    value: float
    profit: float | None
    reason: str

    @property
    def off(self) -> float:
        """How far the weight is from what is wanted; 0 where nothing is."""
        return self.weight - self.wanted if self.wanted is not None else 0.0


@dataclass(frozen=True, slots=True)
class Glance:
    """Everything of one moment; times are ISO texts of Asia/Shanghai, "" where nothing is known."""

    at: datetime
    state: str
    silent_s: float | None
    daemon: Record
    phase: str
    link: str
    account: Record
    day_change: float | None
    run: Record
    sells: Progress
    buys: Progress
    holdings: Sequence[Holding]
    traded: Sequence[Record]
    alerts: Sequence[Record]
    waiting: Sequence[Record]
    log: Sequence[dict[str, str]]


def glance_at(home: Home, now: datetime) -> Glance:
    """Look at a home. Raises StoreError when its tables cannot be read."""
    views = Events(home.views)
    daemon, run, account = views.daemon(), views.last_run(), views.account()
    run_id = str(run.get("run_id", ""))
    plan, orders = (views.plan(run_id), views.orders(run_id)) if run_id else ([], [])
    phase, link = views.newest("SessionPhaseChanged"), views.newest("LinkReady", "LinkLost", "Started", "Stopping")
    body = phase.get("body")
    return Glance(
        at=now,
        state=_state(home, views, daemon),
        silent_s=views.silent_s(),
        daemon=daemon,
        phase=str(body["phase"]) if isinstance(body, dict) else "",
        link=str(link.get("type", "")),
        account=account,
        day_change=_day_change(views, account, now),
        run=run,
        sells=_progress("sell", plan, orders, run),
        buys=_progress("buy", plan, orders, run),
        holdings=_holdings(views, plan, account, _moved(views)),
        traded=orders[-_TRADED_MAX:][::-1],
        alerts=views.alerts(everything=False)[::-1],
        waiting=views.targets_waiting(),
        log=[fields for line in last_lines(home.logs, _LINES_MAX) if (fields := fields_of(line))],
    )


def _state(home: Home, views: Views, daemon: Record) -> str:
    """As `qws status` says it; `hangs` for a process that holds the home and says nothing."""
    state = state_of(home, views, daemon)
    return HANGS if state == "stopped" and is_held(home.lock) else state


def _day_change(views: Views, account: Record, now: datetime) -> float | None:
    """How much more or less the account is worth than at the last close before today, as a fraction."""
    closes = [row for row in views.equity() if row["kind"] == "close" and str(row["day"]) < now.date().isoformat()]
    before, total = (_number(closes[-1]["total_asset"]) if closes else 0.0), _number(account.get("total_asset"))
    return total / before - 1 if before and total else None


def _progress(side: str, plan: Sequence[Record], orders: Sequence[Record], run: Record) -> Progress:
    """Filled: by all attempts. Planned: by the newest, and what those before it filled."""
    ours = [each for each in orders if each["side"] == side]
    before = [each for each in ours if _attempt(each) < _number(run.get("attempt"))]
    planned = sum(_number(each["shares"]) * _number(each["price"]) for each in plan if each["side"] == side)
    return Progress(
        len(ours),
        sum(each["status"] not in _ENDED for each in ours),
        _filled(ours),
        planned + _filled(before),
    )


def _filled(orders: Sequence[Record]) -> float:
    return sum(_number(each["filled"]) * _number(each["price"]) for each in orders)


def _attempt(order: Record) -> int:
    try:
        return int(same_attempt_part(str(order["tag"]))[-1:], 36)
    except ValueError:
        return 0


def _moved(views: Events) -> dict[str, tuple[int, float]]:
    """Shares, and CNY, that fills have brought since the account was last looked at, by code."""
    looked = views.newest_but(1, types=_LOOKS) + 1
    fills = {}
    for row in views.behind(looked, _FILLS_MAX, types=("FillReceived",)):
        trade = row["body"].get("trade", {}) if isinstance(row["body"], dict) else {}
        fills[trade.get("code", ""), trade.get("trade_id", "")] = trade  # told again when its fee is known
    moved: dict[str, tuple[int, float]] = {}
    for (code, _), trade in fills.items():
        more = int(trade["shares"]) * (1 if trade["side"] == "buy" else -1)
        shares, value = moved.get(code, (0, 0.0))
        moved[code] = shares + more, value + more * _number(trade["price"])
    return moved


def _holdings(
    views: Events, plan: Sequence[Record], account: Record, moved: Mapping[str, tuple[int, float]]
) -> list[Holding]:
    """Names that are held or wanted, those farthest from their weights first, then the most valuable."""
    held, costs, total = views.positions(), views.costs(), _number(account.get("total_asset"))
    wanted = {str(row["stock_code"]): row for row in plan}
    rows = []
    for code in sorted({*held, *wanted, *moved}):
        row, goal = held.get(code, {}), wanted.get(code)
        shares, value, cost = int(_number(row.get("shares"))), _number(row.get("value")), costs.get(code, 0.0)
        profit = value - cost * shares if cost and shares and code not in moved else None
        shares, value = shares + moved.get(code, (0, 0.0))[0], value + moved.get(code, (0, 0.0))[1]
        value = value if shares else 0.0
        weight = value / total if total else 0.0
        aim = None if goal is None else _number(goal["weight"])
        if shares or aim:
            rows.append(Holding(code, weight, aim, shares, value, profit, str(goal["reason"]) if goal else ""))
    return sorted(rows, key=lambda each: (-round(abs(each.off), 3), -each.value, each.code))


def _number(value: object) -> float:
    return float(str(value)) if value is not None else 0.0
