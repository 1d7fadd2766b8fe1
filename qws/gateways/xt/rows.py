"""What the vendor's rows mean: orders, fills, holdings and money of today. XTQUANT.md 4.1 and 4.2."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from math import isfinite
from numbers import Integral, Real
from typing import Any
from zoneinfo import ZoneInfo

from loguru import logger

from qws.domain.account import Asset, Position
from qws.domain.codes import classify
from qws.domain.market import Kind, Side
from qws.domain.orders import BrokerOrder, OrderStatus, Trade
from qws.errors import GatewayError
from qws.gateways.xt.contract import BUY, CONSTANTS, OFFSET_BUY, OFFSET_SELL, SECURITY_ACCOUNT, SELL
from qws.masking import discreet

SHANGHAI = ZoneInfo("Asia/Shanghai")
Row = Mapping[str, object]

_ACC = ("account_id", "account_type")
ORDER = (
    *(*_ACC, "stock_code", "order_id", "order_time", "order_type", "order_volume", "price", "traded_volume"),
    *("order_status", "status_msg", "order_remark", "offset_flag"),
)
TRADE = (
    *(*_ACC, "stock_code", "order_id", "order_type", "traded_id", "traded_time", "traded_price", "traded_volume"),
    *("order_remark", "commission", "offset_flag"),
)
ASSET = ("account_id", "cash", "frozen_cash", "market_value", "total_asset")
POSITION = (*_ACC, "stock_code", "volume", "can_use_volume", "market_value", "avg_price", "open_price")
STATUS = (*_ACC, "status")
ORDER_RESPONSE = ("account_id", "order_id", "order_remark", "error_msg", "seq")
ORDER_ERROR = (*_ACC, "order_id", "error_id", "order_remark", "error_msg", "seq")
CANCEL_RESPONSE = ("account_id", "order_id", "cancel_result", "error_msg", "seq")
CANCEL_ERROR = (*_ACC, "order_id", "error_id", "error_msg")

_FEN, _PRICE_STEP, _COST_STEP = Decimal("0.01"), Decimal("0.001"), Decimal("0.0001")
_SIDES = {BUY: Side.BUY, SELL: Side.SELL}  # `direction` says nothing for shares
_OFFSETS: dict[object, Side] = {OFFSET_BUY: Side.BUY, OFFSET_SELL: Side.SELL}
_MILLISECONDS_FROM = 10**11  # seconds of the year 5138: no vendor means those
_NORMAL = ("ACCOUNT_STATUS_OK", "ACCOUNT_STATUS_CLOSED")
_COMING = ("ACCOUNT_STATUS_WAITING_LOGIN", "ACCOUNT_STATUSING", "ACCOUNT_STATUS_INITING", "ACCOUNT_STATUS_CORRECTING")
_ACCOUNT_NORMAL = frozenset(CONSTANTS[name] for name in _NORMAL)
_ACCOUNT_COMING = frozenset(CONSTANTS[name] for name in _COMING)
_ODD_MAX = 1000  # rows remembered as warned of


class BadRow(GatewayError):
    """Raised for a row that cannot mean anything: the answer it stands in is not used."""


def copied(struct: Any, names: Iterable[str]) -> Row:
    """The plain values of a vendor object; what its version does not have is None."""
    return {name: _plain(getattr(struct, name, None)) for name in names}


def order_of(row: Row, now: datetime) -> BrokerOrder | None:
    """An order; None for what is no share, fund or bond. A row without a time is of `now`. Raises BadRow."""
    side = _side_of(row)
    if side is None:
        return None
    at = moment(row, "order_time") if row.get("order_time") else now
    return BrokerOrder(
        id_of(row),
        text(row, "order_remark"),
        text(row, "stock_code"),
        side,
        _shares(row, "order_volume"),
        _number(row, "price", _PRICE_STEP),
        _shares(row, "traded_volume"),
        status_of(row.get("order_status")),
        words(row, "status_msg"),
        at,
    )


def trade_of(row: Row) -> Trade | None:
    """A fill; None for what is no share, fund or bond, and for rows of no shares: some counters list cancels among the
    fills. One of fewer shares than none is left out with a warning, or it would bar the account as long as it is
    listed; what it may have meant shows in cash and positions. Raises BadRow."""
    side = _side_of(row)
    if side is None or (shares := whole(row, "traded_volume")) == 0:
        return None
    if shares < 0:
        return _warn_once(f"fill {text(row, 'traded_id')} of order {id_of(row)} has {shares} shares: left out")
    price, at = _number(row, "traded_price", _PRICE_STEP), row["traded_time"]
    if price <= 0:
        raise BadRow(f"a fill of {shares} shares at {price}: {shown(row)}")
    fee = _number(row, "commission", _FEN) if row.get("commission") else None
    return Trade(
        text(row, "traded_id") or f"{at}-{shares}-{price}",
        id_of(row),
        text(row, "order_remark"),
        text(row, "stock_code"),
        side,
        shares,
        price,
        moment(row, "traded_time"),
        fee if fee is not None and fee > 0 else None,
    )


def positions_of(rows: Iterable[Row]) -> tuple[tuple[Position, ...], Decimal]:
    """The holdings, and the value in CNY of what is no share, fund or bond. Rows without shares, or below zero, stay
    behind after a liquidation and mean nothing. Raises BadRow."""
    held: dict[str, Position] = {}
    foreign = Decimal(0)
    for row in rows:
        if not _is_ours_to_see(row):
            foreign += _foreign_value(row)
            continue
        shares = whole(row, "volume")
        if shares <= 0:
            continue
        value = _number(row, "market_value", _FEN)
        code, sellable = text(row, "stock_code"), min(max(whole(row, "can_use_volume"), 0), shares)
        position = Position(code, shares, sellable, value, _cost(row))
        if (other := held.get(code)) is not None:  # the same name in two shareholder accounts
            shares, sellable = other.shares + shares, other.sellable + sellable
            cost = _mean(other, position)
            position = Position(code, shares, sellable, other.market_value + value, cost)
        held[code] = position
    return tuple(held.values()), foreign


def asset_of(row: Row | None) -> Asset:
    """The account's money. Raises BadRow for no answer, and for zeros, which mean that it is not loaded yet."""
    if row is None:
        raise BadRow("the account's money is not known: the terminal answered nothing")
    asset = Asset(*(_number(row, name, _FEN) for name in ASSET[1:]))
    if asset == Asset(*[Decimal(0)] * 4):
        raise BadRow("the account's money is not known: the terminal answered zeros")
    return asset


def without_foreign(asset: Asset, ours: Decimal, foreign: Decimal) -> Asset:
    """The money without the value of what is not ours to manage, when the terminal counts it in; all in CNY."""
    if abs(asset.market_value - ours - foreign) >= abs(asset.market_value - ours):
        return asset
    return replace(asset, market_value=asset.market_value - foreign, total=asset.total - foreign)


def status_of(value: object) -> OrderStatus:
    """An order's status; whatever is not in the vendor's table is unknown and may trade."""
    try:
        return OrderStatus(value)  # type: ignore[arg-type]  # an enumeration looks up any value
    except ValueError:
        return OrderStatus.UNKNOWN


def is_normal(status: int) -> bool:
    """Whether an account in this state may trade: 0 normal, 6 after the close."""
    return status in _ACCOUNT_NORMAL


def is_coming(status: int) -> bool:
    """Whether an account in this state gets ready by itself: connecting, logging in, initialising, correcting."""
    return status in _ACCOUNT_COMING


def id_of(row: Row) -> str:
    """The order's number at the terminal, empty where there is none yet."""
    number = whole(row, "order_id")
    return str(number) if number > 0 else ""


def text(row: Row, name: str) -> str:
    """A text, empty where there is none."""
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


def words(row: Row, name: str) -> str:
    """What the terminal says in its own words, which may hold the account's id."""
    return discreet(text(row, name))


def whole(row: Row, name: str) -> int:
    """A whole number, 0 where there is none. Raises BadRow for a fraction."""
    value = row.get(name) or 0
    if isinstance(value, int | float) and isfinite(value) and value == int(value):
        return int(value)
    raise BadRow(f"{name} is {value!r}: {shown(row)}")


def moment(row: Row, name: str) -> datetime:
    """A time in seconds (or milliseconds) since 1970, in Asia/Shanghai. Raises BadRow."""
    number = whole(row, name)
    if number <= 0:
        raise BadRow(f"{name} is {number}: {shown(row)}")
    try:
        return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS_FROM else number, SHANGHAI)
    except (OverflowError, ValueError, OSError) as error:
        raise BadRow(f"{name} is {number}: {error}") from error


def exact(value: object, step: Decimal) -> Decimal | None:
    """A dirty float as the nearest multiple of `step`, None where it is no number."""
    if not isinstance(value, int | float) or not isfinite(value) or abs(value) > 1e15:
        return None
    return Decimal(repr(float(value))).quantize(step, ROUND_HALF_UP)


def of_account(rows: Iterable[Row], account: str) -> Iterator[Row]:
    """Without the rows of other accounts at the same terminal."""
    return (row for row in rows if is_of(row, account))


def shown(row: Row) -> dict[str, object]:
    """A row as a log may tell it: without the account's id."""
    return {name: value for name, value in row.items() if name != "account_id"}


def is_of(row: Row, account: str) -> bool:
    """Whether a row is of this account in shares, or does not say: one id may stand for accounts of several types."""
    kind = row.get("account_type")
    is_other_type = isinstance(kind, int) and kind not in (0, SECURITY_ACCOUNT)  # bridges may say it in words
    return str(row.get("account_id") or account) == account and not is_other_type


def _plain(value: object) -> str | int | float | None:
    """Bridges hand out the numbers of other libraries."""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    return value if isinstance(value, str) else None


def _side_of(row: Row) -> Side | None:
    """Buy or sell, None where a row is neither or not ours to see.

    Some bridges may fill `offset_flag` with a constant, as `direction` is: a contradiction is told, and does not count.
    """
    side, offset = _SIDES.get(whole(row, "order_type")), _OFFSETS.get(row.get("offset_flag"))
    if side is None or not _is_ours_to_see(row):
        return None
    if offset not in (None, side):
        _warn_once(f"order {id_of(row)} is a {side} by order_type, a {offset} by offset_flag: the first counts")
    return side


@lru_cache(_ODD_MAX)
def _warn_once(warning: str) -> None:
    """Lists are read every few seconds, and an odd row stays in them all day."""
    logger.warning("{}", warning)


def _foreign_value(row: Row) -> Decimal:
    """CNY of what is not ours to manage: what cannot be read there must not keep us from our own."""
    units, value = exact(row.get("volume"), _FEN), exact(row.get("market_value"), _FEN)
    return value if value is not None and units is not None and units > 0 else Decimal(0)


def _is_ours_to_see(row: Row) -> bool:
    """Repo, subscription and Hong Kong rows are not (XTQUANT.md 4.2)."""
    found = classify(text(row, "stock_code"))
    return found is not None and found.kind is not Kind.REPO


def _shares(row: Row, name: str) -> int:
    shares = whole(row, name)
    if shares < 0:
        raise BadRow(f"{name} is {shares}: {shown(row)}")
    return shares


def _number(row: Row, name: str, step: Decimal) -> Decimal:
    number = exact(row.get(name), step)
    if number is None:
        raise BadRow(f"{name} is {row.get(name)!r}: {shown(row)}")
    return number


def _mean(one: Position, other: Position) -> Decimal:
    """The cost of two holdings together, 0 where that of one is not known."""
    if one.cost_price <= 0 or other.cost_price <= 0:
        return Decimal(0)
    paid = one.cost_price * one.shares + other.cost_price * other.shares
    return (paid / (one.shares + other.shares)).quantize(_COST_STEP, ROUND_HALF_UP)


def _cost(row: Row) -> Decimal:
    """The cost in CNY per share; some terminals know only the opening price, some neither."""
    costs = (exact(row.get(name), _COST_STEP) for name in ("avg_price", "open_price"))
    return next((cost for cost in costs if cost), Decimal(0))
