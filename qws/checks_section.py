"""The [checks] section: when the day is checked, and what is expected of it. It moves no money."""

from __future__ import annotations

from datetime import time

from pydantic import BaseModel, ConfigDict, Field

from qws.domain.readiness import Expected, ReadinessRules
from qws.local_time import LocalTime


class ChecksSection(BaseModel):
    """When account, quotes and target are looked at before the open, whether a day without a target is a problem, how
    old the newest quote may be then (seconds), trading days that must be known, megabytes of disk; and when the day is
    held against the broker's lists."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    ready_at: LocalTime = time(9, 15)
    target_expected: Expected = Expected.AUTO
    ready_quote_age_max_s: float = Field(default=90.0, gt=0, le=86_400.0)
    calendar_days_min: int = Field(default=5, ge=0, le=250)
    disk_free_min_mb: int = Field(default=500, ge=0, le=10_000_000)
    reconcile_at: LocalTime = time(15, 30)

    def readiness(self) -> ReadinessRules:
        """What the check before the open goes by."""
        return ReadinessRules(
            self.ready_at,
            self.target_expected,
            self.ready_quote_age_max_s,
            self.calendar_days_min,
            self.disk_free_min_mb,
        )
