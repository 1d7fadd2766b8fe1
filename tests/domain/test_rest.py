from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.plan import Outcome
from qws.domain.planner import plan_rebalance
from qws.domain.rest import UNDONE, Absent, Rest, carried, rest_of
from tests.support.builders import RULES, a_goal, a_market_of, a_position, a_snapshot

A, B, C, D = "600000.SH", "600004.SH", "600006.SH", "600007.SH"
CURABLE = ("not_filled", "not_sent", "no_quote", "stale_quote", "stale_record")
ORDERED = ("", "rejected", "unknown", "limit_up", "limit_down", "slippage", "at_limit", "drift", "session_over")
FINAL = (*ORDERED, "lot", "t_plus_1", "min_order", "suspended", "protected", "not_managed", "not_planned")
ALL = (*CURABLE, *FINAL, "cash", "never_arrived")
ENOUGH = Decimal("0.05")  # RELIABILITY.md 6.5


def an_outcome(
    code: str, reason: str, *, wanted: str = "0.2", achieved: str = "0.1", planned: int = 1000, filled: int = 0
) -> Outcome:
    return Outcome(code, Decimal(wanted), Decimal(achieved), planned, filled, reason)


def again(outcomes: Iterable[Outcome], absent: Absent) -> set[str]:
    """The codes that another attempt may trade."""
    return set(rest_of(outcomes, absent, 0).codes or ())


def fractions() -> st.SearchStrategy[Decimal]:
    return st.decimals(0, 1, places=2)


@st.composite
def all_outcomes(draw: st.DrawFn) -> tuple[Outcome, ...]:
    """Up to eight names with any reason, exits among them; what was planned is never exceeded."""
    names = draw(st.lists(st.integers(600_000, 600_050), unique=True, max_size=8))
    found = []
    for name in names:
        planned = draw(st.sampled_from((0, 100, 1000)))
        filled = draw(st.integers(0, planned))
        wanted = draw(st.one_of(st.just(Decimal(0)), fractions()))
        reason = draw(st.sampled_from(ALL))
        found.append(Outcome(f"{name}.SH", wanted, draw(fractions()), planned, filled, reason))
    return tuple(found)


any_outcomes = all_outcomes()
either = st.sampled_from(Absent)


@pytest.mark.parametrize("reason", CURABLE)
def test_a_name_that_time_may_cure_is_tried_again_and_the_others_keep_what_became_of_them(reason: str) -> None:
    rest = rest_of([an_outcome(A, reason), an_outcome(B, ""), an_outcome(C, "limit_up")], Absent.HOLD, 0)

    assert (rest.codes, rest.reasons) == (frozenset({A}), {B: "", C: "limit_up"})
    assert [rest.leaves(code) for code in (A, B, D)] == [False, True, True]


@pytest.mark.parametrize("reason", [*FINAL, "cash", "never_arrived"])
def test_a_name_that_time_does_not_cure_is_no_reason_to_try_again(reason: str) -> None:
    rest = rest_of([an_outcome(A, reason), an_outcome(B, "")], Absent.HOLD, 0)

    assert (rest.codes, rest.reasons) == (frozenset(), {A: reason, B: ""})


def test_what_lacked_money_is_tried_again_together_with_a_sale_that_may_still_bring_it() -> None:
    unsold, unpaid = an_outcome(A, "not_filled", wanted="0"), an_outcome(B, "cash")

    assert again([unsold, unpaid], Absent.HOLD) == {A, B}
    assert again([an_outcome(A, ""), unpaid], Absent.HOLD) == set()


def test_an_exit_without_a_price_is_waited_for_and_what_was_sold_off_is_not() -> None:
    held = an_outcome(A, "no_quote", wanted="0", achieved="0.1", planned=0)
    gone = an_outcome(A, "no_quote", wanted="0", achieved="0", planned=0)

    assert again([held], Absent.HOLD) == {A}
    assert again([gone], Absent.HOLD) == set()


@pytest.mark.parametrize(
    ("wanted", "achieved", "is_again"),
    [
        ("0", "0.30", True),  # an exit: the broker refuses to sell more than is held
        ("0.20", "0.15", True),
        ("0.15", "0.20", True),
        ("0.20", "0.1499", False),
        ("0.20", "0", False),
    ],
)
def test_an_order_that_never_arrived_is_followed_by_another_for_an_exit_or_a_small_name_where_that_is_allowed(
    wanted: str, achieved: str, *, is_again: bool
) -> None:
    lost = an_outcome(A, "never_arrived", wanted=wanted, achieved=achieved)

    assert again([lost], Absent.AGAIN) == ({A} if is_again else set())
    assert again([lost], Absent.HOLD) == set()


def test_at_most_three_small_names_that_never_arrived_are_tried_again_and_every_exit() -> None:
    small = [an_outcome(f"60000{n}.SH", "never_arrived") for n in range(5)]
    exits = [an_outcome(f"60001{n}.SH", "never_arrived", wanted="0") for n in range(5)]
    small = [replace(each, achieved=each.wanted - ENOUGH) for each in small]

    outcomes = [*small, *exits]

    assert again(outcomes, Absent.AGAIN) == {each.code for each in [*small[:3], *exits]}
    assert rest_of(outcomes, Absent.AGAIN, 0).reasons == {each.code: "never_arrived" for each in small[3:]}


@given(any_outcomes, either)
def test_every_name_is_either_tried_again_or_keeps_its_reason(outcomes: tuple[Outcome, ...], absent: Absent) -> None:
    rest = rest_of(outcomes, absent, 0)

    assert rest.codes is not None
    assert rest.codes | rest.reasons.keys() == {each.code for each in outcomes}
    assert not rest.codes & rest.reasons.keys()
    assert all(rest.reasons[each.code] == each.reason for each in outcomes if rest.leaves(each.code))


@given(any_outcomes, either)
def test_what_is_tried_again_was_refused_by_nobody_and_is_not_unknown(
    outcomes: tuple[Outcome, ...], absent: Absent
) -> None:
    codes = again(outcomes, absent)

    reasons = {each.reason for each in outcomes if each.code in codes}
    assert reasons <= {*CURABLE, "cash"} | ({"never_arrived"} if absent is Absent.AGAIN else set())
    assert not codes or reasons - {"cash"}


@given(any_outcomes)
def test_nothing_hopeful_leaves_nothing_to_do(outcomes: tuple[Outcome, ...]) -> None:
    without = [each for each in outcomes if each.reason not in CURABLE]

    assert again(without, Absent.HOLD) == set()


@given(any_outcomes)
def test_of_what_never_arrived_only_exits_and_three_small_names_go_out_again(outcomes: tuple[Outcome, ...]) -> None:
    codes = again(outcomes, Absent.AGAIN)
    lost = [each for each in outcomes if each.reason == "never_arrived"]
    small = [each for each in lost if each.wanted and each.code in codes]

    assert all(each.code in codes for each in lost if not each.wanted)
    assert len(small) <= 3
    assert all(abs(each.wanted - each.achieved) <= ENOUGH for each in small)
    assert {each.code for each in lost} <= rest_of(outcomes, Absent.HOLD, 0).reasons.keys()


@given(any_outcomes)
def test_what_is_unknown_or_done_is_not_carried_and_all_that_a_run_did_not_do_is(outcomes: tuple[Outcome, ...]) -> None:
    rest = carried(outcomes)

    assert rest.codes is not None
    assert rest.codes <= {each.code for each in outcomes if each.reason not in ("", "unknown", "not_planned")}
    assert rest.codes >= {each.code for each in outcomes if each.reason in UNDONE - {"unknown"}}
    assert rest.codes >= again(outcomes, Absent.AGAIN)


def test_a_rest_of_anything_leaves_no_name_and_a_rest_of_nothing_leaves_all() -> None:
    assert [rest.leaves(A) for rest in (Rest(), Rest(frozenset()))] == [False, True]


def test_a_plan_of_a_rest_trades_only_its_names_and_says_of_the_others_what_became_of_them() -> None:
    held = (a_position(B, 5000), a_position(C, 5000), a_position(D, 300))
    snapshot = a_snapshot("100000", held, *a_market_of(A, B, C, D))
    goal = a_goal({A: "0.3", B: "0.5", C: "0.1"})
    rest = rest_of([an_outcome(A, "not_filled"), an_outcome(B, "limit_up"), an_outcome(C, "")], Absent.HOLD, 0)

    whole, part = (plan_rebalance(each, snapshot, RULES) for each in (goal, replace(goal, rest=rest)))

    assert {row.code for row in whole.rows if row.shares} == {A, B, C, D}
    assert [row.code for row in part.rows if row.shares] == [A]
    told = {row.code: (row.side, row.ends, row.reason) for row in part.rows if row.code != A}
    assert told == {B: (None, 5000, "limit_up"), C: (None, 5000, ""), D: (None, 300, "")}  # D came in between


@given(any_outcomes, either)
def test_what_became_of_a_name_outlasts_the_next_attempt(outcomes: tuple[Outcome, ...], absent: Absent) -> None:
    first = rest_of(outcomes, absent, 0)
    codes = sorted(each.code for each in outcomes)
    goal = replace(a_goal(dict.fromkeys(codes, "0.01")), rest=first)

    plan = plan_rebalance(goal, a_snapshot("1000000", (), *a_market_of(*codes)), RULES)
    idle = {row.code: row.reason for row in plan.rows if first.leaves(row.code)}

    assert {row.code for row in plan.rows if row.shares} == again(outcomes, absent)
    assert idle == dict(first.reasons)


def test_what_never_arrived_may_be_sent_again_in_the_first_follow_up_only() -> None:
    lost = [an_outcome(A, "never_arrived", wanted="0.02", achieved="0")]

    assert [bool(rest_of(lost, Absent.AGAIN, follow_ups).codes) for follow_ups in range(3)] == [True, False, False]
