"""What a weight file is made of, and what it becomes: rows, weights, targets, refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from qws.domain.target_cells import Cell

_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "not_a_share": "{text}; name A shares of Shanghai or Shenzhen only",
        "unknown_code": "{text}; write six digits and the exchange that lists them, such as 600519.SH",
        "etf_disabled": "{text}; take the row out, or set intake.allow_etf = true to trade funds",
        "negative_weight": "{text}; write a weight of 0 or more",
        "past_date": "{text}; write the day to trade on",
    }
)


class Mode(StrEnum):
    """What a file says: all that is to be held, changes of weights, or the weights of some names and of no others."""

    FULL = "full"
    DELTA = "delta"
    SUBSET = "subset"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file; `number` is what a person sees in an editor, the first row of the file being 1."""

    number: int
    cells: tuple[Cell, ...]


class Sheet(list[Row]):
    """The rows of the one sheet of a workbook that is read; `unread` are the other visible ones that hold anything."""

    def __init__(self, rows: Sequence[Row], name: str, unread: tuple[str, ...]) -> None:
        super().__init__(rows)
        self.name, self.unread = name, unread


@dataclass(frozen=True, slots=True)
class Weight:
    """The share of the account's total assets one code should have: 0.05 is 5 %, 0 is an explicit sale."""

    code: str
    weight: Decimal


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """A row the target goes on without: `not_a_share`, `unknown_code`, `etf_disabled`, `negative_weight`, `past_date`.

    Rows of a past date share one entry, at the first of them, with an empty code.
    """

    row: int
    code: str
    reason: str
    text: str

    def refusal(self) -> Refusal:
        """The same as a reason to refuse a file of which too little is left, with its remedy."""
        return Refusal(self.reason, _REMEDIES[self.reason].format(text=self.text), self.row)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the whole file is refused: a stable code, one line naming value and remedy, and the row if there is one."""

    code: str
    text: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class DayTarget:
    """The target of one trading day, sorted by code: weights, or with `delta` changes of them.

    From `expires_at` on, nothing of it is started.
    """

    day: date
    weights: tuple[Weight, ...]
    mode: Mode = Mode.FULL
    expires_at: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        """Whether it must not be started any more."""
        return self.expires_at is not None and now >= self.expires_at


@dataclass(frozen=True, slots=True)
class ParsedTarget:
    """What an accepted file asks for, sorted by day, and the rows and sheets that were left out."""

    days: tuple[DayTarget, ...]
    dropped: tuple[DroppedRow, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetRules:
    """What a file may ask for. `row_tolerance`, a fraction of the account, is what rounding may have added to each
    weight above 0; `rows_max` counts rows without header; `mode` is that of a file which does not say it."""

    allow_etf: bool
    allow_empty: bool
    row_tolerance: Decimal
    rows_max: int
    mode: Mode


class Sessions(Protocol):
    """The part of a trading calendar a file is checked against."""

    def is_session(self, day: date) -> bool:
        """Whether `day` is a trading day; raises `UnknownDay` beyond the last day that is known."""
        ...
