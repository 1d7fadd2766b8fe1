"""A settled file becomes a target or a refusal, and the same bytes never trade twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import anyio

from actors.weight_validator import WeightValidator
from qws.domain.calendar import TradingCalendar
from qws.domain.schedule import Schedule
from qws.domain.targets import DayTarget, Refusal, Row, Weight
from qws.gateways.files import read_rows
from qws.messages import TargetAccepted, TargetRejected, WeightFileSettled
from qws.runtime.clock import SHANGHAI, SystemClock
from tests.intake.world import LIMITS, RULES, SCHEDULE, START, a_target, inline, weights

Verdict = TargetAccepted | TargetRejected | None


class StoppedClock(SystemClock):
    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class Desk:
    """A validator and the contents of the files it is told about."""

    def __init__(self, schedule: Schedule = SCHEDULE) -> None:
        self.contents: dict[str, bytes] = {}
        self.clock = StoppedClock()
        self.reads = 0
        self.validator = WeightValidator(self.clock, schedule, RULES, self._read, inline)

    def _read(self, msg: WeightFileSettled) -> list[Row] | Refusal:
        self.reads += 1
        return read_rows(msg.name, self.contents[msg.path], LIMITS)

    def settled(self, name: str, content: bytes) -> WeightFileSettled:
        path = f".claimed/{len(self.contents)}-{name}"
        self.contents[path] = content
        return WeightFileSettled(name, path, hashlib.sha256(content).hexdigest(), len(content))

    def judge(self, msg: WeightFileSettled) -> Verdict:
        return anyio.run(self.validator.on_weight_file_settled, msg)


def test_the_receipt_of_the_same_bytes_says_when_their_target_has_expired() -> None:
    desk = Desk()
    content = f"# expires: {START:%Y-%m-%d} 23:00\n".encode() + a_target()
    accepted(desk.judge(desk.settled("w.csv", content)))
    desk.clock.at = START.replace(hour=23)

    (again,) = refusals(desk.judge(desk.settled("again.csv", content)))

    assert (again.code, "expired at" in again.text) == ("duplicate", True)


def accepted(verdict: Verdict) -> TargetAccepted:
    assert isinstance(verdict, TargetAccepted), verdict
    return verdict


def refusals(verdict: Verdict) -> tuple[Refusal, ...]:
    assert isinstance(verdict, TargetRejected), verdict
    return verdict.refusals


def test_a_correct_file_becomes_a_target_named_by_its_bytes() -> None:
    desk = Desk()
    settled = desk.settled("a.csv", weights(("600000.SH", "0.25"), ("000001.SZ", "0.5"), ("830799.BJ", "0.1")))
    target = accepted(desk.judge(settled))

    assert (target.name, target.path, target.sha256, target.at) == (settled.name, settled.path, settled.sha256, START)
    assert settled.sha256.startswith(target.target_id)
    expected = (Weight("000001.SZ", Decimal("0.5")), Weight("600000.SH", Decimal("0.25")))
    assert target.days == (DayTarget(START.date(), expected),)
    assert [dropped.code for dropped in target.dropped] == ["830799.BJ"]


def test_the_same_bytes_under_another_name_are_refused_naming_the_first() -> None:
    desk = Desk()
    target = accepted(desk.judge(desk.settled("first.csv", a_target())))
    desk.clock.at += timedelta(hours=1)
    found = refusals(desk.judge(desk.settled("second.csv", a_target())))

    assert [refusal.code for refusal in found] == ["duplicate"]
    for part in ("first.csv", "2026-11-23 09:00:00", target.target_id, "qws rebalance"):
        assert part in found[0].text
    assert desk.reads == 1


def test_the_receipt_of_a_target_that_was_overtaken_names_the_newest_and_no_command_that_runs_another() -> None:
    desk = Desk()
    old = accepted(desk.judge(desk.settled("old.csv", a_target(1))))
    new = accepted(desk.judge(desk.settled("new.csv", a_target(2))))

    (refusal,) = refusals(desk.judge(desk.settled("old.csv", a_target(1))))
    assert old.target_id in refusal.text
    assert f"the newest target of {START.date()} is {new.target_id}" in refusal.text
    assert "rebalance" not in refusal.text
    (newest,) = refusals(desk.judge(desk.settled("new.csv", a_target(2))))
    assert "`qws rebalance`" in newest.text


def test_the_receipt_of_a_later_and_of_a_past_day_says_what_holds_for_it() -> None:
    desk = Desk()
    tomorrow = START.date() + timedelta(days=1)
    content = weights(("600000.SH", "0.1"), day=tomorrow)
    accepted(desk.judge(desk.settled("a.csv", content)))

    (early,) = refusals(desk.judge(desk.settled("a.csv", content)))
    desk.clock.at += timedelta(days=2)
    (late,) = refusals(desk.judge(desk.settled("a.csv", content)))
    assert f"newest target of {tomorrow} and waits" in early.text
    assert f"{tomorrow} is over" in late.text
    assert "rebalance" not in early.text + late.text


def test_a_hundred_identical_files_at_once_give_one_target() -> None:
    desk = Desk()
    verdicts = [desk.judge(desk.settled(f"{number}.csv", a_target())) for number in range(100)]

    assert [type(verdict) for verdict in verdicts] == [TargetAccepted] + [TargetRejected] * 99


def test_a_duplicate_is_known_after_a_restart() -> None:
    before, after = Desk(), Desk()
    target = accepted(before.judge(before.settled("first.csv", a_target())))
    after.validator.recall_target_accepted(target)
    after.settled("placeholder.csv", b"")

    assert refusals(after.judge(after.settled("second.csv", a_target())))[0].code == "duplicate"


def test_the_same_drop_told_twice_gets_one_answer() -> None:
    desk = Desk()
    settled = desk.settled("a.csv", a_target())

    assert isinstance(desk.judge(settled), TargetAccepted)
    assert desk.judge(settled) is None


def test_the_same_rows_in_other_bytes_are_another_target() -> None:
    desk = Desk()
    one = accepted(desk.judge(desk.settled("a.csv", a_target())))
    other = accepted(desk.judge(desk.settled("a.csv", a_target().replace(b"\n", b"\r\n"))))

    assert one.days == other.days
    assert one.target_id != other.target_id


def test_bytes_that_were_refused_are_judged_again() -> None:
    desk = Desk()
    tomorrow = START.date() + timedelta(days=1)
    stale = weights(("600000.SH", "0.1"), day=START.date() - timedelta(days=1))
    first, second = (refusals(desk.judge(desk.settled("a.csv", stale))) for _ in range(2))
    desk.clock.at = START - timedelta(days=1)

    assert [refusal.code for refusal in first + second] == ["stale_date", "stale_date"]
    assert accepted(desk.judge(desk.settled("a.csv", stale))).days[0].day < tomorrow


def test_after_the_last_order_time_the_file_is_meant_for_the_next_session() -> None:
    calendar = TradingCalendar(date(2026, 1, 1), date(2026, 12, 31), frozenset())
    desk = Desk(
        Schedule(calendar, False, SCHEDULE.plan_at, SCHEDULE.send_at, SCHEDULE.last_order_at, SCHEDULE.equity_at)
    )
    desk.clock.at = datetime(2026, 11, 23, 20, 0, tzinfo=SHANGHAI)

    assert refusals(desk.judge(desk.settled("a.csv", a_target())))[0].code == "stale_date"
    target = accepted(desk.judge(desk.settled("b.csv", weights(("600000.SH", "0.1"), day=date(2026, 11, 24)))))
    assert [day.day for day in target.days] == [date(2026, 11, 24)]


def test_beyond_the_calendar_nothing_is_guessed() -> None:
    calendar = TradingCalendar(date(2026, 1, 1), date(2026, 11, 20), frozenset())
    desk = Desk(
        Schedule(calendar, False, SCHEDULE.plan_at, SCHEDULE.send_at, SCHEDULE.last_order_at, SCHEDULE.equity_at)
    )
    found = refusals(desk.judge(desk.settled("a.csv", a_target())))

    assert [refusal.code for refusal in found] == ["unknown_calendar"]
    assert "calendar.toml" in found[0].text
    assert desk.reads == 0


def test_every_reason_of_a_bad_file_is_told() -> None:
    desk = Desk()
    found = refusals(desk.judge(desk.settled("a.csv", weights(("600000.SH", "abc"), ("000001.SZ", "")))))

    assert [(refusal.code, refusal.row) for refusal in found] == [("bad_weight", 2), ("bad_weight", 3)]
    assert "'abc'" in found[0].text


def test_reading_and_parsing_happen_off_the_loop() -> None:
    calls: list[str] = []
    desk = Desk()

    async def counted(call: Callable[[], object], /) -> object:
        calls.append("offloaded")
        assert desk.reads == 0
        return call()

    desk.validator = WeightValidator(desk.clock, SCHEDULE, RULES, desk._read, counted)  # type: ignore[arg-type]

    assert isinstance(desk.judge(desk.settled("a.csv", a_target())), TargetAccepted)
    assert (calls, desk.reads) == (["offloaded"], 1)
