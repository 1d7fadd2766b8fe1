"""A fake of the vendor's two native modules over our simulated exchange: the real `xttrader` and `xtdata` run on it.

    from tests.xt_native import install, SimTerminal, ThreadClock, Faults

    native = install(package="xtquant")     # before the first import of xtquant; idempotent; skips its __init__
    terminal = SimTerminal(open_counter, market, calendar, ThreadClock(start), faults=Faults())
    native.attach(terminal)                 # a SimTerminal answers; `open_counter` opens the SimExchange on its thread
    xttrader, xtdata = native.module("xttrader"), native.module("xtdata")
    ...
    native.detach()                         # closes the terminal; raises what broke inside the fake

SimTerminal: `account_id`, `faults`, `latency_s`, `quote_interval_s`, `reuses_sessions`; `die(tell=...)`, `revive()`,
`set_status(n)`, `forget_sessions()`, `ask(question)` (runs on the thread that owns the exchange), `close()`.
Faults: switches, each a count (int: the next n times) or a probability (float); see `faults.py`.
Native: `module(name)`, `errors` (what callbacks raised in native threads). Seams: `Counter`, `Client` in `ports.py`.
"""

from __future__ import annotations

from tests.xt_native.faults import FOREIGN_ROWS, Faults, ForeignRow
from tests.xt_native.install import Native, install
from tests.xt_native.ports import Client, Counter
from tests.xt_native.terminal import SimTerminal, ThreadClock

__all__ = [
    "FOREIGN_ROWS",
    "Client",
    "Counter",
    "Faults",
    "ForeignRow",
    "Native",
    "SimTerminal",
    "ThreadClock",
    "install",
]
