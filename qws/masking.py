"""No account is told in full: of an id that settings of this process name, the last four characters are shown."""

from __future__ import annotations

import re

_SHOWN = 4
_hidden: dict[str, re.Pattern[str]] = {}


def masked(account: str) -> str:
    """An account id of which only the last four characters are told."""
    return f"****{account[-_SHOWN:]}" if len(account) > _SHOWN else "****"


def hide(account: str) -> None:
    """From now on `discreet` masks this account id in this process; an empty one is none."""
    if account:  # between digits it is part of another number; the vendor puts it between underscores, too
        _hidden[account] = re.compile(rf"(?<![0-9]){re.escape(account)}(?![0-9])")


def discreet(text: str) -> str:
    """A text as it may be shown: the vendor's own words hold account ids."""
    for account, pattern in _hidden.items():
        text = pattern.sub(masked(account), text)
    return text
