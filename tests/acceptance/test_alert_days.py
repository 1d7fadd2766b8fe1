"""Whole days of the whole program with channels that work, fail or sleep: who is told what, when, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from qws import messages as m
from qws.domain.alerts import Severity
from qws.ports import Channel
from qws.runtime.clock import LoopClock
from qws.runtime.message import ActorCrashed
from tests.acceptance.whole_day import HELD, Day, a_day, at
from tests.support.alerts import FakeChannel

NAMES = ("group", "mail")
SECTION = {"kind": "webhook", "url": "http://127.0.0.1/"}
HOLD = {"600036.SH": "0.99"}


def is_between(since: datetime, until: datetime, now: datetime) -> bool:
    return since <= now < until


@dataclass
class Told:
    """A day whose channels outlive its processes; `down` are times in which a channel does not work."""

    day: Day
    down: dict[str, tuple[str, str]] = field(default_factory=dict)
    takes_s: float = 0.1
    took: dict[str, list[tuple[datetime, str]]] = field(default_factory=lambda: {name: [] for name in NAMES})
    lives: list[dict[str, FakeChannel]] = field(default_factory=list)

    def channels(self, clock: LoopClock) -> tuple[Channel, ...]:
        made = {name: FakeChannel(clock, name, takes_s=self.takes_s) for name in NAMES}
        for name, (since, until) in self.down.items():
            made[name].fails = partial(is_between, at(since), at(until))
        self.lives.append(made)
        return tuple(made.values())

    def live(self, began: str, ended: str, how: str = "stop") -> None:
        self.day.live(began, ended, how)

    def messages(self, name: str = "group") -> list[tuple[str, str]]:
        """Times and texts, first lines left out."""
        took = [each for life in self.lives for each in life[name].took]
        return [(f"{now:%H:%M:%S.%f}", notice.text.partition("\n")[2]) for now, notice in took]

    def ids(self, name: str = "group") -> list[str]:
        return [each for life in self.lives for each in life[name].ids()]

    def kinds(self) -> list[tuple[str, str]]:
        return [(each.alert.kind, each.alert.severity) for each in self.day.of(m.AlertRaised)]


def a_told_day(folder: Path, **notify: object) -> Told:
    told = Told(a_day(folder))
    channels = dict.fromkeys(NAMES, SECTION)
    told.day.notify = {"channels": channels, "routes": dict.fromkeys(Severity, ("group",)), **notify}
    told.day.channels = told.channels
    return told


def test_a_quiet_day_is_a_start_a_run_and_a_summary_each_told_once_within_a_second(tmp_path: Path) -> None:
    told = a_told_day(tmp_path)
    told.day.drop("09:00:00", "w.csv", HOLD)

    told.live("08:50:00", "15:20:00")

    assert [kind for kind, _ in told.kinds()] == ["started", "run_completed", "day_closed"]
    assert told.ids() == ["261119-1", "261119-2", "261119-3"]
    for (moment, _), raised in zip(told.messages(), told.day.of(m.AlertRaised), strict=True):
        assert 0 <= (at(moment) - raised.alert.at).total_seconds() <= 1
    summary = told.messages()[-1][1]
    (close,) = [each for each in told.day.of(m.EquityRecorded) if each.kind == "close"]
    assert f"total asset {close.asset.total:,.2f}" in summary
    assert "runs: completed 1" in summary
    assert told.messages("mail") == []


def test_the_summary_of_the_next_day_tells_the_change(tmp_path: Path) -> None:
    told = a_told_day(tmp_path)
    told.live("08:50:00", "15:20:00")
    told.live("2026-11-20 08:50:00", "2026-11-20 15:20:00")

    first, second = (each.asset.total for each in told.day.of(m.EquityRecorded) if each.kind == "close")
    assert f"change {second - first:+,.2f}" in told.messages()[-1][1]
    assert "since 2026-11-19; cash" in told.messages()[-1][1]


def test_ten_bad_files_are_two_messages(tmp_path: Path) -> None:
    told = a_told_day(tmp_path, fold_s=600)
    for number in range(10):
        told.day.files.append((at(f"10:00:{number * 5:02}"), f"bad{number}.csv", f"nothing {number}\n".encode()))

    told.live("09:50:00", "10:30:00")

    bad = [text for _, text in told.messages() if "rejected" in text]
    assert len(bad) == 2
    assert "and 8 more" in bad[1]
    assert len(told.day.of(m.TargetRejected)) == 10
    assert len({each for part in told.day.of(m.AlertsSettled) for each in part.alert_ids}) == 11


def test_in_quiet_hours_a_halt_is_told_and_the_rest_waits_for_their_end(tmp_path: Path) -> None:
    told = a_told_day(tmp_path, quiet_from="09:00:00", quiet_to="11:00:00")
    told.day.files.append((at("10:00:00"), "bad.csv", b"nothing\n"))
    told.day.orders = [("10:05:00", "halt")]

    told.live("09:50:00", "11:30:00")

    (first, halted), (second, rest) = told.messages()
    assert (first[:8], second[:7]) == ("10:05:00", "11:00:0")
    assert "halted" in halted
    assert ("started" in rest, "bad.csv" in rest) == (True, True)


def test_each_severity_goes_to_its_own_channels(tmp_path: Path) -> None:
    told = a_told_day(tmp_path, routes={"info": [], "warning": ["mail"], "critical": ["group", "mail"]})
    told.day.files.append((at("10:00:00"), "bad.csv", b"nothing\n"))
    told.day.orders = [("10:05:00", "halt")]

    told.live("09:50:00", "11:30:00")

    assert [text[:8] for _, text in told.messages()] == ["10:05:00"]
    assert [text[:8] for _, text in told.messages("mail")] == ["10:00:00", "10:05:00"]
    assert ("started", "info") in told.kinds()


def test_when_the_group_does_not_work_the_mail_says_so_and_when_it_works_again_it_is_used(tmp_path: Path) -> None:
    told = a_told_day(tmp_path, fallback="mail")
    told.down["group"] = ("09:59:00", "10:20:00")
    for clock in ("10:00:00", "10:30:00"):
        told.day.files.append((at(clock), f"bad{clock[:2]}{clock[3:5]}.csv", f"nothing {clock}\n".encode()))

    told.live("09:50:00", "11:30:00")

    ((when, text),) = told.messages("mail")
    assert at(when) < at("10:00:15")
    assert "instead of group: group is not there" in text
    assert ["bad1030" in text for _, text in told.messages()] == [False, True]
    assert len(told.day.of(m.ChannelFailed)) == 3


def test_a_link_that_is_lost_for_long_is_told_and_so_is_its_return_and_a_short_loss_is_not(tmp_path: Path) -> None:
    told = a_told_day(tmp_path, link_lost_s=60)
    told.day.outage = ("10:00:00", "10:05:00")
    told.live("09:50:00", "11:00:00")
    short = a_told_day(tmp_path / "short", link_lost_s=60)
    short.day.outage = ("10:00:00", "10:00:30")
    short.live("09:50:00", "11:00:00")

    assert told.kinds() == [("started", "info"), ("link_lost", "critical"), ("link_back", "info")]
    _, (lost, why), (back, how_long) = told.messages()
    assert (lost[:7], back[:5]) == ("10:01:0", "10:05")
    assert "the terminal is gone" in why
    assert "5 min" in how_long
    assert short.kinds() == [("started", "info")]


def test_a_link_that_is_lost_at_night_is_no_matter_until_the_market_opens(tmp_path: Path) -> None:
    told = a_told_day(tmp_path, link_lost_s=60)
    told.day.outage = ("03:00:00", "09:40:00")

    told.live("02:00:00", "09:50:00")

    assert told.kinds()[1:] == [("link_lost_at_rest", "info"), ("link_lost", "critical"), ("link_back", "info")]
    assert [when[:5] for when, _ in told.messages()] == ["02:00", "03:01", "09:15", "09:40"]


@pytest.mark.parametrize("how", ["kill", "power"])
@pytest.mark.parametrize("ends", ["10:00:30.020", "10:00:30.200", "10:05:00"])
def test_an_alert_that_was_raised_survives_any_end_and_is_told_at_least_once(
    tmp_path: Path, how: str, ends: str
) -> None:
    told = a_told_day(tmp_path)
    told.day.orders = [("10:00:30", "halt")]
    told.live("09:50:00", ends, how)
    told.live("10:10:00", "10:20:00")

    texts = [text for _, text in told.messages()]
    raised = [each.alert.alert_id for each in told.day.of(m.AlertRaised)]
    assert set(told.ids()) == set(raised)
    assert sum(1 for text in texts if "halted until" in text) in (1, 2) or not told.day.of(m.ControlOrdered)
    assert any("cut off" in text for text in texts)


def test_what_was_not_sent_while_the_network_was_dead_is_sent_by_the_next_process(tmp_path: Path) -> None:
    told = a_told_day(tmp_path, tries=1)
    told.down["group"] = ("09:00:00", "10:30:00")
    told.day.orders = [("10:00:30", "halt")]
    told.day.files.append((at("10:01:00"), "bad.csv", b"nothing\n"))
    told.live("09:50:00", "10:20:00", "kill")
    assert told.messages() == []

    told.live("10:40:00", "10:50:00")

    assert sorted(told.ids()) == ["261119-1", "261119-2", "261119-3", "261119-4"]
    assert len(told.messages()) <= 2


def test_a_stop_sends_what_was_just_raised_and_does_not_wait_for_a_dead_service(tmp_path: Path) -> None:
    told = a_told_day(tmp_path)
    told.day.orders = [("10:00:00", "halt")]
    told.live("09:50:00", "10:00:00.300")
    dead = a_told_day(tmp_path / "dead")
    dead.takes_s = 1e6
    dead.day.orders = [("10:00:00", "halt")]
    dead.live("09:50:00", "10:00:05")
    gone = (dead.day.told[-1].at - at("10:00:05")).total_seconds()

    assert any("halted until" in text for _, text in told.messages())
    assert gone <= 6


def test_channels_that_fail_or_hang_all_day_change_nothing_of_what_is_traded(tmp_path: Path) -> None:
    def traded(told: Told) -> list[tuple[datetime, object]]:
        told.day.drop("09:00:00", "w.csv", HOLD)
        told.day.drop("10:00:00", "v.csv", dict.fromkeys(HELD, "0.4"))
        told.live("08:50:00", "10:20:00")
        return [(each.at, each.body) for each in told.day.told if isinstance(each.body, m.PlaceOrder | m.OrderUpdated)]

    plain, failing, hanging = a_told_day(tmp_path / "1"), a_told_day(tmp_path / "2"), a_told_day(tmp_path / "3")
    failing.down["group"] = ("08:00:00", "16:00:00")
    hanging.takes_s = 1e6
    plain.day.notify = {}
    plain.day.channels = lambda clock: ()

    assert traded(plain) == traded(failing) == traded(hanging)
    assert len(plain.day.of(m.PlaceOrder)) > 1
    assert (plain.messages(), failing.messages(), hanging.messages()) == ([], [], [])


def test_a_library_that_raises_what_nobody_expects_is_a_failed_channel_and_no_crash(tmp_path: Path) -> None:
    told = a_told_day(tmp_path, fallback="mail")

    def broken(now: datetime) -> bool:
        raise LookupError(f"a bug at {now}")

    def channels(clock: LoopClock) -> tuple[Channel, ...]:
        made = told.channels(clock)
        told.lives[-1]["group"].fails = broken
        return made

    told.day.channels = channels
    told.day.orders = [("10:00:00", "halt")]
    told.live("09:50:00", "10:20:00")

    assert {each.error for each in told.day.of(m.ChannelFailed)} == {"unexpected LookupError"}
    assert told.day.of(ActorCrashed) == []
    assert set(told.ids("mail")) == {"261119-1", "261119-2"}


def test_where_nobody_can_be_told_nothing_is_raised(tmp_path: Path) -> None:
    told = a_told_day(tmp_path)
    told.day.channels = lambda clock: None
    told.day.orders = [("10:00:00", "halt")]
    told.day.outage = ("10:05:00", "10:10:00")
    told.live("09:50:00", "10:20:00")

    assert told.kinds() == []
