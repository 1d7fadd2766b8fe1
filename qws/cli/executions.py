"""What the read models know of how runs traded, as the domain measures it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal

from qws.domain.market import Side
from qws.domain.quality import Arrival, Part, Quality, Work
from qws.store.reading import Record, Views

_Key = tuple[str, str, str]
_NOWHERE = Arrival(None, None, None)


def works_of(views: Views, run_id: str | None = None) -> dict[str, list[Work]]:
    """The names that each run meant to trade, by run, with their fills; of one run or of all."""
    arrivals = {(row["run_id"], row["code"]): _arrival(row) for row in views.arrivals(run_id)}
    sent: dict[_Key, datetime] = {}
    for row in views.intents(run_id):
        sent.setdefault(_key(row), datetime.fromisoformat(str(row["sent_at"])))
    parts: defaultdict[_Key, list[Part]] = defaultdict(list)
    for row in views.fills(run_id):
        fee = None if row["fee"] is None else _decimal(row["fee"])
        at = datetime.fromisoformat(str(row["time"]))
        parts[_key(row)].append(Part(int(str(row["shares"])), _decimal(row["price"]), at, fee))
    found: dict[_Key, Work] = {}
    for row in views.plans(run_id):
        key = _key(row)
        if row["side"] is not None and row["shares"] and (key in sent or key in parts) and key not in found:
            arrival = arrivals.get((row["run_id"], row["stock_code"]), _NOWHERE)
            planned, price = int(str(row["shares"])), _decimal(row["price"])
            found[key] = Work(key[1], Side(key[2]), planned, price, arrival, sent.get(key), tuple(parts[key]))
    runs: defaultdict[str, list[Work]] = defaultdict(list)
    for (run, _, _), work in found.items():
        runs[run].append(work)
    return dict(runs)


def fees_of(runs: Sequence[Record]) -> Decimal | None:
    """What finished runs cost together in CNY, as they told at their end; None when one did not."""
    told = [_decimal(run["fees"]) for run in runs if run["fees"] is not None]
    return sum(told, Decimal(0)) if len(told) == len(runs) else None


def record_of(quality: Quality) -> dict[str, object]:
    """The measurements as JSON values, ratios rounded."""
    values = {field.name: getattr(quality, field.name) for field in fields(quality)}
    return {name: _plain(value) for name, value in values.items()}


def by_run(works: Mapping[str, Sequence[Work]], runs: Sequence[Record]) -> list[tuple[Record, list[Work]]]:
    """Runs that traded or meant to, oldest first, with their names."""
    return [(run, list(works[str(run["run_id"])])) for run in runs if str(run["run_id"]) in works]


def _key(row: Record) -> _Key:
    return str(row["run_id"]), str(row["stock_code"]), str(row["side"])


def _arrival(row: Record) -> Arrival:
    return Arrival(*(None if row[name] is None else _decimal(row[name]) for name in ("bid", "ask", "last")))


def _decimal(value: object) -> Decimal:
    return Decimal(str(value))


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else round(value, 4) if isinstance(value, float) else value
