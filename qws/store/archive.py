"""Parquet archives: accepted targets, and the account's equity with its CSV mirror.

pyarrow is imported inside the functions that need it, so that reading the equity table stays fast.
Every file is replaced atomically; a `.tmp` left behind by a crash is overwritten and never read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

from qws.errors import StoreError
from qws.store.parquet_file import (
    SHANGHAI,
    instant_of,
    instants,
    micros_of,
    parquet_bytes,
    read_table,
    write_atomically,
)

if TYPE_CHECKING:
    import pyarrow as pa

DIGITS, PLACES = 38, 18
QUANTUM = Decimal(1).scaleb(-PLACES)
ROUNDED = Context(prec=DIGITS, rounding=ROUND_HALF_UP)
EXACT = Context(prec=DIGITS, traps=[Inexact, InvalidOperation])

TARGET_ID = re.compile(r"[A-Za-z0-9_-]+")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")  # the quote itself, so that reading back is exact
MONEY_COLUMNS = ("total_asset", "cash", "frozen_cash", "market_value", "benchmark", "flow")


class MirrorStale(StoreError):
    """Raised after the Parquet row is safe, when `equity.csv` could not be rewritten (a spreadsheet holds it)."""


@dataclass(frozen=True, slots=True)
class ArchivedTarget:
    """One accepted target as it was archived; weights are fractions of total assets in file order."""

    day: date
    target_id: str
    sha256: str
    file_name: str
    accepted_at: datetime
    weights: tuple[tuple[str, Decimal], ...]
    mode: str = "full"
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EquityRow:
    """The account's money in CNY after a close (`kind="close"`) or after a run (`kind="run"`, `run_id` set).

    `benchmark` is the level of the benchmark index, `flow` what deposits brought less what withdrawals took since the
    close before; None where it is not known.
    """

    day: date
    at: datetime
    kind: str
    run_id: str | None
    total_asset: Decimal
    cash: Decimal
    frozen_cash: Decimal
    market_value: Decimal
    benchmark: Decimal | None
    flow: Decimal | None = None

    def __post_init__(self) -> None:
        """Refuse a row that could not be told from another one."""
        if self.kind not in ("close", "run") or (self.kind == "run") != bool(self.run_id):
            raise ValueError(f"equity row of kind {self.kind!r}, run id {self.run_id!r}: only run has an id")


EQUITY_COLUMNS = tuple(field.name for field in fields(EquityRow))


def write_target(
    folder: Path,
    *,
    day: date,
    target_id: str,
    sha256: str,
    file_name: str,
    accepted_at: datetime,
    weights: Sequence[tuple[str, Decimal]],
    mode: str = "full",
    expires_at: datetime | None = None,
) -> Path:
    """Archive one accepted target as `folder/<YYYY>/<day>-<target_id>.parquet` and return that path.

    `weight` is decimal(38, 18), half-up; `weight_exact` is the same number as text, lossless at any length.
    The facts about the file stand in every row and in the Parquet metadata (`qws.*`), so an empty target keeps them.
    Writing the same target again changes nothing. Raises StoreError when another content stands there already,
    ValueError for an id that cannot be a file name, a time without zone or a weight that is not a finite number.
    """
    if not TARGET_ID.fullmatch(target_id):
        raise ValueError(f"target id {target_id!r}: only letters, digits, '-' and '_' can name a file")
    for code, weight in weights:
        if not weight.is_finite():
            raise ValueError(f"weight of {code} is {weight}: only finite numbers can be archived")
    said = tuple(weights), mode, expires_at
    target = ArchivedTarget(day, target_id, sha256, file_name, instant_of(micros_of(accepted_at)), *said)
    path = folder / f"{day.year:04d}" / f"{day.isoformat()}-{target_id}.parquet"
    if path.exists():
        if read_target(path) == target:
            return path
        raise StoreError(f"{path} already archives another content: a target is never rewritten")
    write_atomically(path, parquet_bytes(_target_table(target)))
    return path


def _target_table(target: ArchivedTarget) -> pa.Table:
    import pyarrow as pa

    count = len(target.weights)
    table = pa.table(
        {
            "date": pa.array([target.day] * count, pa.date32()),
            "stock_code": pa.array([code for code, _ in target.weights], pa.string()),
            "weight": pa.array(
                [ROUNDED.quantize(weight, QUANTUM) for _, weight in target.weights], pa.decimal128(DIGITS, PLACES)
            ),
            "weight_exact": pa.array([str(weight) for _, weight in target.weights], pa.string()),
            "sha256": pa.array([target.sha256] * count, pa.string()),
            "file_name": pa.array([target.file_name] * count, pa.string()),
            "accepted_at": instants([target.accepted_at] * count),
        }
    )
    return table.replace_schema_metadata(
        {
            "qws.date": target.day.isoformat(),
            "qws.target_id": target.target_id,
            "qws.sha256": target.sha256,
            "qws.file_name": target.file_name,
            "qws.accepted_at": target.accepted_at.isoformat(),
            "qws.mode": target.mode,
            "qws.expires_at": "" if target.expires_at is None else target.expires_at.isoformat(),
        }
    )


def read_target(path: Path) -> ArchivedTarget:
    """Read an archived target back, value for value."""
    table = read_table(path)
    facts = {key.decode("utf-8"): value.decode("utf-8") for key, value in table.schema.metadata.items()}
    codes, weights = table.column("stock_code").to_pylist(), table.column("weight_exact").to_pylist()
    return ArchivedTarget(
        date.fromisoformat(facts["qws.date"]),
        facts["qws.target_id"],
        facts["qws.sha256"],
        facts["qws.file_name"],
        instant_of(micros_of(datetime.fromisoformat(facts["qws.accepted_at"]))),
        tuple((code, Decimal(weight)) for code, weight in zip(codes, weights, strict=True)),
        facts.get("qws.mode", "full"),  # older files are of full targets
        datetime.fromisoformat(expires) if (expires := facts.get("qws.expires_at")) else None,
    )


def append_equity(folder: Path, row: EquityRow) -> bool:
    """Store one row in `folder/<YYYY>.parquet` and mirror all rows to `folder/equity.csv`; True when it was new.

    A second `close` of a day and a second `run` of a run id change nothing and answer False. A mirror that lags
    behind (a crash, a spreadsheet) is repaired by the next call, new row or not.
    Raises ValueError for money of more than 20 digits before or 18 behind the point, MirrorStale when only the
    mirror failed: the row itself is safe by then.
    """
    known = _read_years(folder)
    new = all(_identity(row) != _identity(other) for other in known)
    if new:
        year = [*(other for other in known if other.day.year == row.day.year), row]
        write_atomically(folder / f"{row.day.year:04d}.parquet", parquet_bytes(_equity_table(_sorted(year))))
        known = [*known, row]
    mirror, content = folder / "equity.csv", _csv(_sorted(known))
    try:
        if not mirror.exists() or mirror.read_bytes() != content:
            write_atomically(mirror, content)
    except OSError as error:
        raise MirrorStale(f"{mirror} could not be rewritten ({error}): close the program that holds it") from error
    return new


def is_mirrored(folder: Path, row: EquityRow) -> bool:
    """Whether `equity.csv` shows the row; then it is in Parquet too, which is written first. Opens no Parquet file."""
    try:
        mirrored = _read_csv((folder / "equity.csv").read_bytes())
    except (OSError, ValueError, InvalidOperation, csv.Error):
        return False
    return any(_identity(row) == _identity(other) for other in mirrored)


def read_equity(folder: Path) -> list[EquityRow]:
    """Read all rows, oldest first, from the mirror, or from Parquet when the mirror is missing or spoilt."""
    try:
        return _read_csv((folder / "equity.csv").read_bytes())
    except (OSError, ValueError, InvalidOperation, csv.Error):
        return _sorted(_read_years(folder))


def _identity(row: EquityRow) -> tuple[str, str]:
    return (row.kind, row.run_id or row.day.isoformat())


def _sorted(rows: Iterable[EquityRow]) -> list[EquityRow]:
    return sorted(rows, key=lambda row: (row.day, row.at, _identity(row)))


def _equity_table(rows: Sequence[EquityRow]) -> pa.Table:
    import pyarrow as pa

    columns = dict(zip(EQUITY_COLUMNS, zip(*map(astuple, rows), strict=True), strict=True))
    money = pa.decimal128(DIGITS, PLACES)
    arrays = {"day": pa.array(columns["day"], pa.date32()), "at": instants(columns["at"])}
    arrays |= {name: pa.array(columns[name], pa.string()) for name in ("kind", "run_id")}
    arrays |= {name: pa.array([_money(name, value) for value in columns[name]], money) for name in MONEY_COLUMNS}
    return pa.table(arrays)


def _money(column: str, value: Decimal | None) -> Decimal | None:
    if value is None:
        return None
    try:
        if value.is_finite():
            return EXACT.quantize(value, QUANTUM)
    except (Inexact, InvalidOperation):
        pass
    raise ValueError(f"{column} {value} does not fit {DIGITS} digits with {PLACES} decimals: round it at its source")


def _read_years(folder: Path) -> list[EquityRow]:
    rows: list[EquityRow] = []
    for path in sorted(folder.glob("[0-9][0-9][0-9][0-9].parquet")):
        table = read_table(path)
        names = [name for name in EQUITY_COLUMNS if name in table.column_names]  # files of old have no flow
        columns = {name: table.column(name) for name in names}
        moments = [instant_of(micros) for micros in columns.pop("at").cast("int64").to_pylist()]
        values = {name: column.to_pylist() for name, column in columns.items()} | {"at": moments}
        rows += [EquityRow(*cells) for cells in zip(*(values[name] for name in names), strict=True)]
    return rows


def _plain(value: Decimal | None) -> str:
    """Write a number without exponent, with at least two decimals and no further trailing zeros."""
    if value is None:
        return ""
    whole, _, decimals = f"{value:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0'):0<2}"


def _cell(text: str | None) -> str:
    # Spreadsheets run text that looks like a formula (OWASP ASVS 1.2.10).
    return "'" + text if text and text.startswith(FORMULA_STARTS) else text or ""


def _csv(rows: Iterable[EquityRow]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(EQUITY_COLUMNS)
    for row in rows:
        money = [_plain(value) for value in astuple(row)[4:]]
        at = row.at.astimezone(SHANGHAI).isoformat()
        writer.writerow([row.day.isoformat(), at, row.kind, _cell(row.run_id), *money])
    return text.getvalue().encode("utf-8-sig")


def _read_csv(content: bytes) -> list[EquityRow]:
    header, *lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    if tuple(header) != EQUITY_COLUMNS:
        raise ValueError(f"equity.csv has the header {header}")
    rows: list[EquityRow] = []
    for day, at, kind, run_id, *money in lines:
        total_asset, cash, frozen_cash, market_value = map(Decimal, money[:4])
        rows.append(
            EquityRow(
                date.fromisoformat(day),
                instant_of(micros_of(datetime.fromisoformat(at))),
                kind,
                run_id.removeprefix("'") or None,
                total_asset,
                cash,
                frozen_cash,
                market_value,
                *(Decimal(each) if each else None for each in money[4:]),
            )
        )
    return rows
