"""One function per group of the rule vectors: the input in, what qws.domain answers out, in the vectors' own form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from qws.domain.auction import AuctionOrder, uncross
from qws.domain.calendar import UnknownDay
from qws.domain.codes import classify
from qws.domain.fees import FeePlan
from qws.domain.halts import halt_until
from qws.domain.limits import ListingStatus, daily_limits, ex_rights_reference
from qws.domain.lots import is_legal_buy, is_legal_sell, split
from qws.domain.market import Exchange, Level, Side
from qws.domain.matching import IncomingOrder, PriceType, match_order
from qws.domain.prices import cage_base, cage_bound, half_up, is_on_tick
from qws.domain.sessions import Phase
from qws.domain.settlement import CashLedger, PositionLedger
from qws.tables import load_calendar, load_rules
from tests.vectors.record import Given

Answer = Mapping[str, object] | None
RULES = load_rules()
CALENDAR = load_calendar()
CENT = Decimal("0.01")


def _shown(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def classified(given: Given) -> Answer:
    found = classify(given.text("code"))
    if found is None:
        return None
    board = None if found.board is None else str(found.board)
    return {"exchange": str(found.exchange), "board": board, "type": str(found.kind)}


def tick(given: Given) -> Answer:
    step = RULES.tick(given.board(), given.known().kind, given.day())
    return {"tick": str(step), "on_tick": is_on_tick(given.decimal("price"), step)}


def buy_quantity(given: Given) -> Answer:
    instrument = given.instrument(RULES)
    is_legal = is_legal_buy(instrument, given.integer("qty"))
    return {"ok": is_legal, "min_qty": instrument.buy_min, "step": instrument.buy_step}


def sell_quantity(given: Given) -> Answer:
    return {"ok": is_legal_sell(given.instrument(RULES), given.integer("sellable"), given.integer("qty"))}


def max_order_size(given: Given) -> Answer:
    instrument = given.instrument(RULES)
    if given.has("split_qty"):
        shares = given.integer("split_qty")
        side = given.side() if given.has("side") else Side.BUY
        return {"children": list(split(instrument, side, shares, given.sellable(shares)))}
    lot = RULES.lot(instrument)
    order_type = given.text("order_type")
    if order_type.startswith("after_hours"):
        most = lot.after_hours_max
    else:
        most = {"limit": lot.limit_max, "market": lot.market_max}[order_type]
    return {"ok": most is not None and given.integer("qty") <= most, "max_qty": most}


def price_limits(given: Given) -> Answer:
    instrument = given.instrument(RULES)
    rule = RULES.limits.at((instrument.board, instrument.kind), instrument.day)
    if rule is None:
        raise ValueError("no limit rule")
    status = ListingStatus(
        given.flag("st"),
        given.optional_integer("listing_day"),
        given.optional_integer("delist_day"),
        given.flag("star20"),
        given.flag("unreformed_s_share"),
        given.flag("exempt_relisting"),
    )
    rate = daily_limits(rule, status, instrument.prev_close, instrument.tick).rate
    return {"rate": _shown(rate), "up": _shown(instrument.limit_up), "down": _shown(instrument.limit_down)}


def price_cage(given: Given) -> Answer:
    if given.has("order_type") and given.text("order_type") != PriceType.LIMIT:
        return {"base": None, "bound": None, "accepted": True}
    price, side = given.decimal("price"), given.side()
    up, down = given.optional_decimal("up_limit"), given.optional_decimal("down_limit")
    is_inside = (up is None or price <= up) and (down is None or price >= down)
    board, kind, day = given.board(), given.known().kind, given.day()
    rule = RULES.cages.at((board, kind), day)
    if rule is None or given.text("phase") != Phase.CONTINUOUS:
        return {"base": None, "bound": None, "accepted": is_inside}
    base = cage_base(
        side,
        bid=given.optional_decimal("bid1"),
        ask=given.optional_decimal("ask1"),
        last=given.optional_decimal("last"),
        prev_close=given.decimal("prev_close"),
    )
    bound = cage_bound(rule, side, base, RULES.tick(board, kind, day))
    is_caged = price <= bound if side is Side.BUY else price >= bound
    return {"base": str(base), "bound": str(bound), "accepted": is_inside and is_caged}


def sessions(given: Given) -> Answer:
    is_session = CALENDAR.is_session(given.day())
    rules = RULES.sessions.phase_at(given.board(), given.known().kind, given.day(), given.time())
    return {
        "phase": str(rules.phase if is_session else Phase.CLOSED),
        "accepts_limit_order": is_session and rules.accepts_limit_order,
        "accepts_market_order": is_session and rules.accepts_market_order,
        "accepts_cancel": is_session and rules.accepts_cancel,
        "accepts_after_hours_fixed_price_order": is_session and rules.accepts_after_hours,
    }


def call_auction(given: Given) -> Answer:
    orders = [
        AuctionOrder(order.text("id"), order.side(), order.decimal("price"), order.integer("qty"))
        for order in given.children("orders")
    ]
    result = uncross(Exchange(given.text("exchange")), orders, given.decimal("tick"), given.decimal("ref_price"))
    return {"price": _shown(result.price), "volume": result.volume, "fills": dict(result.fills)}


def _levels(given: Given, key: str) -> tuple[Level, ...]:
    return tuple(Level(Decimal(str(row[0])), int(row[1])) for row in given.rows(key) if isinstance(row, list))


def continuous_matching(given: Given) -> Answer:
    order = given.child("order")
    incoming = IncomingOrder(
        order.side(), PriceType(order.text("type")), order.integer("qty"), order.optional_decimal("price")
    )
    matched = match_order(incoming, bids=_levels(given, "bids"), asks=_levels(given, "asks"))
    return {
        "trades": [[str(trade.price), trade.volume] for trade in matched.trades],
        "rest": None if matched.rest is None else [str(matched.rest.price), matched.rest.volume],
        "cancelled": matched.cancelled,
    }


def fees(given: Given) -> Answer:
    side = given.side()
    amount = half_up(given.decimal("price") * given.integer("qty"), CENT)
    plan = FeePlan(
        given.decimal("commission_rate"),
        given.decimal("commission_min"),
        given.flag("commission_includes_exchange_fees"),
    )
    line = RULES.fees.fees_of(given.text("code"), side, given.day(), amount, plan)
    net = amount - line.total if side is Side.SELL else -amount - line.total
    return {
        "amount": str(amount),
        "commission": str(line.commission),
        "stamp_duty": str(line.stamp_duty),
        "transfer_fee": str(line.transfer_fee),
        "handling_fee": str(line.handling),
        "regulatory_fee": str(line.regulatory),
        "total_fees": str(line.total),
        "net_cash": str(net),
    }


def position_ledger(given: Given) -> Answer:
    ledger = PositionLedger.at_open(
        given.integer("start_position"), same_day_sell=given.instrument(RULES).same_day_sell
    )
    for event in given.rows("events"):
        match event:
            case ["buy_fill", int(shares)]:
                ledger = ledger.buy_fill(shares)
            case ["sell_order", int(shares)]:
                ledger = ledger.sell_order(shares)
            case ["cancel_sell", int(shares)]:
                ledger = ledger.cancel_sell(shares)
            case ["sell_fill_of_order", int(shares)]:
                ledger = ledger.sell_fill_of_order(shares)
            case ["sell_fill", int(shares)]:
                ledger = ledger.sell_fill(shares)
            case ["next_session"]:
                ledger = ledger.next_session()
            case _:
                raise ValueError(f"unknown event {event}")
    return {"position": ledger.shares, "sellable": ledger.sellable}


def cash_ledger(given: Given) -> Answer:
    ledger = CashLedger.at_open(given.decimal("cash"))
    for event in given.rows("events"):
        match event:
            case ["sell_fill_net", str(amount)]:
                ledger = ledger.sell_fill_net(Decimal(amount))
            case ["buy_order_freeze", str(amount)]:
                ledger = ledger.buy_order_freeze(Decimal(amount))
            case ["buy_unfreeze_rest" | "buy_cancel", str(amount)]:
                ledger = ledger.buy_unfreeze(Decimal(amount))
            case ["buy_fill_net", str(amount)]:
                ledger = ledger.buy_fill_net(Decimal(amount))
            case ["buy_fill_net_direct", str(amount)]:
                ledger = ledger.buy_fill_net_direct(Decimal(amount))
            case ["next_session"]:
                ledger = ledger.next_session()
            case _:
                raise ValueError(f"unknown event {event}")
    return {"buy_power": str(ledger.buy_power), "withdrawable": str(ledger.withdrawable)}


def intraday_halt(given: Given) -> Answer:
    rule = RULES.halts.at(None, given.day())
    if rule is None:
        raise ValueError("no halt rule")
    level_hit = Decimal(given.integer("highest_level_already_hit_same_direction")) / 100
    resume = halt_until(rule, given.decimal("open"), given.decimal("trade_price"), level_hit, given.time())
    return {"halt": resume is not None, "resume_at": None if resume is None else resume.isoformat()}


def after_hours_fixed_price(given: Given) -> Answer:
    shares, close = given.integer("qty"), given.decimal("close")
    sellable = given.sellable(shares)
    instrument, side = given.instrument(RULES), given.side()
    limit = given.decimal("limit")
    is_valid = CALENDAR.is_session(given.day()) and RULES.is_valid_after_hours(
        instrument, side, limit, close, shares, sellable
    )
    return {"valid": is_valid, "price": str(close) if is_valid else None}


def ex_rights(given: Given) -> Answer:
    reference = ex_rights_reference(
        given.decimal("prev_close"),
        cash_per_share=given.decimal("cash_per_share"),
        bonus_per_share=given.decimal("bonus_per_share"),
        rights_price=given.decimal("rights_price"),
        rights_per_share=given.decimal("rights_per_share"),
        tick=given.optional_decimal("tick") or CENT,
    )
    return {"reference_price": str(reference)}


def programme_trading(given: Given) -> Answer:
    busiest = given.integer("max_orders_plus_cancels_in_one_second")
    today = given.integer("orders_plus_cancels_today")
    return {"high_frequency": RULES.is_high_frequency(given.day(), busiest_second=busiest, today=today)}


def calendar(given: Given) -> Answer:
    def told(ask: Callable[[], object]) -> object:
        try:
            answer = ask()
        except UnknownDay:
            return None
        return answer if isinstance(answer, bool) else str(answer)

    day = given.day()
    return {
        "is_session": told(lambda: CALENDAR.is_session(day)),
        "next_session": told(lambda: CALENDAR.next_session(day)),
        "prev_session": told(lambda: CALENDAR.previous_session(day)),
    }


GROUPS: Mapping[str, Callable[[Given], Answer]] = {
    "classify": classified,
    "tick": tick,
    "buy_quantity": buy_quantity,
    "sell_quantity": sell_quantity,
    "max_order_size": max_order_size,
    "price_limits": price_limits,
    "price_cage": price_cage,
    "sessions": sessions,
    "call_auction": call_auction,
    "continuous_matching": continuous_matching,
    "fees": fees,
    "position_ledger": position_ledger,
    "cash_ledger": cash_ledger,
    "intraday_halt": intraday_halt,
    "after_hours_fixed_price": after_hours_fixed_price,
    "ex_rights_reference": ex_rights,
    "programme_trading": programme_trading,
    "calendar": calendar,
}
