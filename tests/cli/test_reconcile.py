"""`qws reconcile`, and what status says of the check before the open."""

from __future__ import annotations

from qws import messages as m
from qws.domain.readiness import Problem
from qws.domain.reconciling import Difference
from qws.home import Home
from qws.runtime.message import Envelope, Message
from tests.cli.rig import as_json, call, fill
from tests.support.builders import DAY, NEXT_DAY, at

MONEY = Difference("cash", "", "100,000.00", "150,000.00", "transfer")
ODD = Difference("shares", "600000.SH", "1000", "900", "unexplained")


def envelopes(*messages: Message) -> list[Envelope]:
    return [
        Envelope(number, number, None, at("15:30:00"), "reconciler", each) for number, each in enumerate(messages, 1)
    ]


def a_day(*differences: Difference, problem: str = "", first: bool = False) -> m.DayReconciled:
    return m.DayReconciled(NEXT_DAY, at("15:30:00", NEXT_DAY), problem, differences, 3, 7, None if first else DAY)


def test_before_the_first_evening_there_is_nothing_to_see(home: Home) -> None:
    assert call(home, "reconcile").out.startswith("not reconciled yet")
    assert call(home, "reconcile").code == 1
    assert as_json(home, "status")["readiness"] is None  # type: ignore[index]


def test_a_day_that_agrees_ends_with_code_0_and_says_what_was_compared(home: Home) -> None:
    fill(home, envelopes(a_day()))

    answer = call(home, "reconcile")

    assert (answer.code, answer.out.splitlines()[1]) == (0, "nothing differs")
    assert f"{NEXT_DAY}, compared {NEXT_DAY} 15:30:00: 3 orders and 7 fills of ours" in answer.out
    assert str(DAY) in answer.out


def test_what_is_explained_is_no_reason_to_worry(home: Home) -> None:
    fill(home, envelopes(a_day(MONEY)))

    answer = call(home, "reconcile")

    assert (answer.code, answer.out.splitlines()[-1]) == (0, "all is explained")


def test_what_nothing_explains_is_shown_and_ends_with_code_1(home: Home) -> None:
    fill(home, envelopes(a_day(MONEY, ODD)))

    answer = call(home, "reconcile")

    assert (answer.code, answer.out.splitlines()[-1]) == (1, "1 of 2 differences are unexplained")
    assert answer.out.splitlines()[1].split() == ["code", "subject", "ours", "theirs", "explanation"]
    assert [each["code"] for each in call(home, "reconcile", "--json").json["differences"]] == ["cash", "shares"]  # type: ignore[index]


def test_a_day_is_asked_for_by_its_date_and_one_that_was_not_reconciled_says_why(home: Home) -> None:
    fill(home, envelopes(m.DayReconciled(DAY, at("15:30:00"), "", (), 1, 1, None), a_day(problem="gone")))

    assert call(home, "reconcile").code == 1
    assert "gone" in call(home, "reconcile").out
    assert "no earlier close" in call(home, "reconcile", str(DAY)).out
    assert call(home, "reconcile", "2026-11-03").code == 1
    assert call(home, "reconcile", "yesterday").code == 2


def test_status_shows_the_newest_check_before_the_open(home: Home) -> None:
    checks = [
        m.ReadinessChecked(DAY, at("09:15:00"), (Problem("target_missing", str(DAY)),), ("target_missing",), False),
        m.ReadinessChecked(DAY, at("09:20:00"), (), (), True),
    ]
    fill(home, envelopes(checks[0]))
    assert f"[target_missing] no weight file for {DAY} has been accepted" in call(home, "status").out

    fill(home, envelopes(*checks))
    assert f"{DAY}: ready to trade" in call(home, "status").out
    assert as_json(home, "status")["readiness"]["text"] == f"{DAY}: ready to trade"  # type: ignore[index]
