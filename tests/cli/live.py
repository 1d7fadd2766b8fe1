"""A home set to live: its settings, and the terminal's folder."""

from __future__ import annotations

from pathlib import Path

from qws.cli.home import make_home
from qws.home import Home

ACCOUNT = "1000000365"


def a_live_home(folder: Path, *, always_open: bool = False, **settings: str) -> Home:
    """A home as `qws init` makes it, set to live; `settings` are lines of qws.toml, by their key."""
    home = make_home(folder)
    userdata = folder / "userdata_mini"
    userdata.mkdir(exist_ok=True)
    changes = {
        "mode": '"live"',
        "language": '"en"',
        "kind": '"xt"',
        "path": f"'{userdata}'",
        "account": f'"{ACCOUNT}"',
        "always_open": "true" if always_open else "false",
        **settings,
    }
    lines = home.config_file.read_text(encoding="utf-8").splitlines()
    for key, value in changes.items():  # the first of that name
        place = next(number for number, line in enumerate(lines) if line.startswith(f"{key} = "))
        lines[place] = f"{key} = {value}"
    home.config_file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return home
