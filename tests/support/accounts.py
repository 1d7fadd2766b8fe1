"""Random accounts for the allocator, and what a choice of trades is worth."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal as D

from hypothesis import strategies as st

from qws.domain.allocator import AllocationRules, Allotment, Budget, Rounding, Unplaced
from qws.domain.candidate import Candidate
from qws.domain.lots import split
from qws.domain.market import Side
from tests.support.builders import FEE

OPTIMAL = AllocationRules(Rounding.OPTIMAL, Unplaced.CASH, D(0), D(1))
TRIFLE = D("0.001")  # of the account: what is not worth searching for
Account = tuple[list[Candidate], Budget]
CODES = [
    f"{prefix}{number:03d}.{suffix}"
    for number in range(5)
    for prefix, suffix in (("600", "SH"), ("688", "SH"), ("920", "BJ"), ("300", "SZ"))
]
LOTS = {"688": (200, 1, 100_000), "920": (100, 1, 1_000_000)}


def a_name(
    code: str, weight: str, price: str = "10.00", held: int = 0, sellable: int | None = None, *,
    spread: str = "0.01", no_buy: str = "", no_sell: str = "",
) -> Candidate:  # fmt: skip
    mark, half = D(price), D(spread)
    can_sell = held if sellable is None else sellable
    return Candidate(
        code, D(weight), held, can_sell, mark, mark + half, mark - half, no_buy, no_sell,
        *LOTS.get(code[:3], (100, 100, 1_000_000)),
    )  # fmt: skip


def an_account(rows: list[tuple[str, int, int, int, int]], cash: int, whole: int, reserve: int) -> Account:
    """Any account: holdings of any size, blocked sides, T+1, more or less cash than needed."""
    total = max(1, sum(part for _, part, *_ in rows)) * whole
    names = []
    for code, part, price, held, flags in rows:
        no_sell = ("", "", "", "", "limit_down", "protected")[flags % 6]
        names.append(
            a_name(
                code,
                str((D(part) / total).quantize(D("0.000001"), "ROUND_DOWN")),
                str(D(price) / 100),
                held // 100 * 100 if flags % 3 else held,
                (held // 100 * 100, held // 200 * 100, 0)[max(0, flags // 8 % 6 - 3)] if flags % 3 else held,
                spread=str(D(flags // 64 % 6) / 100),
                no_buy=no_sell if no_sell == "protected" else ("", "", "", "limit_up")[flags // 512 % 4],
                no_sell=no_sell,
            )
        )
    worth = sum((each.held * each.mark for each in names), D(0))
    return names, Budget(D(cash) / 100, D(cash) / 100 + worth or D(1), D(reserve))


accounts = st.builds(
    an_account,
    st.lists(
        st.tuples(
            st.sampled_from(CODES),
            st.integers(0, 50),
            st.integers(101, 20_000),
            st.one_of(st.just(0), st.integers(0, 3000)),
            st.integers(0, 2047),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda row: row[0],
    ),
    st.integers(0, 30_000_000),
    st.sampled_from((1, 1, 2)),
    st.sampled_from((0, 0, 0, 700)),
)
rules = st.builds(
    AllocationRules,
    st.sampled_from(Rounding),
    st.sampled_from(Unplaced),
    st.sampled_from((D(0), D(0), D("0.01"), D("0.1"))),
    st.sampled_from((D(1), D(1), D("0.3"))),
)


def outlay(each: Candidate, trade: int) -> D:
    """What a signed trade takes from the cash, order by order."""
    if not trade:
        return D(0)
    side, price = (Side.BUY, each.buy_price) if trade > 0 else (Side.SELL, each.sell_price)
    return trade * price + sum(
        (FEE(each.code, side, child, price) for child in split(each, side, abs(trade), each.sellable)), D(0)
    )


def left_of(names: Sequence[Candidate], budget: Budget, found: Sequence[Allotment]) -> D:
    return budget.cash - sum((outlay(each, got.trade) for each, got in zip(names, found, strict=True)), D(0))


def error_of(names: Sequence[Candidate], budget: Budget, trades: Sequence[int]) -> D:
    """Half the sum of |achieved - wanted| with cash, in CNY, and a hundredth of what the names alone are off.

    What is paid in fees stays counted as cash.
    """
    gaps = [
        each.weight * budget.total - (each.held + trade) * each.mark for each, trade in zip(names, trades, strict=True)
    ]
    off = sum(map(abs, gaps), D(0))
    return (off + abs(sum(gaps, D(0)))) / 2 + off / 100


def judged(names: Sequence[Candidate], budget: Budget, trades: Sequence[int]) -> D:
    """The error and the fees in CNY."""
    fees = sum(
        (outlay(each, trade) - trade * (each.buy_price if trade > 0 else each.sell_price))
        for each, trade in zip(names, trades, strict=True)
    )
    return error_of(names, budget, trades) + fees
