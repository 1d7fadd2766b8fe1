"""Every rule there is, in the order in which they are asked: what a target wants, single names, the plan as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from qws.domain.risk import lists, losses, orders, prices, trades, weights
from qws.domain.risk.rule import Check, Effect, Rule

_VETO, _SHRINK = Effect.VETO, Effect.SHRINK
_ASSET = "of total asset"


@dataclass(frozen=True, slots=True)
class Kind:
    """A rule before it is configured: the setting that holds its limit, "" when it has none and is always on."""

    setting: str
    id: str
    unit: str
    effect: Effect
    check: Check
    can_hold: bool = False


KINDS = (
    Kind("", "account_insane", "CNY", _VETO, weights.account_insane),
    Kind("weight_sum_max", "sum_over_one", _ASSET, _VETO, weights.weight_sum),
    Kind("weight_max", "single_name", _ASSET, _VETO, weights.single_name, can_hold=True),
    Kind("top5_max", "concentration", _ASSET, _VETO, weights.concentration, can_hold=True),
    Kind("names_max", "too_many_names", "names", _VETO, weights.too_many_names, can_hold=True),
    Kind("names_min", "too_few_names", "names", _VETO, weights.too_few_names, can_hold=True),
    Kind("drawdown_max", "drawdown", "of the highest close", _SHRINK, losses.drawdown),
    Kind("day_loss_max", "day_loss", "of the last close", _SHRINK, losses.day_loss),
    Kind("", "reduce_only", "names", _SHRINK, lists.reduce_only),
    Kind("", "duplicate_order", "names", _SHRINK, orders.duplicate_order),
    Kind("", "self_trade", "names", _SHRINK, orders.self_trade),
    Kind("last_distance_max", "far_from_last", "of the last trade", _SHRINK, prices.far_from_last),
    Kind("close_distance_max", "far_from_close", "of the previous close", _SHRINK, prices.far_from_close),
    Kind("depth_max", "liquidity", "times the visible depth", _SHRINK, prices.liquidity),
    Kind("volume_max", "average_volume", "of an average day", _SHRINK, prices.average_volume),
    Kind("turnover_max", "turnover", _ASSET, _VETO, trades.turnover, can_hold=True),
    Kind("orders_max", "order_count", "orders", _VETO, trades.order_count, can_hold=True),
    Kind("order_value_max", "order_value", "CNY", _VETO, trades.order_value, can_hold=True),
    Kind("order_shares_max", "order_size", "shares", _VETO, trades.order_size, can_hold=True),
    Kind("cash_min", "cash_reserve", _ASSET, _VETO, trades.cash_floor, can_hold=True),
    Kind("day_orders_max", "day_orders", "orders and cancels", _VETO, orders.day_orders),
)
LOSSES = frozenset({"drawdown", "day_loss"})
HOLDABLE = tuple(kind.id for kind in KINDS if kind.can_hold)


def rules_of(
    limits: Mapping[str, Decimal], *, loss: Effect, no_buys: Iterable[str] = (), no_trades: Iterable[str] = ()
) -> tuple[Rule, ...]:
    """The rules that are on: those whose limit is above 0, and those without one. `loss` is what a loss leads to."""
    rules = [
        Rule(kind.id, limits.get(kind.setting, Decimal(0)), kind.unit, kind.effect, kind.check)
        for kind in KINDS
        if not kind.setting or limits.get(kind.setting)
    ]
    rules = [replace(rule, effect=loss) if rule.id in LOSSES else rule for rule in rules]
    listed = frozenset(no_buys), frozenset(no_trades)
    lasting = next(place for place, rule in enumerate(rules) if rule.id == "reduce_only") + 1
    if any(listed):
        rules.insert(lasting, Rule("restricted", Decimal(0), "names", _SHRINK, lists.restricted(*listed)))
    return tuple(rules)
