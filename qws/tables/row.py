"""Typed reading of one TOML table; whatever does not fit is refused with file, key and remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from qws.domain.dated import Term
from qws.errors import ConfigError

V = TypeVar("V")
T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Row:
    """One table of a TOML file: `place` says where it stands, for the refusal's text."""

    place: str
    fields: Mapping[str, object]

    def refused(self, key: str, remedy: str) -> ConfigError:
        """The refusal of a key."""
        return ConfigError(f"{self.place}: {key} {remedy}")

    def text(self, key: str) -> str:
        """A string."""
        return self._typed(key, str, "must be a text in quotes")

    def integer(self, key: str) -> int:
        """A whole number that is not negative."""
        value = self._typed(key, int, "must be a whole number")
        if isinstance(value, bool) or value < 0:
            raise self.refused(key, f"must be a whole number from 0 on, not {value}")
        return value

    def optional_integer(self, key: str) -> int | None:
        """A whole number, or None where the key is absent."""
        return self.integer(key) if key in self.fields else None

    def decimal(self, key: str) -> Decimal:
        """An exact number that is not negative, written as a text: "0.001"."""
        return self._decimal(key, self.text(key))

    def optional_decimal(self, key: str) -> Decimal | None:
        """An exact number, or None where the key is absent."""
        return self.decimal(key) if key in self.fields else None

    def decimals(self, key: str) -> tuple[Decimal, ...]:
        """A list of exact numbers."""
        return tuple(self._decimal(key, str(value)) for value in self.sequence(key))

    def day(self, key: str) -> date:
        """A date such as 2026-07-06, not in quotes."""
        return self._day(key, self._present(key))

    def optional_day(self, key: str) -> date | None:
        """A date, or None where the key is absent."""
        return self.day(key) if key in self.fields else None

    def days(self) -> tuple[date, ...]:
        """Every date of every list in this table."""
        return tuple(self._day(key, value) for key in self.fields for value in self.sequence(key))

    def years(self, key: str) -> tuple[Row, ...]:
        """The lists of a table whose keys are years; a date outside its year is refused."""
        if key not in self.fields:
            return ()
        table = self.child(key)
        for year in table.fields:
            for value in table.sequence(year):
                if str(table._day(year, value).year) != year:
                    raise table.refused(year, f"holds {value}, a day of another year")
        return tuple(Row(table.place, {year: days}) for year, days in table.fields.items())

    def clock_time(self, key: str) -> time:
        """A time of day such as 09:30:00, not in quotes."""
        return self._typed(key, time, "must be a time such as 09:30:00, without quotes")

    def span(self, key: str, pair: object) -> tuple[time, time]:
        """Two times of day, the earlier first."""
        match pair:
            case [time() as start, time() as end] if start < end:
                return start, end
            case _:
                raise self.refused(key, "must be two times such as [09:30:00, 11:30:00]")

    def sequence(self, key: str) -> Sequence[object]:
        """A list of anything."""
        value = self._present(key)
        if not isinstance(value, list):
            raise self.refused(key, "must be a list in brackets")
        return value

    def optional_texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty where the key is absent."""
        return tuple(str(value) for value in self.sequence(key)) if key in self.fields else ()

    def member(self, key: str, choices: type[E]) -> E:
        """One of the names of an enumeration."""
        return self._member(key, self.text(key), choices)

    def members(self, key: str, choices: type[E]) -> tuple[E, ...]:
        """A list of names of an enumeration."""
        return tuple(self._member(key, value, choices) for value in self.sequence(key))

    def child(self, key: str) -> Row:
        """The table under a key."""
        value = self._present(key)
        if not isinstance(value, dict):
            raise self.refused(key, "must be a table")
        return Row(f"{self.place} [{key}]", value)

    def rows(self, key: str) -> tuple[Row, ...]:
        """The list of tables under a key."""
        rows = []
        for number, value in enumerate(self.sequence(key), 1):
            if not isinstance(value, dict):
                raise self.refused(key, "must be a list of tables")
            rows.append(Row(f"{self.place} [[{key}]] row {number}", value))
        return tuple(rows)

    def term(self, value: V) -> Term[V]:
        """`value` with the days this row holds: `from`, and `until` where it ends without a successor."""
        return Term(self.day("from"), self.optional_day("until"), value)

    def _present(self, key: str) -> object:
        if key not in self.fields:
            raise self.refused(key, "is missing")
        return self.fields[key]

    def _typed(self, key: str, expected: type[T], remedy: str) -> T:
        value = self._present(key)
        if not isinstance(value, expected):
            raise self.refused(key, f"{remedy}, not {value}")
        return value

    def _decimal(self, key: str, text: str) -> Decimal:
        try:
            value = Decimal(text)
        except InvalidOperation as error:
            raise self.refused(key, f'must be a number in quotes such as "0.001", not {text}') from error
        if not value.is_finite() or value < 0:
            raise self.refused(key, f"must be a number from 0 on, not {text}")
        return value

    def _day(self, key: str, value: object) -> date:
        if isinstance(value, datetime) or not isinstance(value, date):
            raise self.refused(key, f"must be a date such as 2026-07-06, without quotes, not {value}")
        return value

    def _member(self, key: str, value: object, choices: type[E]) -> E:
        try:
            return choices(str(value))
        except ValueError as error:
            raise self.refused(key, f"must be one of {', '.join(choices)}, not {value}") from error
