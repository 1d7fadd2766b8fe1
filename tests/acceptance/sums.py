"""What must add up in every demo, whatever the file and the account were."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest


def check_sums(found: dict[str, Any], cash: Decimal, holdings: dict[str, tuple[int, int]]) -> None:
    """Orders, fills, positions, money and tracking error of one run of which something may have been traded."""
    assert found["rejected_orders"] == 0, found
    assert not any(order["status"] in ("junk", "unknown") for order in found["orders"])
    _check_fills(found)
    _check_shares(found, holdings)
    _check_money(found, cash)
    _check_tracking_error(found)


def _check_fills(found: dict[str, Any]) -> None:
    filled: Counter[str] = Counter()
    orders = {order["order_id"]: order for order in found["orders"]}
    assert len(orders) == len(found["orders"])
    for fill in found["fills"]:
        order = orders[fill["order_id"]]
        filled[fill["order_id"]] += fill["shares"]
        assert (fill["stock_code"], fill["side"]) == (order["stock_code"], order["side"])
        assert fill["price"] <= order["price"] if order["side"] == "buy" else fill["price"] >= order["price"]
    assert filled == Counter({id_: order["filled"] for id_, order in orders.items() if order["filled"]})
    assert all(order["filled"] <= order["shares"] for order in orders.values())
    sides = [order["side"] for order in found["orders"]]
    assert "sell" not in sides or sides[0] == "sell"
    per_code = defaultdict(set)
    for order in found["orders"]:
        per_code[order["stock_code"]].add(order["side"])
    assert all(len(found_sides) == 1 for found_sides in per_code.values())


def _check_shares(found: dict[str, Any], holdings: dict[str, tuple[int, int]]) -> None:
    now = Counter({code: shares for code, (shares, _) in holdings.items()})
    sold: Counter[str] = Counter()
    for fill in found["fills"]:
        now[fill["stock_code"]] += fill["shares"] if fill["side"] == "buy" else -fill["shares"]
        sold[fill["stock_code"]] += fill["shares"] if fill["side"] == "sell" else 0
    assert {code: shares for code, shares in now.items() if shares} == {
        code: position["shares"] for code, position in found["positions"].items()
    }
    assert all(shares <= holdings[code][1] for code, shares in sold.items() if shares)


def _check_money(found: dict[str, Any], cash: Decimal) -> None:
    assert found["cash"] >= 0
    fees = sum(fill["fee"] for fill in found["fills"])
    assert found["fees"] == pytest.approx(fees, abs=0.005)
    for fill in found["fills"]:
        amount = fill["shares"] * fill["price"]
        cash += Decimal(str(amount if fill["side"] == "sell" else -amount))
    assert found["cash"] == pytest.approx(float(cash) - fees, abs=0.005)
    value = sum(position["value"] for position in found["positions"].values())
    assert found["total_asset"] == pytest.approx(value + found["cash"], abs=0.005)


def _check_tracking_error(found: dict[str, Any]) -> None:
    total = found["total_asset"]
    achieved = {code: position["value"] / total for code, position in found["positions"].items()}
    wanted = found["target"]
    gap = sum(abs(achieved.get(code, 0.0) - wanted.get(code, 0.0)) for code in achieved.keys() | wanted.keys())
    gap += abs(found["cash"] / total - (1 - sum(wanted.values())))
    assert found["tracking_error"] == pytest.approx(gap / 2, abs=1e-6)
