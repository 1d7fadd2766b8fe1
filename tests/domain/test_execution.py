from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.execution import Execution, Phase
from qws.domain.execution_rules import Release
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.domain.report import verdict
from qws.errors import InvariantBroken
from tests.support.builders import DAY, FEE, NEXT_DAY, RUN, TARGET, a_fill, a_plan, a_report, an_order, leave
from tests.support.desk import RULES

Event = BrokerOrder | Trade
CODES = ("600000.SH", "600004.SH", "600006.SH", "600007.SH")
ORDER = [Phase.SELLING, Phase.BUYING, Phase.ENDING, Phase.ENDED]
STATES = (OrderStatus.WAIT_REPORTING, OrderStatus.REPORTED, OrderStatus.PART_SUCC, OrderStatus.REPORTED_CANCEL)


def a_run(
    *, sells: int = 1, buys: int = 1, cash: str = "0", reserve: int = 0, release: Release = Release.STRICT
) -> Execution:
    plan = a_plan(sells=dict.fromkeys(CODES[:sells], 1000), buys=dict.fromkeys(CODES[2 : 2 + buys], 1000), cash=cash)
    return Execution(plan, replace(RULES, cash_reserve=Decimal(reserve), release=release), FEE)


def feed(run: Execution, events: list[Event]) -> None:
    for event in events:
        assert run.on_order(event) if isinstance(event, BrokerOrder) else run.on_fill(event)


@st.composite
def stories(draw: st.DrawFn, order: OrderRequest) -> list[Event]:
    """What a broker tells of one order from its arrival to its end."""
    cuts = sorted(draw(st.sets(st.integers(1, order.shares // 100), max_size=4)))
    fills = [a_fill(order, (cut - before) * 100, cut) for before, cut in zip([0, *cuts], cuts, strict=False)]
    traded = sum(fill.shares for fill in fills)
    end = (
        OrderStatus.SUCCEEDED if traded == order.shares else OrderStatus.PART_CANCEL if traded else OrderStatus.CANCELED
    )
    seen = [a_report(order, state, min(traded, 100 * n)) for n, state in enumerate(STATES)]
    return [*seen, *fills, a_report(order, end, traded)]


def shuffled(drawn: st.DataObject, orders: list[OrderRequest]) -> list[Event]:
    events = [event for order in orders for event in drawn.draw(stories(order))]
    again = drawn.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
    return list(drawn.draw(st.permutations(events + again)))


def booked(events: list[Event]) -> Decimal:
    fills = {(fill.tag, fill.trade_id): fill for fill in events if isinstance(fill, Trade)}
    return sum(
        ((1 if fill.side is Side.SELL else -1) * fill.shares * fill.price - (fill.fee or 0) for fill in fills.values()),
        Decimal(0),
    )


@settings(deadline=None)
@given(st.data(), st.integers(0, 30_000), st.integers(0, 5_000), st.sampled_from(Release))
def test_any_interleaving_of_reports_gives_one_exact_ledger_and_buys_within_certain_cash(
    drawn: st.DataObject, cash: int, reserve: int, release: Release
) -> None:
    run = a_run(sells=2, buys=2, cash=str(cash), reserve=reserve, release=release)
    sent = leave(run)
    sells = [each for each in sent if each.side is Side.SELL]
    heard = shuffled(drawn, sells)
    for n in range(len(heard)):
        feed(run, heard[n : n + 1])
        now = leave(run)
        sent += now
        certain = cash + booked(heard[: n + 1]) - reserve
        buys = [each for each in sent if each.side is Side.BUY]
        assert not now or cost_of(buys) <= certain
        assert release is Release.PIPELINED or not buys or run.phase is not Phase.SELLING
    bought = shuffled(drawn, [each for each in sent if each.side is Side.BUY])
    feed(run, [*bought, *heard])

    assert run.cash == cash + booked(heard) + booked(bought)
    assert run.owed == 0
    assert leave(run) == []
    assert run.phase is Phase.ENDED
    assert len({request.tag for request in sent}) == len(sent) == len(run.legs)


def cost_of(orders: list[OrderRequest]) -> Decimal:
    return sum(
        (each.shares * each.price + FEE(each.code, each.side, each.shares, each.price) for each in orders), Decimal(0)
    )


@settings(deadline=None)
@given(st.data())
def test_an_order_is_settled_only_when_every_share_its_status_counts_is_booked(drawn: st.DataObject) -> None:
    run = a_run()
    (sell,) = leave(run)
    story = shuffled(drawn, [sell])
    whole = next(event for event in story if isinstance(event, BrokerOrder) and event.status.is_terminal).traded

    for n in range(len(story)):
        feed(run, story[n : n + 1])
        told = story[: n + 1]
        is_ended = any(isinstance(event, BrokerOrder) and event.status.is_terminal for event in told)
        filled = sum({fill.trade_id: fill.shares for fill in told if isinstance(fill, Trade)}.values())
        assert run.is_phase_over() == (is_ended and filled == whole)


@given(st.lists(st.sampled_from(("sell", "buy", "stop", "round", "past")), max_size=20))
def test_a_phase_never_goes_back_once_it_is_stopped(steps: list[str]) -> None:
    run = a_run(cash="50000")
    leave(run)
    reached = ORDER.index(run.phase)

    for step in steps:
        match step:
            case "buy" if run.phase is Phase.SELLING:
                run.turn()
                leave(run)
            case "stop":
                run.stop("halted")
            case "round":
                run.cancel_round(DAY)
            case "past":
                run.cancel_round(NEXT_DAY)
        assert ORDER.index(run.phase) >= reached
        reached = ORDER.index(run.phase)


def test_stopping_a_run_that_has_ended_changes_nothing() -> None:
    run = a_run()
    run.phase = Phase.ENDED

    run.stop("halted")

    assert (run.phase, run.stop_reason) == (Phase.ENDED, "")


def test_after_three_rounds_an_order_that_does_not_answer_is_given_up_but_still_booked_and_open() -> None:
    run = a_run()
    (sell,) = leave(run)
    feed(run, [a_report(sell, OrderStatus.REPORTED)])

    rounds = [[leg.request.tag for leg in run.cancel_round(DAY)] for _ in range(4)]

    assert rounds == [[sell.tag], [sell.tag], [sell.tag], []]
    assert run.is_phase_over()
    assert [leg.request.tag for leg in run.open_legs()] == [sell.tag]
    feed(run, [a_fill(sell, 400)])
    assert run.cash == Decimal(4000 - 5)
    assert verdict(run) == ("incomplete", "unknown")


def test_an_order_that_nobody_confirmed_is_not_cancelled_and_waited_for_on_its_day_only() -> None:
    run = a_run()
    leave(run)

    assert [run.cancel_round(DAY) for _ in range(8)] == [[]] * 8
    assert not run.is_phase_over()
    assert run.cancel_round(NEXT_DAY) == []
    assert run.is_phase_over()


def test_only_what_still_works_is_cancelled() -> None:
    run = a_run(sells=2)
    ended, works = leave(run)
    feed(run, [a_report(ended, OrderStatus.SUCCEEDED, 1000), a_report(works, OrderStatus.PART_SUCC, 100)])

    assert [leg.request.tag for leg in run.cancel_round(DAY)] == [works.tag]


def test_money_of_sells_that_are_still_open_is_not_spent() -> None:
    run = a_run(sells=2, cash="0", reserve=1000)
    first, second = leave(run)
    feed(
        run, [a_report(first, OrderStatus.SUCCEEDED, 1000), a_fill(first, 1000), a_report(second, OrderStatus.REPORTED)]
    )
    for _ in range(4):
        run.cancel_round(DAY)

    (buy,) = leave(run)

    assert buy.shares == 800  # 9,995 are certain, 1,000 stay back
    assert run.reasons == {buy.code: "cash"}


def test_the_minimum_commission_is_charged_once_for_an_order_of_many_fills() -> None:
    run = a_run()
    (sell,) = leave(run)

    feed(run, [a_fill(sell, 100, n, fee=None) for n in range(10)])

    assert run.fees == FEE(sell.code, Side.SELL, 1000, sell.price)
    assert run.cash == 1000 * sell.price - run.fees


def test_what_belongs_to_another_run_is_not_booked() -> None:
    run = a_run()
    leave(run)
    stranger = an_order(index=99)

    assert not run.on_order(a_report(stranger, OrderStatus.REPORTED))
    assert not run.on_fill(a_fill(stranger, 100))
    assert run.cash == 0


def test_more_traded_than_ordered_breaks_an_invariant() -> None:
    run = a_run()
    (sell,) = leave(run)

    with pytest.raises(InvariantBroken, match=sell.tag):
        run.on_order(a_report(sell, OrderStatus.SUCCEEDED, 1100))


@pytest.mark.parametrize(
    ("reasons", "is_filled", "told"),
    [
        ([], True, ("completed", "")),
        ([], False, ("incomplete", "not_filled")),
        (["superseded"], False, ("superseded", "superseded")),
        (["halted"], True, ("incomplete", "halted")),
        (["interrupted"], False, ("interrupted", "interrupted")),
        (["interrupted"], True, ("interrupted", "interrupted")),
        (["interrupted", "cancelled"], False, ("incomplete", "cancelled")),
        (["cancelled", "interrupted"], False, ("incomplete", "cancelled")),
        (["superseded", "halted"], False, ("superseded", "superseded")),
        (["session_over"], False, ("incomplete", "session_over")),
    ],
)
def test_worked_table_of_ends(reasons: list[str], is_filled: bool, told: tuple[str, str]) -> None:
    run = a_run(buys=0)
    (sell,) = leave(run)
    end = OrderStatus.SUCCEEDED if is_filled else OrderStatus.CANCELED
    feed(run, [a_report(sell, end, 1000 if is_filled else 0), *([a_fill(sell, 1000)] if is_filled else [])])

    for reason in reasons:
        run.stop(reason)

    assert verdict(run) == told


def test_an_interrupted_run_with_an_order_nobody_can_account_for_is_not_planned_again() -> None:
    run = a_run()
    leave(run)
    run.stop("interrupted")
    run.cancel_round(NEXT_DAY)

    assert verdict(run) == ("incomplete", "unknown")


def test_a_late_answer_clears_what_was_given_up() -> None:
    run = a_run(buys=0)
    (sell,) = leave(run)
    feed(run, [a_report(sell, OrderStatus.REPORTED)])
    for _ in range(4):
        run.cancel_round(DAY)

    feed(run, [a_report(sell, OrderStatus.CANCELED)])

    assert verdict(run) == ("incomplete", "not_filled")


def test_adopting_an_order_twice_keeps_what_is_known_of_it() -> None:
    run = a_run()
    (sell,) = leave(run)
    feed(run, [a_fill(sell, 300)])

    run.adopt(sell)

    assert run.filled(sell.code) == 300


def test_a_large_order_leaves_in_its_children_each_with_its_own_tag() -> None:
    plan = a_plan(sells={CODES[0]: 1000})
    row = replace(plan.rows[0], children=(400, 400, 200))
    run = Execution(replace(plan, rows=(row,)), RULES, FEE)

    requests = leave(run)

    assert [request.shares for request in requests] == [400, 400, 200]
    assert len({request.tag for request in requests}) == 3


def test_a_run_is_known_by_run_target_day_and_attempt() -> None:
    run = a_run()

    assert (run.key, run.identity) == ((RUN, 0), (RUN, TARGET, date(2026, 11, 19), 0))
