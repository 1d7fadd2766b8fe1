"""What people call the codes that messages carry. Reasons and refusals are not here: their codes stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from qws.domain.orders import OrderStatus


def N_(text: str) -> str:
    """Mark a text for the catalogue; it is translated where it is shown."""
    return text


# Phases of the trading day, triggers of a run, modes of a target, commands, states and ends of a run, kinds of an
# equity record, causes of a drift, and why an order at the broker should not be there.
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "pre_open": N_("before the open"),
        "open_call_cancellable": N_("opening call auction, cancels allowed"),
        "open_call_locked": N_("opening call auction, no cancels"),
        "open_pause": N_("pause before continuous trading"),
        "continuous": N_("continuous trading"),
        "lunch": N_("lunch break"),
        "close_call": N_("closing call auction"),
        "closed": N_("closed"),
        "holiday": N_("no trading day"),
        "unknown": N_("unknown, the calendar ends before this day"),
        "drop": N_("file dropped"),
        "schedule": N_("schedule"),
        "default": N_("of the day"),
        "manual": N_("by hand"),
        "recovery": N_("recovery"),
        "follow_up": N_("what is left"),
        "carry": N_("carried over"),
        "subset": N_("subset"),
        "delta": N_("delta"),
        "stop": N_("a stop, the rest goes on"),
        "exit": N_("a stop"),
        "halt": N_("halt"),
        "resume": N_("resume"),
        "cancel": N_("cancel"),
        "rebalance": N_("rebalance"),
        "reduce_only": N_("only reduce"),
        "approve": N_("approve"),
        "reject": N_("reject"),
        "planning": N_("planning"),
        "running": N_("running"),
        "paused": N_("paused"),
        "held": N_("held"),
        "completed": N_("completed"),
        "incomplete": N_("incomplete"),
        "refused": N_("refused"),
        "superseded": N_("superseded"),
        "interrupted": N_("interrupted"),
        "close": N_("close"),
        "run": N_("after a run"),
        "manual_trade": N_("somebody traded by hand"),
        "manual_order": N_("an order placed by hand holds it, or held it before"),
        "transfer": N_("it was moved in or out"),
        "dividend": N_("it looks like a dividend"),
        "fees": N_("the fees were others than estimated"),
        "unexplained": N_("nothing at the broker explains it"),
        "missed_days": N_("days were missed, and nobody listed what was traded then"),
        "unintended": N_("our journal does not know"),
        "duplicate": N_("is the second one under its tag"),
        "collision": N_("is not what was asked for under its tag"),
        "mangled": N_("has a tag that cannot be read"),
        "ghost": N_("was written off because it did not arrive"),
    }
)

ORDER_STATUS: Mapping[OrderStatus, str] = MappingProxyType(
    {
        OrderStatus.UNREPORTED: N_("not reported yet"),
        OrderStatus.WAIT_REPORTING: N_("about to be reported"),
        OrderStatus.REPORTED: N_("reported"),
        OrderStatus.REPORTED_CANCEL: N_("cancel pending"),
        OrderStatus.PARTSUCC_CANCEL: N_("partly filled, cancel pending"),
        OrderStatus.PART_CANCEL: N_("partly filled, rest cancelled"),
        OrderStatus.CANCELED: N_("cancelled"),
        OrderStatus.PART_SUCC: N_("partly filled"),
        OrderStatus.SUCCEEDED: N_("filled"),
        OrderStatus.JUNK: N_("rejected"),
        OrderStatus.UNKNOWN: N_("unknown"),
    }
)
