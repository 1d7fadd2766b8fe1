"""Orders to the daemon: a row of the control table, and its answer."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Iterable
from pathlib import Path

import click

from qws.cli.options import echo, home_option, json_option, print_json
from qws.cli.views import known_run
from qws.config import load_config
from qws.domain.orders import TERMINAL
from qws.domain.tags import day_part, is_ours, same_day_part
from qws.domain.trading_state import STATE_OF
from qws.errors import ConfigError, QwsError
from qws.home import Home
from qws.runtime.clock import SystemClock
from qws.store.halt_mark import leave_mark, remove_mark
from qws.store.lock import is_held
from qws.store.parquet_file import pause
from qws.store.reading import Record, Views, answer_of, ask, withdraw
from qws.store.views import Projector

ANSWER_WAIT_S = 3.0
_LOOK_S = 0.05

# What the answer means, and for orders that last: what they will do at the next start.
_ACCEPTED = {
    "halt": "trading stops and working orders are being cancelled; `qws resume` allows it again",
    "resume": "trading is allowed again",
    "cancel": "working orders are being cancelled",
    "ack": "acknowledged",
    "settle": "what you say of the order is taken over; `qws orders` shows what became of it",
    "reduce_only": "nothing is bought any more, sells go on; `qws resume` allows buys again",
    "approve": "the plan is made again at prices of now and sent; `qws runs` shows what becomes of it",
    "reject": "the run ends, nothing of the plan is sent",
    "rebalance": "the target of today, if there is one, is being planned again; `qws runs` shows what becomes of it",
}
_LASTING = frozenset(STATE_OF)
_STORED = _LASTING | {"ack"}


@click.command()
@home_option
@json_option
@click.pass_context
def halt(ctx: click.Context, home: Home, *, as_json: bool) -> None:
    """Stop trading until `qws resume`, also over restarts; working orders are cancelled."""
    _order(ctx, home, "halt", as_json=as_json)


@click.command()
@home_option
@json_option
@click.pass_context
def resume(ctx: click.Context, home: Home, *, as_json: bool) -> None:
    """Trade again after a halt."""
    _order(ctx, home, "resume", as_json=as_json)


@click.command()
@home_option
@json_option
@click.pass_context
def reduce_only(ctx: click.Context, home: Home, *, as_json: bool) -> None:
    """Buy nothing more until `qws resume`, also over restarts; sells go on, also those of a halted account."""
    _order(ctx, home, "reduce_only", as_json=as_json)


@click.command()
@click.argument("run_id", metavar="RUN")
@home_option
@json_option
@click.pass_context
def approve(ctx: click.Context, home: Home, run_id: str, *, as_json: bool) -> None:
    """Let the held plan of RUN go (its id, how it begins, or `last`); `qws status` shows which rules it breaks."""
    _answer(ctx, home, "approve", run_id, as_json=as_json)


@click.command()
@click.argument("run_id", metavar="RUN")
@home_option
@json_option
@click.pass_context
def reject(ctx: click.Context, home: Home, run_id: str, *, as_json: bool) -> None:
    """End RUN, whose plan is held (its id, how it begins, or `last`); nothing of the plan is sent."""
    _answer(ctx, home, "reject", run_id, as_json=as_json)


def _answer(ctx: click.Context, home: Home, command: str, given: str, *, as_json: bool) -> None:
    views = Views(home.views)
    run_id = known_run(views, given)
    if run_id not in {row["run_id"] for row in views.held()}:
        text = f"the plan of {run_id} is not held; `qws runs` shows how it stands"
        _tell(ctx, command, "refused", text, as_json=as_json)
    _order(ctx, home, command, run_id, as_json=as_json)


@click.command()
@click.option("--all", "everything", is_flag=True, help="Every working order; single orders are not cancelled by hand.")
@home_option
@json_option
@click.pass_context
def cancel(ctx: click.Context, home: Home, *, everything: bool, as_json: bool) -> None:
    """Cancel every working order of ours and end the run; later targets trade again."""
    if not everything:
        raise click.UsageError("say which orders: `qws cancel --all` cancels every working order of ours")
    _order(ctx, home, "cancel", as_json=as_json)


@click.command()
@click.option("--target", "given", metavar="ID", help="Another target of today: its id, how it begins, or its file.")
@home_option
@json_option
@click.pass_context
def rebalance(ctx: click.Context, home: Home, given: str | None, *, as_json: bool) -> None:
    """Run today's newest target again, or another one of today."""
    _order(ctx, home, "rebalance", given and _target_of_today(Views(home.views), given), as_json=as_json)


def _target_of_today(views: Views, given: str) -> str:
    """The id of the target that is meant; a file of several is its newest one. Exit 2 naming those there are."""
    rows = views.targets_of(SystemClock().now().date().isoformat())  # oldest first
    ids = {str(row["target_id"]): str(row["file"]) for row in rows}
    meant = [each for each in ids if each.startswith(given)]
    named = [each for each, file in ids.items() if file == given][-1:]
    if len(found := named or meant) != 1:
        known = ", ".join(f"{each[:12]} ({ids[each]})" for each in (meant or ids)) or "there is none"
        what = "several targets of today begin with" if meant else "no target of today begins with, or came from,"
        raise click.UsageError(f"{what} {given}; choose one of: {known}")
    return found[0]


@click.command()
@click.argument("tag")
@click.option("--order-id", help="It is this order of the broker's list.")
@click.option("--never-arrived", is_flag=True, help="The broker does not have it, as you have seen yourself.")
@home_option
@json_option
@click.pass_context
def settle(
    ctx: click.Context, home: Home, tag: str, order_id: str | None, *, never_arrived: bool, as_json: bool
) -> None:
    """Say what became of an order that nobody could tell; until then its name is not traded."""
    if bool(order_id) == never_arrived:
        raise click.UsageError("say either --order-id ID or --never-arrived, after looking at the terminal")
    if not is_ours(tag):
        raise click.UsageError(f"{tag} is no tag of ours; `qws orders` shows them")
    if is_held(home.lock) and (why := _needs_nobody(Views(home.views).orders(None), tag)):
        _tell(ctx, "settle", "refused", why, as_json=as_json)
    _order(ctx, home, "settle", f"{tag} {order_id or ''}", as_json=as_json)


def _needs_nobody(orders: Iterable[Record], tag: str) -> str:
    """Why no person is asked about an order; empty when one is."""
    row = next((each for each in orders if each["tag"] == tag), None)
    if row is None or same_day_part(tag) != day_part(SystemClock().now().date()):
        return f"no order {tag} of today is known; `qws orders` shows them"
    if row["status"] in {status.name.lower() for status in TERMINAL}:
        return f"order {tag} is {row['status']}; nobody needs to say what became of it"
    return ""


def _order(ctx: click.Context, home: Home, command: str, argument: str | None = None, *, as_json: bool) -> None:
    _tell(ctx, command, *_outcome(home, command, argument or ""), as_json=as_json)


def _tell(ctx: click.Context, command: str, result: str, text: str, *, as_json: bool) -> None:
    command = command.replace("_", "-")  # as it was typed
    if as_json:
        print_json({"command": command, "result": result, "text": text})
    else:
        echo(f"{command}: {text}", err=result not in ("accepted", "stored"))
    ctx.exit(0 if result in ("accepted", "stored") else 1)


def _outcome(home: Home, command: str, argument: str) -> tuple[str, str]:
    try:
        return _ordered(home, command, argument)
    except (QwsError, OSError) as error:
        if command != "halt":
            raise
        return _halted_by_file(home, error)


def _halted_by_file(home: Home, error: Exception) -> tuple[str, str]:
    """A halt does not depend on the read models: a running daemon takes it from the inbox, a start from its mark.

    Raises what was in the way when neither can be left.
    """
    _mark(home, "halt")
    if not is_held(home.lock):
        if not home.halt_mark.is_file():
            raise error
        return "stored", f"{error}; the halt is kept in {home.halt_mark} and takes effect at the next start"
    file = _inbox(home) / "HALT"
    try:
        file.touch()  # it needs no room on the disk
    except OSError:
        raise error from None
    return "stored", f"{error}; halted by {file} instead, which the daemon takes within a second: look at `qws log`"


def _inbox(home: Home) -> Path:
    try:
        return home.root / load_config(home.config_file).inbox
    except ConfigError:
        return home.inbox


def _ordered(home: Home, command: str, argument: str) -> tuple[str, str]:
    if is_held(home.lock):
        return _asked(home, command, argument)
    if command not in _STORED:
        return "not_running", f"no daemon runs in {home.root}, nothing was done; start it with `qws run`"
    if not home.views.exists():
        home.state.mkdir(parents=True, exist_ok=True)
        Projector(home.views, str).close()
    leave(home, command, argument)
    _mark(home, command)
    return "stored", f"no daemon runs in {home.root}; stored, it takes effect at the next start, before anything trades"


def _asked(home: Home, command: str, argument: str) -> tuple[str, str]:
    views = Views(home.views)
    if command == "rebalance" and views.is_halted():
        return "refused", "trading is halted, nothing is planned; `qws resume` first, then `qws rebalance`"
    id_, answer = leave(home, command, argument), None
    try:
        for _ in range(round(ANSWER_WAIT_S / _LOOK_S)):
            answer = answer_of(home.views, id_)
            if answer is not None and (command not in _LASTING or views.trading() is STATE_OF[command]):
                break  # and whoever asks for the status next sees it
            pause(_LOOK_S)
    finally:
        if answer is None and command not in _LASTING:  # nobody wants it to fire an hour later
            withdraw(home.views, id_)
    if answer is None:
        _mark(home, command)
        what = "it stays stored until the daemon takes it" if command in _LASTING else "the order was withdrawn"
        return "no_answer", f"the daemon did not answer within {ANSWER_WAIT_S:g} s; {what}; look at `qws status`"
    if answer == "accepted" and command in _LASTING:
        remove_mark(home.halt_mark)  # what an earlier daemon did not take
    return ("accepted", _ACCEPTED[command]) if answer == "accepted" else ("refused", answer)


def _mark(home: Home, command: str) -> None:
    """A halt that is only stored outlives the read models; a resume ends it."""
    if command == "halt":
        leave_mark(home.halt_mark, _person())
    elif command == "resume":
        remove_mark(home.halt_mark)


def leave(home: Home, command: str, argument: str) -> int:
    """Leave an order for the daemon; the number is for `answer_of`. Raises StoreError."""
    Views(home.views).daemon()  # refuses tables of another version, which the next start renews
    return ask(home.views, command, argument, _person(), SystemClock().now())


def _person() -> str:
    try:
        return f"{getpass.getuser()}@{platform.node()}"
    except (OSError, KeyError, ImportError):  # a user without a name
        return f"unknown@{platform.node()}"
