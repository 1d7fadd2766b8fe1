"""What a channel is given, and its secrets: read when they are needed, shown nowhere."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from qws.errors import GatewayLost

_SECRET_MIN = 6  # characters: shorter parts of an address are words


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One channel as it is configured; references to secrets are not resolved yet. Relative paths begin at `root`."""

    name: str
    kind: str
    per_minute: int
    timeout_s: float
    root: Path
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)
    mention_all: bool = False
    host: str = ""
    port: int = 465
    security: str = "tls"
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    to: tuple[str, ...] = ()

    def resolved(self, reference: str) -> str:
        """The value behind `env:NAME`, `file:PATH` or the text itself; blocks. Raises GatewayLost naming what is
        missing."""
        kind, _, where = reference.partition(":")
        if kind == "env":
            value = os.environ.get(where, "")
            missing = f"the environment variable {where} is not set"
        elif kind == "file":
            value, missing = _first_line(self.root / where), f"{self.root / where} cannot be read or is empty"
        else:
            return reference
        if not value.strip():
            raise GatewayLost(missing)
        return value.strip()


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").strip().partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return ""


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without secrets: neither whole, nor the parts of an address that are as good as it."""
    parts = {part for secret in secrets for part in (secret, *_parts(secret)) if len(part) >= _SECRET_MIN}
    for part in sorted(parts, key=len, reverse=True):
        text = text.replace(part, "***")
    return text


def _parts(secret: str) -> Iterable[str]:
    if "://" not in secret:
        return
    try:
        split = urlsplit(secret)
    except ValueError:
        return
    yield split.path.rpartition("/")[2]
    yield split.query
    yield split.password or ""
    yield from (value for _, value in parse_qsl(split.query))
