"""Reading one cell of a target-weight file: headers, dates, codes, weights. RELIABILITY.md sections 1.5 and 3.D."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from qws.domain.codes import classify
from qws.domain.market import Exchange, Kind

Cell = str | int | float | date | datetime | bool | None

TEXT_MAX = 64
SHOWN_MAX = 40
MEANINGS = ("date", "stock_code", "weight")

_INVISIBLE = " \u00a0\u3000\ufeff\u200b"
_FULL_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: 0x20}
_EXCHANGES = {"SH": "SH", "SZ": "SZ", "BJ": "BJ", "XSHG": "SH", "XSHE": "SZ", "SS": "SH"}
_HUGE = 10**18
_SERIAL_ZERO = date(1899, 12, 30)
_SERIALS = range(30_000, 60_001)
_YEARS = range(1990, 2100)
_CODE = re.compile(r"(?:(SH|SZ|BJ)\.?)?([0-9]{6})(?:\.([A-Z]{2,4}))?")
_ORDINARY = re.compile(r"[0-9A-Za-z.][0-9A-Za-z./:% -]{0,63}")
_SHORT_CODE = re.compile(r"[1-9][0-9]{0,4}")
_MIDNIGHT = r"(?:[ T]00?:00(?::00(?:\.0+)?)?)?"
_DAYS = tuple(
    re.compile(pattern + _MIDNIGHT)
    for pattern in (
        r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})",
        r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})",
        r"([0-9]{4})([0-9]{2})([0-9]{2})",
        r"([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})",
        r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日",
    )
)
_NUMBER = re.compile(r"(-?(?:[0-9]{1,12}(?:\.[0-9]{1,30})?|\.[0-9]{1,30}))(?:[eE][+-]?[0-9]{1,2}|( ?%))?")
_DECIMAL_COMMA = re.compile(r"-?[0-9]*,[0-9]+ ?%?")
_HEADERS = {
    "date": "date day tradedate tradingdate tradeday tradingday asofdate rebalancedate effectivedate "
    "日期 交易日 交易日期 调仓日 调仓日期 生效日期 生效日 目标日期",
    "stock_code": "stockcode code symbol ticker securitycode securitiescode seccode secucode tscode windcode "
    "orderbookid instrument 证券代码 股票代码 代码 标的代码 成分券代码 成份券代码",
    "weight": "weight weights targetweight portfolioweight "
    "权重 目标权重 仓位 目标仓位 配置权重 持仓权重 目标比例 权重比例",
}
# Others that are usual, for messages.
NAMES = {"date": "or trade_date, 日期, 交易日期", "stock_code": "or code, symbol, 证券代码, 股票代码",
         "weight": "or target_weight, 权重, 目标权重"}  # fmt: skip
_MEANING = {word: meaning for meaning, words in _HEADERS.items() for word in words.split()}


def shown(cell: Cell) -> str:
    """The cell for a message: quoted, control characters escaped, at most 40 characters of it."""
    # Python refuses to print integers of thousands of digits.
    text = "a huge number" if isinstance(cell, int) and abs(cell) >= _HUGE else str(cell)[:SHOWN_MAX]
    safe = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)
    return f"'{safe[:SHOWN_MAX]}'"


def plain(text: str) -> str:
    """The text without surrounding blanks or byte-order marks, full-width letters and digits made ASCII."""
    if text.isascii():
        return text.strip(" ")
    return text.translate(_FULL_WIDTH).strip(_INVISIBLE)


def is_blank(cell: Cell) -> bool:
    """Whether a person sees nothing in this cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip(_INVISIBLE))


def header_meaning(cell: Cell) -> str | None:
    """Which of `MEANINGS` this header cell names, in English or Chinese, or None."""
    if not isinstance(cell, str) or len(cell) > TEXT_MAX:
        return None
    letters = plain(cell).casefold()
    return _MEANING.get("".join(letter for letter in letters if letter.isprintable() and letter not in " _-"))


def is_ordinary(text: str) -> bool:
    """Whether this text is plainly neither a formula nor damaged: the quick answer for nearly every cell."""
    return _ORDINARY.fullmatch(text) is not None


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run this text: it starts with = + @, tab or CR, or with - and no number."""
    stripped = plain(text)
    if stripped[:1] == "-":
        return _NUMBER.fullmatch(stripped) is None
    return stripped[:1] in {"=", "+", "@"} or text[:1] in {"\t", "\r"}


def is_damaged(text: str) -> bool:
    """Whether this text is longer than 64 characters or holds control, unassigned or replacement characters."""
    return len(text) > TEXT_MAX or not plain(text).isprintable() or "\ufffd" in text


def read_date(cell: Cell) -> date | None:
    """The day a cell names (year first, or an Excel serial number), or None when it is not certain."""
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time() and cell.tzinfo is None else None
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str):
        return _written_date(plain(cell))
    number = _whole(cell)
    if number is None:
        return None
    return _SERIAL_ZERO + timedelta(days=number) if number in _SERIALS else _written_date(str(number))


def read_code(cell: Cell) -> str | None:
    """The canonical `NNNNNN.SH`, `.SZ` or `.BJ` a cell names, or None when no code or several can be meant.

    A bare number is placed by the ranges of RULES.md section 2; zeros it lost in a spreadsheet are put back.
    """
    if isinstance(cell, str):
        text = plain(cell)
        if not text.isascii():
            return None
        match = _CODE.fullmatch(text.upper())
        if match is None:
            # A short text that kept its zeros ('00700') lost none: it is a code of another market.
            return _placed(text.zfill(6)) if _SHORT_CODE.fullmatch(text) else None
        before, digits, after = match.groups()
        if before is None and after is None:
            return _placed(digits)
        exchange = _EXCHANGES.get(before or after)
        return None if exchange is None or (before and after) else f"{digits}.{exchange}"
    number = _whole(cell)
    return _placed(f"{number:06d}") if number is not None and 0 < number < 1_000_000 else None


def read_weight(cell: Cell) -> Decimal | None:
    """The exact fraction of the account a cell names ('5%' is 0.05), or None when it is not a plain number."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return None
    if isinstance(cell, int) and abs(cell) >= _HUGE:
        return None
    text = plain(cell) if isinstance(cell, str) else repr(cell)
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    weight = Decimal(text) if match[2] is None else Decimal(f"{match[1]}E-2")
    return weight if weight else Decimal(0)


def weight_problem(cell: Cell) -> str:
    """What is wrong with a weight that cannot be read, and the remedy."""
    text = plain(cell) if isinstance(cell, str) else ""
    if is_blank(cell):
        return "weight is empty; write a number such as 0.05, and paste formulas as values"
    if text.startswith("="):
        return f"weight {shown(cell)} is a formula; paste it as a value"
    if _DECIMAL_COMMA.fullmatch(text):
        return f"weight {shown(cell)} has a decimal comma; write it with a point, such as 0.05"
    return f"weight {shown(cell)} is not a number; write 0.05 or 5%"


def _whole(cell: Cell) -> int | None:
    """The integer in a numeric cell, or None."""
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell if abs(cell) < _HUGE else None
    return int(cell) if isinstance(cell, float) and cell.is_integer() else None


def _written_date(text: str) -> date | None:
    for pattern in _DAYS:
        match = pattern.fullmatch(text)
        if match is not None:
            year, month, day = (int(part) for part in match.groups())
            try:
                return date(year, month, day) if year in _YEARS else None
            except ValueError:
                return None
    return None


def _placed(digits: str) -> str | None:
    """The one code of these six digits that can be held; an index only when nothing else has the number."""
    kinds = {f"{digits}.{exchange}": classify(f"{digits}.{exchange}") for exchange in Exchange}
    known = [code for code, found in kinds.items() if found is not None]
    held = [code for code, found in kinds.items() if found is not None and found.kind is not Kind.INDEX]
    readings = held or known
    return readings[0] if len(readings) == 1 else None
