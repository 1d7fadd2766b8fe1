"""The configuration: one frozen tree, unknown keys refused by name, paper by default."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from qws.checks_section import ChecksSection
from qws.config_faults import NOT_JSON, fault_line
from qws.config_risk import RiskSection
from qws.domain.allocator import Rounding, Unplaced
from qws.domain.codes import classify
from qws.domain.execution_rules import Release
from qws.domain.planner import Sizing
from qws.domain.rest import Absent
from qws.domain.target_records import Mode
from qws.errors import ConfigError
from qws.masking import hide
from qws.notify_section import NotifySection
from qws.schedule_section import ScheduleSection
from qws.serve_section import ServeSection

_DAY_S, _ANSWER_MAX_S = 86_400.0, 600.0


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class IntakeSection(_Section):
    """When a file counts as finished, in milliseconds and seconds, what it may hold, and its mode if it names none."""

    settle_ms: int = Field(default=60, ge=0, le=60_000)
    in_place_settle_ms: int = Field(default=1000, ge=0, le=60_000)
    scan_s: float = Field(default=5.0, gt=0, le=3600)
    allow_etf: bool = False
    allow_empty: bool = False
    unmarked: Mode = Mode.FULL


class PlanSection(_Section):
    """How weights become shares and when, what to do with weight that cannot be placed, the drift (a fraction of total
    asset) up to which a name is left alone; book levels to price from, the oldest quote in seconds, how much of the
    price cage to stay away from with a quote that is not fresh; CNY kept back, codes never to be touched."""

    rounding: Rounding = Rounding.OPTIMAL
    sizing: Sizing = Sizing.AT_SEND
    unplaced: Unplaced = Unplaced.CASH
    drift_band: Decimal = Field(default=Decimal(0), ge=0, le=1)
    sell_level: int = Field(default=5, ge=1, le=5)
    buy_level: int = Field(default=3, ge=1, le=5)
    quote_age_max_s: float = Field(default=15.0, gt=0, le=_DAY_S)
    fresh_quote_s: float = Field(default=3.0, ge=0, le=_DAY_S)
    cage_margin: Decimal = Field(default=Decimal("0.25"), ge=0, le=1)
    cash_reserve: Decimal = Field(default=Decimal(0), ge=0)
    protected: frozenset[str] = frozenset()

    @field_validator("protected")
    @classmethod
    def _known(cls, codes: frozenset[str]) -> frozenset[str]:
        """A code that is spelt otherwise than the broker's would protect nothing."""
        if unknown := sorted(code for code in codes if classify(code) is None):
            raise ValueError(f"{unknown[0]!r} is no code; write it like 600519.SH")
        return codes


class ExecutionSection(_Section):
    """When buys leave; seconds of trading for sells and for buys, and between two cancels of one order; after how many
    seconds an order that rests is priced again, how often, and how far (a fraction) from its first price; how often
    and after how many seconds what is left is planned again, also what never arrived, also on the next session."""

    release: Release = Release.PIPELINED
    sell_wait_s: float = Field(default=300.0, gt=0, le=_DAY_S)
    buy_wait_s: float = Field(default=300.0, gt=0, le=_DAY_S)
    cancel_wait_s: float = Field(default=5.0, gt=0, le=_DAY_S)
    chase_after_s: float = Field(default=20.0, ge=3, le=_DAY_S)
    chase_times: int = Field(default=3, ge=0, le=10)
    slippage_max: Decimal = Field(default=Decimal("0.02"), ge=0, le=Decimal("0.1"))
    follow_ups: int = Field(default=3, ge=0, le=10)
    follow_up_after_s: float = Field(default=60.0, ge=1, le=_DAY_S)
    absent: Absent = Absent.HOLD
    carry: bool = False


class LinkSection(_Section):
    """Seconds between sweeps of working orders, until a missing order is absent, between looks at the account."""

    sweep_s: float = Field(default=3.0, gt=0, le=_DAY_S)
    absent_after_s: float = Field(default=180.0, gt=0, le=_DAY_S)
    account_s: float = Field(default=5.0, gt=0, le=_DAY_S)


class StopsSection(_Section):
    """Protective stops: fractions below and above the average cost, times the ATR below the highest price, 0 is off;
    seconds between two looks."""

    stop_loss: Decimal = Field(default=Decimal(0), ge=0, lt=1)
    take_profit: Decimal = Field(default=Decimal(0), ge=0)
    trailing_atr: Decimal = Field(default=Decimal(0), ge=0, le=50)
    check_s: float = Field(default=15.0, ge=3, le=3600)


class FeesSection(_Section):
    """The account's own terms (RULES.md section 12)."""

    commission_rate: Decimal = Field(default=Decimal("0.00025"), ge=0, le=Decimal("0.003"))
    commission_min: Decimal = Field(default=Decimal(5), ge=0)
    commission_includes_exchange_fees: bool = True


class PaperSection(_Section):
    """The simulated exchange: seed, opening cash in CNY and holdings, prices from a file or generated."""

    seed: int = 1
    cash: Decimal = Field(default=Decimal(10_000_000), ge=0, le=Decimal(10**12))
    positions: str = ""
    prices: str = ""
    index: str = ""
    exchange: str = ""
    always_open: bool = False


class BrokerSection(_Section):
    """Who keeps the account: the simulated exchange, or a MiniQMT terminal."""

    kind: Literal["paper", "xt"] = "paper"


class XtSection(_Section):
    """The MiniQMT terminal (XTQUANT.md 4.5): the package that speaks to it, its userdata_mini folder, the account
    spelled out, the port of its quotes (0: found by the package); seconds it may take to answer, and between requests
    of one kind."""

    package: str = Field(default="xtquant", pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")
    path: str = ""
    account: str = Field(default="", pattern=r"^\w*$")
    account_type: Literal["STOCK"] = "STOCK"
    port: int = Field(default=0, ge=0, le=65_535)
    import_s: float = Field(default=60.0, gt=0, le=_ANSWER_MAX_S)
    connect_s: float = Field(default=30.0, gt=0, le=_ANSWER_MAX_S)
    stop_s: float = Field(default=5.0, gt=0, le=_ANSWER_MAX_S)
    call_s: float = Field(default=5.0, gt=0, le=_ANSWER_MAX_S)
    query_s: float = Field(default=5.0, gt=0, le=_ANSWER_MAX_S)
    quote_s: float = Field(default=3.0, gt=0, le=_ANSWER_MAX_S)
    order_gap_s: float = Field(default=0.2, ge=0, le=_ANSWER_MAX_S)
    query_gap_s: float = Field(default=1.0, ge=0, le=_ANSWER_MAX_S)

    @field_validator("path")
    @classmethod
    def _readable(cls, path: str) -> str:
        """In double quotes TOML reads C:\\temp as C:, a tab, and emp."""
        if any(each < " " for each in path):
            raise ValueError("it holds a control character: put Windows paths in single quotes")
        return path


class KeepSection(_Section):
    """Days between automatic backups (0: none), how many are kept and where; closed months of the journal that stay in
    it when `qws compact` moves the older ones into files."""

    backup_days: int = Field(default=7, ge=0, le=365)
    backups: int = Field(default=8, ge=1, le=1000)
    backup_folder: str = Field(default="backups", min_length=1)
    journal_months: int = Field(default=12, ge=1, le=1200)


class ReportsSection(_Section):
    """Whether each close writes the tear sheets of its day and of its month, and how many of each are kept."""

    daily: bool = True
    monthly: bool = True
    daily_kept: int = Field(default=250, ge=1, le=10_000)
    monthly_kept: int = Field(default=120, ge=1, le=1200)


class LogSection(_Section):
    """When a new log file begins (a time or a size), and the days it is kept. The audit journal is never touched."""

    rotation: str = "00:00"
    retention_days: int = Field(default=5, ge=1, le=3650)
    level: Literal["DEBUG", "INFO", "WARNING"] = "INFO"


class Config(BaseSettings):
    """Everything that can be set. Environment variables QWS_SECTION__KEY override the file."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="QWS_", env_nested_delimiter="__")

    mode: Literal["paper", "shadow", "live"] = "paper"
    language: Literal["auto", "en", "zh_CN"] = "auto"
    inbox: str = Field(default="inbox", min_length=1)
    schedule: ScheduleSection = ScheduleSection()
    intake: IntakeSection = IntakeSection()
    plan: PlanSection = PlanSection()
    execution: ExecutionSection = ExecutionSection()
    link: LinkSection = LinkSection()
    checks: ChecksSection = ChecksSection()
    risk: RiskSection = RiskSection()
    stops: StopsSection = StopsSection()
    fees: FeesSection = FeesSection()
    broker: BrokerSection = BrokerSection()
    xt: XtSection = XtSection()
    paper: PaperSection = PaperSection()
    keep: KeepSection = KeepSection()
    reports: ReportsSection = ReportsSection()
    log: LogSection = LogSection()
    notify: NotifySection = NotifySection()
    serve: ServeSection = ServeSection()

    @model_validator(mode="after")
    def _means_it(self) -> Self:
        """Real money needs two settings that agree, and the account spelled out; every run has a time to trade."""
        if (self.mode == "paper") != (self.broker.kind == "paper"):
            remedy = 'mode = "live" or "shadow" goes with [broker] kind = "xt", mode = "paper" with kind = "paper"'
            raise ValueError(f'mode = "{self.mode}" with broker.kind = "{self.broker.kind}": {remedy}')
        if fault := self.schedule.fault(always_open=self.paper.always_open):
            raise ValueError(fault)
        if self.mode != "paper" and not self.xt.account:
            raise ValueError('xt.account is missing: write account = "..." under [xt], as the terminal shows it')
        if self.mode != "paper" and not self.xt.path:
            raise ValueError("xt.path is missing: write path = '...' under [xt], the terminal's folder userdata_mini")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings


def load_config(path: Path) -> Config:
    """Read a configuration file; its account is hidden from then on. Raises ConfigError naming key, value, remedy."""
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}; give this user the right to read it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML in UTF-8, with Windows paths in single quotes: {error}") from error
    config = _checked(Config, table, str(path), {})
    hide(config.xt.account)
    return config


class _Asked(Config):
    """What a command was asked for on its own line: that wins over the environment."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The table wins over the environment."""
        return init_settings, env_settings


def make_config(table: dict[str, Any], source: str) -> Config:
    """Check a table of settings; `source` is named in errors. Raises ConfigError."""
    return _checked(_Asked, table, source, table)


def _checked(kind: type[Config], table: dict[str, Any], source: str, settled: Mapping[str, object]) -> Config:
    try:
        return kind(**table)
    except ValidationError as error:
        raise ConfigError("\n".join(fault_line(source, problem, settled) for problem in error.errors())) from error
    except SettingsError as error:
        raise ConfigError(f"environment: {error}: {NOT_JSON}") from error
