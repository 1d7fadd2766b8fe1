"""The weight files of a soak: every one different, all names in each, half of them growing while the others shrink."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from random import Random

import openpyxl

from qws.gateways.sim.bars import GeneratedBars
from qws.tables import load_calendar

_INVESTED = Decimal("0.96")
_SWAY = Decimal("0.4")  # a name is held between so much less and so much more than its share
_BAD = (
    "date,stock_code,weight\n{day},600519.SH,3\n",
    "date,stock_code,weight\n{day},600519.SH,ten\n",
    "date,stock_code,weight\n{day},600519.SH,0.1\n{day},600519.SH,0.2\n",
    "nothing {number} of {day}\n",
)


def names_of(count: int) -> tuple[str, ...]:
    """Codes that the paper exchange has prices for, spread over its boards."""
    codes = GeneratedBars(1, load_calendar()).codes(date(2026, 1, 5))
    step = len(codes) / count
    return tuple(codes[int(number * step)] for number in range(count))


def weights_of(names: Sequence[str], number: int, count: int) -> dict[str, Decimal]:
    """The weights of file `number` of `count`: each name swings between two levels, one half against the other."""
    place = Decimal(2 * (number % count)) / Decimal(count)
    swing = (place if place <= 1 else 2 - place) * 2 - 1
    each = _INVESTED / len(names)
    weights = (each * (1 + _SWAY * (swing if place_of % 2 else -swing)) for place_of in range(len(names)))
    return {name: weight.quantize(Decimal("0.00000001")) for name, weight in zip(names, weights, strict=True)}


def csv_of(day: date, weights: dict[str, Decimal], number: int) -> bytes:
    """The file as a strategy writes it; no two have the same bytes."""
    rows = [f"{day},{code},{weight}" for code, weight in weights.items()]
    shift = number % len(rows)
    return "\n".join(["date,stock_code,weight", *rows[shift:], *rows[:shift], ""]).encode()


def workbook_of(day: date, weights: dict[str, Decimal]) -> bytes:
    """The same as an Excel workbook."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["date", "stock_code", "weight"])
    for code, weight in weights.items():
        sheet.append([day.isoformat(), code, float(weight)])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def bad_file(day: date, number: int, draw: Random) -> bytes:
    """A file that must be refused as a whole."""
    return (draw.choice(_BAD).format(day=day, number=number) + "\n" * (number % 7 + 1)).encode()
