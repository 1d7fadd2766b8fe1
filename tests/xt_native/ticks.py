"""Quotes, bars and records of the simulated market in the vendor's shapes. XTQUANT.md sections 1.4 and 4.3."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from qws.domain.calendar import UnknownDay
from qws.domain.market import Instrument, Kind, Level
from qws.domain.sessions import Phase
from qws.gateways.sim.market import SimMarket, moment_of
from qws.gateways.sim.quirks import Quirks, seen_quote
from qws.ports import Calendar
from tests.xt_native.faults import Faults
from tests.xt_native.rows import dirty

Tick = dict[str, object]
_LEVELS = 5
_NO_LIMITS = (999999.999, 0.01)  # what a record says on days without a price limit
_PHASES = {  # 证券状态
    Phase.PRE_OPEN: 11,
    Phase.OPEN_CALL_CANCELLABLE: 12,
    Phase.OPEN_CALL_LOCKED: 12,
    Phase.OPEN_PAUSE: 13,
    Phase.CONTINUOUS: 13,
    Phase.LUNCH: 14,
    Phase.CLOSE_CALL: 18,
    Phase.CLOSED: 15,
}
_HALTED, _SUSPENDED = 17, 20
_SEARCH_DAYS = 4000


def milliseconds(at: datetime) -> int:
    """Unix milliseconds."""
    return int(at.timestamp() * 1000)


def tick(market: SimMarket, quirks: Quirks, code: str, now: datetime) -> Tick | None:
    """The newest tick of a code, volumes in lots; None for an unknown one and for an index."""
    quote = seen_quote(market, quirks, code, now)
    if quote is None:
        return None
    record = market.instrument(code, now)
    assert record is not None
    listing, lot = market.listing(code, record.day), _lot_of(record)
    status = _status(market, record, now)
    last = dirty(quote.last or Decimal(0))
    has_traded = status >= _PHASES[Phase.CONTINUOUS] and not (listing is None or listing.tape is None)
    bar = market.bars.bar(code, record.day) if has_traded else None
    lots = int((quote.at - moment_of(record.day, 0)).total_seconds()) if bar is not None else 0
    return {
        "time": milliseconds(quote.at),
        "timetag": f"{quote.at:%Y%m%d %H:%M:%S}",
        "lastPrice": last,
        "open": dirty(bar.open) if bar is not None else 0.0,
        "high": max(dirty(bar.open), last) if bar is not None else 0.0,
        "low": min(dirty(bar.open), last) if bar is not None else 0.0,
        "lastClose": dirty(quote.prev_close),
        "amount": dirty(lots * lot * last),
        "volume": lots,
        "pvolume": lots * lot,
        "stockStatus": status - 10,
        "openInt": status,
        "transactionNum": lots,
        "settlementPrice": 0.0,
        "lastSettlementPrice": dirty(quote.prev_close),
        "askPrice": _prices(quote.asks),
        "bidPrice": _prices(quote.bids),
        "askVol": _lots(quote.asks, lot),
        "bidVol": _lots(quote.bids, lot),
        "pe": 0.0,
        "volRatio": 0.0,
        "speed1Min": 0.0,
        "speed5Min": 0.0,
    }


class Feed(Protocol):
    """The terminal, as its quotes see it."""

    market: SimMarket
    faults: Faults

    def quotes_now(self) -> datetime: ...


def ticks(feed: Feed, wanted: list[str]) -> dict[str, Tick]:
    """The ticks of codes and of whole markets (`SH`); an unknown code is missing."""
    market, quirks, now = feed.market, feed.faults.quirks, feed.quotes_now()
    codes: list[str] = []
    for each in wanted:
        codes += [each] if "." in each else [code for code in market.bars.codes(now.date()) if code.endswith(each)]
    found = ((code, tick(market, quirks, code, now)) for code in codes)
    return {code: each for code, each in found if each is not None}


def record(market: SimMarket, code: str, now: datetime) -> Tick | None:
    """The record of a code; None for an unknown one."""
    instrument = market.instrument(code, now)
    if instrument is None:
        return None
    up = dirty(instrument.limit_up) if instrument.limit_up is not None else _NO_LIMITS[0]
    down = dirty(instrument.limit_down) if instrument.limit_down is not None else _NO_LIMITS[1]
    number, exchange = code.split(".")
    return {
        "ExchangeID": exchange,
        "InstrumentID": number,
        "InstrumentName": f"*ST{number}" if instrument.st else f"股份{number}",
        "ProductID": "",
        "ProductName": "",
        "ProductType": 0,
        "ExchangeCode": number,
        "UniCode": number,
        "CreateDate": 0,
        "OpenDate": 19991110,
        "ExpireDate": 99999999,
        "TradingDay": int(f"{instrument.day:%Y%m%d}"),
        "PreClose": dirty(instrument.prev_close),
        "SettlementPrice": dirty(instrument.prev_close),
        "UpStopPrice": up,
        "DownStopPrice": down,
        "FloatVolumn": 1e9,
        "TotalVolumn": 1e9,
        "LongMarginRatio": 0.0,
        "ShortMarginRatio": 0.0,
        "PriceTick": float(instrument.tick),
        "VolumeMultiple": 1,
        "MainContract": 0,
        "LastVolume": 0,
        "InstrumentStatus": 1 if instrument.suspended else 0,
        "IsTrading": _status(market, instrument, now) in (12, 13, 18),
        "IsRecent": False,
        "ExtendInfo": {"MaxLimitOrderVolume": instrument.order_max, "MinLimitOrderVolume": instrument.buy_min},
    }


def sessions(calendar: Calendar, first: date, last: date) -> list[date]:
    """The trading days of a span that the calendar knows."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if _is_session(calendar, day)]


def trading_dates(calendar: Calendar, start: str, end: str, count: int, now: datetime) -> list[int]:
    """Midnights in China in milliseconds, up to today, oldest first; all of them when `count` is -1."""
    first = _day(start) or now.date() - timedelta(days=_SEARCH_DAYS)
    days = sessions(calendar, first, min(_day(end) or now.date(), now.date()))
    return [milliseconds(moment_of(day, 0)) for day in (days[-count:] if count > 0 else days)]


def holidays(calendar: Calendar, now: datetime) -> list[int]:
    """Weekdays on which the exchanges are closed, as yyyymmdd, from a year ago to as far as is known."""
    first = now.date() - timedelta(days=365)
    days = (first + timedelta(days=number) for number in range(2 * 366))
    closed = (day for day in days if day.weekday() < 5 and _is_known(calendar, day) and not calendar.is_session(day))
    return [int(f"{day:%Y%m%d}") for day in closed]


def daily_bars(
    market: SimMarket, calendar: Calendar, code: str, span: tuple[str, str, int], now: datetime
) -> list[Tick]:
    """Daily bars in the vendor's columns: (start, end, count), up to today; today's is what it is so far."""
    start, end, count = span
    first = _day(start) or now.date() - timedelta(days=_SEARCH_DAYS if count > 0 else 60)
    days = sessions(calendar, first, min(_day(end) or now.date(), now.date()))
    rows: list[Tick] = []
    for day in days[-count:] if count > 0 else days:
        bar = market.bars.bar(code, day)
        reference = market.bars.last_close(code, day) if bar is None else bar.prev_close
        if reference is None:
            continue
        is_over = day < now.date() or now.hour >= 15
        close = bar.close if bar is not None and is_over else market.last_price(code, now) if bar else reference
        rows.append(
            {
                "day": f"{day:%Y%m%d}",
                "time": milliseconds(moment_of(day, 0)),
                "open": dirty(bar.open if bar else close),
                "high": dirty(bar.high if bar else close),
                "low": dirty(bar.low if bar else close),
                "close": dirty(close),
                "volume": 100_000 if bar else 0,
                "amount": dirty(100_000 * close) if bar else 0.0,
                "settelementPrice": 0.0,
                "openInterest": 15 if bar else 1,
                "preClose": dirty(reference),
                "suspendFlag": 0 if bar else 1,
            }
        )
    return rows


def _status(market: SimMarket, instrument: Instrument, now: datetime) -> int:
    if instrument.day != now.date():
        return _PHASES[Phase.CLOSED]
    listing = market.listing(instrument.code, instrument.day)
    if listing is None or listing.tape is None:
        return _SUSPENDED
    if listing.is_halted((now - moment_of(now.date(), 0)).total_seconds()):
        return _HALTED
    return _PHASES[market.phase(instrument, now).phase]


def _lot_of(instrument: Instrument) -> int:
    return 10 if instrument.kind is Kind.CB else 100


def _prices(levels: tuple[Level, ...]) -> list[float]:
    return [dirty(level.price) for level in levels] + [0.0] * (_LEVELS - len(levels))


def _lots(levels: tuple[Level, ...], lot: int) -> list[int]:
    return [max(level.volume // lot, 1) if level.volume else 0 for level in levels] + [0] * (_LEVELS - len(levels))


def _day(text: str) -> date | None:
    return date.fromisoformat(text[:8]) if text else None


def _is_known(calendar: Calendar, day: date) -> bool:
    try:
        calendar.is_session(day)
    except UnknownDay:
        return False
    return True


def _is_session(calendar: Calendar, day: date) -> bool:
    return _is_known(calendar, day) and calendar.is_session(day)
