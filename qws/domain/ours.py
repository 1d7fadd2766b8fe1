"""Which codes are ours to trade, and which texts may be meant for one."""

from __future__ import annotations

import re
from collections.abc import Collection

from qws.domain.codes import classify
from qws.domain.market import Exchange, Kind

_FOREIGN = re.compile(r"\.(HK|US|N|O|L|T)$", re.IGNORECASE)


def is_managed(code: str, kinds: Collection[Kind]) -> bool:
    """Whether a code is a Shanghai or Shenzhen one of these kinds."""
    found = classify(code)
    return found is not None and found.kind in kinds and found.exchange is not Exchange.BJ


def may_mean_a_share(text: str) -> bool:
    """Whether a code that no exchange knows may be a mistyped A share: most of a code's digits, or a Chinese name."""
    if classify(text) is not None or _FOREIGN.search(text):
        return False
    return sum(character.isdigit() for character in text) >= 4 or not text.isascii()
