"""Every pre-trade rule at work: a plan that it lets pass and one that it does not, through the rules themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from qws.config_risk import RiskSection
from qws.domain.account import Position
from qws.domain.bars import DailyBar
from qws.domain.caps import Caps
from qws.domain.market import Kind, Level, Quote, Side
from qws.domain.orders import OrderRequest
from qws.domain.pace import Rate
from qws.domain.plan import Plan, PlanRow
from qws.domain.risk.judge import judge
from qws.domain.risk.losses import Worth
from qws.domain.risk.rule import Facts
from qws.domain.stops import Crossing, StopRules, StopWatch, View
from qws.gateways.sim.market import SHANGHAI
from qws.tables import load_rules

_A, _B, _C = "600000.SH", "600004.SH", "600006.SH"
_DAY = date(2026, 11, 19)
_AT = datetime(2026, 11, 19, 10, 0, tzinfo=SHANGHAI)
_TEN = Decimal(10)
_LOTS = (100, 100, 1_000_000)
_OFF: Mapping[str, object] = {
    "turnover_max": 0, "orders_max": 0, "day_orders_max": 0, "last_distance_max": 0, "close_distance_max": 0,
    "second_orders_max": 0,
}  # fmt: skip
_CALM = Facts({}, {}, (), 0, Decimal(0), Decimal(0), reduces_only=False)
Played = tuple[str, str]  # the outcome, and what it was about


@dataclass(frozen=True, slots=True)
class Example:
    """A rule with its limit; what it leads to when it is broken; and how it is played: within the limit, beyond it."""

    rule: str
    outcome: str
    limit: str
    within: Callable[[], Played]
    beyond: Callable[[], Played]

    @property
    def name(self) -> str:
        """The rule and its outcome: some rules have several."""
        return f"{self.rule} ({self.outcome})"


def _row(code: str, shares: int, weight: str = "0", side: Side = Side.BUY, price: Decimal = _TEN) -> PlanRow:
    held = shares if side is Side.SELL else 0
    money = (price, "ask3" if side is Side.BUY else "bid5", _TEN, Decimal(5), "")
    return PlanRow(code, Decimal(weight), held, held, shares, side, shares, (shares,), *money, *_LOTS)


def _plan(*rows: PlanRow, cash: str = "1000000", total: str = "1000000") -> Plan:
    return Plan("example", "example", 0, False, _AT, Decimal(total), Decimal(cash), rows)


def _weights(*weights: str) -> Plan:
    return _plan(*(_row(code, 100, weight) for code, weight in zip((_A, _B, _C), weights, strict=False)))


def _judged(
    rule: str, outcome: str, settings: Mapping[str, object], within: tuple[Plan, Facts], beyond: tuple[Plan, Facts]
) -> Example:
    limit = ", ".join(f"{key} = {value}" for key, value in settings.items() if key != "hold") or "always"
    return Example(
        rule, outcome, limit, lambda: _asked(rule, settings, *within), lambda: _asked(rule, settings, *beyond)
    )


def _asked(rule: str, settings: Mapping[str, object], plan: Plan, facts: Facts) -> Played:
    section = RiskSection.model_validate({**_OFF, **settings})
    if (scale := section.scale_down()) is not None:
        worth = Worth()
        worth.peak, worth.last_close = facts.peak, facts.last_close
        if found := scale.rule(plan.total_asset, worth):
            plan = _scaled(plan, Caps(scale.to, found))
    verdict = judge(plan, facts, section.rules(), section.hold, {})
    if verdict.refused is not None:
        return "halt" if verdict.halts else "veto", verdict.refused.text
    if verdict.held:
        return "hold", verdict.held[0].text
    if verdict.plan.scaled_by == rule:
        return "scale", "; ".join(
            f"{row.code} is scaled to weight {row.weight} [{row.reason}]" for row in verdict.plan.rows
        )
    before = {row.code: row.shares for row in plan.rows}
    cut = [row for row in verdict.plan.rows if row.reason == rule]
    told = "; ".join(f"{row.code} is cut from {before[row.code]} to {row.shares} shares [{row.reason}]" for row in cut)
    return ("shrink", told) if cut else ("pass", _shown(verdict.plan, facts))


def _scaled(plan: Plan, caps: Caps) -> Plan:
    """As the planner weighs a target after a loss."""
    rows = (replace(r, weight=caps.weight(r.code, r.weight), reason=caps.reason(r.code, r.weight)) for r in plan.rows)
    return replace(plan, rows=tuple(rows), scaled_by=caps.rule)


def _traded(row: PlanRow) -> str:
    amount, weight = f"{row.shares} {row.code}", row.weight
    told = f"buy {amount} at {row.price:.2f}" if row.side is Side.BUY else f"sell {amount} at {row.price:.2f}"
    return f"{told}, weight {weight}" if weight else told


def _shown(plan: Plan, facts: Facts) -> str:
    rows = [_traded(row) for row in plan.rows]
    closes = f", highest close {facts.peak}, last close {facts.last_close}" if facts.peak else ""
    return f"total asset {plan.total_asset}, cash {plan.cash}{closes}: " + "; ".join(rows)


def _of_targets() -> list[Example]:
    three, more = (_weights("0.3", "0.2", "0.1"), _CALM), (_weights("0.35", "0.2", "0.1"), _CALM)
    two = _weights("0.3", "0.2"), _CALM
    return [
        _judged("sum_over_one", "veto", {"weight_sum_max": "0.6"}, three, more),
        _judged("single_name", "veto", {"weight_max": "0.3"}, three, more),
        _judged("single_name", "hold", {"weight_max": "0.3", "hold": ["single_name"]}, three, more),
        _judged("concentration", "veto", {"top5_max": "0.6"}, three, more),
        _judged("too_many_names", "veto", {"names_max": 2}, two, three),
        _judged("too_few_names", "veto", {"names_min": 3}, three, two),
        _judged("restricted", "shrink", {"no_buys": [_B]}, (_weights("0.3"), _CALM), two),
    ]


def _of_accounts() -> list[Example]:
    small, large = (_plan(_row(_A, 1000)), _CALM), (_plan(_row(_A, 2000)), _CALM)
    return [
        _judged("account_insane", "veto", {}, small, (_plan(_row(_A, 1000), cash="-1"), _CALM)),
        _judged("turnover", "veto", {"turnover_max": "0.01"}, small, large),
        _judged("turnover", "hold", {"turnover_max": "0.01", "hold": ["turnover"]}, small, large),
        _judged("cash_reserve", "veto", {"cash_min": "0.985"}, small, large),
        _judged("reduce_only", "shrink", {}, small, (small[0], replace(_CALM, reduces_only=True))),
    ]


def _of_orders() -> list[Example]:
    one, two = (_plan(_row(_A, 1000)), _CALM), (_plan(_row(_A, 1000), _row(_B, 1000)), _CALM)
    large = _plan(_row(_A, 2000)), _CALM
    same, other = (OrderRequest("example", _A, side, 100, _TEN) for side in (Side.BUY, Side.SELL))
    return [
        _judged("order_count", "veto", {"orders_max": 1}, one, two),
        _judged("order_value", "veto", {"order_value_max": 10_000}, one, large),
        _judged("order_size", "veto", {"order_shares_max": 1000}, one, large),
        _judged("day_orders", "veto", {"day_orders_max": 10}, one, (one[0], replace(_CALM, sent_today=10))),
        _judged("duplicate_order", "shrink", {}, one, (one[0], replace(_CALM, working=(same,)))),
        _judged("self_trade", "shrink", {}, one, (one[0], replace(_CALM, working=(other,)))),
    ]


def _of_markets() -> list[Example]:
    book = tuple(Level(_TEN, 100) for _ in range(5))
    seen = replace(
        _CALM,
        quotes={_A: Quote(_A, _AT, _TEN, _TEN, book, book)},
        instruments={_A: load_rules().instrument(_A, _DAY, _TEN)},
        volumes={_A: Decimal(10_000)},
    )
    small, large = (_plan(_row(_A, 500)), seen), (_plan(_row(_A, 2000)), seen)
    far = _plan(_row(_A, 500, price=Decimal("10.60"))), seen
    return [
        _judged("far_from_last", "shrink", {"last_distance_max": "0.05"}, small, far),
        _judged("far_from_close", "shrink", {"close_distance_max": "0.05"}, small, far),
        _judged("liquidity", "shrink", {"depth_max": 1}, small, large),
        _judged("average_volume", "shrink", {"volume_max": "0.1"}, small, large),
    ]


def _losses() -> list[Example]:
    plan = _plan(_row(_A, 1000, "0.3"), cash="900000", total="900000")
    calm = replace(_CALM, peak=Decimal(950_000), last_close=Decimal(920_000))
    lost = replace(_CALM, peak=Decimal(1_100_000), last_close=Decimal(1_000_000))
    found = []
    for rule, limit in (("drawdown", {"drawdown_max": "0.1"}), ("day_loss", {"day_loss_max": "0.05"})):
        for outcome, then in (("shrink", "no_buys"), ("scale", "scale_down"), ("halt", "halt")):
            found.append(_judged(rule, outcome, {**limit, "loss_then": then}, (plan, calm), (plan, lost)))
    return found


def _rate() -> Example:
    def after(number: int) -> Played:
        rate = Rate(3)
        rate.note(number, _AT)
        room = rate.room(_AT)
        text = f"{number} orders have left in this second, {room} more may"
        return ("pass", text) if room else ("wait", f"{text}; the next at {rate.opens_at():%H:%M:%S}")

    return Example("second_orders", "wait", "second_orders_max = 3", lambda: after(2), lambda: after(3))


def _stops() -> list[Example]:
    off = Decimal(0)
    rules = {
        "stop_loss": (Decimal("0.08"), off, off, "9.30", "9.10"),
        "take_profit": (off, Decimal("0.05"), off, "10.40", "10.60"),
        "trailing_stop": (off, off, Decimal(2), "9.80", "9.20"),
    }
    found = []
    for rule, (loss, profit, trailing, within, beyond) in rules.items():
        wanted = StopRules(loss, profit, trailing, 15.0, 15.0, frozenset({Kind.STOCK}), frozenset())
        limit = {"stop_loss": loss, "take_profit": profit, "trailing_atr": trailing}
        shown = ", ".join(f"{key} = {value}" for key, value in limit.items() if value)
        found.append(Example(rule, "cap", shown, _watched(wanted, within), _watched(wanted, beyond)))
    return found


def _watched(rules: StopRules, price: str) -> Callable[[], Played]:
    """A name that was bought at 10.00 and moved by 0.20 a day, and its price in two looks."""
    record, last = load_rules().instrument(_A, _DAY, _TEN), Decimal(price)
    before = [_DAY - timedelta(days=each) for each in range(20, 0, -1)]
    bars = tuple(DailyBar(day, Decimal("10.10"), Decimal("9.90"), _TEN, _TEN, 10_000) for day in before)
    held = Position(_A, 1000, 1000, 1000 * last, _TEN)

    def look() -> Played:
        watch = StopWatch(rules)
        watch.close(before[0], [held])
        watch.note_bars({_A: bars})
        crossed: tuple[Crossing, ...] = ()
        for second in (0, 15):
            now = _AT + timedelta(seconds=second)
            quote = Quote(_A, now, last, _TEN, (Level(last, 100),), (Level(last, 100),))
            crossed = watch.look([held], View(now, {_A: quote}, {_A: record}, before[-1], rules.age_max_s))
        text = f"bought at 10.00, twice seen at {last}"
        told = [f"{text}, beyond {each.level:.2f}: its weight is 0 [{each.rule}]" for each in crossed]
        return ("cap", told[0]) if told else ("pass", text)

    return look


# Every rule of the catalogue, the orders of a second, and the stops.
EXAMPLES = (*_of_targets(), *_of_accounts(), *_of_orders(), *_of_markets(), *_losses(), _rate(), *_stops())
