"""`qws arm`: a person confirms that this home may trade real money."""

from __future__ import annotations

import getpass
import platform

import click

from qws.arming import account_label, arm_home, obstacle
from qws.cli.options import echo, home_option
from qws.config import Config, load_config
from qws.errors import ConfigError
from qws.home import Home
from qws.masking import masked
from qws.runtime.clock import SystemClock
from qws.sentences import localised


@click.command()
@click.option("--any-hour", is_flag=True, help="The terminal is a simulator: let paper.always_open stand.")
@home_option
@click.pass_context
def arm(ctx: click.Context, home: Home, *, any_hour: bool) -> None:
    """Show what would trade real money, and let a person type the account id.

    The confirmation is kept in state/armed.json. It holds for this home in this folder on this computer, until a
    setting changes that is not language, inbox, [log], [reports] or of the simulated account.
    Exit codes: 0 armed, 1 the id was not the account's, 2 the configuration cannot be armed.
    """
    config = load_config(home.config_file)
    if config.mode != "live":
        raise ConfigError(f'{home.config_file}: mode = "{config.mode}" trades no real money: there is nothing to arm')
    if config.paper.always_open and not any_hour:
        raise ConfigError(
            f"{home.config_file}: paper.always_open = true would send orders at any hour: set it to false, "
            "or use --any-hour when the terminal is a simulator"
        )
    for name, text in _shown(home, config):
        echo(f"{name:<12}  {text}")
    if click.prompt(localised("Type the account id to let this home trade it")) != config.xt.account:
        echo(f"not armed: that is not the account {masked(config.xt.account)} of the settings", err=True)
        ctx.exit(1)
    armed = arm_home(home, config, SystemClock().now(), f"{getpass.getuser()}@{platform.node()}")
    echo(f"armed by {armed.by}; to disarm, remove {home.armed}")


def _shown(home: Home, config: Config) -> list[tuple[str, str]]:
    xt, risk, plan = config.xt, config.risk, config.plan
    sessions = f"the exchanges' sessions, orders until {config.schedule.last_order_at}"
    return [
        ("home", f"{home.root} on {platform.node()}"),
        ("account", account_label(config)),
        ("terminal", f"{xt.path}, package {xt.package}"),
        ("hours", "ANY HOUR of any day" if config.paper.always_open else sessions),
        (
            "limits",
            f"one name at most {risk.weight_max:.0%}, turnover {risk.turnover_max:.0%}, {risk.orders_max} orders",
        ),
        ("kept back", f"{plan.cash_reserve:,} CNY, {len(plan.protected)} protected codes"),
        ("costs", f"commission {config.fees.commission_rate:%}, at least {config.fees.commission_min} CNY"),
        ("now", obstacle(home, config) or "armed as it is"),
    ]
