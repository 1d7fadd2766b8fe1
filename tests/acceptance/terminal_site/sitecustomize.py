"""Python runs this by itself when its folder is on PYTHONPATH: the account of a home lies at a terminal then.

The native modules below the vendor's Python are fakes; what they reach is a simulated exchange with the market, money
and holdings of the home's [paper] settings, and books of its own in TERMINAL_BOOKS, which outlive the process.
"""

from __future__ import annotations

import os
from pathlib import Path

from qws.config import load_config
from qws.gateways.sim.agenda import Latency
from qws.gateways.sim.books import Books, Opening
from qws.gateways.sim.exchange import SimExchange
from qws.home import Home
from qws.paper import fee_plan, open_market, read_positions, tables
from qws.runtime.clock import SystemClock
from tests.xt_native import SimTerminal, install

home, clock = Home(Path(os.environ["TERMINAL_OF"])), SystemClock()
config = load_config(home.config_file)
rules, calendar = tables(config, None)
market, _, _ = open_market(config, home.root, rules, calendar)


def counter() -> SimExchange:
    """The account's; on the terminal's own thread."""
    books = Books(Path(os.environ["TERMINAL_BOOKS"]))
    opening = Opening(config.paper.cash, read_positions(home.root / config.paper.positions))
    return SimExchange(market, books, fee_plan(config), opening, clock.now(), Latency())


install().attach(SimTerminal(counter, market, calendar, clock))
