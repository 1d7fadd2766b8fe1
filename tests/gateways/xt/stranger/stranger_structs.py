"""A stranger's native structs: slots under the native names, properties under the others, checked when they are set."""

from __future__ import annotations

import operator

ACCOUNT = "nAccountType=account_type strAccountID=account_id"
_ORDER = """strStockCode=stock_code nOrderID=order_id strOrderSysID=order_sysid nOrderType=order_type
    strStrategyName=strategy_name strOrderRemark=order_remark nDirection=direction nOffsetFlag=offset_flag
    strStockCode1=stock_code1 strSecuAccount=secu_account strInstrumentName=instrument_name"""
SPECS = {
    "SubscribeReq": f"{ACCOUNT} nMetaType=meta_type",
    "UnsubscribeReq": f"{ACCOUNT} nMetaType=meta_type",
    "OrderStockReq": f"""{ACCOUNT} strStockCode=stock_code nOrderType=order_type nOrderVolume=order_volume
        nPriceType=price_type dPrice=price strStrategyName=strategy_name strOrderRemark=order_remark
        strOrderRemarkNew=order_remark_new dOrderAmount=order_amount strStockCode1=stock_code1
        strAccountID1=account_id1""",
    "CancelOrderStockReq": f"""{ACCOUNT} nOrderID=order_id nMarket=market_code strMarket=market
        strOrderSysID=order_sysid""",
    "QueryStockAssetReq": ACCOUNT,
    "QueryStockOrdersReq": f"{ACCOUNT} nOrderID=order_id bCanCancel=can_cancel",
    "QueryStockTradesReq": ACCOUNT,
    "QueryStockPositionsReq": f"{ACCOUNT} strStockCode=stock_code strStockCode1=stock_code1",
    "QueryAccountInfosReq": "",
    "QueryAccountStatusReq": ACCOUNT,
    "XtAsset": f"""{ACCOUNT} dCash=cash dFrozenCash=frozen_cash dMarketValue=market_value dTotalAsset=total_asset
        dFetchBalance=fetch_balance dCurrentBalance=current_balance""",
    "XtOrder": f"""{ACCOUNT} {_ORDER} nOrderTime=order_time nOrderVolume=order_volume nPriceType=price_type dPrice=price
        nTradedVolume=traded_volume dTradedPrice=traded_price nOrderStatus=order_status strStatusMsg=status_msg""",
    "XtTrade": f"""{ACCOUNT} {_ORDER} strTradedID=traded_id nTradedTime=traded_time dTradedPrice=traded_price
        nTradedVolume=traded_volume dTradedAmount=traded_amount dCommission=commission""",
    "XtPosition": f"""{ACCOUNT} strStockCode=stock_code nVolume=volume nCanUseVolume=can_use_volume
        dOpenPrice=open_price dMarketValue=market_value nFrozenVolume=frozen_volume nOnRoadVolume=on_road_volume
        nYesterdayVolume=yesterday_volume dAvgPrice=avg_price nDirection=direction strStockCode1=stock_code1""",
    "OrderStockResp": """strAccountID=account_id nOrderID=order_id strStrategyName=strategy_name
        strOrderRemark=order_remark strErrorMsg=error_msg""",
    "CancelOrderStockResp": """strAccountID=account_id nCancelResult=cancel_result nOrderID=order_id
        strOrderSysID=order_sysid strErrorMsg=error_msg""",
    "XtOrderError": f"""{ACCOUNT} nOrderID=order_id nErrorID=error_id strErrorMsg=error_msg
        strStrategyName=strategy_name strOrderRemark=order_remark nSeq=seq""",
    "XtCancelError": f"""{ACCOUNT} nOrderID=order_id nMarket=market strOrderSysID=order_sysid nErrorID=error_id
        strErrorMsg=error_msg""",
    "XtAccountStatus": f"{ACCOUNT} nStatus=status",
    "XtAccountInfo": f"{ACCOUNT} nBrokerType=broker_type nPlatformID=platform_id nLoginStatus=login_status",
}
_KINDS: dict[str, tuple[type, ...]] = {"n": (int,), "s": (str,), "d": (float, int), "b": (bool,)}
_EMPTY: dict[str, object] = {"n": 0, "s": "", "d": 0.0, "b": False}


class Plain:
    """Members and nothing else; a wrong type is refused at once."""

    __slots__: tuple[str, ...] = ()

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, _EMPTY[name[2]])

    def __setattr__(self, name: str, value: object) -> None:
        native = name if name.startswith("m_") else NATIVE[type(self).__name__].get(name, name)
        if native in self.__slots__ and not isinstance(value, _KINDS[native[2]]):
            raise TypeError(f"(): incompatible function arguments: {name} = {value!r}")
        object.__setattr__(self, native, value)


def with_members(struct: Plain, **members: object) -> Plain:
    """The struct, filled."""
    for name, value in members.items():
        setattr(struct, name, value)
    return struct


NATIVE: dict[str, dict[str, str]] = {}
STRUCTS: dict[str, type[Plain]] = {}
for _name, _spec in SPECS.items():
    _pairs = [pair.split("=") for pair in _spec.split()]
    NATIVE[_name] = {python: f"m_{native}" for native, python in _pairs}
    _body: dict[str, object] = {python: property(operator.attrgetter(f"m_{native}")) for native, python in _pairs}
    STRUCTS[_name] = type(_name, (Plain,), {"__slots__": tuple(NATIVE[_name].values()), **_body})
