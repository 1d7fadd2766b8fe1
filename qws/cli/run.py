"""`qws run`: the daemon."""

from __future__ import annotations

import os
import sys

import anyio
import click
from loguru import logger

from qws.arming import account_label
from qws.cli.options import echo
from qws.config import Config, load_config
from qws.daemon import serve
from qws.errors import QwsError, StoreError
from qws.home import Home, find_home
from qws.language import speak
from qws.log import start_logging, stop_logging
from qws.masking import discreet
from qws.store.lock import HomeLock


@click.command()
@click.option("--home", "folder", type=click.Path(file_okay=False), help="The home; default: QWS_HOME, or here.")
@click.option("--quiet", is_flag=True, help="Write to the log files only.")
def run(folder: str | None, *, quiet: bool) -> None:
    """Watch the inbox and trade until SIGINT or SIGTERM; a second daemon on the same home is refused (exit 3)."""
    home = find_home(folder)
    config = load_config(home.config_file)
    speak(config.language)
    lock = HomeLock(home.lock)
    try:
        home.state.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        code = _locked(home, config, lock, quiet=quiet)
    except OSError as error:
        raise _broken(error) from error
    if config.broker.kind == "xt" and f"{config.xt.package}.xttrader" in sys.modules:
        # Its threads can keep the interpreter from ending, for ever (XTQUANT.md H3); everything of ours is written.
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _locked(home: Home, config: Config, lock: HomeLock, *, quiet: bool) -> int:
    try:
        head = f"home {home.root}, {account_label(config)}, settings {home.config_file}"
        start_logging(home, config.log, console=not quiet, head=head)
        logger.info("{}", head)
        if config.mode != "paper" and config.paper.always_open:
            logger.warning("paper.always_open = true: orders leave at any hour; for a simulated terminal only")
        code = _serve(home, config, quiet=quiet)
        logger.info("stopped, exit code {}", code)
    finally:
        stop_logging()
        lock.release()
    return code


def _serve(home: Home, config: Config, *, quiet: bool) -> int:
    try:
        return anyio.run(serve, home, config)
    except* (QwsError, OSError) as errors:
        first = _first(errors)
        error = first if isinstance(first, QwsError) else _broken(first)
    logger.error("{}", error)
    if quiet:  # what ends the daemon is told on the terminal too
        echo(f"qws: {discreet(str(error))}", err=True)
    return error.exit_code


def _broken(error: OSError) -> StoreError:
    what = error.filename or "the home"
    return StoreError(f"{what}: {error.strerror or error}; every folder of the home must exist and be writable")


def _first(errors: BaseExceptionGroup[QwsError | OSError]) -> QwsError | OSError:
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
