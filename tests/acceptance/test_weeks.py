"""Four weeks with the National Day holiday in virtual time, a file each evening, through the whole program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

import pytest

from qws.cli.home import make_home
from qws.config import make_config
from qws.domain.orders import OrderStatus
from qws.home import Home
from qws.messages import (
    EquityRecorded,
    FillReceived,
    OrderUpdated,
    PlaceOrder,
    RebalanceDue,
    RunFinished,
    SessionPhaseChanged,
    SnapshotTaken,
    TargetAccepted,
    TargetRejected,
)
from qws.paper import Paper
from qws.runtime.clock import SHANGHAI
from qws.runtime.message import Envelope, Message
from qws.runtime.system import Tap
from qws.virtual import KeepNothing, Stage, run_virtual

CODES = ("600519.SH", "000001.SZ", "600036.SH", "688981.SH", "300750.SZ", "002415.SZ", "601318.SH")
FIRST, LAST = date(2025, 9, 22), date(2025, 10, 17)
# The exchanges were closed from 2025-10-01 to 2025-10-08.
SESSIONS = [
    *(date(2025, 9, day) for day in (22, 23, 24, 25, 26, 29, 30)),
    *(date(2025, 10, day) for day in (9, 10, 13, 14, 15, 16, 17)),
]
NO_FILE, WAITING, TWICE = date(2025, 9, 25), date(2025, 9, 29), date(2025, 10, 10)


@dataclass
class Diary:
    """Every message with its time, and what to do when one is heard."""

    heard: list[Envelope] = field(default_factory=list)

    def of(self, kind: type[Message]) -> list[tuple[datetime, Message]]:
        return [(each.at, each.body) for each in self.heard if type(each.body) is kind]

    def days_of(self, kind: type[Message]) -> list[date]:
        return [at.date() for at, _ in self.of(kind)]


def drop(home: Home, day: date, first: int, note: str = "") -> None:
    codes = [CODES[(first + number) % len(CODES)] for number in range(4)]
    rows = [f"{day},{code},{weight}" for code, weight in zip(codes, (0.3, 0.25, 0.2, 0.2), strict=True)]
    (home.inbox / f"{day}{note}.csv").write_text("\n".join(["date,stock_code,weight", *rows, ""]), encoding="utf-8")


def evening(home: Home, today: date, phase: str) -> None:
    """What somebody drops at 15:00 (`closed`) and after the day's equity record (`recorded`)."""
    following = SESSIONS[SESSIONS.index(today) + 1] if today != SESSIONS[-1] else None
    if following is None or following == NO_FILE:
        return
    if phase == "closed" and following == TWICE:
        drop(home, TWICE, 5, "-older")
    if phase == "recorded" and today == NO_FILE:
        drop(home, WAITING, 2)  # for Monday: Friday has nothing to do
    if phase == "recorded" and today != NO_FILE and following != WAITING:
        drop(home, following, following.day)


def play(home: Home, start: datetime, settings: dict[str, object], heard: Callable[[Envelope], bool]) -> Diary:
    """Run until `heard` says that it is enough."""
    diary = Diary()

    def make(stop: Callable[[], None], paper: Paper) -> Tap:
        def tap(batch: Sequence[Envelope]) -> None:
            for envelope in batch:
                diary.heard.append(envelope)
                if heard(envelope):
                    stop()

        return tap

    config = make_config({"intake": {"scan_s": 900}, "paper": settings}, "test")
    run_virtual(Stage(home, config, start, KeepNothing(), [make], in_memory=True))
    return diary


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> Diary:
    home = make_home(tmp_path_factory.mktemp("weeks") / "home")
    drop(home, FIRST, 0)

    def heard(envelope: Envelope) -> bool:
        match envelope.body:
            case SessionPhaseChanged(phase="closed", day=day):
                evening(home, day, "closed")
            case EquityRecorded(kind="close", day=day):
                evening(home, day, "recorded")
                return day == LAST
            case _:
                pass
        return False

    return play(home, datetime(2025, 9, 21, 18, 0, tzinfo=SHANGHAI), {"seed": 5}, heard)


def trading_days() -> Iterator[date]:
    return (day for day in SESSIONS if day not in (NO_FILE, date(2025, 9, 26)))


def test_each_day_with_a_file_has_exactly_one_run_and_no_other_day_has_any(weeks: Diary) -> None:
    assert weeks.days_of(RebalanceDue) == list(trading_days())
    assert weeks.days_of(RunFinished) == list(trading_days())
    for _, body in weeks.of(RunFinished):
        assert isinstance(body, RunFinished)
        assert (body.status, body.reason, body.attempt) == ("completed", "", 0)
    assert set(weeks.days_of(PlaceOrder)) == set(trading_days())
    assert set(weeks.days_of(FillReceived)) == set(trading_days())
    assert weeks.of(TargetRejected) == []


def test_the_preview_is_at_0925_and_orders_leave_from_093003(weeks: Diary) -> None:
    assert {at.time() for at, _ in weeks.of(RebalanceDue)} == {time(9, 25)}
    previews = [(body.preview, at.time()) for at, body in weeks.of(SnapshotTaken) if isinstance(body, SnapshotTaken)]
    assert previews == [(True, time(9, 25)), (False, time(9, 30, 3))] * len(list(trading_days()))
    sent = [at.time() for at, _ in weeks.of(PlaceOrder)]
    assert min(sent) == time(9, 30, 3)
    assert max(sent) < time(14, 56)
    statuses = {body.order.status for _, body in weeks.of(OrderUpdated) if isinstance(body, OrderUpdated)}
    assert OrderStatus.JUNK not in statuses


def test_each_session_has_one_equity_record_after_the_close_and_a_holiday_has_none(weeks: Diary) -> None:
    records = [body for _, body in weeks.of(EquityRecorded) if isinstance(body, EquityRecorded)]
    closes = [record for record in records if record.kind == "close"]
    assert [record.day for record in closes] == SESSIONS
    assert {record.at.time() for record in closes} == {time(15, 10)}
    assert [record.day for record in records if record.kind == "run"] == list(trading_days())
    assert all(record.asset.cash >= 0 for record in records)
    quiet = {each.at.date() for each in weeks.heard}
    assert not any(date(2025, 10, 1) <= day <= date(2025, 10, 8) for day in quiet)


def test_a_file_for_a_later_day_waits_for_it(weeks: Diary) -> None:
    accepted = next(at for at, body in weeks.of(TargetAccepted) if _days(body) == [WAITING])
    run = next(body for at, body in weeks.of(RunFinished) if at.date() == WAITING)
    assert accepted.date() == NO_FILE
    assert isinstance(run, RunFinished)
    assert {outcome.code for outcome in run.outcomes if outcome.wanted} == {CODES[(2 + n) % 7] for n in range(4)}


def test_of_two_files_for_one_day_the_newest_is_traded(weeks: Diary) -> None:
    both = [body for _, body in weeks.of(TargetAccepted) if _days(body) == [TWICE]]
    assert [body.name for body in both if isinstance(body, TargetAccepted)] == [f"{TWICE}-older.csv", f"{TWICE}.csv"]
    newest = both[-1]
    (run,) = [body for at, body in weeks.of(RebalanceDue) if at.date() == TWICE]
    assert isinstance(newest, TargetAccepted)
    assert isinstance(run, RebalanceDue)
    assert run.target_id == newest.target_id


def _days(body: Message) -> list[date]:
    return [target.day for target in body.days] if isinstance(body, TargetAccepted) else []


def test_an_always_open_account_trades_at_once_on_a_sunday_at_midnight(tmp_path: Path) -> None:
    home, sunday = make_home(tmp_path / "home"), date(2025, 10, 12)
    drop(home, sunday, 0)
    midnight = datetime.combine(sunday, time(0), SHANGHAI)
    diary = play(home, midnight, {"always_open": True}, lambda envelope: isinstance(envelope.body, RunFinished))
    ((ended, run),) = diary.of(RunFinished)
    assert isinstance(run, RunFinished)
    assert (run.status, run.day) == ("completed", sunday)
    assert (ended - midnight).total_seconds() < 60
    assert (diary.of(PlaceOrder)[0][0] - midnight).total_seconds() < 5
