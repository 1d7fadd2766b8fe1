"""Daily bars: average volume, prices of today, Wilder's average true range."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from qws.domain.bars import DailyBar, adjusted, average_true_range, average_volume, ex_dates, unbroken
from qws.domain.calendar import AlwaysOpenCalendar, TradingCalendar
from tests.support.builders import DAY


def bars(*prices: tuple[str, str, str, str]) -> tuple[DailyBar, ...]:
    """High, low, close and the close before, a day each."""
    return tuple(
        DailyBar(DAY - timedelta(days=len(prices) - place), *map(Decimal, each), 1000 * (place + 1))
        for place, each in enumerate(prices)
    )


STEADY = bars(*[("10.2", "9.8", "10", "10")] * 14)


def test_the_average_volume_is_that_of_the_days_there_are() -> None:
    assert average_volume(STEADY[:3]) == 2000
    assert average_volume(()) is None


def test_the_range_is_that_of_wilder() -> None:
    wide = bars(*[("10.2", "9.8", "10", "10")] * 14, ("11", "10", "10.5", "10"), ("11", "10.6", "10.8", "10.5"))

    assert average_true_range(STEADY[:13]) is None
    assert average_true_range(STEADY) == Decimal("0.4")
    first = (Decimal("0.4") * 13 + 1) / 14
    assert average_true_range(wide) == (first * 13 + Decimal("0.5")) / 14  # a gap counts: 11 - 10.5


def test_an_ex_date_is_no_fall() -> None:
    """Ten for ten: the reference halves, and so do the prices before it."""
    split = bars(("22", "18", "20", "20"), ("20.4", "19.6", "20", "20"), ("10.2", "9.8", "10.1", "10"))

    now = adjusted(split, Decimal("10.1"))

    assert [bar.high for bar in now] == [Decimal(11), Decimal("10.2"), Decimal("10.2")]
    assert [bar.close for bar in now] == [10, 10, Decimal("10.1")]
    assert adjusted(split, Decimal("5.05"))[-1].high == Decimal("5.1")


def test_an_ex_date_says_what_is_left_of_a_price() -> None:
    split = bars(("22", "18", "20", "20"), ("10.2", "9.8", "10.1", "10"), ("10.2", "9.8", "10", "10.11"))

    assert ex_dates(split) == {split[1].day: Decimal("0.5")}  # a tick is no ex-date


def test_a_missing_session_in_which_the_price_moved_is_no_ex_date() -> None:
    """Where the session between them is missing, a reference that is not the close before tells nothing."""
    first, gone, *rest = bars(("8.8", "7.8", "8", "8"), ("10", "8", "10", "8"), *[("10.2", "9.8", "10", "10")] * 2)
    closed = TradingCalendar(first.day, DAY, frozenset({gone.day}))
    unknown = TradingCalendar(DAY, DAY, frozenset())

    assert unbroken((first, *rest), AlwaysOpenCalendar()) == tuple(rest)
    assert unbroken((first, *rest), unknown) == tuple(rest)
    assert unbroken((first, *rest), closed) == (first, *rest)  # it was no session: an ex-date
    assert unbroken((first, gone, *rest), AlwaysOpenCalendar()) == (first, gone, *rest)
    halted = (first, *bars(("8.8", "7.8", "8", "8")))
    assert unbroken(halted, AlwaysOpenCalendar()) == halted  # it did not trade, and nothing moved
