"""A target-weight file as rows, parsed on Monday 2026-11-23 against a calendar of weekdays."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from qws.domain.calendar import UnknownDay
from qws.domain.targets import Cell, Mode, ParsedTarget, Refusal, Row, TargetRules, parse_target

TODAY = date(2026, 11, 23)
TOMORROW = date(2026, 11, 24)
DAY = "2026-11-23"
RULES = TargetRules(allow_etf=True, allow_empty=False, row_tolerance=Decimal("0.000001"), rows_max=5000, mode=Mode.FULL)
HEADER = ("date", "stock_code", "weight")


class Weekdays:
    """A calendar of plain weekdays that knows nothing after 2026."""

    def is_session(self, day: date) -> bool:
        if day.year > 2026:
            raise UnknownDay("the calendar ends on 2026-12-31; add the official closures of 2027")
        return day.weekday() < 5


def rows(*lines: tuple[Cell, ...], header: tuple[Cell, ...] = HEADER) -> list[Row]:
    return [Row(number, cells) for number, cells in enumerate((header, *lines), 1)]


def parse(
    *lines: tuple[Cell, ...], header: tuple[Cell, ...] = HEADER, rules: TargetRules = RULES
) -> ParsedTarget | tuple[Refusal, ...]:
    return parse_target(rows(*lines, header=header), today=TODAY, calendar=Weekdays(), rules=rules)


def accepted(*lines: tuple[Cell, ...], header: tuple[Cell, ...] = HEADER, rules: TargetRules = RULES) -> ParsedTarget:
    parsed = parse(*lines, header=header, rules=rules)
    assert isinstance(parsed, ParsedTarget), parsed
    return parsed


def refused(
    *lines: tuple[Cell, ...], header: tuple[Cell, ...] = HEADER, rules: TargetRules = RULES
) -> tuple[Refusal, ...]:
    parsed = parse(*lines, header=header, rules=rules)
    assert isinstance(parsed, tuple), parsed
    return parsed


def only_refusal(*lines: tuple[Cell, ...], header: tuple[Cell, ...] = HEADER) -> Refusal:
    (refusal,) = refused(*lines, header=header)
    return refusal
