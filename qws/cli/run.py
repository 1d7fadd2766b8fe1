"""`qws run`: the daemon."""

from __future__ import annotations

import sys

import anyio
import click
from loguru import logger

from qws.config import load_config
from qws.daemon import serve
from qws.errors import QwsError
from qws.home import find_home
from qws.log import start_logging, stop_logging
from qws.store.lock import HomeLock
from qws.text import speak


@click.command()
@click.option("--home", "folder", type=click.Path(file_okay=False), help="The home; default: QWS_HOME, or here.")
@click.option("--quiet", is_flag=True, help="Write to the log files only.")
def run(folder: str | None, *, quiet: bool) -> None:
    """Watch the inbox and trade until SIGINT or SIGTERM; a second daemon on the same home is refused (exit 3)."""
    home = find_home(folder)
    config = load_config(home.config_file)
    speak(config.language)
    home.state.mkdir(parents=True, exist_ok=True)
    lock = HomeLock(home.lock)
    lock.acquire()
    try:
        start_logging(home, config.log, console=not quiet)
        logger.info("home {}, {} account, settings {}", home.root, config.mode, home.config_file)
        try:
            code = anyio.run(serve, home, config)
        except* QwsError as errors:
            error = _first(errors)
            logger.error("{}", error)
            code = error.exit_code
        logger.info("stopped, exit code {}", code)
    finally:
        stop_logging()
        lock.release()
    sys.exit(code)


def _first(errors: BaseExceptionGroup[QwsError]) -> QwsError:
    inner = errors.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
