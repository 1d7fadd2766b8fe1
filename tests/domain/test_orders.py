from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.orders import BrokerOrder, OrderStatus, merge
from tests.support.builders import a_report, an_order, at

ORDER = an_order(shares=1000)
SENT = BrokerOrder.unknown(ORDER, at("10:00:00"))
ABSENT = a_report(ORDER, OrderStatus.JUNK, order_id="", message="never arrived")

reports = st.builds(
    a_report,
    st.just(ORDER),
    st.sampled_from(OrderStatus),
    st.integers(0, 1000),
    st.sampled_from(("", "77")),
    st.sampled_from(("", "cancelled", "refused")),
)


def folded(heard: list[BrokerOrder]) -> BrokerOrder:
    known = SENT
    for report in heard:
        known = merge(known, report)
    return known


@given(st.lists(reports, max_size=8), st.data())
def test_any_order_and_any_repetition_of_reports_gives_the_same_result(
    heard: list[BrokerOrder], drawn: st.DataObject
) -> None:
    mixed = drawn.draw(
        st.permutations(heard + drawn.draw(st.lists(st.sampled_from(heard), max_size=4) if heard else st.just([])))
    )

    assert folded(mixed) == folded(heard)


@given(st.lists(reports, min_size=1, max_size=8), reports)
def test_a_further_report_never_takes_back_shares_an_id_or_an_end(
    heard: list[BrokerOrder], report: BrokerOrder
) -> None:
    before = folded(heard)
    after = merge(before, report)

    assert after.traded >= before.traded
    assert after.order_id == (before.order_id or report.order_id)
    assert after.status.is_terminal or not (before.status.is_terminal and before.order_id)


def test_the_first_report_of_a_stranger_is_taken_as_it_is() -> None:
    report = a_report(ORDER, OrderStatus.REPORTED)

    assert merge(None, report) == report


@pytest.mark.parametrize("late", [OrderStatus.REPORTED, OrderStatus.PART_SUCC, OrderStatus.REPORTED_CANCEL])
def test_a_late_report_does_not_revive_an_ended_order_but_its_fills_count(late: OrderStatus) -> None:
    ended = merge(SENT, a_report(ORDER, OrderStatus.PART_CANCEL, 300))

    merged = merge(ended, a_report(ORDER, late, 500))

    assert (merged.status, merged.traded) == (OrderStatus.PART_CANCEL, 500)


def test_a_cancel_that_waits_with_fills_outranks_one_without_whichever_comes_first() -> None:
    whole, part = a_report(ORDER, OrderStatus.REPORTED_CANCEL), a_report(ORDER, OrderStatus.PARTSUCC_CANCEL, 100)

    assert folded([whole, part]).status is folded([part, whole]).status is OrderStatus.PARTSUCC_CANCEL


def test_an_order_found_absent_that_turns_up_after_all_works_again() -> None:
    merged = merge(merge(SENT, ABSENT), a_report(ORDER, OrderStatus.REPORTED))

    assert (merged.status, merged.order_id) == (OrderStatus.REPORTED, f"id-{ORDER.tag}")


def test_unknown_says_nothing_about_an_order_that_is_known() -> None:
    known = merge(SENT, a_report(ORDER, OrderStatus.PART_SUCC, 200))

    assert merge(known, BrokerOrder.unknown(ORDER, at("10:00:00") + timedelta(minutes=1))) == known


def test_only_four_states_are_an_end() -> None:
    assert {status.value for status in OrderStatus if status.is_terminal} == {53, 54, 56, 57}
