"""Bugs in what a person must allow first, planted beside the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from actors import risk_guard
from actors.risk_guard import RiskGuard
from qws.domain.risk.judge import Verdict, judge
from qws.domain.risk.memory import RiskMemory
from qws.messages import PlanHeld
from tests.simulation.bug import Bug


def nobody_is_asked(*asked: object) -> Verdict:
    return replace(judge(*asked), held=())  # type: ignore[arg-type]


def silence_is_consent(self: RiskMemory, run_id: str) -> Mapping[str, Decimal]:
    return self._approved.get(run_id) or self._asked.get(run_id, {})


def a_restart_approves(self: RiskGuard, msg: PlanHeld) -> None:
    self._memory.ask(msg.run_id, msg.breaches)
    self._memory.command("approve", msg.run_id)


RISK_BUGS = (
    Bug(
        "held_plan_sent",
        "A plan that waits for a person is sent at once.",
        ("I20",), 7,
        ((risk_guard, "judge", nobody_is_asked),),
    ),
    Bug(
        "silence_is_consent",
        "Once somebody was asked, the next plan of the run passes.",
        ("I20",), 27,
        ((RiskMemory, "approved", silence_is_consent),),
    ),
    Bug(
        "a_restart_approves",
        "A restart takes a question for its answer.",
        ("I20",), 102,
        ((RiskGuard, "recall_plan_held", a_restart_approves),),
    ),
)  # fmt: skip
