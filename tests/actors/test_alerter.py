"""What deserves an alert, how urgent it is, and that each is raised once whatever is killed in between."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from actors.alerter import Alerter
from qws import messages as m
from qws.alarms import Alarms
from qws.alert_text import notice_of, raised
from qws.domain.alerts import Alert, Draft, Entry, Parcel
from qws.domain.known_orders import ASK
from qws.domain.orders import OrderStatus, Stray
from qws.domain.plan import Outcome
from qws.domain.risk.rule import Breach
from qws.domain.targets import DroppedRow, Refusal
from qws.runtime.message import ActorCrashed, Message, Started, Stopping
from tests.support import builders as b
from tests.support.alerts import CRITICAL, NOTE, WARNING, an_alert
from tests.support.outputs import of, timers

ROUTES = {CRITICAL: ("group", "mail"), WARNING: ("group",)}
END = m.RunFinished.without_trades(b.a_due(), "refused", "turnover", "too much", b.at("10:00:00"))
OVER = Breach("turnover", Decimal(2), Decimal(1), "of total asset", "buys and sells are 2 of total asset")
ASKED = f"{ASK} with `qws settle` what it is"


def an_alerter(clock: b.HandClock | None = None) -> Alerter:
    return Alerter(Alarms(b.a_schedule()), clock or b.HandClock(b.at("10:00:00")), ROUTES, 60.0, raised)


def alerts(answer: object) -> list[Alert]:
    return [each.alert for each in of(m.AlertRaised, answer)]


def close(day: str, total: str) -> m.EquityRecorded:
    moment = b.at("15:10:00").replace(day=int(day))
    return m.EquityRecorded(moment.date(), moment, "close", "", b.an_asset(total), (), None)


def refused(*codes: str) -> m.TargetRejected:
    refusals = tuple(Refusal(code, f"text of {code}", 1) for code in codes)
    return m.TargetRejected("w.csv", "rejected/w.csv", b.TARGET, b.at("10:00:00"), refusals)


DESERVE = [
    (END, "run_refused", WARNING),
    (replace(END, status="completed", reason=""), "run_completed", NOTE),
    (replace(END, status="superseded"), "run_superseded", NOTE),
    (replace(END, status="incomplete", reason="not_filled"), "run_incomplete", WARNING),
    (replace(END, status="incomplete", reason="unknown"), "run_incomplete", CRITICAL),
    (refused("bad_date"), "file_rejected", WARNING),
    (refused("duplicate"), "file_rejected", NOTE),
    (b.a_target({"600000.SH": "0.5"}, dropped=(DroppedRow(3, "x", "unknown_code", "?"),)), "rows_filtered", WARNING),
    (m.PlanHeld(b.RUN, 0, preview=False, breaches=(OVER,)), "plan_held", CRITICAL),
    (m.ControlOrdered("halt", "me@here"), "halt", CRITICAL),
    (m.ControlOrdered("resume", "me@here"), "resume", NOTE),
    (m.ControlOrdered("cancel", "me@here"), "cancel", WARNING),
    (m.ControlOrdered("reduce_only", "me@here"), "reduce_only", WARNING),
    (m.StrayOrderSeen(Stray(b.a_report(b.an_order(), OrderStatus.REPORTED), "duplicate")), "stray_order", CRITICAL),
    (m.OrderUpdated(b.a_report(b.an_order(), OrderStatus.UNKNOWN, message=ASKED)), "order_unsettled", CRITICAL),
    (m.LedgerDrift(b.RUN, 0, "", Decimal(1), Decimal(2), "unexplained"), "drift", WARNING),
    (m.LedgerDrift(b.RUN, 0, "", Decimal(1), Decimal(2), "fees"), "drift", NOTE),
    (m.RecordDisputed(b.RUN, "600000.SH", "tick", "0.01", "0.001"), "record_disputed", NOTE),
    (m.SessionPhaseChanged(b.DAY, "unknown", b.at("10:00:00")), "calendar_ends", CRITICAL),
    (ActorCrashed("planner", "ValueError: x", 7), "actor_crashed", CRITICAL),
    (close("19", "1000"), "day_closed", NOTE),
]
DESERVE_NONE = [
    b.a_target({"600000.SH": "0.5"}),
    m.ControlOrdered("rebalance", "me@here"),
    m.OrderUpdated(b.a_report(b.an_order(), OrderStatus.UNKNOWN, message="no answer within 5 s")),
    m.OrderUpdated(b.a_report(b.an_order(), OrderStatus.JUNK, message="E42")),
    m.SessionPhaseChanged(b.DAY, "continuous", b.at("10:00:00")),
    replace(close("19", "1000"), kind="run"),
]


def told(alerter: Alerter, message: Message) -> list[Alert]:
    handlers = {
        m.RunFinished: alerter.on_run_finished,
        m.TargetAccepted: alerter.on_target_accepted,
        m.TargetRejected: alerter.on_target_rejected,
        m.PlanHeld: alerter.on_plan_held,
        m.ControlOrdered: alerter.on_control_ordered,
        m.StrayOrderSeen: alerter.on_stray_order_seen,
        m.OrderUpdated: alerter.on_order_updated,
        m.LedgerDrift: alerter.on_ledger_drift,
        m.RecordDisputed: alerter.on_record_disputed,
        m.SessionPhaseChanged: alerter.on_session_phase_changed,
        m.EquityRecorded: alerter.on_equity_recorded,
        ActorCrashed: alerter.on_actor_crashed,
    }
    return alerts(handlers[type(message)](message))  # type: ignore[operator]


@pytest.mark.parametrize(("message", "kind", "severity"), DESERVE)
def test_a_message_that_matters_is_raised_with_its_severity_and_goes_to_its_channels(
    message: Message, kind: str, severity: str
) -> None:
    (alert,) = told(an_alerter(), message)

    assert (alert.kind, alert.severity, alert.channels) == (kind, severity, ROUTES.get(alert.severity, ()))
    assert alert.at == b.at("10:00:00")
    assert alert.text


@pytest.mark.parametrize("message", DESERVE_NONE)
def test_a_message_that_is_everyday_life_is_not_raised(message: Message) -> None:
    assert told(an_alerter(), message) == []


def test_ids_count_within_a_day_and_begin_again_on_the_next_also_after_a_restart() -> None:
    clock = b.HandClock(b.at("10:00:00"))
    alerter = an_alerter(clock)
    first, second = told(alerter, END)[0], told(alerter, END)[0]
    again = an_alerter(clock)
    for alert in (first, second):
        again.recall_alert_raised(m.AlertRaised(alert))
    third = told(again, END)[0]
    clock.set("09:00:00", b.NEXT_DAY)

    assert [each.alert_id for each in (first, second, third)] == ["261119-1", "261119-2", "261119-3"]
    assert told(again, END)[0].alert_id == "261120-1"


def test_what_an_earlier_life_could_not_raise_is_raised_at_the_start_and_nothing_twice() -> None:
    other = replace(END, run_id="20261119-bbbbbb")
    alerter = an_alerter()
    alerter.recall_started(Started())
    alerter.recall_alert_raised(m.AlertRaised(an_alert(1)))
    alerter.recall_run_finished(END)
    alerter.recall_alert_raised(m.AlertRaised(told(an_alerter(), END)[0]))
    alerter.recall_run_finished(other)

    owed, start = alerts(alerter.on_started(Started()))
    assert (owed.key, start.kind) == ("run:20261119-bbbbbb", "restarted")


def test_a_journal_from_before_there_were_alerts_owes_none_and_a_stop_in_order_is_no_cut() -> None:
    alerter = an_alerter()
    alerter.recall_started(Started())
    alerter.recall_run_finished(END)
    alerter.recall_stopping(Stopping())

    assert [each.kind for each in alerts(alerter.on_started(Started()))] == ["started"]


def test_a_broker_that_is_not_ready_soon_after_the_start_is_an_alert_and_one_that_is_ready_is_not() -> None:
    late, soon = an_alerter(), an_alerter()
    for alerter in (late, soon):
        ((seconds, due),) = timers(m.OutageDue, alerter.on_started(Started()))
        assert seconds == 60
        if alerter is soon:
            assert alerts(alerter.on_link_ready(m.LinkReady())) == []
        assert [each.kind for each in alerts(alerter.on_outage_due(due))] == (["link_lost"] if alerter is late else [])


def test_only_the_outage_that_is_meant_is_told_and_each_once() -> None:
    clock = b.HandClock(b.at("10:00:00"))
    alerter = an_alerter(clock)
    list(alerter.on_link_ready(m.LinkReady()))
    ((_, first),) = timers(m.OutageDue, alerter.on_link_lost(m.LinkLost("gone")))
    assert alerter.on_link_lost(m.LinkLost("gone again")) is None
    list(alerter.on_link_ready(m.LinkReady()))
    clock.set("10:00:30")
    ((_, second),) = timers(m.OutageDue, alerter.on_link_lost(m.LinkLost("gone")))

    assert alerts(alerter.on_outage_due(first)) == []
    (alert,) = alerts(alerter.on_outage_due(second))
    assert "gone" in alert.text
    (back,) = alerts(alerter.on_link_ready(m.LinkReady()))
    assert (back.kind, alerts(alerter.on_link_ready(m.LinkReady()))) == ("link_back", [])


def test_the_summary_counts_the_runs_since_the_last_close_and_the_change_of_the_asset() -> None:
    alerter = an_alerter()
    alerter.recall_equity_recorded(close("18", "1000"))
    for number, status in enumerate(("completed", "completed", "incomplete")):
        told(alerter, replace(END, run_id=f"r{number}", status=status, fees=Decimal(5)))
    (alert,) = told(alerter, close("19", "1010"))

    assert "total asset 1,010.00, change +10.00 (+1.00%) since 2026-11-18" in alert.text
    assert "runs: completed 2, incomplete 1; fees 15.00" in alert.text
    assert told(alerter, close("19", "1010")) == []
    assert "no run" in told(alerter, close("20", "1010"))[0].text


def test_a_run_names_what_is_left_of_it() -> None:
    left = tuple(
        Outcome(f"60000{n}.SH", Decimal("0.1"), Decimal(0), 100, 0, "not_filled" if n else "") for n in range(9)
    )
    (alert,) = told(an_alerter(), replace(END, status="incomplete", reason="not_filled", outcomes=left))

    assert alert.text.startswith(END.run_id)
    assert "not traded as planned: 8 names (600001.SH [not_filled], " in alert.text
    assert "600006.SH" not in alert.text


def test_a_message_fits_into_what_a_robot_takes_and_holds_ids_times_and_repeats() -> None:
    long = raised(Draft("kind", WARNING, "key", "涨停 " * 4000), "261119-1", b.at("10:00:00"), ())
    entries = (Entry(long, 0, long.at), *(Entry(an_alert(n, NOTE), 2, b.at("09:00:00")) for n in range(40)))
    parcel = Parcel("group", entries, (), (("mail", "HTTP 500"),), 3)

    notice = notice_of(parcel, 2048, "home", b.at("10:00:00"))
    small = notice_of(replace(parcel, entries=entries[1:2]), 2048, "home", b.at("10:00:00", b.NEXT_DAY))

    assert len(long.text) == 600
    assert len(notice.text.encode()) <= 2048
    assert notice.title == "[qws] warning · home: 41 alerts"
    assert small.text.splitlines() == [
        "[qws] info · home",
        "11-19 10:00:00 #d-0 text 0 (and 2 more like it since 09:00:00)",
        "(instead of mail: HTTP 500)",
        "(3 alerts were dropped while nothing could be sent: `qws alerts`)",
    ]


def test_a_run_that_a_stop_sold_by_is_a_warning_that_names_it() -> None:
    sold = Outcome("600000.SH", Decimal(0), Decimal(0), 100, 100, "stop_loss")
    end = m.RunFinished.without_trades(b.a_due(), "completed", "", "", b.at("10:00:00"))

    (alert,) = told(an_alerter(), replace(end, outcomes=(sold,)))
    (usual,) = told(an_alerter(), replace(end, outcomes=(replace(sold, reason=""),)))

    assert (alert.severity, usual.severity) == (WARNING, NOTE)
    assert "600000.SH [stop_loss]" in alert.text


def test_a_run_that_did_all_it_planned_and_is_far_from_its_target_is_a_warning_with_the_reasons() -> None:
    bought_today = Outcome("600000.SH", Decimal("0.1"), Decimal("0.5"), 0, 0, "t_plus_1")
    small = Outcome("600004.SH", Decimal("0.001"), Decimal(0), 0, 0, "below_lot")
    end = m.RunFinished.without_trades(b.a_due(), "completed", "", "", b.at("10:00:00"))

    (far,) = told(an_alerter(), replace(end, outcomes=(small, bought_today), tracking_error=Decimal("0.40")))
    (near,) = told(an_alerter(), replace(end, outcomes=(small,), tracking_error=Decimal("0.001")))

    assert (far.severity, near.severity) == (WARNING, NOTE)
    assert "600000.SH [t_plus_1]" in far.text
    assert "600004.SH" not in far.text + near.text
