"""The port `Quotes` over `xtdata`: one thread, since the vendor's module is one connection for the whole process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from typing import TypeVar

from loguru import logger

from qws.domain.bars import DailyBar
from qws.domain.market import Instrument, Quote
from qws.domain.rules import RuleBook
from qws.gateways.xt.rows import exact
from qws.gateways.xt.settings import Deadlines
from qws.gateways.xt.ticks import bar_of, instrument_of, quote_of
from qws.gateways.xt.vendor import QuoteSide, load_quote_side, read_bars, read_closes
from qws.gateways.xt.worker import ThreadWorker, Worker, Workers
from qws.ports import Clock

T = TypeVar("T")
_PER_CODE_S = 0.02
_RECORDS_FROM = time(9, 0)  # before, the terminal may still show yesterday's limits
_CLOSED_FROM = time(15, 0)
_MOVING = ((time(9, 31), time(11, 30)), (time(13, 1), time(14, 57)))
_STOPPED_S = 30.0
_TABLES_S = 30.0  # the first answer with a table makes the vendor import pandas
_INDEX_STEP = Decimal("0.0001")


class QuoteLine:
    """Calls of `xtdata`, one after another, each with a deadline; a thread that hangs is left behind.

    `port` is where the terminal quotes; with 0 the vendor takes whichever terminal it finds.
    """

    def __init__(self, package: str, deadlines: Deadlines, *, port: int = 0, workers: Workers = ThreadWorker) -> None:
        self.stuck_threads = 0
        self._package, self._deadlines, self._port = package, deadlines, port
        self._workers = workers
        self._worker: Worker | None = None
        self._side: QuoteSide | None = None

    async def ask(self, what: str, work: Callable[[QuoteSide], T], more_s: float = 0.0) -> T:
        """Raises GatewayTimeout, GatewayLost, VendorMissing, or GatewayError with what the vendor raised."""
        if self._worker is not None and self._worker.reason:
            self.stuck_threads += 1
            logger.warning("{}; {} threads hang inside the vendor's library", self._worker.reason, self.stuck_threads)
            self._worker = None
        worker = self._worker = self._worker or self._workers("xt quotes")
        if self._side is None:
            self._side = await worker.call("import", partial(load_quote_side, self._package), self._deadlines.import_s)
        call = partial(_connected, work, self._port, self._side)
        return await worker.call(what, call, self._deadlines.quote_s + more_s)

    def close(self) -> None:
        """Let the thread end."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.end(lambda: None)


class XtQuotes:
    """`Quotes` of a terminal. How old a quote may be is for those to say who use it; a market that stands still while
    it should move is reported once. Records are read again every day; with `any_day` those of another day are today's:
    a simulator that never closes may not say otherwise."""

    def __init__(self, line: QuoteLine, rules: RuleBook, clock: Clock, *, any_day: bool = False) -> None:
        self._line, self._rules, self._clock, self._any_day = line, rules, clock, any_day
        self._records: dict[str, Instrument] = {}
        self._day: date | None = None
        self.stopped_s = 0.0  # for how long nothing has moved; 0 while it moves or need not

    async def quotes(self, codes: Collection[str]) -> Mapping[str, Quote]:
        """The newest five-level snapshot of each code; a code without one is absent."""
        if not codes:
            return {}
        ticks = await self._line.ask("get_full_tick", partial(_ticks, codes))
        found = ((code, quote_of(code, tick)) for code, tick in ticks.items() if code in codes)
        quotes = {code: quote for code, quote in found if quote is not None}
        self._watch(quotes, self._clock.now())
        return quotes

    async def instruments(self, codes: Collection[str]) -> Mapping[str, Instrument]:
        """Today's record of each code; an unknown code is absent."""
        now = self._clock.now()
        if now.date() != self._day:
            self._records, self._day = {}, now.date()
        wanted = [code for code in codes if code not in self._records]
        if wanted:
            ask = partial(_details, wanted)
            details = await self._line.ask("get_instrument_detail", ask, len(wanted) * _PER_CODE_S)
            read = (instrument_of(code, detail, now.date(), self._rules) for code, detail in details.items())
            dated = (replace(each, day=now.date()) if each and self._any_day else each for each in read)
            records = {record.code: record for record in dated if record is not None}
        else:
            records = {}
        known = {code: self._records[code] for code in codes if code in self._records}
        if now.time() >= _RECORDS_FROM:
            self._records |= {code: record for code, record in records.items() if record.day == now.date()}
        return known | records

    async def index_close(self, code: str, day: date) -> Decimal | None:
        """The closing level of an index on `day`, or None where it is not known (yet)."""
        now = self._clock.now()
        if day > now.date() or (day == now.date() and now.time() < _CLOSED_FROM):
            return None
        stamp = f"{day:%Y%m%d}"
        closes = await self._line.ask("get_market_data_ex", lambda side: read_closes(side, code, stamp), _TABLES_S)
        level = next((exact(value, _INDEX_STEP) for key, value in closes.items() if key.startswith(stamp)), None)
        if level is not None and level > 0:
            return level
        quote = (await self.quotes([code])).get(code)
        is_of_the_close = quote is not None and quote.at.date() == day and quote.at.time() >= _CLOSED_FROM
        return quote.last if quote is not None and is_of_the_close else None

    async def daily_bars(self, codes: Collection[str], days: int) -> Mapping[str, tuple[DailyBar, ...]]:
        """What the terminal has of the sessions before today; nothing is downloaded."""
        if not codes:
            return {}
        ask, today = partial(_bars, tuple(codes), days + 1), self._clock.now().date()
        rows = await self._line.ask("get_market_data_ex", ask, _TABLES_S + len(codes) * _PER_CODE_S)
        read = {code: [bar_of(day, row) for day, row in found] for code, found in rows.items() if code in codes}
        past = {code: tuple(bar for bar in bars if bar is not None and bar.day < today) for code, bars in read.items()}
        return {code: bars[-days:] for code, bars in past.items() if bars}

    async def close(self) -> None:
        """Let go of the thread."""
        self._line.close()

    def _watch(self, quotes: Mapping[str, Quote], now: datetime) -> None:
        """The terminal goes on answering with what it has when its own source has gone (H19)."""
        times = [quote.at for quote in quotes.values() if not quote.suspended]
        should_move = any(start <= now.time() < end for start, end in _MOVING)
        age_s = (now - max(times)).total_seconds() if times and should_move else 0.0
        if age_s > _STOPPED_S and not self.stopped_s:
            logger.warning("quotes have stopped: the newest of {} names is {:.0f} s old", len(times), age_s)
        self.stopped_s = age_s if age_s > _STOPPED_S else 0.0


def _connected(work: Callable[[QuoteSide], T], port: int, side: QuoteSide) -> T:
    if port:
        side.connect(port=port)  # returns at once while it is connected
    return work(side)


def _ticks(codes: Collection[str], side: QuoteSide) -> dict[str, Mapping[str, object]]:
    """On the vendor's thread; some packages answer nothing, or have nothing under a name."""
    found = side.get_full_tick(list(codes)) or {}
    return {code: tick for code, tick in found.items() if isinstance(tick, Mapping)}


def _bars(codes: tuple[str, ...], days: int, side: QuoteSide) -> dict[str, list[tuple[str, Mapping[str, object]]]]:
    return read_bars(side, codes, days)


def _details(codes: Collection[str], side: QuoteSide) -> dict[str, Mapping[str, object]]:
    found = ((code, side.get_instrument_detail(code, iscomplete=True)) for code in codes)
    return {code: detail for code, detail in found if isinstance(detail, Mapping)}
