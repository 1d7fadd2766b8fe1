"""The native structs of the trading side: fixed members, typed setters, two names each. XTQUANT.md section 1.2."""

from __future__ import annotations

from typing import Generic, TypeVar, overload

T = TypeVar("T")
S = TypeVar("S", bound="Struct")

STOCK_ACCOUNT = 2


class Member(Generic[T]):
    """One typed member; assigned under two names in a class body, it is one value under both."""

    def __init__(self, empty: T, accepted: tuple[type, ...]) -> None:
        self._empty, self._accepted, self._key = empty, accepted, ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = self._key or name

    @overload
    def __get__(self, struct: None, owner: type) -> Member[T]: ...
    @overload
    def __get__(self, struct: Struct, owner: type) -> T: ...
    def __get__(self, struct: Struct | None, owner: type) -> T | Member[T]:
        if struct is None:
            return self
        kept = struct.__dict__.get(self._key, self._empty)
        assert isinstance(kept, type(self._empty))
        return kept

    def __set__(self, struct: Struct, value: T) -> None:
        if not isinstance(value, self._accepted):
            raise TypeError(f"{type(struct).__name__}.{self._key}: incompatible argument {value!r}")
        struct.__dict__[self._key] = type(self._empty)(value)  # type: ignore[call-arg]


def text() -> Member[str]:
    """A member of std::string."""
    return Member("", (str,))


def whole() -> Member[int]:
    """A member of int: a float is a TypeError."""
    return Member(0, (int,))


def real() -> Member[float]:
    """A member of double."""
    return Member(0.0, (float, int))


def flag() -> Member[bool]:
    """A member of bool."""
    return Member(False, (bool,))


class Struct:
    """Nothing but its members can be set: an unknown name is an AttributeError."""

    def __setattr__(self, name: str, value: object) -> None:
        if not isinstance(getattr(type(self), name, None), Member):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        super().__setattr__(name, value)


def filled(kind: type[S], /, **values: object) -> S:
    """A struct with these members set."""
    struct = kind()
    for name, value in values.items():
        setattr(struct, name, value)
    return struct


class AccountStruct(Struct):
    """What every struct about an account begins with."""

    account_type = m_nAccountType = whole()
    account_id = m_strAccountID = text()


class SubscribeReq(AccountStruct):
    meta_type = m_nMetaType = whole()


class UnsubscribeReq(AccountStruct):
    meta_type = m_nMetaType = whole()


class OrderStockReq(AccountStruct):
    stock_code = m_strStockCode = text()
    order_type = m_nOrderType = whole()
    order_volume = m_nOrderVolume = whole()
    price_type = m_nPriceType = whole()
    price = m_dPrice = real()
    strategy_name = m_strStrategyName = text()
    order_remark = m_strOrderRemark = text()
    order_remark_new = m_strOrderRemarkNew = text()
    order_amount = m_dOrderAmount = real()
    stock_code1 = m_strStockCode1 = text()
    account_id1 = m_strAccountID1 = text()


class CancelOrderStockReq(AccountStruct):
    order_id = m_nOrderID = whole()
    market_code = m_nMarket = whole()
    market = m_strMarket = text()
    order_sysid = m_strOrderSysID = text()


class QueryStockAssetReq(AccountStruct):
    pass


class QueryStockOrdersReq(AccountStruct):
    order_id = m_nOrderID = whole()
    can_cancel = m_bCanCancel = flag()


class QueryStockTradesReq(AccountStruct):
    pass


class QueryStockPositionsReq(AccountStruct):
    stock_code = m_strStockCode = text()
    stock_code1 = m_strStockCode1 = text()


class QueryAccountStatusReq(AccountStruct):
    pass


class XtAsset(AccountStruct):
    cash = m_dCash = real()
    frozen_cash = m_dFrozenCash = real()
    market_value = m_dMarketValue = real()
    total_asset = m_dTotalAsset = real()
    fetch_balance = m_dFetchBalance = real()
    current_balance = m_dCurrentBalance = real()


class _OrderStruct(AccountStruct):
    """What an order and a trade share."""

    stock_code = m_strStockCode = text()
    order_id = m_nOrderID = whole()
    order_sysid = m_strOrderSysID = text()
    order_type = m_nOrderType = whole()
    strategy_name = m_strStrategyName = text()
    order_remark = m_strOrderRemark = text()
    direction = m_nDirection = whole()
    offset_flag = m_nOffsetFlag = whole()
    stock_code1 = m_strStockCode1 = text()
    secu_account = m_strSecuAccount = text()
    instrument_name = m_strInstrumentName = text()


class XtOrder(_OrderStruct):
    order_time = m_nOrderTime = whole()
    order_volume = m_nOrderVolume = whole()
    price_type = m_nPriceType = whole()
    price = m_dPrice = real()
    traded_volume = m_nTradedVolume = whole()
    traded_price = m_dTradedPrice = real()
    order_status = m_nOrderStatus = whole()
    status_msg = m_strStatusMsg = text()


class XtTrade(_OrderStruct):
    traded_id = m_strTradedID = text()
    traded_time = m_nTradedTime = whole()
    traded_price = m_dTradedPrice = real()
    traded_volume = m_nTradedVolume = whole()
    traded_amount = m_dTradedAmount = real()
    commission = m_dCommission = real()


class XtPosition(AccountStruct):
    stock_code = m_strStockCode = text()
    volume = m_nVolume = whole()
    can_use_volume = m_nCanUseVolume = whole()
    open_price = m_dOpenPrice = real()
    market_value = m_dMarketValue = real()
    frozen_volume = m_nFrozenVolume = whole()
    on_road_volume = m_nOnRoadVolume = whole()
    yesterday_volume = m_nYesterdayVolume = whole()
    avg_price = m_dAvgPrice = real()
    direction = m_nDirection = whole()
    stock_code1 = m_strStockCode1 = text()
    last_price = m_dLastPrice = real()
    profit_rate = m_dProfitRate = real()
    secu_account = m_strSecuAccount = text()
    instrument_name = m_strInstrumentName = text()
    float_profit = m_dFloatProfit = real()
    open_date = m_strOpenDate = text()
    position_profit = m_dPositionProfit = real()


class OrderStockResp(Struct):
    account_id = m_strAccountID = text()
    order_id = m_nOrderID = whole()
    strategy_name = m_strStrategyName = text()
    order_remark = m_strOrderRemark = text()
    error_msg = m_strErrorMsg = text()


class CancelOrderStockResp(Struct):
    account_id = m_strAccountID = text()
    cancel_result = m_nCancelResult = whole()
    order_id = m_nOrderID = whole()
    order_sysid = m_strOrderSysID = text()
    error_msg = m_strErrorMsg = text()


class XtOrderError(AccountStruct):
    order_id = m_nOrderID = whole()
    error_id = m_nErrorID = whole()
    error_msg = m_strErrorMsg = text()
    strategy_name = m_strStrategyName = text()
    order_remark = m_strOrderRemark = text()
    seq = m_nSeq = whole()


class XtCancelError(AccountStruct):
    order_id = m_nOrderID = whole()
    market = m_nMarket = whole()
    order_sysid = m_strOrderSysID = text()
    error_id = m_nErrorID = whole()
    error_msg = m_strErrorMsg = text()


class XtAccountStatus(AccountStruct):
    status = m_nStatus = whole()


class AccountRow(AccountStruct):
    """The native XtAccountInfo."""

    broker_type = m_nBrokerType = whole()
    platform_id = m_nPlatformID = whole()
    login_status = m_nLoginStatus = whole()


class QueryAccountsReq(Struct):
    """The native QueryAccountInfosReq."""


NAMED: dict[str, type[Struct]] = {
    kind.__name__: kind
    for kind in (
        SubscribeReq, UnsubscribeReq, OrderStockReq, CancelOrderStockReq, QueryStockAssetReq, QueryStockOrdersReq,
        QueryStockTradesReq, QueryStockPositionsReq, QueryAccountStatusReq, XtAsset, XtOrder, XtTrade, XtPosition,
        OrderStockResp, CancelOrderStockResp, XtOrderError, XtCancelError, XtAccountStatus,
    )
} | {"XtAccountInfo": AccountRow, "QueryAccountInfosReq": QueryAccountsReq}  # fmt: skip
