"""`qws init`: make a runnable home."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import click

from qws.cli.options import echo
from qws.errors import ConfigError
from qws.home import Home


def make_home(folder: Path) -> Home:
    """Make the folders and a paper configuration; what is already there stays. Raises ConfigError."""
    home = Home(folder.resolve())
    try:
        for each in (home.config_folder, home.inbox, home.state, home.logs):
            each.mkdir(parents=True, exist_ok=True)
        if not home.config_file.exists():
            text = resources.files("qws.cli").joinpath("qws.toml").read_text(encoding="utf-8")
            home.config_file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made a home: {error.strerror}; choose a folder you may write") from error
    return home


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Make FOLDER a home: config/qws.toml (paper, always open), inbox, state, logs; what is there already stays."""
    home = Home(folder.resolve())
    kept = [f"{each}" for each in (home.config_file, home.inbox, home.state, home.logs) if each.exists()]
    make_home(folder)
    echo(f"home: {home.root}")
    if kept:
        echo(f"kept as it was: {', '.join(kept)}")
    echo(f"settings: {home.config_file}")
    echo(f"start the daemon:  qws run --home {home.root}")
    echo(f"then copy a weight file (date, stock_code, weight) into {home.inbox}")
