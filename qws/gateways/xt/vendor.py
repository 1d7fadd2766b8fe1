"""The vendor's modules by a configurable package name, without its network call and its prints. XTQUANT.md 1.1, H13."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol
from warnings import catch_warnings, simplefilter

from qws.errors import GatewayError
from qws.gateways.xt import contract, rows
from qws.gateways.xt.pushes import Pushes

_NATIVE = ("xtpythonclient", "datacenter")
_CALLS_HOME = "check_for_update"
_OTHER = "Nothing can be traded through it: install the version this program was written for, or correct [xt] package"


class VendorMissing(GatewayError):
    """Raised when the vendor's package cannot be imported or used; trying again does not help."""


class Trader(Protocol):
    """What is used of `xttrader.XtQuantTrader`. No call here is synchronous but these that have no other form."""

    def start(self) -> None: ...
    def connect(self) -> int: ...
    def subscribe(self, account: object) -> int: ...
    def stop(self) -> None: ...

    def order_stock_async(
        self,
        account: object,
        stock_code: str,
        order_type: int,
        order_volume: int,
        price_type: int,
        price: float,
        strategy_name: str,
        order_remark: str,
    ) -> int: ...

    def cancel_order_stock_async(self, account: object, order_id: int) -> int: ...
    def query_account_status_async(self, callback: Callable[[Any], None]) -> object: ...
    def query_stock_asset_async(self, account: object, callback: Callable[[Any], None]) -> object: ...
    def query_stock_orders_async(self, account: object, callback: Callable[[Any], None]) -> object: ...
    def query_stock_trades_async(self, account: object, callback: Callable[[Any], None]) -> object: ...
    def query_stock_positions_async(self, account: object, callback: Callable[[Any], None]) -> object: ...


class QuoteSide(Protocol):
    """What is used of `xtdata`: a module, so its calls are serialised. `read_closes` uses one call more."""

    def connect(self, *, port: int) -> object: ...
    def get_full_tick(self, code_list: list[str]) -> Mapping[str, Mapping[str, Any]]: ...
    def get_instrument_detail(self, stock_code: str, *, iscomplete: bool) -> Mapping[str, Any] | None: ...
    def get_trading_dates(self, market: str, start_time: str, end_time: str, count: int) -> Sequence[int]: ...
    def get_holidays(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class TradeSide:
    """How a trader and an account are made, and the constants of an order."""

    make_trader: Callable[[str, int, object], Trader]
    make_account: Callable[[str], object]
    callback_base: type
    buy: int
    sell: int
    fix_price: int


def load_trade_side(package: str) -> TradeSide:
    """Import what trades; slow, so call it off the loop. Raises VendorMissing with the remedy.

    Also for a constant of another value: the numbers are the terminal's, and what is read and written by the wrong ones
    is a sale for a purchase. They are not taken over, since rows of the terminal and our records keep their meaning.
    """
    xttrader, xttype, xtconstant = (_module(package, name) for name in ("xttrader", "xttype", "xtconstant"))
    if wrong := "; ".join(contract.wrong_constants(xtconstant)):
        raise VendorMissing(f"{package}.xtconstant is not this program's: {wrong}. {_OTHER}")
    try:
        return TradeSide(
            _guarded(xttrader.XtQuantTrader),
            xttype.StockAccount,
            xttrader.XtQuantTraderCallback,
            xtconstant.STOCK_BUY,
            xtconstant.STOCK_SELL,
            xtconstant.FIX_PRICE,
        )
    except AttributeError as error:
        raise VendorMissing(f"{package} lacks what orders need: {error}. {_OTHER}") from error


def load_quote_side(package: str) -> QuoteSide:
    """Import what quotes; slow, so call it off the loop. Raises VendorMissing with the remedy."""
    xtdata: Any = _module(package, "xtdata")
    xtdata.enable_hello = False
    found: QuoteSide = xtdata
    return found


def read_closes(side: Any, code: str, stamp: str) -> dict[str, float]:
    """The closing levels by day (yyyymmdd), where there is a bar of the day `stamp`; slow the first time."""
    frame = side.get_market_data_ex(["close"], [code], "1d", stamp, stamp, fill_data=False).get(code)
    if frame is None:
        return {}
    return {str(key): float(value) for key, value in zip(frame.index, frame["close"], strict=True)}


def read_bars(side: Any, codes: Sequence[str], days: int) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """The newest daily bars that the terminal has, each with its day (yyyymmdd); slow the first time."""
    found = side.get_market_data_ex(list(BAR_FIELDS), list(codes), "1d", "", "", days, fill_data=False)
    frames = ((code, frame) for code, frame in found.items() if frame is not None and set(BAR_FIELDS) <= {*frame})
    return {code: list(zip(map(str, frame.index), frame.to_dict("records"), strict=True)) for code, frame in frames}


BAR_FIELDS = ("high", "low", "close", "preClose", "volume", "amount")
_BARS = ("get_market_data_ex", ["field_list", "stock_list", "period", "start_time", "end_time", "count"], ["fill_data"])
_TRADER = ("XtQuantTrader", ["path", "session", "callback"], list[str]())
_ACCOUNT = ("StockAccount", ["account_id"], list[str]())
_STRUCTS = {
    "XtAsset": rows.ASSET,
    "XtOrder": rows.ORDER,
    "XtTrade": rows.TRADE,
    "XtPosition": rows.POSITION,
    "XtAccountStatus": rows.STATUS,
    "XtOrderResponse": rows.ORDER_RESPONSE,
    "XtCancelOrderResponse": rows.CANCEL_RESPONSE,
    "XtOrderError": tuple(name for name in rows.ORDER_ERROR if name != "seq"),  # the native struct alone has it
    "XtCancelError": rows.CANCEL_ERROR,
}


def differences(package: str) -> tuple[str, ...]:
    """Where the installed package differs from what this program uses of it; slow. Raises VendorMissing."""
    side = load_trade_side(package)
    xttrader, xttype, xtconstant = (_module(package, name) for name in ("xttrader", "xttype", "xtconstant"))
    quotes = load_quote_side(package)
    told = [*contract.missing_constants(xtconstant)]
    told += [contract.call_difference(xttrader, _TRADER), contract.call_difference(xttype, _ACCOUNT)]
    told += [contract.call_difference(side.make_trader, use) for use in contract.uses_of(Trader)]
    told += [contract.callback_difference(side.callback_base, use) for use in contract.uses_of(Pushes)]
    told += [contract.member_difference(xttype, name, members) for name, members in _STRUCTS.items()]
    told += [contract.call_difference(quotes, use) for use in (*contract.uses_of(QuoteSide), _BARS)]
    return tuple(filter(None, told))


def _guarded(base: Any) -> Any:
    """H13: built on one thread and collected on another, the vendor's destructor looks for a loop it never kept."""
    return type("GuardedTrader", (base,), {"oldloop": None, "__del__": lambda self: None})


def _module(package: str, name: str) -> Any:
    try:
        with catch_warnings():
            simplefilter("ignore")  # the vendor's own
            _prepare(package)
            return import_module(f"{package}.{name}")
    except ImportError as error:
        raise VendorMissing(_remedy(package, name, error)) from error


def _remedy(package: str, name: str, error: ImportError) -> str:
    text = f"{package}.{name} cannot be imported: {error}. "
    if sys.platform != "win32":
        return text + "Its native part exists for Windows only: trade on paper here, or set [xt] package to a bridge"
    return text + "Install it into this Python, 3.11 to 3.13 of 64 bits, or set [xt] package to what the broker ships"


def _prepare(package: str) -> None:
    """Have the package in `sys.modules` without running what its `__init__` does beyond importing."""
    if package not in sys.modules:
        spec = find_spec(package)
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError(f"there is no package {package}")
        if _is_noisy(spec):
            bare = ModuleType(package)
            bare.__path__, bare.__spec__ = list(spec.submodule_search_locations), spec
            sys.modules.setdefault(package, bare)
        else:
            with redirect_stdout(StringIO()):
                import_module(package)
    for name in _NATIVE:  # whoever put a native module there may have done so before the package was
        if (native := sys.modules.get(f"{package}.{name}")) is not None:
            setattr(sys.modules[package], name, native)


def _is_noisy(spec: ModuleSpec) -> bool:
    """Whether importing the package asks the network for a newer one."""
    source = Path(spec.origin or "")
    return source.suffix == ".py" and _CALLS_HOME in source.read_text(encoding="utf-8", errors="replace")
