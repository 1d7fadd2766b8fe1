"""`qws conformance`: does the terminal do what this program expects of every broker?"""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import click

from qws.arming import require_armed
from qws.cli.options import echo, home_option, json_option, leave, print_json
from qws.cli.table import width
from qws.config import Config, load_config
from qws.conformance.cards import CARDS
from qws.conformance.live import Examination
from qws.conformance.verdict import Result, Verdict
from qws.domain.orders import OrderRequest
from qws.errors import ConfigError
from qws.home import Home
from qws.log import silent
from qws.masking import discreet, masked
from qws.runtime.clock import SystemClock
from qws.sentences import localised


@click.command()
@click.option("--live", is_flag=True, help="Ask the terminal that [xt] names; there is no other way yet.")
@click.option("--read-only", is_flag=True, help="Never order, never cancel.")
@click.option("--one-lot", metavar="CODE", help="Also buy one lot of CODE at its lower limit, and cancel it.")
@home_option
@json_option
@click.pass_context
def conformance(
    ctx: click.Context, home: Home, *, live: bool, read_only: bool, one_lot: str | None, as_json: bool
) -> None:
    """Play the numbered cards of the conformance suite on the terminal of this home; the daemon must not run.

    --one-lot orders with real money, after the account id was typed. Cards that need an account which can be staged
    are not checked here: the project's own tests play them on the simulated brokers.
    Exit codes: 0 nothing failed, 1 something failed, 2 the configuration does not allow it.
    """
    if not live or read_only == (one_lot is not None):
        raise click.UsageError("say --live and one of --read-only and --one-lot CODE")
    config = load_config(home.config_file)
    _require_terminal(home, config, orders=one_lot is not None)
    examination = Examination(config, home.config_folder, SystemClock())
    order = None
    with silent():
        if one_lot is not None:
            order = asyncio.run(examination.proposal(one_lot))
            if not _is_confirmed(config, order):
                shown = masked(config.xt.account)
                echo(f"not ordered: that is not the account {shown} of the settings", err=True)
                leave(ctx, 1, stuck_threads=examination.stuck_threads)
        code = _examined(examination, order, as_json=as_json)
        leave(ctx, code, stuck_threads=examination.stuck_threads)


def _require_terminal(home: Home, config: Config, *, orders: bool) -> None:
    if config.broker.kind != "xt":
        text = 'qws conformance speaks to a terminal: set [broker] kind = "xt" and mode = "live" or "shadow"'
        raise ConfigError(f'{home.config_file}: broker.kind = "{config.broker.kind}": {text}')
    if orders and config.mode != "live":
        text = 'this mode never orders at the terminal: use --read-only, or set mode = "live"'
        raise ConfigError(f'{home.config_file}: mode = "{config.mode}": {text}')
    if orders and config.paper.always_open:  # it would order at any hour: only where `qws arm --any-hour` said so
        require_armed(home, config)


def _is_confirmed(config: Config, order: OrderRequest) -> bool:
    shown = f"{order.shares} {order.code} at {order.price}, its lower limit: {order.shares * order.price:,.2f} CNY"
    echo(f"account {masked(config.xt.account)}: buy {shown}; looked at, then cancelled", err=True)
    return bool(click.prompt(localised("Type the account id to place this order"), err=True) == config.xt.account)


def _examined(examination: Examination, order: OrderRequest | None, *, as_json: bool) -> int:
    found = list[Result]()

    def tell(result: Result) -> None:
        found.append(result)
        if not as_json:
            echo(discreet(_line(result)))

    try:
        asyncio.run(examination.run(tell, order))
    finally:
        left = discreet(examination.left)
        if left:
            echo(f"LOOK AT THE TERMINAL: {left}", err=True)
    is_sound = not left and all(each.result is not Verdict.FAILED for each in found)
    if as_json:
        cards = [asdict(each) | {"text": discreet(each.text)} for each in found]
        print_json({"ok": is_sound, "left": left, "cards": cards})
    return 0 if is_sound else 1


def _line(result: Result) -> str:
    wide = max(width(each.sentence) for each in CARDS)
    verdict = result.result.replace("_", " ")
    return f"{result.card:>4}  {result.sentence:<{wide}}  {verdict:<11}  {result.text}"
