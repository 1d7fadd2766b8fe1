"""The [schedule] section: the times of a trading day, and further runs by a list of times or a cron expression."""

from __future__ import annotations

from datetime import date, time
from itertools import pairwise
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from qws.cron import cron_times, cron_times_of
from qws.domain.schedule import DEFAULT, ListedRun, may_send
from qws.local_time import LocalTime

_DAY_S, _MOMENTS_MAX = 86_400.0, 24  # a target has 36 attempts a day, follow-ups counted
_TIMES = ("plan_at", "send_at", "last_order_at", "equity_at")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RunSection(_Strict):
    """One further run of trading days: a name, its times or a cron expression of five fields (Asia/Shanghai), and the
    names of files whose targets it takes (`alpha*.csv`; empty: all)."""

    name: str = Field(pattern=r"^[A-Za-z0-9][\w-]{0,19}$")
    at: tuple[LocalTime, ...] = ()
    cron: str = ""
    files: str = ""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if bool(self.at) == bool(self.cron.strip()):
            raise ValueError('write either at = ["10:30"] or cron = "30 10 * * *"')
        if self.cron:
            cron_times(self.cron)
        return self

    @property
    def times(self) -> tuple[time, ...]:
        """Every time of day at which it may be due."""
        return cron_times(self.cron) if self.cron else self.at

    def times_of(self, day: date) -> tuple[time, ...]:
        """When it is due on a day."""
        return tuple(cron_times_of(self.cron, day)) if self.cron else self.at


class ScheduleSection(_Strict):
    """Times of a trading day, Asia/Shanghai; whether a target of today starts when it comes or waits for the next run;
    for how many seconds a missed run is made up for (None: until the last order time); further runs."""

    plan_at: LocalTime = time(9, 25)
    send_at: LocalTime = time(9, 30, 3)
    last_order_at: LocalTime = time(14, 56)
    equity_at: LocalTime = time(15, 10)
    on_drop: Literal["now", "schedule"] = "now"
    catch_up_s: float | None = Field(default=None, ge=0, le=_DAY_S)
    runs: tuple[RunSection, ...] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        times = (self.plan_at, self.send_at, self.last_order_at, self.equity_at)
        for (one, before), (two, after) in pairwise(zip(_TIMES, times, strict=True)):
            if before > after or (before == after and one != "plan_at"):
                raise ValueError(
                    f"{one} = {before} is too late for {two} = {after}; plan_at, send_at, last_order_at and equity_at "
                    "must follow each other in this order, only the first two may be equal"
                )
        names = [DEFAULT, *(run.name for run in self.runs)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two runs are named {twice[0]!r}; `{DEFAULT}` is that of plan_at")
        return self

    def fault(self, *, always_open: bool) -> str:
        """Why a run can never be made, or there are too many; empty when all is well."""
        count = 0
        for run in self.runs:
            good = self._good(run, always_open=always_open)
            bad = [at for at in run.times if at not in good]
            if bad and (run.at or not good):
                hours = f"{self.send_at} to 11:30 and 13:00:03 to {self.last_order_at}"
                return f"schedule.runs: {run.name} at {bad[0]}: no order may leave then; choose a time from {hours}"
            count += len(good)
        if count > _MOMENTS_MAX:
            return f"schedule.runs: {count} runs a day; {_MOMENTS_MAX} are the most"
        return ""

    def described(self, *, always_open: bool) -> str:
        """Every run with its times, and how many times of a cron expression are skipped because nothing may leave."""
        told = [f"{DEFAULT} {self.plan_at}"]
        for run in self.runs:
            good = self._good(run, always_open=always_open)
            skipped = len(run.times) - len(good)
            days = f' of "{run.cron}"' if run.cron else ""
            told.append(
                f"{run.name} {' '.join(str(at) for at in good)}{days}"
                + (f", {skipped} times skipped at which no order may leave" if skipped else "")
                + (f", for {run.files}" if run.files else "")
            )
        return "; ".join(told)

    def _good(self, run: RunSection, *, always_open: bool) -> list[time]:
        return [at for at in run.times if always_open or may_send(at, self.send_at, self.last_order_at)]

    @property
    def listed(self) -> tuple[ListedRun, ...]:
        """The further runs, as the schedule wants them."""
        return tuple(ListedRun(run.name, run.times_of, run.files) for run in self.runs)
