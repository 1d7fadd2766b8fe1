"""Where everything of one installation lies. Standard library only: the light commands start with it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from qws.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Home:
    """One folder with config, inbox, state and logs."""

    root: Path

    @property
    def config_folder(self) -> Path:
        """Where `qws.toml` and a user's own tables lie."""
        return self.root / "config"

    @property
    def config_file(self) -> Path:
        """The configuration."""
        return self.config_folder / "qws.toml"

    @property
    def inbox(self) -> Path:
        """Where weight files are dropped."""
        return self.root / "inbox"

    @property
    def state(self) -> Path:
        """What the program remembers."""
        return self.root / "state"

    @property
    def journal(self) -> Path:
        """The journal, which the daemon alone opens."""
        return self.state / "journal.sqlite"

    @property
    def journal_archive(self) -> Path:
        """Old months of the journal as Parquet."""
        return self.state / "journal"

    @property
    def views(self) -> Path:
        """The read models, which commands read."""
        return self.state / "views.sqlite"

    @property
    def halt_mark(self) -> Path:
        """There while a halt waits for the next start."""
        return self.state / "HALT"

    @property
    def exchange(self) -> Path:
        """The paper exchange's own books."""
        return self.state / "exchange.sqlite"

    @property
    def shadow(self) -> Path:
        """The books of an account that trades on paper in the real market."""
        return self.state / "shadow.sqlite"

    @property
    def exchange_lock(self) -> Path:
        """Held by the process that has the paper exchange's books open: its own, or the daemon."""
        return self.state / "exchange.lock"

    @property
    def exchange_port(self) -> Path:
        """The port at which `qws exchange` listens, or last did."""
        return self.state / "exchange.port"

    @property
    def lock(self) -> Path:
        """Held by the daemon for as long as it lives."""
        return self.state / "daemon.lock"

    @property
    def armed(self) -> Path:
        """What a person confirmed with `qws arm`."""
        return self.state / "armed.json"

    @property
    def archive(self) -> Path:
        """Accepted targets as Parquet."""
        return self.state / "targets"

    @property
    def equity(self) -> Path:
        """Equity records as Parquet, with a CSV mirror."""
        return self.state / "equity"

    @property
    def reports(self) -> Path:
        """Tear sheets of days and months."""
        return self.root / "reports"

    @property
    def logs(self) -> Path:
        """The log for tailing and its JSON twin."""
        return self.root / "logs"


def account_lock(account: str) -> Path:
    """Held by the one process of this user that trades a live account, from whichever home."""
    digest = sha256(account.encode("utf-8")).hexdigest()[:12]
    return Path.home() / ".qws" / f"account-{digest}.lock"


def find_home(given: str | None) -> Home:
    """The home named by `--home`, by QWS_HOME, or the present folder. Raises ConfigError when it is none."""
    root = Path(given or os.environ.get("QWS_HOME") or ".").resolve()
    home = Home(root)
    if not home.config_file.is_file():
        raise ConfigError(f"{root} is no home of qws: {home.config_file} is missing; make one with `qws init {root}`")
    return home
