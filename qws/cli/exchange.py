"""`qws exchange`: the paper exchange as a process of its own."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import anyio
import click

from qws.cli.options import echo, home_option
from qws.config import Config, load_config
from qws.daemon import stop_on_signals
from qws.errors import ConfigError
from qws.gateways.wire.protocol import Address, parse_address
from qws.gateways.wire.server import WireServer
from qws.home import Home
from qws.paper import open_paper
from qws.runtime.clock import SystemClock
from qws.store.lock import HomeLock


@click.command()
@home_option
@click.option("--listen", required=True, help="127.0.0.1:PORT, the value of paper.exchange; port 0: any free one.")
def exchange(home: Home, listen: str) -> None:
    """Keep the home's paper account and serve it to `qws run` until SIGINT or SIGTERM.

    Orders go on living while the daemon does not. The port is written to state/exchange.port. A second exchange on
    the same home is refused (exit 3), and so is an address that is not of this computer (exit 2).
    """
    address = parse_address(listen, named="--listen")
    config = load_config(home.config_file)
    if config.broker.kind != "paper":
        text = "it serves the paper account only, and the exchange of this home is behind its terminal; use `qws run`"
        raise ConfigError(f'{home.config_file}: broker.kind = "{config.broker.kind}": {text}')
    home.state.mkdir(parents=True, exist_ok=True)
    with HomeLock(home.exchange_lock):
        anyio.run(partial(_serve, home, config, address))


async def _serve(home: Home, config: Config, address: Address) -> None:
    clock = SystemClock()

    def tell(text: str) -> None:
        with suppress(OSError):  # a terminal that was closed ends no exchange
            echo(f"{clock.now():%Y-%m-%d %H:%M:%S} {text}")

    def listening(at: Address) -> None:
        home.exchange_port.write_text(f"{at.port}\n", encoding="utf-8")
        tell(f"exchange of {home.root} listens at {at}")

    paper = open_paper(config, home.root, clock, home.exchange, home.config_folder)
    server = WireServer(paper.broker, paper.quotes, tell)
    try:
        with stop_on_signals(server.stop):
            await server.serve(address, listening)
        tell("stopped")
    finally:
        paper.exchange.close()
