"""What a run achieved: its verdict, weights, tracking error, and a reason for every residual."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from qws.domain.account import Asset, Position, Snapshot
from qws.domain.execution import INTERRUPTED, Execution
from qws.domain.known_orders import NEVER_ARRIVED, is_turned_down
from qws.domain.orders import OrderStatus
from qws.domain.plan import Outcome, Plan, PlanRow
from qws.domain.pricing import mark_price
from qws.domain.rest import FOLLOW_UP, STOPS, UNDONE, rest_of

_ONE = Decimal(1)
# Run, target, day, attempt; status, reason, text, time; asset, positions, outcomes; fees in CNY, tracking error.
Ending = tuple[
    *tuple[str, str, date, int, str, str, str, datetime],
    *tuple[Asset, tuple[Position, ...], tuple[Outcome, ...], Decimal, Decimal],
]


def ending_of(run: Execution, end: Snapshot) -> tuple[str, Ending]:
    """Why a run may go on (interrupted, follow_up, or "" when it may not); how it ends if it does not, all attempts
    together, judged by the account at that time."""
    before, (status, reason) = run.before, verdict(run)
    outcomes = whole(before.outcomes, outcomes_of(run, end))
    if status == "completed" and any(outcome.reason in UNDONE for outcome in outcomes):
        status, reason = "incomplete", "not_filled"
    has_hope = run.buys_held != "drift" and rest_of(outcomes, run.rules.absent, before.follow_ups).codes
    pause = FOLLOW_UP if has_hope and reason in ("", "not_filled") else ""
    if status == INTERRUPTED:
        pause, status = INTERRUPTED, "incomplete"
    found = (end.at, end.asset, end.positions, outcomes, before.fees + run.fees, tracking_error(outcomes))
    return pause, (*run.identity, status, reason, "", *found)


def unsent_status(reason: str) -> str:
    """The status of a run that was stopped before anything of it was sent."""
    return reason if reason == "superseded" else "refused"


def verdict(run: Execution) -> tuple[str, str]:
    """How a run ended, and why it did not trade everything: two stable codes, the second empty when it did.

    completed, incomplete, superseded; refused when a person stopped it before any order left; or interrupted: to be
    planned again, as nothing of it is unknown.
    """
    is_known, is_complete = (
        run.is_settled(),
        all(run.filled(row.code) == run.ordered(row.code) for row in run.plan.rows),
    )
    reason = "unknown" if not is_known else run.stop_reason or ("" if is_complete else "not_filled")
    if not run.stop_reason and is_complete:
        return "completed", reason
    if reason in STOPS.values() and not run.was_sent():
        return "refused", reason
    has_own_word = run.stop_reason == "superseded" or (run.stop_reason == INTERRUPTED and is_known)
    return run.stop_reason if has_own_word else "incomplete", reason


def residual(run: Execution, row: PlanRow) -> str:
    """Why less of a name was traded than wanted: a stable reason code, empty when nothing is missing."""
    legs = run.legs_of(row.code)
    orders = [leg.order for leg in legs]
    if any(order is None or order.status is OrderStatus.UNKNOWN for order in orders):
        return "unknown"
    if run.filled(row.code) == run.ordered(row.code):
        return run.reasons.get(row.code, row.reason if legs or row.side is None else "not_sent")
    if any(order is not None and is_turned_down(order) for order in orders):
        return "rejected"
    refusals = [order.message for order in orders if order is not None and order.status is OrderStatus.JUNK]
    if NEVER_ARRIVED in refusals:
        return NEVER_ARRIVED.replace(" ", "_")
    left = "not_sent" if len(refusals) == len(legs) else run.chase.left.get(row.code)
    return run.reasons.get(row.code) or left or "not_filled"


def outcomes_of(run: Execution, end: Snapshot) -> tuple[Outcome, ...]:
    """One outcome per name of the plan and the account, at the prices when the run ended."""
    quotes = {quote.code: mark_price(quote) for quote in end.quotes}
    values = {
        position.code: position.shares * quotes[position.code] if quotes.get(position.code) else position.market_value
        for position in end.positions
    }
    total = sum(values.values(), Decimal(0)) + end.asset.cash + end.asset.frozen
    outcomes = []
    for row in run.plan.rows:
        achieved = values.pop(row.code, Decimal(0)) / total if total else Decimal(0)
        filled = run.filled(row.code)
        outcomes.append(Outcome(row.code, row.weight, achieved, row.shares, filled, residual(run, row)))
    strangers = [
        Outcome(code, Decimal(0), value / total if total else Decimal(0), 0, 0, "not_planned")
        for code, value in sorted(values.items())
    ]
    return (*outcomes, *strangers)


def whole(before: tuple[Outcome, ...], latest: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """The outcomes of a run of several attempts: what all of them traded, and how things stand after the latest."""
    earlier = {outcome.code: outcome for outcome in before}
    if not latest:
        return before
    now = {outcome.code for outcome in latest}
    together = (_together(earlier[each.code], each) if each.code in earlier else each for each in latest)
    gone = (replace(each, achieved=Decimal(0), reason="") for each in before if each.code not in now and each.filled)
    return (*together, *gone)


def _together(before: Outcome, latest: Outcome) -> Outcome:
    planned = before.filled + latest.planned if latest.planned else before.planned
    return replace(latest, planned=planned, filled=before.filled + latest.filled)


def tracking_error(outcomes: tuple[Outcome, ...]) -> Decimal:
    """Half the sum of absolute differences between achieved and wanted weights, cash included (0 is perfect)."""
    gap = sum((abs(outcome.achieved - outcome.wanted) for outcome in outcomes), Decimal(0))
    cash_achieved = _ONE - sum((outcome.achieved for outcome in outcomes), Decimal(0))
    cash_wanted = _ONE - sum((outcome.wanted for outcome in outcomes), Decimal(0))
    return ((gap + abs(cash_achieved - cash_wanted)) / 2).quantize(Decimal("0.00000001"))


def planned_errors(plan: Plan) -> tuple[Decimal, Decimal]:
    """The tracking error as the account stands, and when all of the plan has traded; both at the plan's marks."""
    total = plan.total_asset
    if total <= 0:
        return Decimal(0), Decimal(0)
    before, after = (
        tuple(
            Outcome(row.code, row.weight, (row.ends if is_done else row.held) * row.mark / total, 0, 0, "")
            for row in plan.rows
        )
        for is_done in (False, True)
    )
    return tracking_error(before), tracking_error(after)
