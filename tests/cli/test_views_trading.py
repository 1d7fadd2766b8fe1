"""What `qws status` says of a trading state and of plans that wait for a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from qws.domain.risk.rule import Breach
from qws.home import Home
from qws.messages import ControlOrdered, PlanHeld
from tests.cli.rig import as_json, beat, call, fill, held
from tests.store.samples import logged
from tests.support.builders import a_due


def status_of(home: Home) -> dict[str, Any]:
    found = as_json(home, "status")
    assert isinstance(found, dict)
    return found


def test_reduce_only_is_shown_until_a_resume(home: Home) -> None:
    fill(home, logged(*(ControlOrdered(each, "me") for each in ("halt", "reduce_only"))))

    with held(home) as pid:
        beat(home, pid=pid)
        assert status_of(home)["state"] == "reduce_only"
    status = status_of(home)
    assert (status["halted"], status["trading"]) == (False, "reduce_only")
    assert "nothing is bought" in call(home, "status").out


def test_a_held_plan_is_shown_with_its_rules_until_somebody_answers(home: Home) -> None:
    due = a_due()
    breach = Breach("turnover", Decimal(3), Decimal(2), "of total asset", "too much")
    messages = [due, PlanHeld(due.run_id, 0, False, (breach,))]
    fill(home, logged(*messages))

    status = status_of(home)
    assert [(each["run_id"], each["status"], each["reason"]) for each in status["held"]] == [
        (due.run_id, "held", "turnover")
    ]
    assert f"qws approve {due.run_id}" in call(home, "status").out
    fill(home, logged(*messages, ControlOrdered("approve", "me", due.run_id)))
    status = status_of(home)
    assert status["held"] == []
