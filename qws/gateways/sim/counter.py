"""Why the simulated counter turns an order down, in the order of RULES.md section 16; the first hit wins."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from qws.domain.codes import classify
from qws.domain.fees import FeePlan
from qws.domain.limits import auction_range, opening_cap
from qws.domain.lots import is_legal_buy, is_legal_sell
from qws.domain.market import Instrument, Side
from qws.domain.orders import OrderRequest
from qws.domain.prices import cage_base, cage_bound, is_on_tick
from qws.domain.sessions import Phase
from qws.gateways.sim.account import Ticket
from qws.gateways.sim.books import State
from qws.gateways.sim.market import SHARES, Listing, SimMarket, second_of_day
from qws.gateways.sim.tape import Tape

# The texts are those a Chinese counter shows; the code in front is what a program should read.
_TEXTS = {
    "NOT_SESSION": "[COUNTER][251001] 非交易日",
    "UNKNOWN_CODE": "[COUNTER][251005] 证券代码不存在",
    "NOT_TRADABLE_TYPE": "[COUNTER][251006] 证券类别不允许交易",
    "PHASE_CLOSED": "[COUNTER][251010] 非交易时间",
    "SUSPENDED": "[COUNTER][251020] 证券停牌",
    "BAD_TICK": "[COUNTER][251110] 委托价格不符合最小变动价位",
    "QTY_MIN": "[COUNTER][251120] 委托数量低于最小数量",
    "QTY_STEP": "[COUNTER][251121] 委托数量不是交易单位的整数倍",
    "QTY_ODD_LOT": "[COUNTER][251122] 零股必须一次性卖出",
    "QTY_MAX": "[COUNTER][251123] 委托数量超过单笔上限",
    "PRICE_LIMIT": "[COUNTER][251130] 委托价格超出涨跌幅限制",
    "PRICE_CAGE": "[COUNTER][251131] 委托价格超出有效申报价格范围",
    "NO_LIMIT_RANGE": "[COUNTER][251132] 委托价格超出无涨跌幅限制证券的有效申报价格区间",
    "ST_DAILY_CAP": "[COUNTER][251140] 超出风险警示股票单日买入数量上限",
    "INSUFFICIENT_CASH": "[COUNTER][260200] 可用资金不足",
    "INSUFFICIENT_SHARES": "[COUNTER][260201] 可用股份不足",
    "CANCEL_NOT_ALLOWED": "[COUNTER][251300] 当前不允许撤单",
}
# The broker takes an order in these pauses and sends it on when trading resumes (RULES.md section 7).
_QUEUED_PHASES = frozenset({Phase.OPEN_PAUSE, Phase.LUNCH})


def refusal(code: str, detail: str) -> str:
    """The status message of a refusal: stable code, the counter's text, then the values."""
    return f"{code}: {_TEXTS[code]} ({detail})"


class Counter:
    """The broker's counter (柜台): checks an order against the market and the account, and knows the fees."""

    def __init__(self, market: SimMarket, plan: FeePlan) -> None:
        self._market, self._plan = market, plan

    def verdict(self, ticket: Ticket, state: State, now: datetime) -> str:
        """Why the order is turned down, empty when it is taken; also sets the ticket's bound of fees."""
        order, day, account = ticket.request, now.date(), state.account
        if not self._market.is_session(day):
            return refusal("NOT_SESSION", f"{day}")
        listing = self._market.listing(order.code, day)
        if listing is None:
            known = classify(order.code)
            is_index = known is not None and known.board is None
            return refusal("NOT_TRADABLE_TYPE" if is_index else "UNKNOWN_CODE", order.code)
        phase = self._market.phase(listing.instrument, now)
        if not phase.accepts_limit_order and phase.phase not in _QUEUED_PHASES:
            return refusal("PHASE_CLOSED", f"{now:%H:%M:%S}")
        sellable = account.sellable(order.code)
        refused = form(order, listing.instrument, sellable) or self.entry(order, now)
        refused = refused or self._st_cap(order, listing.instrument, state)
        if refused:
            return refused
        ticket.fee_bound = self.fees(order, day, order.shares * order.price)
        if ticket.frozen > account.available:
            return refusal("INSUFFICIENT_CASH", f"needs {ticket.frozen}, available {account.available}")
        if order.side is Side.SELL and order.shares > sellable:
            return refusal("INSUFFICIENT_SHARES", f"wants {order.shares}, sellable {sellable}")
        return ""

    def entry(self, order: OrderRequest, now: datetime) -> str:
        """Why the exchange's host does not take a price at `now`, empty when it does (RULES.md sections 5 and 6).

        What the broker queues is asked about when it is sent on.
        """
        listing, second = self._market.listing(order.code, now.date()), second_of_day(now)
        if listing is None or listing.tape is None:
            return ""
        if listing.is_continuous(second):
            return self._cage(order, listing, listing.tape, second)
        rule = self._market.rules.free_days.at(None, now.date())
        instrument = listing.instrument
        if listing.hours is None or rule is None or instrument.limit_up is not None:
            return ""
        if instrument.kind not in SHARES:
            return ""
        if second < listing.hours.call_to:
            low, high = Decimal(0), opening_cap(rule, instrument.prev_close, instrument.tick)
        elif listing.is_halted(second) or listing.in_call(second):
            last = listing.price(listing.tape.price(listing.step_at(second)))
            low, high = auction_range(rule, last, instrument.tick)
        else:
            return ""
        is_inside = low <= order.price <= high
        return "" if is_inside else refusal("NO_LIMIT_RANGE", f"price {order.price}, range {low} to {high}")

    def _cage(self, order: OrderRequest, listing: Listing, tape: Tape, second: float) -> str:
        instrument = listing.instrument
        rule = self._market.rules.cages.at((instrument.board, instrument.kind), instrument.day)
        if rule is None:
            return ""
        bid, ask = tape.touch(self._market.grid.step_at(second))
        best_bid, best_ask = listing.price(bid) if bid else None, listing.price(ask) if ask <= tape.up else None
        # The ladder's last trade is never needed: a book in continuous trading has at least one side.
        base = cage_base(order.side, bid=best_bid, ask=best_ask, last=None, prev_close=instrument.prev_close)
        bound = cage_bound(rule, order.side, base, instrument.tick)
        if order.price <= bound if order.side is Side.BUY else order.price >= bound:
            return ""
        return refusal("PRICE_CAGE", f"{order.side} {order.price}, bound {bound}")

    def _st_cap(self, order: OrderRequest, instrument: Instrument, state: State) -> str:
        cap = self._market.rules.st_buy_cap(instrument) if order.side is Side.BUY else None
        if cap is None:
            return ""
        buys = [row for row in state.orders.values() if (row.code, row.side) == (order.code, Side.BUY)]
        working = {key for key, ticket in state.tickets.items() if not ticket.verdict}
        today = sum(
            row.shares if row.order_id in working and not row.status.is_terminal else row.traded for row in buys
        )
        if today + order.shares <= cap:
            return ""
        return refusal("ST_DAILY_CAP", f"bought or ordered {today}, wants {order.shares}, cap {cap}")

    def fees(self, order: OrderRequest, day: date, amount: Decimal) -> Decimal:
        """The fees in CNY of an order that traded `amount` CNY in all (RULES.md section 12)."""
        return self._market.rules.fees.fees_of(order.code, order.side, day, amount, self._plan).total

    def takes_cancel(self, code: str, now: datetime) -> bool:
        """Whether the exchange takes a cancel at `now` (RULES.md section 7)."""
        listing = self._market.listing(code, now.date())
        return listing is not None and self._market.phase(listing.instrument, now).accepts_cancel

    def queues(self, code: str, now: datetime) -> bool:
        """Whether an order of `now` waits at the broker until trading resumes."""
        if self._market.grid.is_trading(second_of_day(now)):
            return False
        listing = self._market.listing(code, now.date())
        return listing is not None and self._market.phase(listing.instrument, now).phase in _QUEUED_PHASES


def form(order: OrderRequest, instrument: Instrument, sellable: int) -> str:
    """Why an exchange does not take this price or quantity at all; empty when it does (RULES.md sections 3 to 5)."""
    if instrument.suspended:
        return refusal("SUSPENDED", order.code)
    if not is_on_tick(order.price, instrument.tick):
        return refusal("BAD_TICK", f"price {order.price}, tick {instrument.tick}")
    quantity = _quantity(order, instrument, sellable)
    if quantity:
        return refusal(quantity, f"{order.side} {order.shares}, sellable {sellable}")
    up, down = instrument.limit_up, instrument.limit_down
    if (up is not None and order.price > up) or (down is not None and order.price < down):
        return refusal("PRICE_LIMIT", f"price {order.price}, limits {down} to {up}")
    return ""


def _quantity(order: OrderRequest, instrument: Instrument, sellable: int) -> str:
    if order.shares > instrument.order_max:
        return "QTY_MAX"
    if order.side is Side.SELL:
        if order.shares <= 0:
            return "QTY_MIN"
        # What is not there at all is a matter of shares, not of lots.
        return "" if order.shares > sellable or is_legal_sell(instrument, sellable, order.shares) else "QTY_ODD_LOT"
    if order.shares < instrument.buy_min:
        return "QTY_MIN"
    return "" if is_legal_buy(instrument, order.shares) else "QTY_STEP"
