"""What a person allowed, and that nothing else is sent: I20 of RELIABILITY.md section 4."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from qws.domain.plan import Plan
from qws.messages import ControlOrdered, PlaceOrder, PlanDrafted, PlanHeld, PlanReady
from qws.runtime.message import Envelope
from tests.simulation.disk import PERSON
from tests.simulation.keys import Key, digit_of, key_of

HELD_ABOVE = Decimal("0.3")  # turnover, where a seed holds at all
_LEEWAY = Decimal("1.1")


class Approvals:
    """Follows plans and answers; `blame` is told of an order that needed an approval and had none."""

    def __init__(self, blame: Callable[[str, str], None]) -> None:
        self._blame = blame
        self._plans: dict[Key, Decimal] = {}
        self._newest: dict[str, Decimal] = {}
        self._asked: dict[str, Decimal] = {}  # what a person was shown last
        self._allowed: dict[str, Decimal] = {}
        self.ask: Callable[[str, datetime], None] = lambda run_id, now: None

    def note(self, envelope: Envelope) -> None:
        """A message is on the disk."""
        match envelope.body:
            case PlanDrafted(plan=plan):
                self._newest[plan.run_id] = _turnover(plan)
            case PlanReady(plan=plan) if not plan.preview:  # without what other rules took out of it
                self._plans[plan.run_id, digit_of(plan.attempt)] = _turnover(plan)
            case PlanHeld() as held:
                self._asked[held.run_id] = self._newest[held.run_id]
                self.ask(held.run_id, envelope.at)
            case ControlOrdered(command="approve", by=by, run_id=run_id) if by == PERSON:
                self._allowed[run_id] = self._asked[run_id]
            case PlaceOrder() as intent:
                traded = self._plans[key_of(intent)]
                if traded > HELD_ABOVE and traded > self._allowed.get(intent.run_id, Decimal(0)) * _LEEWAY:
                    allowed = self._allowed.get(intent.run_id, "nothing")
                    self._blame("I20", f"{intent.order.tag} is of a plan that trades {traded:.4f}, allowed: {allowed}")
            case _:
                pass


def _turnover(plan: Plan) -> Decimal:
    return sum((row.shares * row.price for row in plan.rows), Decimal(0)) / plan.total_asset
