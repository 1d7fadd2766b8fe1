"""Bugs in what is believed of a market and of lists, planted beside the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from actors import equity_recorder, snapshotter
from actors.snapshotter import Snapshotter
from qws.domain import flows, stops
from qws.domain.account import Position
from qws.domain.bars import DailyBar
from qws.domain.orders import BrokerOrder
from qws.domain.risk import prices
from qws.domain.stops import Crossing, StopWatch, View
from tests.simulation.bug import Bug


def one_look_is_enough(self: StopWatch, positions: Iterable[Position], view: View) -> tuple[Crossing, ...]:
    for each in positions:
        self._courses.setdefault(each.code, stops._Course())
    quoted = [(each, view.quotes[each.code]) for each in positions if each.code in view.quotes]
    return tuple(found for each, quote in quoted if (found := self._crossing(each, quote, view)) is not None)


def any_price_compares(*asked: object) -> bool:
    return True


def no_ex_date(*asked: object) -> Decimal:
    return Decimal(1)


def as_they_were(bars: Sequence[DailyBar], prev_close: Decimal) -> Sequence[DailyBar]:
    return bars


def all_adds_up(*asked: object) -> str:
    return ""


def never(*asked: object) -> bool:
    return False


def what_is_listed_works(self: Snapshotter, listed: tuple[BrokerOrder, ...]) -> list[str]:
    return [order.tag for order in listed if snapshotter._is_working(order)]


def nothing_is_far(*asked: object) -> None:
    return None


MARKET_BUGS = (
    Bug(
        "one_quote_stops",
        "A stop fires at the first quote beyond its level.",
        ("I18",), 153,
        ((StopWatch, "look", one_look_is_enough),),
    ),
    Bug(
        "ex_date_is_a_loss",
        "A cost of before an ex-date is held against the lower price after it.",
        ("I18",), 33,
        ((stops, "_is_comparable", any_price_compares), (stops, "_ex_factor", no_ex_date)),
    ),
    Bug(
        "highs_of_before_an_ex_date",
        "A trailing stop follows a high of before an ex-date.",
        ("I18",), 153,
        ((stops, "adjusted", as_they_were),),
    ),
    Bug(
        "dividend_is_a_deposit",
        "What an ex-date brings counts as brought by somebody.",
        ("I9d",), 14,
        ((flows, "_is_dividend", never),),
    ),
    Bug(
        "missing_is_sold",
        "A name that a list of holdings lacks is planned as not held.",
        ("I12",), 125,
        ((snapshotter, "does_not_add_up", all_adds_up),),
    ),
    Bug(
        "missing_is_gone",
        "A name that a list of holdings lacks at the close was taken out of the account.",
        ("I9d",), 16,
        ((equity_recorder, "does_not_add_up", all_adds_up),),
    ),
    Bug(
        "unlisted_is_over",
        "An order that a short list lacks works no more.",
        ("I12",), 94,
        ((Snapshotter, "_still_working", what_is_listed_works),),
    ),
    Bug(
        "sized_by_one_quote",
        "What is traded is sized by whatever price a quote shows.",
        ("I18",), 351,
        ((prices, "_far_from", nothing_is_far),),
    ),
)  # fmt: skip
