"""A file at every minute of the day, through the whole program: when it is planned, sent, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from qws.cli.home import make_home
from qws.config import make_config
from qws.domain.market import Side
from qws.domain.orders import OrderStatus
from qws.domain.plan import PlanRow
from qws.home import Home
from qws.messages import (
    LedgerDrift,
    OrderUpdated,
    PlaceOrder,
    PlanDrafted,
    RebalanceDue,
    RunFinished,
    SnapshotTaken,
    TargetAccepted,
    TargetRejected,
)
from qws.paper import Paper
from qws.runtime.clock import SHANGHAI
from qws.runtime.message import Envelope, Message
from qws.runtime.system import Tap
from qws.virtual import KeepNothing, Stage, run_virtual

M = TypeVar("M", bound=Message)
Settings = dict[str, str | float]

DAY, NEXT_DAY = date(2026, 11, 19), date(2026, 11, 20)
PLAN_AT, SEND_AT, LUNCH, AFTER_LUNCH, LAST = time(9, 25), time(9, 30, 3), time(11, 30), time(13, 0, 3), time(14, 56)
SESSIONS = ((SEND_AT, LUNCH), (time(13), LAST))
FIRST_MINUTE, LAST_MINUTE = 9 * 60 + 10, 15 * 60 + 5
WEIGHTS = {"600519.SH": "0.3", "300750.SZ": "0.25", "000001.SZ": "0.2", "688981.SH": "0.2"}
OTHERS = {"600519.SH": "0.2", "601318.SH": "0.7"}
SCAN_S, SETTLE_S = 60, 1
ARRIVES_S = SCAN_S + SETTLE_S  # what is dropped after the first look is seen at the second, and whole a little later


@dataclass(frozen=True)
class Account:
    """Cash in CNY, and holdings as code, shares, sellable."""

    cash: int
    holdings: tuple[tuple[str, int, int], ...]


# What the books show is more than the one needs, so it is done within a second; the other trades for half a minute.
SMALL = Account(1_000_000, (("600036.SH", 3050, 3050), ("000001.SZ", 2000, 1000), ("688981.SH", 500, 500)))
LARGE = Account(1_000_000, (("600036.SH", 6_000_000, 6_000_000), ("000001.SZ", 3_000_000, 1_500_000)))


@dataclass(frozen=True)
class Life:
    """Everything that was told between the start of the program and the end of what the file began."""

    told: list[Envelope]

    def of(self, kind: type[M]) -> list[M]:
        return [each.body for each in self.told if isinstance(each.body, kind)]

    def times_of(self, kind: type[Message]) -> list[time]:
        return [each.at.time() for each in self.told if isinstance(each.body, kind)]

    def looks(self) -> list[tuple[time, bool]]:
        return [(each.at.time(), each.body.preview) for each in self.told if isinstance(each.body, SnapshotTaken)]

    def handed_over(self) -> list[time]:
        """When each order was meant to leave, and when it was handed over."""
        taken: dict[str, time] = {}
        for update in self.of(OrderUpdated):
            taken.setdefault(update.order.tag, update.order.at.time())
        assert taken.keys() == {place.order.tag for place in self.of(PlaceOrder)}
        return [*self.times_of(PlaceOrder), *taken.values()]


@dataclass(frozen=True)
class Drop:
    """A file: seconds after the start of the program, its name, the day it is for and its weights."""

    after_s: float
    name: str
    day: date
    weights: dict[str, str]

    def into(self, inbox: Path) -> None:
        rows = [f"{self.day},{code},{weight}" for code, weight in self.weights.items()]
        unfinished = inbox / f"{self.name}.tmp"
        unfinished.write_text("\n".join(["date,stock_code,weight", *rows, ""]), encoding="utf-8")
        unfinished.rename(inbox / self.name)


def intake(scan_s: float) -> Settings:
    return {"scan_s": scan_s, "settle_ms": SETTLE_S * 1000, "in_place_settle_ms": SETTLE_S * 1000}


def live(home: Home, account: Account, start: datetime, *drops: Drop, **changed: Settings) -> Life:
    """Run until every file has had its answer, or until the evening."""
    life, evening = Life([]), datetime.combine(DAY, time(15, 20), SHANGHAI)
    holdings = [f"{code},{shares},{sellable}" for code, shares, sellable in account.holdings]
    positions = home.root / "positions.csv"
    positions.write_text("\n".join(["stock_code,shares,sellable", *holdings, ""]), encoding="utf-8")
    paper: Settings = {"seed": 5, "cash": account.cash, "positions": positions.name}
    settings = {"intake": intake(SCAN_S), "paper": paper, **changed}

    def make(stop: Callable[[], None], paper: Paper) -> Tap:
        loop = asyncio.get_running_loop()
        loop.call_later((evening - start).total_seconds(), stop)
        for drop in drops:
            loop.call_later(drop.after_s, drop.into, home.inbox)

        def tap(batch: Sequence[Envelope]) -> None:
            life.told.extend(batch)
            if len(life.of(RunFinished)) + len(life.of(TargetRejected)) == len(drops):
                loop.call_later(1.0, stop)

        return tap

    run_virtual(Stage(home, make_config(settings, "test"), start, KeepNothing(), [make], in_memory=True))
    return life


def live_with(home: Home, account: Account, moment: datetime, day: date = DAY, **changed: Settings) -> Life:
    """The program is up when a file comes, which is read at this very moment."""
    drop = Drop(1, f"{moment:%H%M%S}-{day}-{account.cash}.csv", day, WEIGHTS)
    life = live(home, account, moment - timedelta(seconds=ARRIVES_S), drop, **changed)
    assert life.times_of(TargetAccepted) + life.times_of(TargetRejected) == [moment.time()], moment
    return life


def minutes(first: int, last: int) -> Iterator[datetime]:
    midnight = datetime.combine(DAY, time(0), SHANGHAI)
    return (midnight + timedelta(minutes=minute) for minute in range(first, last))


def odd_second(moment: datetime) -> datetime:
    return moment + timedelta(seconds=(moment.minute * 37 + moment.hour) % 59 + 1)


def looks_of(arrived: time) -> list[tuple[time, bool]]:
    """When account and market are looked at for a file that arrives at a time of day, and whether only to show it."""
    if arrived < SEND_AT:
        return [(max(arrived, PLAN_AT), True), (SEND_AT, False)]
    if LUNCH <= arrived < AFTER_LUNCH:
        return [(AFTER_LUNCH, False)]
    return [(arrived, False)]


def check_in_time(life: Life, moment: datetime) -> RunFinished:
    """One run, looked at when it should be, its orders inside the sessions, none refused, all at their end."""
    assert life.looks() == looks_of(moment.time()), moment
    assert len(life.of(RebalanceDue)) == 1, moment
    earliest = life.looks()[-1][0]
    for at in life.handed_over():
        assert at >= earliest, (moment, at)
        assert any(start <= at < end for start, end in SESSIONS), (moment, at)
    last = {update.order.tag: update.order for update in life.of(OrderUpdated)}
    assert last, moment
    assert [order for order in last.values() if order.status is OrderStatus.JUNK] == [], moment
    assert all(order.status.is_terminal for order in last.values()), moment
    assert life.of(LedgerDrift) == [], moment
    (end,) = life.of(RunFinished)
    assert end.asset is not None, moment
    assert end.asset.cash >= 0, moment
    assert end.at.time() < time(14, 57), moment  # from then on nothing can be cancelled
    return end


def check_end(end: RunFinished, moment: datetime) -> None:
    """Complete, or cut by its own waits, or by the day's last order time; every name that is short says why."""
    is_cut_by_the_day = end.at.time() >= LAST
    allowed = {("incomplete", "not_filled"), ("incomplete", "session_over") if is_cut_by_the_day else ("completed", "")}
    assert (end.status, end.reason) in allowed, moment
    short = {outcome.reason for outcome in end.outcomes if outcome.filled != outcome.planned}
    assert short <= {"not_filled", "not_sent", "session_over", "slippage", "at_limit", "cash"}, moment
    assert bool(short) is (end.status == "incomplete"), moment
    assert ("session_over" in short) is (end.reason == "session_over"), moment


def check_nothing_began(life: Life, moment: datetime) -> None:
    assert not any((life.of(RebalanceDue), life.of(SnapshotTaken), life.of(PlaceOrder))), moment


def check_too_late(life: Life, moment: datetime) -> None:
    """A file for a day whose last order time is over is refused with a reason, and nothing is sent."""
    (rejected,) = life.of(TargetRejected)
    assert [refusal.code for refusal in rejected.refusals] == ["stale_date"], moment
    check_nothing_began(life, moment)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")


BLOCKS = [(first, min(first + 30, LAST_MINUTE + 1)) for first in range(FIRST_MINUTE, LAST_MINUTE + 1, 30)]


@pytest.mark.parametrize(("first", "last"), BLOCKS, ids=[f"{first // 60:02}:{first % 60:02}" for first, _ in BLOCKS])
def test_a_file_at_any_minute_is_traded_inside_the_sessions_or_refused(home: Home, first: int, last: int) -> None:
    for minute in minutes(first, last):
        for account, moment in ((SMALL, minute), (LARGE, odd_second(minute))):
            life = live_with(home, account, moment)
            if moment.time() >= LAST:
                check_too_late(life, moment)
                continue
            end = check_in_time(life, moment)
            check_end(end, moment)
            assert account is LARGE or end.status == "completed", moment


def test_the_minutes_cover_the_day_from_0910_to_1505() -> None:
    covered = [moment for first, last in BLOCKS for moment in minutes(first, last)]
    assert (covered[0].time(), covered[-1].time(), len(set(covered))) == (time(9, 10), time(15, 5), 356)


EDGES = (
    *("09:24:59", "09:25:00", "09:30:00", "09:30:02", "09:30:03", "11:29:58", "11:29:59", "11:30:00"),
    *("12:59:59", "13:00:00", "13:00:02", "13:00:03", "14:55:50", "14:55:58", "14:55:59"),
)


@pytest.mark.parametrize("account", [SMALL, LARGE], ids=["small", "large"])
def test_a_file_in_the_last_or_first_second_of_a_part_of_the_day_keeps_to_the_sessions(
    home: Home, account: Account
) -> None:
    for edge in EDGES:
        moment = datetime.combine(DAY, time.fromisoformat(edge), SHANGHAI)
        check_end(check_in_time(live_with(home, account, moment), moment), moment)


def test_buys_that_could_leave_when_lunch_has_begun_leave_after_it(home: Home) -> None:
    """The sells are overdue in the last instant of the morning; their cancels are confirmed in the break."""
    moment = datetime.combine(DAY, time(11, 29, 58, 970_000), SHANGHAI)

    life = live_with(home, LARGE, moment, execution={"sell_wait_s": 1, "follow_ups": 0})

    placed = [(each.at.time(), each.body.order.side) for each in life.told if isinstance(each.body, PlaceOrder)]
    sells, buys = ({at for at, side in placed if side is wanted} for wanted in (Side.SELL, Side.BUY))
    told = [(each.at.time(), each.body.order.status) for each in life.told if isinstance(each.body, OrderUpdated)]
    assert any(LUNCH <= at < time(11, 30, 1) and status is OrderStatus.CANCELED for at, status in told)
    assert (sells, buys) == ({moment.time()}, {AFTER_LUNCH})
    assert {at for at in life.handed_over() if at >= LUNCH} == {AFTER_LUNCH}


def test_after_the_last_order_time_a_file_for_the_next_session_waits_for_it(home: Home) -> None:
    for moment in minutes(14 * 60 + 56, LAST_MINUTE + 1):
        life = live_with(home, SMALL, moment, NEXT_DAY)
        assert [target.day for accepted in life.of(TargetAccepted) for target in accepted.days] == [NEXT_DAY], moment
        check_nothing_began(life, moment)


def test_a_run_whose_turn_comes_after_the_last_order_time_is_refused(home: Home) -> None:
    """The first file's orders are still being cancelled when the day's last order time passes."""
    start = datetime.combine(DAY, time(14, 55, 52, 950_000), SHANGHAI)
    drops = Drop(0, "a.csv", DAY, WEIGHTS), Drop(SETTLE_S + 1, "b.csv", DAY, OTHERS)
    life = live(home, LARGE, start, *drops, intake=intake(5))

    assert [at.replace(microsecond=0) for at in life.times_of(RebalanceDue)] == [time(14, 55, 53), time(14, 55, 59)]
    ends = [(end.status, end.reason) for end in life.of(RunFinished)]
    assert ends == [("superseded", "superseded"), ("refused", "session_over")]
    assert max(life.handed_over()) < time(14, 55, 54)


def preview_and_sent(home: Home, moment: datetime, sizing: str) -> tuple[dict[str, PlanRow], dict[str, PlanRow]]:
    """Sized by the price that is paid (`prd`): that moves at the opening, as only then there are five levels."""
    life = live_with(home, LARGE, moment, plan={"rounding": "prd", "sizing": sizing})
    check_end(check_in_time(life, moment), moment)
    drafts = [each.plan for each in life.of(PlanDrafted)]
    assert [plan.preview for plan in drafts] == [True, False], moment
    preview, sent = ({row.code: row for row in plan.rows} for plan in drafts)
    assert all(sent[code].price != row.price for code, row in preview.items()), moment
    return preview, sent


def test_shares_settled_by_the_preview_are_traded_at_the_prices_of_the_opening(home: Home) -> None:
    for minute in minutes(FIRST_MINUTE, 9 * 60 + 30):
        preview, sent = preview_and_sent(home, minute, "at_plan")
        assert {code: row.ends for code, row in sent.items()} == {code: row.ends for code, row in preview.items()}


def test_sized_at_sending_the_shares_are_not_those_of_the_preview(home: Home) -> None:
    for minute in minutes(FIRST_MINUTE, 9 * 60 + 30):
        preview, sent = preview_and_sent(home, minute, "at_send")
        bought = [code for code, row in sent.items() if row.side is Side.BUY]
        assert len(bought) > 2, minute
        assert all(sent[code].shares != preview[code].shares for code in bought), minute
