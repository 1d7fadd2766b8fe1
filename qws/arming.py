"""Did a person say that this home may trade real money: for this account, with these settings, at this place?"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from qws.config import Config
from qws.errors import QwsError
from qws.home import Home
from qws.masking import masked

THIS_MACHINE = platform.node()
# Everything else decides what is traded, when, at which price or how often: a new setting counts unless it is put here.
_FREE = {"language", "inbox", "log", "paper", "checks", "reports", "serve"}


class NotArmed(QwsError):
    """Raised when nobody confirmed that this home may trade real money as it is set; only a person can change that."""

    exit_code = 2


class Armed(BaseModel):
    """What was confirmed: the account, the home's folder and computer, a digest of each table of settings, when
    (Asia/Shanghai) and by whom."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    account: str
    home: str
    machine: str
    settings: dict[str, str]
    at: str
    by: str


def account_label(config: Config) -> str:
    """The mode and, at a terminal, the masked account, as the head of every log says it."""
    return f"{config.mode} account" if config.mode == "paper" else f"{config.mode} account {masked(config.xt.account)}"


def settings_digests(config: Config) -> dict[str, str]:
    """A digest of each table that decides what is traded, by its name as the configuration writes it."""
    tables = config.model_dump(exclude=_FREE).items()
    found = {f"[{name}]" if isinstance(table, dict) else name: _digest(table) for name, table in tables}
    return found | {"paper.always_open": _digest(config.paper.always_open)}


def arm_home(home: Home, config: Config, at: datetime, by: str, *, machine: str = THIS_MACHINE) -> Armed:
    """Remember a confirmation. Raises OSError."""
    armed = Armed(
        account=config.xt.account,
        home=str(home.root.resolve()),
        machine=machine,
        settings=settings_digests(config),
        at=at.isoformat(timespec="seconds"),
        by=by,
    )
    home.armed.parent.mkdir(parents=True, exist_ok=True)
    home.armed.write_text(f"{armed.model_dump_json(indent=2)}\n", encoding="utf-8")
    return armed


def read_armed(home: Home) -> Armed | None:
    """What was confirmed, None when nothing readable is there, or what an older version wrote."""
    try:
        return Armed.model_validate_json(home.armed.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def obstacle(home: Home, config: Config, *, machine: str = THIS_MACHINE) -> str:
    """Why this home may not trade live here; empty when it may, and for an account that sends nothing real."""
    if config.mode != "live":
        return ""
    armed, now = read_armed(home), f"live account {masked(config.xt.account)}"
    if armed is None:
        return f"not armed for {now}"
    if (Path(armed.home), armed.machine) != (here := home.root.resolve(), machine):
        return f"armed at another place: {armed.home} on {armed.machine}, and this is {here} on {machine}"
    if armed.account != config.xt.account:
        return f"armed for account {masked(armed.account)}, and the settings name {masked(config.xt.account)}"
    digests = settings_digests(config)
    changed = [name for name in digests | armed.settings if digests.get(name) != armed.settings.get(name)]
    return f"{', '.join(changed)} changed since {now} was armed at {armed.at}" if changed else ""


def require_armed(home: Home, config: Config) -> None:
    """Raises NotArmed with the remedy."""
    if reason := obstacle(home, config):
        raise NotArmed(f"{reason}: look at the settings, then run `qws arm --home {home.root}`")


def _digest(table: object) -> str:
    return sha256(json.dumps(table, sort_keys=True, default=_plain).encode("utf-8")).hexdigest()


def _plain(value: object) -> object:
    """A set has another order in every process."""
    return sorted(f"{each}" for each in value) if isinstance(value, Iterable) else str(value)
