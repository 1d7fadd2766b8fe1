from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.settlement import CashLedger, PositionLedger


def holding(shares: int, *, same_day_sell: bool = False) -> PositionLedger:
    return PositionLedger.at_open(shares, same_day_sell=same_day_sell)


def test_shares_bought_today_are_locked_until_the_next_session() -> None:
    bought = holding(800).buy_fill(300)

    assert (bought.shares, bought.sellable, bought.next_session().sellable) == (1100, 800, 1100)


def test_same_day_turnaround_sells_what_was_just_bought() -> None:
    assert holding(0, same_day_sell=True).buy_fill(50).sell_fill(50).shares == 0


def test_a_working_sell_freezes_and_its_rest_comes_back() -> None:
    working = holding(800).sell_order(500).sell_fill_of_order(200)

    assert (working.shares, working.sellable) == (600, 300)
    assert working.cancel_sell(300).sellable == 600


def test_what_is_not_held_cannot_be_sold_cancelled_or_filled() -> None:
    with pytest.raises(ValueError, match="900 shares asked of 800 sellable"):
        holding(800).sell_order(900)
    with pytest.raises(ValueError, match="working"):
        holding(800).cancel_sell(1)
    with pytest.raises(ValueError, match="working"):
        holding(800).sell_fill_of_order(1)
    with pytest.raises(ValueError, match="sellable"):
        holding(0).buy_fill(100).sell_fill(100)


@given(start=st.integers(0, 1000), steps=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 300)), max_size=12))
def test_free_and_working_shares_never_exceed_the_holding(start: int, steps: list[tuple[int, int]]) -> None:
    ledger = holding(start)
    for choice, shares in steps:
        moves = (
            ledger.buy_fill,
            ledger.sell_order,
            ledger.cancel_sell,
            ledger.sell_fill_of_order,
            ledger.sell_fill,
        )
        try:
            ledger = moves[choice](shares) if choice < len(moves) else ledger.next_session()
        except ValueError:
            continue

        assert ledger.sellable >= 0
        assert ledger.working >= 0
        assert ledger.sellable + ledger.working <= ledger.shares


def test_proceeds_buy_at_once_and_leave_next_session() -> None:
    sold = CashLedger.at_open(D("1000.00")).sell_fill_net(D("12328.71"))

    assert (sold.buy_power, sold.withdrawable) == (D("13328.71"), D("1000.00"))
    assert sold.next_session().withdrawable == D("13328.71")


def test_a_freeze_takes_old_cash_first_and_its_rest_comes_back() -> None:
    frozen = CashLedger.at_open(D("20000.00")).buy_order_freeze(D("12345.12"))
    filled = frozen.buy_fill_net(D("12340.12")).buy_unfreeze(D("5.00"))

    assert (frozen.buy_power, filled.buy_power, filled.withdrawable) == (D("7654.88"), D("7659.88"), D("7659.88"))


def test_proceeds_spent_again_leave_nothing_to_withdraw() -> None:
    ledger = CashLedger.at_open(D(5000)).sell_fill_net(D(10000)).buy_fill_net_direct(D(12000))

    assert (ledger.buy_power, ledger.withdrawable) == (D(3000), D(0))


def test_money_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="buy power"):
        CashLedger.at_open(D(100)).buy_order_freeze(D("100.01"))
    with pytest.raises(ValueError, match="frozen"):
        CashLedger.at_open(D(100)).buy_fill_net(D(1))
    with pytest.raises(ValueError, match="frozen"):
        CashLedger.at_open(D(100)).buy_unfreeze(D(1))
