"""The exchanges' rules and calendar as dated tables, shipped as TOML; a user's folder may override them by key."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from qws.domain.calendar import TradingCalendar
from qws.domain.dated import Dated
from qws.domain.fees import FeeRate, FeeTable
from qws.domain.halts import HaltRule
from qws.domain.limits import FreeDayRule, LimitRule, Rounding
from qws.domain.lots import LotRule
from qws.domain.market import Board, Exchange, Kind, Side
from qws.domain.prices import CageRule
from qws.domain.rules import HighFrequencyRule, RuleBook
from qws.domain.sessions import Hours, Phase, PhaseStart, SessionTable, Timetable
from qws.errors import ConfigError
from qws.tables.row import Row, V

_SIDES = {"sell": frozenset({Side.SELL}), "both": frozenset(Side)}


def load_rules(override: Path | None = None) -> RuleBook:
    """The rule book. Tables found in the folder `override` replace the shipped ones, key by key.

    Raises ConfigError naming the file, the key and the remedy.
    """
    return _shipped_rules() if override is None else _rules(override)


def load_calendar(override: Path | None = None) -> TradingCalendar:
    """The trading calendar; a calendar.toml in the folder `override` adds closures and moves known_until.

    Raises ConfigError naming the file, the key and the remedy.
    """
    return _shipped_calendar() if override is None else _calendar(override)


@cache
def _shipped_rules() -> RuleBook:
    return _rules(None)


@cache
def _shipped_calendar() -> TradingCalendar:
    return _calendar(None)


def _rules(override: Path | None) -> RuleBook:
    lots, limits = _table("lots.toml", override), _table("price_limits.toml", override)
    sessions, fees = _table("sessions.toml", override), _table("fees.toml", override)
    thresholds = _table("thresholds.toml", override)
    try:
        return RuleBook(
            ticks=_by_board((row, row.decimal("tick")) for row in lots.rows("tick")),
            lots=_by_board((row, _lot(row)) for row in lots.rows("lot")),
            limits=_by_board((row, _limit(row)) for row in limits.rows("limit")),
            cages=_by_board((row, CageRule(row.decimal("rate"), row.integer("ticks"))) for row in limits.rows("cage")),
            sessions=SessionTable(
                timetables=_by_board((row, _timetable(sessions, row)) for row in sessions.rows("session")),
                after_hours=_by_board((row, _hours(row)) for row in sessions.rows("after_hours")),
            ),
            fees=FeeTable(
                stamp_duty=_fee_rates(fees, "stamp_duty"),
                transfer_fee=_fee_rates(fees, "transfer_fee"),
                handling_fee=_fee_rates(fees, "handling_fee"),
                regulatory_fee=_fee_rates(fees, "regulatory_fee"),
            ),
            st_buy_caps=_by_board((row, row.integer("shares")) for row in thresholds.rows("st_buy_cap")),
            free_days=_everywhere(
                (row, FreeDayRule(row.decimal("opening_multiple"), row.decimal("later_rate")))
                for row in limits.rows("free_day_range")
            ),
            halts=_everywhere((row, _halt(row)) for row in thresholds.rows("halt")),
            high_frequency=_everywhere(
                (row, HighFrequencyRule(row.integer("per_second"), row.integer("per_day")))
                for row in thresholds.rows("high_frequency")
            ),
        )
    except ValueError as error:
        raise ConfigError(f"the rule tables contradict themselves: {error}") from error


def _by_board(pairs: Iterator[tuple[Row, V]]) -> Dated[tuple[Board, Kind], V]:
    return Dated.of(
        ((board, kind), row.term(value))
        for row, value in pairs
        for board in row.members("boards", Board)
        for kind in row.members("kinds", Kind)
    )


def _everywhere(pairs: Iterator[tuple[Row, V]]) -> Dated[None, V]:
    return Dated.of((None, row.term(value)) for row, value in pairs)


def _lot(row: Row) -> LotRule:
    return LotRule(
        buy_min=row.integer("buy_min"),
        buy_step=row.integer("buy_step"),
        limit_max=row.integer("limit_max"),
        market_max=row.optional_integer("market_max"),
        after_hours_max=row.optional_integer("after_hours_max"),
    )


def _limit(row: Row) -> LimitRule:
    return LimitRule(
        rate=row.optional_decimal("rate"),
        st_rate=row.optional_decimal("st_rate"),
        delisting_rate=row.optional_decimal("delisting_rate"),
        unreformed_rate=row.optional_decimal("unreformed_rate"),
        wide_rate=row.optional_decimal("wide_rate"),
        first_day_up=row.optional_decimal("first_day_up"),
        first_day_down=row.optional_decimal("first_day_down"),
        free_days=row.optional_integer("free_days") or 0,
        rounding=row.member("rounding", Rounding),
    )


def _timetable(sessions: Row, row: Row) -> Timetable:
    name = row.text("timetable")
    return tuple(
        PhaseStart(part.clock_time("start"), part.member("phase", Phase))
        for part in sessions.child("timetable").rows(name)
    )


def _hours(row: Row) -> Hours:
    return tuple(row.span(f"hours[{place}]", span) for place, span in enumerate(row.sequence("hours")))


def _halt(row: Row) -> HaltRule:
    return HaltRule(
        levels=row.decimals("levels"),
        halt_s=row.integer("halt_s"),
        lunch=row.span("lunch", row.sequence("lunch")),
        last_resume=row.clock_time("last_resume"),
    )


def _fee_rates(fees: Row, item: str) -> Dated[tuple[Exchange, Kind], FeeRate]:
    return Dated.of(
        ((exchange, kind), row.term(_fee_rate(row)))
        for row in fees.rows(item)
        for exchange in row.members("exchanges", Exchange)
        for kind in row.members("kinds", Kind)
    )


def _fee_rate(row: Row) -> FeeRate:
    side = row.text("side")
    if side not in _SIDES:
        raise row.refused("side", 'must be "sell" or "both"')
    return FeeRate(row.decimal("rate"), _SIDES[side], row.optional_texts("exempt_prefixes"))


def _calendar(override: Path | None) -> TradingCalendar:
    shipped = _shipped("calendar.toml")
    own = _own("calendar.toml", override, allowed=frozenset(shipped.fields))
    closed = {day for table in (shipped, own) for year in table.years("closed") for day in year.days()}
    return TradingCalendar(
        known_from=own.optional_day("known_from") or shipped.day("known_from"),
        known_until=own.optional_day("known_until") or shipped.day("known_until"),
        closed=frozenset(closed),
    )


def _table(name: str, override: Path | None) -> Row:
    shipped = _shipped(name)
    own = _own(name, override, allowed=frozenset(shipped.fields))
    return Row(own.place, {**shipped.fields, **own.fields})


@cache
def _shipped(name: str) -> Row:
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    return Row(name, tomllib.loads(text))


def _own(name: str, override: Path | None, *, allowed: frozenset[str]) -> Row:
    """The user's file of that name, empty where there is none."""
    if override is None or not (path := override / name).is_file():
        return Row(name, {})
    try:
        fields: Mapping[str, object] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file in UTF-8: {error}") from error
    for key in fields:
        if key not in allowed:
            raise ConfigError(f"{path}: unknown key {key}; known are {', '.join(sorted(allowed))}")
    return Row(str(path), fields)
