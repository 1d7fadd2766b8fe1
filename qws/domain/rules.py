"""The rule book: every dated rule of the exchanges by board, type and day. RULES.md sections 2 to 10 and 14."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from qws.domain.codes import classify
from qws.domain.dated import Dated
from qws.domain.fees import FeeTable
from qws.domain.halts import HaltRule
from qws.domain.limits import FreeDayRule, LimitRule, ListingStatus, daily_limits
from qws.domain.lots import LotRule, is_legal_buy, is_legal_sell
from qws.domain.market import Board, Exchange, Instrument, Kind, Quote, Side
from qws.domain.prices import CageRule, cage_base, cage_bound, is_on_tick
from qws.domain.sessions import SessionTable

ByBoard = tuple[Board, Kind]
# RULES.md section 11: bonds turn around on the same day; of the funds only those a record says so of.
_SAME_DAY_KINDS = frozenset({Kind.CB})


@dataclass(frozen=True, slots=True)
class HighFrequencyRule:
    """From how many orders and cancels of one account on it counts as high-frequency."""

    per_second: int
    per_day: int


class DayTerms(NamedTuple):
    """What holds for a board and type on one day, before a code's own status."""

    exchange: Exchange
    board: Board
    kind: Kind
    tick: Decimal
    lot: LotRule
    limit: LimitRule


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The exchanges' rules as dated tables; build it with `qws.tables.load_rules`."""

    ticks: Dated[ByBoard, Decimal]
    lots: Dated[ByBoard, LotRule]
    limits: Dated[ByBoard, LimitRule]
    cages: Dated[ByBoard, CageRule]
    sessions: SessionTable
    fees: FeeTable
    st_buy_caps: Dated[ByBoard, int]
    free_days: Dated[None, FreeDayRule]
    halts: Dated[None, HaltRule]
    high_frequency: Dated[None, HighFrequencyRule]
    _terms: dict[tuple[Board, Kind, date], DayTerms] = field(default_factory=dict, compare=False, repr=False)

    def tick(self, board: Board, kind: Kind, day: date) -> Decimal:
        """The price step in CNY; raises ValueError where none is known."""
        found = self.ticks.at((board, kind), day)
        if found is None:
            raise ValueError(f"no tick is known for {kind} on {board} on {day}")
        return found

    def instrument(
        self,
        code: str,
        day: date,
        prev_close: Decimal,
        *,
        st: bool = False,
        suspended: bool = False,
        listing_day: int | None = None,
        delist_day: int | None = None,
        star20: bool = False,
        unreformed: bool = False,
        relisting: bool = False,
        same_day_sell: bool = False,
    ) -> Instrument:
        """The record of one code for one day, from the exchange's reference price in CNY (the issue price on day 1).

        `listing_day` and `delist_day` count trading days from 1, `star20` marks a fund on the 20% list. Raises
        ValueError for a code that is unknown or cannot trade on that day, and for a price that is not above zero.
        """
        if prev_close <= 0:
            raise ValueError(f"{code}: the previous close must be above zero, not {prev_close}")
        terms = self._terms_of(code, day)
        status = ListingStatus(st, listing_day, delist_day, star20, unreformed, relisting)
        limits = daily_limits(terms.limit, status, prev_close, terms.tick)
        return Instrument(
            code,
            day,
            terms.exchange,
            terms.board,
            terms.kind,
            prev_close,
            terms.tick,
            limits.up,
            limits.down,
            terms.lot.buy_min,
            terms.lot.buy_step,
            terms.lot.limit_max,
            suspended,
            st,
            same_day_sell or terms.kind in _SAME_DAY_KINDS,
        )

    def cage(self, instrument: Instrument, side: Side, quote: Quote) -> tuple[Decimal, Decimal] | None:
        """Base and bound of a limit order in continuous trading on this book, None where there is no price cage."""
        rule = self.cages.at((instrument.board, instrument.kind), instrument.day)
        if rule is None:
            return None
        bid, ask = (levels[0].price if levels else None for levels in (quote.bids, quote.asks))
        base = cage_base(side, bid=bid, ask=ask, last=quote.last, prev_close=instrument.prev_close)
        return base, cage_bound(rule, side, base, instrument.tick)

    def cage_bound(self, instrument: Instrument, side: Side, quote: Quote) -> Decimal | None:
        """The bound of `cage` alone."""
        cage = self.cage(instrument, side, quote)
        return cage[1] if cage is not None else None

    def lot(self, instrument: Instrument) -> LotRule:
        """The quantities of the instrument's board, with the largest market and after-hours orders."""
        return self._terms_of(instrument.code, instrument.day).lot

    def st_buy_cap(self, instrument: Instrument) -> int | None:
        """The shares of it that one account may buy in a day when it is an ST stock, None where there is no cap."""
        return self.st_buy_caps.at((instrument.board, instrument.kind), instrument.day) if instrument.st else None

    def is_valid_after_hours(
        self, instrument: Instrument, side: Side, limit: Decimal, close: Decimal, shares: int, sellable: int
    ) -> bool:
        """Whether an after-hours fixed-price order is valid; it then trades at `close`. RULES.md section 8."""
        if instrument.suspended or not self.sessions.after_hours.at(
            (instrument.board, instrument.kind), instrument.day
        ):
            return False
        most = self.lot(instrument).after_hours_max
        reaches = limit >= close if side is Side.BUY else limit <= close
        is_legal = is_legal_buy(instrument, shares) if side is Side.BUY else is_legal_sell(instrument, sellable, shares)
        return reaches and is_legal and is_on_tick(limit, instrument.tick) and most is not None and shares <= most

    def is_high_frequency(self, day: date, *, busiest_second: int, today: int) -> bool:
        """Whether an account's orders and cancels make it high-frequency. RULES.md section 14."""
        rule = self.high_frequency.at(None, day)
        return rule is not None and (busiest_second >= rule.per_second or today >= rule.per_day)

    def _terms_of(self, code: str, day: date) -> DayTerms:
        known = classify(code)
        if known is None:
            raise ValueError(f"{code}: not a tradable code of the form 600519.SH")
        if known.board is None:
            raise ValueError(f"{code}: an index cannot be traded")
        key = (known.board, known.kind, day)
        terms = self._terms.get(key)
        if terms is None:
            tick, lot, limit = (
                self.ticks.at(key[:2], day),
                self.lots.at(key[:2], day),
                self.limits.at(key[:2], day),
            )
            if tick is None or lot is None or limit is None:
                raise ValueError(f"{code}: no trading rules are known for {known.kind} on {known.board} on {day}")
            terms = DayTerms(known.exchange, known.board, known.kind, tick, lot, limit)
            self._terms[key] = terms
        return terms
