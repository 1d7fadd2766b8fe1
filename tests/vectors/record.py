"""Typed reading of a vector's `in` object: every number is exact, every absent field has one default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal

from qws.domain.codes import CodeClass, classify
from qws.domain.market import Board, Instrument, Side
from qws.domain.rules import RuleBook

# The last day on which the old Beijing codes traded, for vectors that name no day (RULES.md section 2).
OLD_CODES_END = date(2025, 10, 8)


@dataclass(frozen=True)
class Given:
    """One vector's input; `today` stands in where it names no date."""

    fields: Mapping[str, object]
    today: date

    def has(self, key: str) -> bool:
        return self.fields.get(key) is not None

    def text(self, key: str) -> str:
        value = self.fields[key]
        if not isinstance(value, str):
            raise ValueError(f"{key} must be a string, not {value!r}")
        return value

    def integer(self, key: str) -> int:
        value = self.fields[key]
        if not isinstance(value, int):
            raise ValueError(f"{key} must be an integer, not {value!r}")
        return value

    def optional_integer(self, key: str) -> int | None:
        return self.integer(key) if self.has(key) else None

    def decimal(self, key: str) -> Decimal:
        return Decimal(self.text(key))

    def optional_decimal(self, key: str) -> Decimal | None:
        return self.decimal(key) if self.has(key) else None

    def flag(self, key: str) -> bool:
        return bool(self.fields.get(key, False))

    def side(self) -> Side:
        return Side(self.text("side"))

    def sellable(self, shares: int) -> int:
        """The sellable balance; a vector that names none sells all it has."""
        return self.integer("sellable") if self.has("sellable") else shares

    def time(self) -> time:
        return time.fromisoformat(self.text("time"))

    def rows(self, key: str) -> Sequence[object]:
        value = self.fields[key]
        if not isinstance(value, list):
            raise ValueError(f"{key} must be a list, not {value!r}")
        return value

    def children(self, key: str) -> tuple[Given, ...]:
        return tuple(Given(row, self.today) for row in self.rows(key) if isinstance(row, dict))

    def child(self, key: str) -> Given:
        value = self.fields[key]
        if not isinstance(value, dict):
            raise ValueError(f"{key} must be an object, not {value!r}")
        return Given(value, self.today)

    def known(self) -> CodeClass:
        found = classify(self.text("code"))
        if found is None:
            raise ValueError(f"{self.text('code')} is not a known code")
        return found

    def board(self) -> Board:
        board = self.known().board
        if board is None:
            raise ValueError(f"{self.text('code')} is an index")
        return board

    def day(self) -> date:
        if self.has("date"):
            return date.fromisoformat(self.text("date"))
        is_old = self.has("code") and self.known().board is Board.BJ_OLD_CODE
        return min(self.today, OLD_CODES_END) if is_old else self.today

    def instrument(self, rules: RuleBook) -> Instrument:
        """The code's record; a vector without a previous close does not depend on one."""
        return rules.instrument(
            self.text("code"),
            self.day(),
            self.optional_decimal("prev_close") or Decimal(10),
            st=self.flag("st"),
            suspended=self.flag("suspended") or self.flag("halted_at_close"),
            listing_day=self.optional_integer("listing_day"),
            delist_day=self.optional_integer("delist_day"),
            star20=self.flag("star20"),
            unreformed=self.flag("unreformed_s_share"),
            relisting=self.flag("exempt_relisting"),
            same_day_sell=self.flag("same_day_turnaround"),
        )
