"""Did a person say that this home may trade real money, for this account and with these settings?"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256

from qws.config import Config
from qws.errors import QwsError
from qws.home import Home

_SHOWN = 4


class NotArmed(QwsError):
    """Raised when nobody confirmed that this home may trade real money as it is set."""


@dataclass(frozen=True, slots=True)
class Armed:
    """What was confirmed: the account, the settings' digest, when (Asia/Shanghai) and by whom."""

    account: str
    settings: str
    at: str
    by: str


def masked(account: str) -> str:
    """An account id of which only the last four characters are told."""
    return f"****{account[-_SHOWN:]}" if len(account) > _SHOWN else "****"


def account_label(config: Config) -> str:
    """The mode and, at a terminal, the masked account, as the head of every log says it."""
    return f"{config.mode} account" if config.mode == "paper" else f"{config.mode} account {masked(config.xt.account)}"


def settings_digest(config: Config) -> str:
    """A digest of what decides whose money is traded and through what: mode, [broker], [xt] and paper.always_open."""
    table = config.model_dump(mode="json", include={"mode": True, "broker": True, "xt": True, "paper": {"always_open"}})
    return sha256(json.dumps(table, sort_keys=True).encode("utf-8")).hexdigest()


def arm_home(home: Home, config: Config, at: datetime, by: str) -> Armed:
    """Remember a confirmation. Raises OSError."""
    armed = Armed(config.xt.account, settings_digest(config), at.isoformat(timespec="seconds"), by)
    home.armed.parent.mkdir(parents=True, exist_ok=True)
    home.armed.write_text(json.dumps(asdict(armed), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return armed


def read_armed(home: Home) -> Armed | None:
    """What was confirmed, None when nothing readable is there."""
    try:
        return Armed(**json.loads(home.armed.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def obstacle(home: Home, config: Config) -> str:
    """Why this home may not trade live; empty when it may, and for a paper account."""
    if config.mode != "live":
        return ""
    armed, now = read_armed(home), f"live account {masked(config.xt.account)}"
    if armed is None:
        return f"not armed for {now}"
    if armed.account != config.xt.account:
        return f"armed for account {masked(str(armed.account))}, and the settings name {masked(config.xt.account)}"
    if armed.settings != settings_digest(config):
        return f"mode, [broker], [xt] or paper.always_open changed since {now} was armed at {armed.at}"
    return ""


def require_armed(home: Home, config: Config) -> None:
    """Raises NotArmed with the remedy."""
    if reason := obstacle(home, config):
        raise NotArmed(f"{reason}: look at the settings, then run `qws arm --home {home.root}`")
