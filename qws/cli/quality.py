"""`qws quality`: how well runs traded, by run and month, or name by name."""

from __future__ import annotations

from itertools import groupby

import click

from qws.cli.executions import by_run, fees_of, record_of, works_of
from qws.cli.options import echo, home_option, json_option, print_json
from qws.cli.table import Column, table
from qws.cli.views import known_run
from qws.domain.quality import Work, quality_of
from qws.home import Home
from qws.store.reading import Record, Views

_BP = ("slippage_mid_bp", "slippage_last_bp", "spread_bp", "fees_bp", "cost_bp")
_TOTALS = (
    Column("names"),
    Column("traded", ",.0f"),
    Column("fill_ratio", ".1%"),
    *(Column(name, "+.1f") for name in _BP),
    Column("fees", ",.2f"),
    Column("fill_s", ",.1f"),
    Column("fill_s_max", ",.1f"),
)
_NAMES = (
    Column("stock_code"),
    Column("side"),
    Column("planned"),
    Column("filled"),
    *(Column(name, ",.3f") for name in ("average", "mid", "last")),
    *(Column(name, "+.1f") for name in ("slippage_mid_bp", "slippage_last_bp")),
    Column("fees", ",.2f"),
    Column("fill_s", ",.1f"),
)


@click.command()
@click.argument("run_id", metavar="[RUN]", required=False)
@home_option
@json_option
def quality(home: Home, run_id: str | None, *, as_json: bool) -> None:
    """How well runs traded: by run and month, or name by name of RUN (its id, how it begins, or `last`).

    Slippage is against the middle (mid) and the last price when the run first looked at the market, in hundredths of
    a per cent (bp), positive when trading cost more; cost is slippage to mid and fees; times are seconds.
    """
    views = Views(home.views)
    if run_id is not None:
        _one(views, known_run(views, run_id), as_json=as_json)
        return
    found = by_run(works_of(views), views.runs())
    runs = [{"run_id": run["run_id"], "day": run["day"], **_total(works, [run])} for run, works in found]
    months: list[Record] = []
    for month, group in groupby(found, key=lambda each: str(each[0]["day"])[:7]):
        members = list(group)
        works = [work for _, some in members for work in some]
        months.append({"month": month, "runs": len(members), **_total(works, [run for run, _ in members])})
    if as_json:
        print_json({"runs": runs, "months": months})
    elif not runs:
        echo("no run has traded yet")
    else:
        echo(_table((Column("run_id"), *_TOTALS), runs) + "\n")
        echo(_table((Column("month"), Column("runs"), *_TOTALS), months))


def _one(views: Views, run_id: str, *, as_json: bool) -> None:
    works = works_of(views, run_id).get(run_id, [])
    run = next(row for row in views.runs() if row["run_id"] == run_id)
    names = [_name(work) for work in works]
    total = _total(works, [run])
    if as_json:
        print_json({"run_id": run_id, "names": names, "total": total})
    elif not names:
        echo("this run sent no order")
    else:
        echo(f"{_table(_NAMES, names)}\n\n{_table(_TOTALS, [total])}")


def _total(works: list[Work], runs: list[Record]) -> dict[str, object]:
    return record_of(quality_of(works, fees_of(runs)))


def _name(work: Work) -> Record:
    arrival = work.arrival
    numbers = {
        "average": work.average,
        "mid": arrival.mid,
        "last": arrival.last,
        "slippage_mid_bp": work.slippage_bp(arrival.mid),
        "slippage_last_bp": work.slippage_bp(arrival.last),
        "fees": work.fees if work.filled else None,
    }
    return {
        "stock_code": work.code,
        "side": str(work.side),
        "planned": work.planned,
        "filled": work.filled,
        **{name: None if value is None else round(float(value), 6) for name, value in numbers.items()},
        "fill_s": work.fill_s,
    }


def _table(columns: tuple[Column, ...], rows: list[Record]) -> str:
    return table(columns, [[row[column.title] for column in columns] for row in rows])
