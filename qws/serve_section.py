"""The [serve] section: what the daemon shows to other programs of this computer."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, field_validator

_PORT_MAX = 65_535


class Listening(NamedTuple):
    """An address of this computer, and a port; 0 takes any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ServeSection(BaseModel):
    """Where /metrics and /healthz are served, an address of this computer only; "" for nowhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics: str = ""

    @field_validator("metrics")
    @classmethod
    def _is_local(cls, text: str) -> str:
        """They tell what the account is worth, and know no password."""
        return text if not text else str(listening_at(text))


def listening_at(text: str) -> Listening:
    """Read `127.0.0.1:PORT`, `localhost:PORT` or `[::1]:PORT`. Raises ValueError with the remedy."""
    host, _, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        is_local, number = ipaddress.ip_address(host).is_loopback, int(port)
    except ValueError as error:
        raise ValueError("it is no address; write 127.0.0.1:PORT") from error
    if not is_local:
        raise ValueError("only an address of this computer may be named; write 127.0.0.1:PORT")
    if not 0 <= number <= _PORT_MAX:
        raise ValueError(f"a port is a number from 0 to {_PORT_MAX}")
    return Listening(host, number)
