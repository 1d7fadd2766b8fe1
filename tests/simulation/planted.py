"""`python -m tests.simulation.planted`: bugs of other programs, planted into ours; the simulation must tell of each."""

from __future__ import annotations

import sys
from decimal import Decimal

from actors import planner, snapshotter
from actors.broker_link import BrokerLink
from actors.equity_recorder import EquityRecorder
from actors.market_clock import MarketClock
from actors.order_executor import OrderExecutor
from actors.run_gate import RunGate
from actors.weight_validator import WeightValidator
from qws.domain import execution, known_orders, rest, run_orders, target_book
from qws.domain import planner as planning
from qws.domain.absence import Absence
from qws.domain.due import Due
from qws.domain.execution import Execution
from qws.domain.handover import Handover
from qws.domain.known_orders import KnownOrders
from qws.domain.run_orders import Leg, RunOrders
from qws.domain.schedule import Schedule
from qws.domain.unsettled import Unsettled
from qws.runtime.message import Stopping
from qws.runtime.system import System
from qws.store import journal_file
from tests.simulation import mistakes as wrong
from tests.simulation.bug import Bug, Edit
from tests.simulation.planted_market import MARKET_BUGS
from tests.simulation.planted_risk import RISK_BUGS

# The journal takes no tag twice and ends the process: that lock has to be open for another one to be tried.
_JOURNAL_WITHOUT_LOCK: Edit = journal_file, "_TABLES", wrong.JOURNAL_WITHOUT_LOCK


BUGS = (
    Bug(
        "resend_on_timeout",
        "An order that is not answered is sent again.",
        ("I1b",), 4,
        ((BrokerLink, "on_place_order", wrong.send_again),),
    ),
    Bug(
        "silence_is_refusal",
        "An order that is not answered counts as refused.",
        ("I7", "I1c", "I1", "I3", "I4"), 31,
        ((BrokerLink, "on_place_order", wrong.silence_is_refusal),),
    ),
    Bug(
        "cancelling_is_final",
        "An order with status 51 or 52 counts as ended.",
        ("I7", "I4", "I13", "I1", "I12"), 88,
        ((Leg, "is_settled", wrong.settled_by_a_wish), (snapshotter, "_is_working", wrong.works_until_a_wish)),
    ),
    Bug(
        "cash_before_fill",
        "Buys spend what the sells were to bring, traded or not.",
        ("I4", "I5"), 72,
        ((Execution, "_free", wrong.spend_planned_proceeds),),
    ),
    Bug(
        "open_buys_cost_nothing",
        "Buys spend money that earlier buys still need.",
        ("I4", "I5"), 72,
        ((Execution, "_free", wrong.spend_what_buys_hold),),
    ),
    Bug(
        "replaced_before_its_end",
        "The order at a better price leaves while the one it replaces still works.",
        ("I2", "I12"), 6,
        (
            (Execution, "reprice", wrong.replace_before_it_ended),
            (RunOrders, "under_way", wrong.counts_what_traded),  # the executor has a lock of its own
        ),
    ),
    Bug(
        "old_orders_handed_over",
        "Orders that waited behind slow calls leave at a price of long ago.",
        ("I18",), 1,
        ((Handover, "obstacle", wrong.no_waiting_is_too_long),),
    ),
    Bug(
        "frozen_is_cash",
        "Frozen money counts as money that may be spent.",
        ("I5",), 179,
        ((planner, "plan_rebalance", wrong.plan_with_frozen_cash),),
    ),
    Bug(
        "fees_forgotten",
        "Buys are cut to the money without their fees.",
        ("I5",), 117,
        ((execution, "fit_to_cash", wrong.buys_cost_no_fees), (planning, "fit_to_cash", wrong.buys_cost_no_fees)),
    ),
    Bug(
        "only_sellable_counts",
        "The difference is taken on what may be sold today instead of all that is held.",
        ("I22", "I12"), 0,
        ((planning, "_holding", wrong.only_what_is_sellable),),
    ),
    Bug(
        "t_plus_1_forgotten",
        "What was bought today is sold.",
        ("I5", "I18"), 1,
        ((planning, "_holding", wrong.all_is_sellable),),
    ),
    Bug(
        "missing_quote_is_zero",
        "A name without a quote is planned as a target of nothing, and sold.",
        ("I12",), 12,
        ((planner, "plan_rebalance", wrong.plan_missing_as_nothing),),
    ),
    Bug(
        "buys_before_sells_end",
        "Buys leave while sells still work, where all sells are to end first.",
        ("I4",), 9,
        ((Execution, "is_phase_over", wrong.sells_are_not_waited_for),),
    ),
    Bug(
        "one_tag_for_two",
        "Two orders of an attempt share one tag.",
        ("I1b", "I2", "I6"), 0,
        ((execution, "make_tag", wrong.tag_of_two), _JOURNAL_WITHOUT_LOCK),
    ),
    Bug(
        "tag_without_attempt",
        "A second attempt uses the tags of the first.",
        ("I1b", "I2", "I6"), 24,
        ((execution, "make_tag", wrong.tag_of_all_attempts), _JOURNAL_WITHOUT_LOCK),
    ),
    Bug(
        "late_fill_ignored",
        "A fill that comes after the deadline is not booked.",
        ("I7",), 3,
        ((RunOrders, "on_fill", wrong.fill_in_time), (Leg, "is_settled", wrong.settled_without_fills)),
    ),
    Bug(
        "fill_booked_twice",
        "A push that comes twice is a second fill.",
        ("I3", "I7"), 0,
        ((KnownOrders, "merge_trades", wrong.every_push_is_new),),
    ),
    Bug(
        "latest_report_wins",
        "A late report takes back what a newer one said.",
        ("I3",), 3,
        ((known_orders, "merge", wrong.latest_report_wins), (run_orders, "merge", wrong.latest_report_wins)),
    ),
    Bug(
        "cancel_not_awaited",
        "What was asked to be cancelled counts as gone.",
        ("I4", "I12", "I13", "I1"), 113,
        ((Execution, "cancel_round", wrong.cancelled_when_asked),),
    ),
    Bug(
        "absent_at_once",
        "One list that does not show an order proves that it never arrived.",
        ("I7", "I12"), 88,
        ((Absence, "overdue", wrong.absent_at_once),),
    ),
    Bug(
        "link_forgets_intents",
        "After a restart the link knows nothing of orders that were on their way.",
        ("I6", "I7", "I13"), 3,
        ((BrokerLink, "recall_place_order", wrong.nothing()), (BrokerLink, "on_place_order", wrong.intended_now)),
    ),
    Bug(
        "executor_forgets_intents",
        "After a restart the executor knows nothing of the orders of the run that was cut.",
        ("I1", "I1c", "I12", "I13", "I7"), 3,
        ((OrderExecutor, "recall_place_order", wrong.nothing()),),
    ),
    Bug(
        "halt_misses_the_link",
        "A halt stops plans, but not the orders that wait to be handed over.",
        ("I24",), 112,
        (
            (BrokerLink, "on_control_ordered", wrong.nothing()),
            (BrokerLink, "on_run_stop_ordered", wrong.nothing()),
            (BrokerLink, "overtaking", (Stopping,)),
        ),
    ),
    Bug(
        "halt_ends_with_the_process",
        "A restart forgets that trading is halted.",
        ("I24",), 135,
        ((BrokerLink, "recall_control_ordered", wrong.nothing()), (RunGate, "recall_control_ordered", wrong.nothing())),
    ),
    Bug(
        "file_known_by_name",
        "A file with a new name and old content is a new target.",
        ("I8",), 9,
        ((WeightValidator, "on_weight_file_settled", wrong.accepted_by_name),),
    ),
    Bug(
        "snapshot_while_orders_work",
        "A plan is made while orders of an earlier one still work.",
        ("I1", "I12"), 94,
        ((snapshotter, "_is_working", wrong.nothing_works),),
    ),
    Bug(
        "next_run_does_not_wait",
        "A newer target starts beside the run that it ends.",
        ("I1", "I1c", "I8", "I12", "I13"), 25,
        ((RunGate, "on_rebalance_due", wrong.start_beside),),
    ),
    Bug(
        "sent_before_journalled",
        "Messages are acted upon one write before they are durable.",
        ("I6",), 0,
        ((System, "__init__", wrong.keep_the_journal_back),),
    ),
    Bug(
        "old_prices_sent",
        "Buys leave at the prices of the plan, however long the sells took.",
        ("I18",), 0,
        ((Execution, "codes_to_price", wrong.prices_stay_good),),
    ),
    Bug(
        "drift_ignored",
        "Buys go on although the account holds something else than our books.",
        ("I5",), 21,
        ((OrderExecutor, "on_ledger_drift", wrong.nothing()),),
    ),
    Bug(
        "absent_sent_again",
        "An order that never arrived is followed by another one on the same day.",
        ("I1c",), 9,
        (
            (rest, "_CURABLE", wrong.ALL_IS_CURABLE),
            (rest, "_TOGETHER", wrong.ALL_IS_CURABLE),
            (Unsettled, "lost_on", wrong.nothing_was_lost),
        ),
    ),
    Bug(
        "restart_forgets_what_was_lost",
        "After a restart a run sends another order of a name although one of it was lost.",
        ("I1c",), 109,
        ((Unsettled, "lost_on", wrong.nothing_was_lost),),
    ),
    Bug(
        "much_is_sent_again",
        "An order that never arrived is followed by another one, however much it is for.",
        ("I1c",), 373,
        ((rest, "_SMALL", Decimal(1)), (rest, "_SMALL_MAX", 100)),
    ),
    Bug(
        "all_is_carried_over",
        "The next day trades names of the old target that were done.",
        ("I22",), 237,
        ((target_book, "carried", wrong.all_is_left),),
    ),
    Bug(
        "old_target_first",
        "What was left is carried over although the day has a target of its own.",
        ("I22", "I8"), 51, ((Due, "target_at", wrong.carried_first),),
    ),
    Bug(
        "restart_forgets_what_was_left",
        "What is to be carried over is forgotten over night.",
        ("I13",), 376, ((MarketClock, "recall_run_finished", wrong.nothing()),),
    ),
    Bug(
        "lunch_forgotten",
        "Orders leave at any time.",
        ("I10",), 3, ((Schedule, "next_send", wrong.any_time_is_good),),
    ),
    Bug(
        "strangers_taken_for_ours",
        "Every order with a remark is taken for one of ours.",
        ("I6", "I17"), 19,
        ((KnownOrders, "_tag_of", wrong.any_remark_is_a_tag), (known_orders, "_is_of", wrong.all_are_ours)),
    ),
    Bug(
        "day_recorded_twice",
        "A restart in the evening records the day again.",
        ("I9",), 3,
        (
            (EquityRecorder, "recall_equity_recorded", wrong.nothing()),
            (MarketClock, "recall_equity_recorded", wrong.nothing()),
        ),
    ),
    *RISK_BUGS,
    *MARKET_BUGS,
)  # fmt: skip


def main() -> int:
    """Print what told of each bug; exit code 1 when one lives."""
    lives = 0
    for bug in BUGS:
        found = bug.catch()
        lives += found is None
        told = f"{found[1]:<8} seed {found[0]}" if found is not None else "LIVES"
        print(f"{bug.name:<28} {told}", flush=True)
    return int(lives > 0)


if __name__ == "__main__":
    sys.exit(main())
