"""Daily bars read from a Parquet or CSV file, kept as plain integer columns."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from qws.errors import ConfigError
from qws.gateways.sim.bars import Bar, price_tick

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Column = Callable[[str], pa.ChunkedArray]

_COLUMNS = ("date", "stock_code", "open", "high", "low", "close")
_PRICES = _COLUMNS[2:]
_EXTRAS = ("prev_close", "st", "listing_day")
_EPOCH = date(1970, 1, 1).toordinal()
_CODE_BITS = 20  # a key is (code index << 20) + days since 1970, so one sorted column serves every code
_MILL = Decimal("0.001")
_PROBLEMS_MAX = 20
_PRICE_MAX = 2e6  # CNY; beyond it 0.001 CNY no longer fit a C int


class FileBars:
    """Unadjusted daily bars from a `.parquet` or `.csv` file with the columns date, stock_code, open, high, low, close.

    Three further columns are used where they are there, and a row may leave them empty: `prev_close`, the exchange's
    reference price in CNY (ex-rights on an ex-date, the issue price on the first day); `st`, 1 for a stock with a risk
    warning; `listing_day`, 1 on the day of the IPO. The first bar of a code is not taken for an IPO.

    Prices are CNY and are rounded half up to the code's tick. A row that cannot be a bar (absent, zero or negative
    price, high below low, open or close outside them, the same code and day twice) counts as missing and is named
    in `problems`. Raises ConfigError when the file or one of its columns is not there.
    """

    def __init__(self, path: Path) -> None:
        column, extras = _open(path)
        codes, keys, prices, self.problems = _columns(column, extras)
        self._codes = {code: index for index, code in enumerate(codes)}
        self._keys, self._prices = keys, prices[: len(_PRICES)]
        self._extras = dict(zip(extras, prices[len(_PRICES) :], strict=True))

    def is_known(self, code: str) -> bool:
        """Whether the file names this code at all."""
        return code in self._codes

    def bar(self, code: str, day: date) -> Bar | None:
        """The bar of `code` on `day`; None when the file has none, or when the code is unknown."""
        key = self._key(code, day)
        if key is None:
            return None
        row = bisect_left(self._keys, key)
        if row == len(self._keys) or self._keys[row] != key:
            return None
        tick = price_tick(code)
        opened, high, low, close = (_quantise(column[row], tick) for column in self._prices)
        st, listing_day = (self._extra(name, row) for name in ("st", "listing_day"))
        reference = self._extra("prev_close", row)
        before = _quantise(reference, tick) if reference else self._close_before(row, key, tick)
        return Bar(
            opened, high, low, close, opened if before is None else before,
            is_reference=bool(reference), st=bool(st), listing_day=listing_day or None,
        )  # fmt: skip

    def last_close(self, code: str, day: date) -> Decimal | None:
        """The newest close strictly before `day`, in CNY; None when there is none."""
        key = self._key(code, day)
        return None if key is None else self._close_before(bisect_left(self._keys, key), key, price_tick(code))

    def codes(self, day: date) -> tuple[str, ...]:
        """The codes with a bar on `day`, in order."""
        return tuple(sorted(code for code in self._codes if self._has(code, day)))

    def _has(self, code: str, day: date) -> bool:
        key = self._key(code, day)
        row = bisect_left(self._keys, key) if key is not None else len(self._keys)
        return row < len(self._keys) and self._keys[row] == key

    def _key(self, code: str, day: date) -> int | None:
        index = self._codes.get(code)
        return None if index is None else (index << _CODE_BITS) + day.toordinal() - _EPOCH

    def _extra(self, name: str, row: int) -> int:
        """What a further column says, 0 where the file or the row does not have it."""
        column = self._extras.get(name)
        return 0 if column is None else column[row]

    def _close_before(self, row: int, key: int, tick: Decimal) -> Decimal | None:
        if row == 0 or self._keys[row - 1] >> _CODE_BITS != key >> _CODE_BITS:
            return None
        return _quantise(self._prices[3][row - 1], tick)


def _quantise(mills: int, tick: Decimal) -> Decimal:
    step = int(tick / _MILL)
    return (mills + step // 2) // step * tick


def _open(path: Path) -> tuple[Column, tuple[str, ...]]:
    """A reader of single columns, so that no more than one is in memory, and which further columns there are."""
    if not path.is_file():
        raise ConfigError(f"price file {path}: there is no such file")
    import pyarrow as pa
    from pyarrow import csv, parquet

    is_csv = path.suffix.lower() == ".csv"
    try:
        # read_table would import pandas, this does not
        file = None if is_csv else parquet.ParquetFile(path)
        names = _csv_header(path) if file is None else tuple(file.schema_arrow.names)
        missing = [name for name in _COLUMNS if name not in names]
        if missing:
            raise ConfigError(f"price file {path.name}: missing column(s) {', '.join(missing)}")
        extras = tuple(name for name in _EXTRAS if name in names)
        if file is not None:
            return lambda name: file.read([name], use_threads=False)[name], extras
        types = {"date": pa.string(), "stock_code": pa.string()} | {name: pa.float64() for name in _PRICES + extras}
        options = csv.ConvertOptions(column_types=types, include_columns=_COLUMNS + extras)
        table = csv.read_csv(path, convert_options=options)
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"price file {path.name} cannot be read: {error}") from error
    return lambda name: table[name], extras


def _csv_header(path: Path) -> tuple[str, ...]:
    with path.open(encoding="utf-8-sig") as file:
        return tuple(name.strip().strip('"') for name in file.readline().split(","))


def _columns(
    column: Column, extras: tuple[str, ...]
) -> tuple[list[str], array[int], tuple[array[int], ...], tuple[str, ...]]:
    """The codes, the sorted keys, the price columns in 0.001 CNY and further ones, and what had to be left out."""
    import numpy as np
    import pyarrow as pa

    encoded = _whole(column("stock_code"))
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.cast(pa.string()).dictionary_encode()
    codes: list[str] = encoded.dictionary.to_pylist()
    index = np.nan_to_num(_floats(encoded.indices), nan=-1).astype(np.int64)
    days = np.nan_to_num(_floats(_whole(_dates(column("date"))).cast(pa.int32())), nan=-1).astype(np.int64)
    keys = (index << _CODE_BITS) + days
    is_bar = (index >= 0) & (days >= 0)
    del encoded, index, days
    opened, high, low, close = (_mills(column(name)) for name in _PRICES)
    pa.default_memory_pool().release_unused()
    is_bar &= (low > 0) & (low <= np.minimum(opened, close)) & (high >= np.maximum(opened, close))
    order = np.argsort(keys, kind="stable")
    twins = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    is_repeated = np.zeros(len(keys), bool)
    is_repeated[order[twins]] = is_repeated[order[twins + 1]] = True
    kept = order[(is_bar & ~is_repeated)[order]]
    bad = [(int(row), bool(is_repeated[row])) for row in np.flatnonzero(~is_bar | is_repeated)]
    prices = tuple(array("i", price[kept].tobytes()) for price in (opened, high, low, close))
    prices += tuple(array("i", _extra(column, name)[kept].tobytes()) for name in extras)
    return codes, array("q", keys[kept].tobytes()), prices, _problems(column, bad)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """One array; the conversions from Python values that would import pandas are avoided throughout."""
    import pyarrow as pa

    joined = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined


def _floats(column: pa.Array) -> npt.NDArray[np.float64]:
    """The numbers of a column, not-a-number where there is none."""
    import numpy as np
    import pyarrow as pa

    column = column.cast(pa.float64())
    numbers = np.frombuffer(column.buffers()[1], np.float64, len(column), column.offset * 8)
    if not column.null_count:
        return numbers
    bits = np.frombuffer(column.is_null().buffers()[1], np.uint8)
    return np.where(np.unpackbits(bits, count=len(column), bitorder="little"), np.nan, numbers)


def _dates(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return column.cast(pa.date32(), safe=False)
    digits = pc.replace_substring(column.cast(pa.string()), "-", "")
    return pc.strptime(digits, format="%Y%m%d", unit="s", error_is_null=True).cast(pa.date32(), safe=False)


def _mills(column: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Prices in 0.001 CNY; 0 where there is none that can be traded at."""
    import numpy as np

    prices = _floats(_whole(column))
    usable = np.isfinite(prices) & (prices > 0) & (prices < _PRICE_MAX)
    mills: npt.NDArray[np.int32] = np.rint(np.where(usable, prices, 0) * 1000).astype(np.int32)
    return mills


def _extra(column: Column, name: str) -> npt.NDArray[np.int32]:
    """A further column: 0.001 CNY for a price, else whole numbers; 0 where there is none."""
    import numpy as np

    if name == "prev_close":
        return _mills(column(name))
    numbers: npt.NDArray[np.int32] = np.nan_to_num(_floats(_whole(column(name)))).astype(np.int32)
    return numbers


def _problems(column: Column, bad: list[tuple[int, bool]]) -> tuple[str, ...]:
    found = []
    columns = [column(name) for name in _COLUMNS] if bad else []
    for row, is_repeated in bad[:_PROBLEMS_MAX]:
        text = " ".join(str(values[row].as_py()) for values in columns)
        found.append(f"row {row + 1}: {'appears twice' if is_repeated else 'not a bar'}: {text}")
    if len(bad) > _PROBLEMS_MAX:
        found.append(f"and {len(bad) - _PROBLEMS_MAX} more rows")
    return tuple(found)
