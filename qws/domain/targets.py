"""From the rows of a dropped file to target weights, or to every reason why not. RELIABILITY.md section 3.D."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, starmap
from sys import intern

from qws.domain.calendar import UnknownDay
from qws.domain.codes import classify
from qws.domain.market import Exchange, Kind
from qws.domain.target_cells import (
    MEANINGS,
    NAMES,
    SHOWN_MAX,
    Cell,
    header_meaning,
    is_blank,
    is_damaged,
    is_formula,
    is_ordinary,
    read_code,
    read_date,
    read_weight,
    shown,
    weight_problem,
)
from qws.domain.target_header import Header, header_length, read_header
from qws.domain.target_records import (
    DayTarget,
    DroppedRow,
    Mode,
    ParsedTarget,
    Refusal,
    Row,
    Sessions,
    Sheet,
    TargetRules,
    Weight,
)

__all__ = [
    "Cell",
    "DayTarget",
    "DroppedRow",
    "Mode",
    "ParsedTarget",
    "Refusal",
    "Row",
    "Sessions",
    "Sheet",
    "TargetRules",
    "Weight",
    "parse_target",
    "unless_expired",
]

_REFUSALS_MAX = 20
_SHARES = frozenset({Kind.STOCK, Kind.CDR})
_FUNDS = frozenset({Kind.ETF, Kind.LOF})
_HEADER_LINE = "date,stock_code,weight"


def parse_target(
    rows: Sequence[Row], *, today: date, calendar: Sessions, rules: TargetRules
) -> ParsedTarget | tuple[Refusal, ...]:
    """Read a file's rows; the answer is a target, or the first 20 reasons to refuse the file as a whole.

    `today` is the trading day in force: earlier dates are set aside, a file of nothing else is stale.
    Weights are never scaled. RELIABILITY.md sections 1.5 and 3.D.
    """
    filled = [row for row in rows if any(not is_blank(cell) for cell in row.cells)]
    lines = header_length(filled)
    header, filled = read_header(filled[:lines], rules.mode), filled[lines:]
    if not isinstance(header, Header):
        return header
    if not filled:
        return (Refusal("empty_file", f"the file has no rows; write the header {_HEADER_LINE} and one row per stock"),)
    if len(filled) - 1 > rules.rows_max:
        return (Refusal("too_many_rows", f"the file has {len(filled) - 1} rows; at most {rules.rows_max} are read"),)
    columns = _find_columns(filled[0])
    if isinstance(columns[0], Refusal):
        return _of_sheet([found for found in columns if isinstance(found, Refusal)], rows)
    if len(filled) == 1:
        return (Refusal("empty_file", "the file has a header and no rows; write one row per stock"),)
    date_at, code_at, weight_at = (found for found in columns if isinstance(found, int))
    reading = _Reading(today, calendar, rules, header)
    for row in filled[1:]:
        cells = row.cells
        if len(cells) <= max(date_at, code_at, weight_at):
            cells += (None,) * len(filled[0].cells)
        reading.take(row.number, cells[date_at], cells[code_at], cells[weight_at])
        if len(reading.refusals) >= _REFUSALS_MAX:
            break
    parsed = reading.result()
    if isinstance(rows, Sheet) and isinstance(parsed, ParsedTarget):
        return replace(parsed, unread=rows.unread)
    return parsed


def unless_expired(parsed: ParsedTarget | tuple[Refusal, ...], now: datetime) -> ParsedTarget | tuple[Refusal, ...]:
    """The same, or the refusal of a target that must not be started any more."""
    if not isinstance(parsed, ParsedTarget) or not parsed.days[0].is_expired(now):
        return parsed
    text = f"the file expired at {parsed.days[0].expires_at:%Y-%m-%d %H:%M}; send a current one"
    return (Refusal("expired_target", text),)


def _find_columns(header: Row) -> tuple[int, ...] | tuple[Refusal, ...]:
    """The places of date, stock_code and weight in the header, or why they are not certain."""
    places: dict[str, list[int]] = {meaning: [] for meaning in MEANINGS}
    for place, cell in enumerate(header.cells):
        meaning = header_meaning(cell)
        if meaning is not None:
            places[meaning].append(place)
    if not any(places.values()) and any(read_date(cell) or read_code(cell) for cell in header.cells):
        text = f"the first row is not a header; write {_HEADER_LINE} above it"
        return (Refusal("missing_header", text, header.number),)
    found = _listed([cell for cell in header.cells if not is_blank(cell)])
    refusals = []
    for meaning, at in places.items():
        if not at:
            text = f"no column is named {meaning} ({NAMES[meaning]}); found {found}, needed {_HEADER_LINE}"
            refusals.append(Refusal("missing_column", text, header.number))
        elif len(at) > 1:
            names = _listed([header.cells[place] for place in at])
            text = f"several columns can mean {meaning}: {names}; keep one"
            refusals.append(Refusal("ambiguous_column", text, header.number))
    return tuple(refusals) or tuple(at[0] for at in places.values())


def _of_sheet(refusals: Sequence[Refusal], rows: Sequence[Row]) -> tuple[Refusal, ...]:
    """With the sheet of a workbook whose header is wrong: the right one may be another sheet, which is not read."""
    if not isinstance(rows, Sheet):
        return tuple(refusals)
    name = shown(rows.name)
    return tuple(
        replace(each, text=f"sheet {name} (the first visible one with rows; no other is read): {each.text}")
        for each in refusals
    )


def _listed(cells: Sequence[Cell]) -> str:
    return shown(", ".join(shown(cell)[1:-1] for cell in cells[:SHOWN_MAX]))


class _Reading:
    """One pass over the rows of one file."""

    def __init__(self, today: date, calendar: Sessions, rules: TargetRules, header: Header) -> None:
        self.refusals: list[Refusal] = []
        self._header = header
        self._today = today
        self._calendar = calendar
        self._rules = rules
        self._dropped: dict[date | None, list[DroppedRow]] = {}
        self._past: dict[date, list[int]] = {}
        self._days: dict[date, dict[str, Decimal]] = {}
        self._rows: dict[tuple[date, str], int] = {}
        self._equal: dict[str, Decimal] = {}  # one object for equal weights: a day may have many files
        self._dates: dict[str, date | None] = {}
        self._checked: set[date] = set()

    def take(self, number: int, date_cell: Cell, code_cell: Cell, weight_cell: Cell) -> None:
        """Read one row into the target, the dropped rows or the refusals."""
        if not self._is_clean(number, date_cell, code_cell, weight_cell):
            return
        day = self._date(number, date_cell)
        if day is not None and day < self._today:
            self._past.setdefault(day, []).append(number)
            return
        weight = read_weight(weight_cell)
        if weight is None:
            self._refuse("bad_weight", weight_problem(weight_cell), number)
        weights = {} if day is None else self._days.setdefault(day, {})
        code = self._share(day, number, code_cell)
        if day is None or weight is None or code is None:
            return
        first = self._rows.setdefault((day, code), number)
        if first != number:
            self._refuse("duplicate_code", f"{code} is already in row {first} for {day}; keep one", number)
        elif self._header.mode is Mode.DELTA and abs(weight) > 1:
            text = f"{code} is to change by {shown(weight_cell)}; write a fraction or a percentage from -1 to 1"
            self._refuse("change_over_one", text, number)
        elif weight < 0 and self._header.mode is not Mode.DELTA:
            self._drop(day, number, code, "negative_weight", f"{code} has the negative weight {shown(weight_cell)}")
        else:
            weights[code] = self._equal.setdefault(str(weight), weight)

    def result(self) -> ParsedTarget | tuple[Refusal, ...]:
        """Check each day's sum and what is left; then the target or the refusals."""
        mode, expires_at = self._header.mode, self._header.expires_at
        for day, weights in self._days.items() if mode is not Mode.DELTA else ():
            total, count = sum(weights.values(), Decimal(0)), sum(1 for weight in weights.values() if weight)
            if total > 1 + count * self._rules.row_tolerance:
                text = f"the weights of {day} sum to {total:.10g}; write fractions or percents, rounded to 1 at most"
                self._refuse("sum_over_one", text)
        if not self.refusals and not self._days:
            newest = max(self._past)
            self._refuse("stale_date", f"date {newest} is before {self._today}, the day in force; send a current file")
        if expires_at is not None and (late := [day for day in self._days if day > expires_at.date()]):
            text = f"the file expires at {expires_at:%Y-%m-%d %H:%M}, before its day {max(late)}; correct one of them"
            self._refuse("bad_header_line", text)
        for day, numbers in self._past.items():
            self._drop(day, numbers[0], "", "past_date", f"rows of {day} are past and set aside: {len(numbers)}")
        if not self.refusals and mode is Mode.FULL:
            for day in [each for each, weights in self._days.items() if not any(weights.values())][:_REFUSALS_MAX]:
                self._refuse_empty(day)
        if self.refusals:
            return tuple(self.refusals[:_REFUSALS_MAX])
        days = (
            DayTarget(day, tuple(starmap(Weight, sorted(self._days[day].items()))), mode, expires_at)
            for day in sorted(self._days)
        )
        dropped = sorted(chain.from_iterable(self._dropped.values()), key=lambda row: row.row)
        return ParsedTarget(tuple(days), tuple(dropped))

    def _refuse_empty(self, day: date) -> None:
        """Tell the rows that were left out; only a file of explicit zeros is one that may want to sell everything."""
        others = () if self._days[day] else self._past  # who wrote zeros for the day meant that
        left_out = [row for each in (day, *others) for row in self._dropped.get(each, ())]
        if not left_out and self._rules.allow_empty:
            return
        if left_out:
            text = f"nothing would be held on {day}, because rows of the file were left out; correct each of them"
        else:
            text = (
                f"nothing would be held on {day}: no row with a weight above 0 is left; "
                "with intake.allow_empty = true such a file sells everything"
            )
        self._refuse("empty_target", text)
        refusals = [row.refusal() for row in left_out[:_REFUSALS_MAX]]
        self.refusals += [each for each in refusals if each not in self.refusals]  # past days are told once

    def _is_clean(self, number: int, *cells: Cell) -> bool:
        clean = True
        for meaning, cell in zip(MEANINGS, cells, strict=True):
            if not isinstance(cell, str) or is_ordinary(cell):
                continue
            if meaning != "weight" and is_formula(cell):
                clean = False
                self._refuse("formula_cell", f"{meaning} {shown(cell)} is a formula; paste it as a value", number)
            elif is_damaged(cell):
                clean = False
                text = f"{meaning} {shown(cell)} is too long or holds characters that cannot be shown; type it again"
                self._refuse("bad_cell", text, number)
        return clean

    def _date(self, number: int, cell: Cell) -> date | None:
        if isinstance(cell, str):
            if cell not in self._dates:
                self._dates[cell] = read_date(cell)
            day = self._dates[cell]
        else:
            day = read_date(cell)
        if day is None:
            what = "is empty" if is_blank(cell) else f"{shown(cell)} is not a date"
            self._refuse("bad_date", f"date {what}; write year, month and day, for example 2026-11-23", number)
        elif day not in self._checked:
            self._checked.add(day)
            self._check_session(number, day)
        return day

    def _check_session(self, number: int, day: date) -> None:
        try:
            if not self._calendar.is_session(day):
                self._refuse("non_trading_date", f"{day} is not a trading day; write the day to trade on", number)
        except UnknownDay as unknown:
            # A past row is not traded, so a calendar that starts later need not know its day.
            if day >= self._today:
                self._refuse("unknown_calendar", f"it is not known whether {day} is a trading day: {unknown}", number)

    def _share(self, day: date | None, number: int, cell: Cell) -> str | None:
        """The code to hold, or None after the row was dropped with its reason."""
        code = read_code(cell)
        found = None if code is None else classify(code)
        if code is None or found is None:
            text = f"{shown(cell)} is not a Shanghai or Shenzhen code"
            self._drop(day, number, shown(cell)[1:-1], "unknown_code", text)
        elif found.exchange is Exchange.BJ or found.kind not in _SHARES | _FUNDS:
            text = f"{code} ({found.kind}) is not an A share of Shanghai or Shenzhen"
            self._drop(day, number, code, "not_a_share", text)
        elif found.kind in _FUNDS and not self._rules.allow_etf:
            self._drop(day, number, code, "etf_disabled", f"{code} is a fund and allow_etf is off")
        else:
            return intern(code)  # one text, however many files of a day name the share
        return None

    def _drop(self, day: date | None, number: int, code: str, reason: str, text: str) -> None:
        prefix = "" if reason == "past_date" else f"row {number}: "
        self._dropped.setdefault(day, []).append(DroppedRow(number, code, reason, prefix + text))

    def _refuse(self, code: str, text: str, number: int | None = None) -> None:
        self.refusals.append(Refusal(code, text if number is None else f"row {number}: {text}", number))
