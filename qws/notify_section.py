"""The [notify] section: who is told what, and by which channels. Secrets are values that nothing prints."""

from __future__ import annotations

from datetime import time
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from qws.domain.alerts import Severity
from qws.local_time import LocalTime

_DAY_S = 86_400.0
_EMPTY = SecretStr("")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)


class ChannelSection(_Strict):
    """One channel. `url`, `secret` and `password` may be `env:NAME` or `file:PATH` (below the home). A robot has `url`
    and, where it signs, `secret`; `smtp` has host, port, security, user, password, sender and `to`."""

    kind: Literal["wecom", "dingtalk", "feishu", "webhook", "smtp"]
    url: SecretStr = _EMPTY
    secret: SecretStr = _EMPTY
    mention_all: bool = False
    per_minute: int = Field(default=20, ge=1, le=600)
    host: str = ""
    port: int = Field(default=465, ge=1, le=65_535)
    security: Literal["tls", "starttls", "none"] = "tls"
    user: str = ""
    password: SecretStr = _EMPTY
    sender: str = ""
    to: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.kind != "smtp" and not self.url.get_secret_value():
            raise ValueError("url is missing: its address, env:NAME or file:PATH")
        if self.kind == "smtp" and not (self.host and self.sender and self.to):
            raise ValueError("host, sender and to are needed for smtp")
        return self


class NotifySection(_Strict):
    """What messages call this home ("" for mode and account); channels by name; routes by severity (default: every
    channel but the fallback); what takes over; seconds in which repeats are folded; quiet hours and what passes them;
    seconds until a lost link is told; tries before the fallback, seconds a service may take, the most alerts that wait,
    and a proxy ("" for none)."""

    label: str = ""
    channels: dict[str, ChannelSection] = {}
    routes: dict[Severity, tuple[str, ...]] = {}
    fallback: str = ""
    fold_s: float = Field(default=600.0, ge=0, le=_DAY_S)
    quiet_from: LocalTime = time(0)
    quiet_to: LocalTime = time(0)
    quiet_passes: Severity = Severity.CRITICAL
    link_lost_s: float = Field(default=60.0, gt=0, le=_DAY_S)
    tries: int = Field(default=3, ge=1, le=10)
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    pending_max: int = Field(default=500, ge=10, le=10_000)
    proxy: SecretStr = _EMPTY

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        named = {name for names in self.routes.values() for name in names} | ({self.fallback} - {""})
        if unknown := sorted(named - set(self.channels)):
            name = unknown[0] if unknown[0].replace("-", "_").isidentifier() else "****"  # an address has a key in it
            raise ValueError(f"{name} is no channel; make it under [notify.channels.{name}]")
        return self

    def channels_of(self, severity: Severity) -> tuple[str, ...]:
        """The channels that an alert of this severity goes to."""
        return self.routes.get(
            severity, tuple(name for name in self.channels if name != self.fallback or len(self.channels) == 1)
        )
