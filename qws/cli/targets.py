"""`qws targets`: every weight file that came and what became of it; `qws targets diff`: what changed between two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import click

from qws.cli.options import echo, home_option, json_option, print_json
from qws.cli.table import Column, table
from qws.domain.target_changes import Change, changes_between, turnover
from qws.domain.target_records import Mode
from qws.home import Home, find_home
from qws.language import _
from qws.runtime.clock import SystemClock
from qws.sentences import localised
from qws.store.reading import Record, Views

_COLUMNS = ("target_id", "file", "mode", "day", "names", "sum", "accepted_at", "expires_at", "state")
_DAY = click.DateTime(["%Y-%m-%d", "%Y%m%d"])


@click.group(invoke_without_command=True)
@click.option("--day", type=_DAY, help="Targets of this trading day only.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="So many lines.")
@click.option("--home", "folder", metavar="DIR", help="The home; default: QWS_HOME, or the present folder.")
@json_option
@click.pass_context
def targets(ctx: click.Context, day: datetime | None, limit: int, folder: str | None, *, as_json: bool) -> None:
    """Every weight file and what became of it, newest first; one line for each day that a file is for."""
    if ctx.invoked_subcommand is not None:
        ctx.default_map = {"diff": {"home": folder}}
        return
    views, now = Views(find_home(folder).views), SystemClock().now()
    rows = [*_history(views, now), *_rejected(views)]
    if day is not None:
        rows = [row for row in rows if row["day"] == day.date().isoformat()]
    rows = sorted(rows, key=lambda row: str(row["accepted_at"]), reverse=True)[:limit]
    if as_json:
        print_json([{name: value for name, value in row.items() if name != "weights"} for row in rows])
    elif not rows:
        echo("no weight file yet" if day is None else f"no target of {day.date()}")
    else:
        columns = [Column(name, ".2%" if name == "sum" else "") for name in _COLUMNS]
        echo(table(columns, [[_cell(row, name) for name in _COLUMNS] for row in rows]))


@targets.command()
@click.argument("new", required=False, metavar="[A]")
@click.argument("old", required=False, metavar="[B]")
@home_option
@json_option
def diff(home: Home, new: str | None, old: str | None, *, as_json: bool) -> None:
    """What target A changes against target B: ids, beginnings of ids, or days (their newest target).

    Without A: today's newest target, or that of the newest day; without B: the newest one of the day before A's.
    """
    now = SystemClock().now()
    rows = list(_history(Views(home.views), now))
    after = _meant(rows, new) if new is not None else _newest_today(rows, now.date())
    before = _meant(rows, old) if old is not None else _day_before(rows, str(after["day"]))
    mode = Mode(str(after["mode"]))
    found = changes_between(_weights(before), _weights(after), mode)
    if as_json:
        print_json(_document(after, before, found))
    else:
        _show(after, before, found)


def _history(views: Views, now: datetime) -> Iterator[Record]:
    """One row for every accepted file and each of its days, oldest first."""
    accepted, runs = views.targets(), views.runs()
    newest = {str(part["day"]): str(row["target_id"]) for row in accepted for part in _parts(row)}
    for row in accepted:
        days = [str(part["day"]) for part in _parts(row)]
        for part in _parts(row):
            day, weights = str(part["day"]), part["weights"]
            assert isinstance(weights, list)
            own = [run for run in runs if run["target_id"] == row["target_id"] and _is_of(str(run["day"]), day, days)]
            record: Record = {name: row[name] for name in ("target_id", "file")}
            record |= {"mode": part.get("mode", "full"), "day": day, "names": len(weights)}
            record["sum"] = round(sum(each["weight"] for each in weights), 10)
            record |= {"accepted_at": row["accepted_at"], "expires_at": part.get("expires_at")}
            over = "" if newest[day] == row["target_id"] else newest[day]
            record |= {"superseded_by": over or None, "run_id": own[-1]["run_id"] if own else None}
            yield record | {"state": _state(record, own, now), "weights": weights}


def _is_of(run_day: str, day: str, days: Sequence[str]) -> bool:
    """Whether a run is of this day of its target; what was carried over is of the day it comes from."""
    return max((each for each in days if each <= run_day), default="") == day


def _state(record: Record, runs: Sequence[Record], now: datetime) -> str:
    if runs:
        last = runs[-1]
        if last["finished_at"] is None:
            return str(last["status"])
        return f"run {last['status']}" + (f" [{last['reason']}]" if last["reason"] else "")
    if record["superseded_by"] is not None:
        return f"superseded by {record['superseded_by']}"
    expires_at = record["expires_at"]
    if expires_at is not None and now >= datetime.fromisoformat(str(expires_at)):
        return "expired"
    return "waits" if str(record["day"]) >= now.date().isoformat() else "never ran"


def _rejected(views: Views) -> Iterator[Record]:
    for row in views.rejected():
        refusals = row["refusals"]
        code = refusals[0]["code"] if isinstance(refusals, list) else ""
        nothing = dict.fromkeys(("target_id", "mode", "day", "names", "sum", "expires_at", "superseded_by", "run_id"))
        yield nothing | {"file": row["file"], "accepted_at": row["at"], "state": f"refused [{code}]"}


def _parts(target: Record) -> list[Record]:
    days = target["days"]
    assert isinstance(days, list)
    return days


def _meant(rows: Sequence[Record], given: str) -> Record:
    """The target that a person means: the newest of a day, an id or its beginning (of several days the first)."""
    day = f"{given[:4]}-{given[4:6]}-{given[6:]}" if given.isdecimal() and len(given) == 8 else given
    if of_day := [row for row in rows if row["day"] == day]:
        return of_day[-1]
    ids = sorted({str(row["target_id"]) for row in rows if str(row["target_id"]).startswith(given)})
    if len(ids) == 1:
        return next(row for row in rows if row["target_id"] == ids[0])
    problem = f"several targets begin with {given}: {', '.join(ids)}" if ids else f"no target is {given}"
    raise click.ClickException(f"{problem}; `qws targets` shows ids and days")


def _newest_today(rows: Sequence[Record], today: date) -> Record:
    days = {str(row["day"]) for row in rows}
    if not days:
        raise click.ClickException("no weight file was accepted yet")
    return _meant(rows, today.isoformat() if today.isoformat() in days else max(days))


def _day_before(rows: Sequence[Record], day: str) -> Record:
    before = [each for row in rows if (each := str(row["day"])) < day]
    if not before:
        raise click.ClickException(f"no target is of a day before {day}; name the one to compare with")
    return _meant(rows, max(before))


def _weights(row: Record) -> dict[str, float]:
    weights = row["weights"]
    assert isinstance(weights, list)
    return {each["stock_code"]: each["weight"] for each in weights}


def _document(after: Record, before: Record, found: Sequence[Change]) -> Record:
    names = ("target_id", "file", "mode", "day", "names", "sum")
    kinds = ("added", "removed", "changed")
    listed: Record = {
        kind: [
            {"stock_code": each.code, "before": each.before, "after": each.after} for each in found if each.kind == kind
        ]
        for kind in kinds
    }
    both: Record = {"a": {name: after[name] for name in names}, "b": {name: before[name] for name in names}}
    return both | listed | {"turnover": turnover(found)}


def _show(after: Record, before: Record, found: Sequence[Change]) -> None:
    for name, row in (("A", after), ("B", before)):
        mode, names = localised(str(row["mode"])), _("{count} names").format(count=row["names"])
        echo(f"{name}  {row['target_id']}  {row['day']}  {mode}  {names}  {row['file']}")
    if found:
        numbers = Column("B", ".2%"), Column("A", ".2%"), Column("A - B", "+.2%")
        columns = [Column("stock_code"), Column("change"), *numbers]
        rows = [[each.code, each.kind, each.before, each.after, each.after - each.before] for each in found]
        echo("\n" + table(columns, rows))
    counts = {kind: sum(each.kind == kind for each in found) for kind in ("added", "removed", "changed")}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    echo(f"\n{told}; one-sided turnover {turnover(found):.2%}")
    if after["mode"] == Mode.DELTA:
        echo("A is a delta: its column is what B's weights become with its changes")
    elif after["mode"] == Mode.SUBSET:
        echo("A is a subset: names that only B lists are left alone")
    if before["mode"] != Mode.FULL:
        echo(f"B is a {before['mode']}: names that it does not list count as 0 here")


def _cell(row: Record, name: str) -> object:
    value = row[name]
    return str(value)[:19].replace("T", " ") if name.endswith("_at") and value is not None else value
