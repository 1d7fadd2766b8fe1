"""Money that was brought or taken is told from money that was earned, through the recorder and a broker that lists."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.equity_recorder import EquityRecorder
from qws.domain.account import Position
from qws.domain.market import Side
from qws.domain.orders import OrderRequest, Trade
from qws.messages import EquityDue, EquityRecorded, FillReceived
from qws.runtime.message import Later
from tests.support.builders import COSTS, DAY, FEE, NEXT_DAY, HandClock, a_fill, a_position, a_quote, an_asset, at
from tests.support.fake_broker import FakeBroker, FakeQuotes

CODE, OTHER = "600000.SH", "000001.SZ"
HELD = (a_position(CODE, 1000), a_position(OTHER, 500))


class Days:
    """The close of one day, and what is found at the next."""

    def __init__(self, cash: str = "100000") -> None:
        self.broker = FakeBroker(money=an_asset(cash, HELD), holdings=HELD)
        self.quotes = FakeQuotes(known={each.code: a_quote(each.code) for each in HELD})
        self.clock = HandClock(at("15:10:00"))
        self.recorder = EquityRecorder(self.broker, self.quotes, self.clock, COSTS)
        self.journal = [self.close(DAY)]

    def close(self, day: date) -> EquityRecorded:
        self.clock.set("15:10:00", day)
        answer = asyncio.run(self.recorder.on_equity_due(EquityDue(day)))
        assert isinstance(answer, EquityRecorded)
        return answer

    def reborn(self) -> None:
        self.recorder = EquityRecorder(self.broker, self.quotes, self.clock, COSTS)
        for each in self.journal:
            self.recorder.recall_equity_recorded(each)

    def flow(self, cash: str | Decimal, held: tuple[Position, ...] = HELD, day: date = NEXT_DAY) -> Decimal | None:
        """What the next close tells, when the account then holds this."""
        self.broker.money, self.broker.holdings = an_asset(cash, held), held
        return self.close(day).flow


def a_trade(side: Side, shares: int, price: str = "10.00", fee: str | None = "5", code: str = CODE) -> Trade:
    order = OrderRequest(f"{code}{side}", code, side, shares, Decimal(price))
    return a_fill(order, shares, fee=fee, when=at("10:00:00", NEXT_DAY))


def test_the_first_close_has_nothing_to_be_compared_with() -> None:
    assert Days().journal[0].flow is None


def test_a_quiet_day_brings_nothing_however_prices_move() -> None:
    assert Days().flow("100000", (a_position(CODE, 1000, price="11"), a_position(OTHER, 500, price="9"))) == 0


@pytest.mark.parametrize("amount", ["50000", "12345.67", "-30000", "-99999.99"])
@pytest.mark.parametrize("is_reborn", [False, True])
def test_a_deposit_and_a_withdrawal_are_told_to_the_cent(amount: str, *, is_reborn: bool) -> None:
    days = Days()
    if is_reborn:
        days.reborn()
    days.quotes.known = {}

    # An odd amount below a tenth of a holding may be its dividend: these are above, or taken.
    assert days.flow(Decimal(100_000) + Decimal(amount)) == Decimal(amount)


def test_our_own_fills_and_their_fees_are_no_flow_and_the_broker_is_not_asked() -> None:
    days = Days()
    days.recorder.on_fill_received(FillReceived(a_trade(Side.BUY, 300)))
    days.recorder.on_fill_received(FillReceived(a_trade(Side.SELL, 500, code=OTHER)))
    days.quotes.asked.clear()

    assert days.flow(Decimal(100_000 - 3000 - 5 + 5000 - 5), (a_position(CODE, 1300),)) == 0
    assert days.quotes.asked == []


def test_a_fee_that_the_broker_does_not_tell_is_estimated() -> None:
    days = Days()
    days.recorder.on_fill_received(FillReceived(a_trade(Side.SELL, 1000, fee=None)))
    fee = FEE(CODE, Side.SELL, 1000, Decimal(10))

    assert days.flow(Decimal(110_000) - fee + 7, HELD[1:]) == 0


def test_a_trade_by_hand_is_found_in_the_broker_list_and_counts_once() -> None:
    days = Days()
    own = a_trade(Side.BUY, 300)
    days.recorder.on_fill_received(FillReceived(own))
    days.broker.fills += [own, replace(a_trade(Side.SELL, 500, "9.50", code=OTHER), trade_id="by hand")]

    assert days.flow(Decimal(100_000 - 3005 + 4750 - 5 + 20_000), (a_position(CODE, 1300),)) == 20_000


def test_a_trade_that_nobody_listed_is_known_by_shares_and_money_together() -> None:
    assert Days().flow("105100", HELD[:1]) == 0


def test_a_dividend_is_earned_when_the_previous_close_tells_of_it_or_the_amount_is_odd() -> None:
    cut = Days()
    cut.quotes.known = {**cut.quotes.known, CODE: a_quote(CODE, prev_close="9.77")}
    odd = Days()

    assert cut.flow("100230", (a_position(CODE, 1000, price="9.77"), HELD[1])) == 0
    assert odd.flow("100123.40") == 0


@pytest.mark.parametrize("amount", [229, 231, 200, 210, 100])
def test_a_deposit_of_about_the_size_of_a_dividend_is_none(amount: int) -> None:
    """A previous close that says 0.23 a share, on 1000 shares: 0.2290 a share would be rounded otherwise."""
    days = Days()
    days.quotes.known = {**days.quotes.known, CODE: a_quote(CODE, prev_close="9.77")}

    is_of_whole_parts = abs(amount - 230) <= 5  # 0.2290 is 0.23 in cents: only a person knows

    assert days.flow(Decimal(100_000 + amount)) == (0 if is_of_whole_parts else amount)


def test_a_deposit_that_is_no_amount_a_share_is_none_of_a_name_that_pays() -> None:
    held = (a_position(CODE, 17_700), HELD[1])

    def flow(cash: str) -> Decimal | None:
        days = Days()
        days.recorder.recall_equity_recorded(replace(days.journal[0], asset=an_asset("100000", held), positions=held))
        days.quotes.known = {**days.quotes.known, CODE: a_quote(CODE, prev_close="9.98")}
        return days.flow(cash, held)

    assert flow("100409") == 409  # 2.31 cents a share
    assert flow("100354") == 0  # 2 cents


def test_a_dividend_with_bonus_shares_is_one_though_the_price_fell_by_more() -> None:
    days = Days()
    days.quotes.known = {**days.quotes.known, CODE: a_quote(CODE, prev_close="7.62")}  # (10.00 - 0.10) / 1.3

    assert days.flow("100100", (a_position(CODE, 1300, price="7.62"), HELD[1])) == 0


def test_one_of_two_names_whose_close_was_another_paid() -> None:
    for cash in ("100230", "100240"):
        days = Days()
        days.quotes.known = {CODE: a_quote(CODE, prev_close="9.77"), OTHER: a_quote(OTHER, prev_close="9.98")}

        assert days.flow(cash) == 0


def test_trades_of_several_names_that_nobody_listed_are_held_against_all_that_was_traded() -> None:
    """One was bought and another sold for 5,000 each, by a day's prices: 300 left over are no deposit."""
    assert Days().flow("100300", (a_position(CODE, 1500),)) == 0
    assert Days().flow("95100", (a_position(CODE, 1500), HELD[1])) == 0  # and no bonus, since it was paid for
    assert Days().flow("108000", (HELD[0], a_position("000002.SZ", 500))) == 8000


def test_a_taxed_dividend_is_one_and_a_round_deposit_on_the_same_day_is_none() -> None:
    taxed, more = Days(), Days()
    for days in (taxed, more):
        days.quotes.known = {**days.quotes.known, CODE: a_quote(CODE, prev_close="9.77")}

    assert taxed.flow("100184") == 0
    assert more.flow("110000") == 10_000


def test_bonus_shares_are_no_deposit_and_shares_moved_in_are_worth_what_they_are_worth() -> None:
    assert Days().flow("100000", (a_position(CODE, 1300, price="7.70"), HELD[1])) == 0
    assert Days().flow("100000", (*HELD, a_position("000002.SZ", 200, price="8.00"))) == 1600
    assert Days().flow("100000", HELD[:1]) == -5000


def test_money_taken_on_the_day_of_bonus_shares_did_not_buy_them() -> None:
    days = Days()
    days.quotes.known = {**days.quotes.known, CODE: a_quote(CODE, prev_close="5.00")}

    assert days.flow("95000", (a_position(CODE, 2000, price="5.00"), HELD[1])) == -5000


@pytest.mark.parametrize("prev_close", ["9.00", "0"])
def test_shares_bought_while_closes_were_missed_and_the_market_fell_are_no_bonus(prev_close: str) -> None:
    days = Days()
    days.quotes.known = {**days.quotes.known, CODE: a_quote(CODE, prev_close=prev_close)}

    assert days.flow("99100", (a_position(CODE, 1100, price="9.00"), HELD[1]), date(2026, 11, 23)) == 0


def test_a_dividend_booked_after_its_ex_date_with_as_many_bonus_shares_is_no_deposit() -> None:
    assert Days().flow("101050.50", (a_position(CODE, 2000), HELD[1])) == 0  # a tenth of what both are worth together


def test_what_was_bought_unlisted_and_sold_again_is_known_by_its_quote() -> None:
    days, name = Days(), "000002.SZ"
    days.quotes.known = {**days.quotes.known, name: a_quote(name)}
    days.recorder.on_fill_received(FillReceived(a_trade(Side.SELL, 900, code=name)))

    assert days.flow("100000") == 0


def test_a_fill_of_a_moment_ago_is_waited_for_and_in_the_end_nothing_is_claimed() -> None:
    days = Days()
    fresh = replace(a_trade(Side.BUY, 300), at=at("15:09:59", NEXT_DAY))
    days.recorder.on_fill_received(FillReceived(fresh))
    days.clock.set("15:10:00", NEXT_DAY)
    waits = 0
    while isinstance(answer := asyncio.run(days.recorder.on_equity_due(EquityDue(NEXT_DAY))), Later):
        waits += 1
        days.recorder.on_fill_received(FillReceived(replace(fresh, trade_id=f"n{waits}")))
        assert waits < 10

    assert isinstance(answer, EquityRecorded)
    assert answer.flow is None


@given(
    st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(1, 9), st.integers(500, 1500)), max_size=12),
    st.integers(-50, 50).map(lambda thousands: 1000 * thousands),
)
def test_whatever_was_traded_the_flow_is_what_was_brought(trades: list[tuple[Side, int, int]], brought: int) -> None:
    days, cash, shares = Days("1000000"), Decimal(1_000_000), 1000
    days.quotes.known = {}
    for number, (side, lots, cents) in enumerate(trades):
        trade = replace(a_trade(side, lots * 10, str(Decimal(cents) / 100)), trade_id=f"t{number}")
        days.recorder.on_fill_received(FillReceived(trade))
        sign = 1 if side is Side.BUY else -1
        shares += sign * trade.shares
        cash -= sign * trade.shares * trade.price + 5

    assert days.flow(cash + brought, (a_position(CODE, shares), HELD[1])) == brought
