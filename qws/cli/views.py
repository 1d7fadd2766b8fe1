"""What is and what was: the read models as text or JSON, whether the daemon runs or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

import click

from qws.cli.daemon_state import settings_change, state_of
from qws.cli.options import echo, home_option, json_option, print_json
from qws.cli.table import Column, table
from qws.cli.waits import show_missed, show_waiting
from qws.domain.tags import same_attempt_part
from qws.domain.trading_state import TradingState
from qws.home import Home
from qws.sentences import localised
from qws.store.lock import is_held
from qws.store.reading import Record, Views

_ACCOUNT = ("total_asset", "cash", "frozen_cash", "market_value", "at")
_NUMBERS = {"price": ",.3f", "tracking_error": ".3%"} | dict.fromkeys(("fee", "fees", "value", *_ACCOUNT[:4]), ",.2f")

run_option = click.option("--run", "run_id", metavar="RUN", help="Of this run only: its id, how it begins, or `last`.")


@click.command()
@home_option
@json_option
def status(home: Home, *, as_json: bool) -> None:
    """State, account, actors, last run."""
    views = Views(home.views)
    found, targets = _status(home, views), views.targets_waiting()
    if as_json:
        print_json(found | {"targets_waiting": targets})
    else:
        _show_status(home, views, found, targets)


def _status(home: Home, views: Views) -> Record:
    daemon, account, change = views.daemon(), views.account(), settings_change(home, views)
    return {
        "state": state_of(home, views, daemon),
        "settings_changed_at": change and change.changed_at.isoformat(),
        "halted": views.is_halted(),
        "trading": str(views.trading()),
        "held": views.held(),
        "halted_at": views.limited_at() if views.is_halted() else None,
        "waiting": views.waiting(),
        "alerts": views.unseen(),
        "readiness": views.last_told("ReadinessChecked") or None,
        "missed": views.missed(),
        "home": str(home.root),
        "daemon": daemon or None,
        "account": {name: account.get(name) for name in _ACCOUNT},
        "actors": {str(actor.pop("name")): actor for actor in views.actors()},
        "last_run": views.last_run() or None,
    }


def _show_status(home: Home, views: Views, found: Record, targets: Sequence[Record]) -> None:
    echo(_headline(home, views.daemon(), str(found["state"]), views.limited_at()))
    if change := settings_change(home, views):
        echo(f"{change.text}; {change.remedy}")
    if found["halted"]:
        echo("trading is halted; `qws resume` allows it again")
    if found["trading"] == TradingState.REDUCE_ONLY:
        echo("trading only reduces, nothing is bought; `qws resume` allows buys again")
    for run in views.held():
        run_id = run["run_id"]
        echo(f"held: {run_id} waits for `qws approve {run_id}` or `qws reject {run_id}`: {run['text']}")
    if unseen := views.unseen():
        echo(f"nobody has acknowledged: {', '.join(f'{count} {name}' for name, count in unseen.items())}; `qws alerts`")
    if checked := views.last_told("ReadinessChecked"):
        echo(f"checked {_time(checked['at'])}: {checked['text']}")
    if waiting := views.waiting():
        echo(f"waits for the daemon: {', '.join(str(each['command']) for each in waiting)}")
    if found["state"] != "stopped" and (metrics := views.daemon().get("metrics")):
        echo(f"metrics: {metrics}")
    if account := views.account():
        echo(f"\naccount, CNY, {_time(account['at'])}\n{_table(_ACCOUNT[:4], [account])}")
    last = views.last_run()
    echo(f"\nlast run\n{_runs_table([last])}" if last else "\nno run yet")
    show_waiting(targets)
    show_missed(views.missed())
    if actors := views.actors():
        echo("\n" + _table(("name", "state", "inbox", "handled"), actors))


def _headline(home: Home, daemon: Record, state: str, limited_at: str | None) -> str:
    if not daemon:
        remedy = "" if state == "running" else f"; start it: qws run --home {home.root}"
        return f"{state}: {home.root}{remedy}"
    since = daemon["heartbeat_at"] if state == "stopped" else daemon["started_at"]
    if state in (TradingState.HALTED, TradingState.REDUCE_ONLY):
        since = limited_at or since
    told, account = state.replace("_", "-"), f"{daemon['mode']} account"
    line = f"{told} since {_time(since)}: {account}, process {daemon['pid']}, {home.root}"
    if state != "stopped" or daemon["state"] == "stopped":
        return line
    if is_held(home.lock):
        return f"{line}\nprocess {daemon['pid']} hangs: it still holds this home; end it, then start `qws run` again"
    return f"{line}\nit was cut off, not stopped; `qws recover --dry-run` tells what the next start does"


@click.command()
@home_option
@json_option
def runs(home: Home, *, as_json: bool) -> None:
    """Every run and its result, oldest first."""
    views = Views(home.views)
    waiting = [] if as_json else views.targets_waiting()
    nothing = "no run yet" if waiting else f"no run yet: copy a weight file into {home.inbox}"
    _show(views.runs(), _runs_table, nothing, as_json=as_json)
    show_waiting(waiting)
    if not as_json:
        show_missed(views.missed())


def _runs_table(rows: Iterable[Record]) -> str:
    names = ("run_id", "file", "status", "reason", "started_at", "finished_at", "tracking_error", "fees")
    return _table(names, rows)


@click.command()
@run_option
@home_option
@json_option
def orders(home: Home, run_id: str | None, *, as_json: bool) -> None:
    """Every order, in the order in which they were decided."""
    views = Views(home.views)
    rows = views.orders(run_id and known_run(views, run_id))
    _show(rows, _orders_table, "no order yet", as_json=as_json)


def _orders_table(rows: Iterable[Record]) -> str:
    names = ("time", "order_id", "stock_code", "side", "shares", "price", "filled", "status", "message")
    return _table(names, ({**row, "order_id": row["order_id"] or row["tag"]} for row in rows))


@click.command()
@run_option
@home_option
@json_option
def fills(home: Home, run_id: str | None, *, as_json: bool) -> None:
    """Every fill, in the order in which they were heard."""
    views = Views(home.views)
    rows = views.fills(run_id and known_run(views, run_id))
    _show(rows, _fills_table, "no fill yet", as_json=as_json)


def _fills_table(rows: Iterable[Record]) -> str:
    return _table(("time", "order_id", "stock_code", "side", "shares", "price", "fee"), rows)


@click.command()
@home_option
@json_option
def positions(home: Home, *, as_json: bool) -> None:
    """Holdings when the account was last looked at; value in CNY."""
    found = Views(home.views).positions()
    if as_json:
        print_json(found)
    elif not found:
        echo("no holding is known")
    else:
        rows = [{"stock_code": code, **row} for code, row in found.items()]
        echo(_table(("stock_code", "shares", "sellable", "value"), rows))


@click.command()
@click.argument("run_id", metavar="RUN")
@home_option
@json_option
def trace(home: Home, run_id: str, *, as_json: bool) -> None:
    """Why: from the file to the fills of RUN (its id, how it begins, or `last`), and what was not traded."""
    views = Views(home.views)
    run_id = known_run(views, run_id)
    run = next(row for row in views.runs() if row["run_id"] == run_id)
    messages, untraded = views.trace(run_id), list(_untraded(views, run_id))
    settled = list(_settled(views, run, messages))
    if as_json:
        document = {"run": run, "messages": messages, "plan": views.plan(run_id), "untraded": untraded}
        print_json(document | {"settled": settled})
        return
    for row in messages:
        if row["kind"] == "Started":
            row["line"] = _beginning(messages, row)
    for day, rows in groupby(messages, key=lambda row: str(row["at"])[:10]):
        echo(f"{day}\n{_tree(list(rows))}\n")
    if settled:
        names = ("attempt", "order_id", "tag", "stock_code", "side", "shares", "filled", "settled")
        echo(f"orders of the attempts that were cut off\n{_table(names, settled)}\n")
    if untraded:
        echo(f"not traded as wanted\n{_table(('stock_code', 'row', 'reason', 'text'), untraded)}")


def _beginning(messages: Sequence[Record], started: Record) -> str:
    """How the process before this one ended: a kill leaves no last word."""
    before = [row for row in messages if int(str(row["id"])) < int(str(started["id"]))]
    last = next((row["kind"] for row in reversed(before) if row["kind"] in ("Started", "Stopping")), "")
    how = "was stopped in order" if last == "Stopping" else f"was cut off after #{before[-1]['id']}"
    return f"started again; the process before it {how}"


def _settled(views: Views, run: Record, messages: Sequence[Record]) -> Iterable[Record]:
    """What became of the orders of attempts that a restart ended: found at the broker, never arrived, not sent."""
    kinds = [row["kind"] for row in messages if row["kind"] in ("RebalanceDue", "Started")]
    uncut = (kinds[::-1].index("Started") if "Started" in kinds else len(kinds)) - 1  # attempts after the last start
    for order in views.orders(str(run["run_id"])):
        attempt = int(same_attempt_part(str(order["tag"]))[-1], 36)
        if attempt < int(str(run["attempt"])) - uncut:
            how = f"found at the broker: {order['status']}" if order["order_id"] else order["message"] or "unknown"
            names = ("order_id", "tag", "stock_code", "side", "shares", "filled")
            yield {"attempt": attempt, **{name: order[name] for name in names}, "settled": how}


def _tree(messages: Iterable[Record]) -> str:
    rows = []
    for row in messages:
        cause = "" if row["parent"] is None else f"<-#{row['parent']}"
        kind = "  " * int(str(row["depth"])) + str(row["kind"])
        rows.append((str(row["at"])[11:19], kind, f"#{row['id']}", cause, row["sender"], localised(str(row["line"]))))
    wide = max(len(kind) for _, kind, *_ in rows)
    long = max(len(number) for _, _, number, *_ in rows)
    after = max(len(cause) for _, _, _, cause, *_ in rows)
    who = max(len(str(sender)) for *_, sender, _ in rows)
    return "\n".join(
        f"{at}  {kind:<{wide}}  {number:<{long}}{cause:<{after}}  {sender:<{who}}  {line}"
        for at, kind, number, cause, sender, line in rows
    )


def _untraded(views: Views, run_id: str) -> Iterable[Record]:
    """Rows of the file that were dropped, and names of which less was traded than wanted, each with its reason."""
    from qws.domain.target_modes import LEFT_ALONE  # here, because `qws status` has no time for it

    run = next(row for row in views.runs() if row["run_id"] == run_id)
    for target in views.targets():
        dropped = target["dropped"]
        if target["target_id"] == run["target_id"] and isinstance(dropped, list):
            for row in dropped:
                yield {"stock_code": row["code"], "row": row["row"], "reason": row["reason"], "text": row["text"]}
    ends = {str(row["code"]): row for row in views.outcomes(run_id)}
    for row in views.plan(run_id):
        end = ends.pop(str(row["stock_code"]), {})
        if (reason := end.get("reason") or row["reason"]) and reason != LEFT_ALONE:
            yield _held(str(row["stock_code"]), reason, end)
    for code, end in ends.items():
        if end["reason"] and end["reason"] != LEFT_ALONE:
            yield _held(code, end["reason"], end)


def _held(code: str, reason: object, end: Record) -> Record:
    text = f"{end['filled']} of {end['planned']} shares traded" if end.get("planned") else ""
    return {"stock_code": code, "row": None, "reason": reason, "text": text}


def known_run(views: Views, given: str) -> str:
    """The id of the run that is meant: the id, its unambiguous beginning, or `last`; exit 1 naming those there are."""
    ids = [str(row["run_id"]) for row in views.runs()]
    if given in ids:
        return given
    meant = ids[-1:] if given == "last" else [each for each in ids if each.startswith(given)]
    if len(meant) != 1:
        known = ", ".join(meant or ids) or "none has started yet"
        raise click.ClickException(f"{'several runs begin' if meant else 'no run begins'} with {given}; known: {known}")
    return meant[0]


def _show(rows: list[Record], as_table: Callable[[list[Record]], str], nothing: str, *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
    else:
        echo(as_table(rows) if rows else nothing)


def _table(names: Sequence[str], rows: Iterable[Record]) -> str:
    columns = [Column(name, _NUMBERS.get(name, "")) for name in names]
    is_time = [name == "time" or name.endswith("_at") for name in names]
    cells = [
        [_time(row[name]) if time else row[name] for name, time in zip(names, is_time, strict=True)] for row in rows
    ]
    return table(columns, cells)


def _time(text: object) -> str:
    return "" if text is None else str(text)[:19].replace("T", " ")
