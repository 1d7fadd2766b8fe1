"""The settings of the pre-trade rules: one key a limit, 0 switches a rule off, an unknown rule is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from qws.domain.codes import classify
from qws.domain.risk.catalogue import HOLDABLE, KINDS, rules_of
from qws.domain.risk.losses import ScaleDown
from qws.domain.risk.rule import Effect, Rule

LOSS_EFFECTS = {"no_buys": Effect.SHRINK, "scale_down": Effect.SCALE, "halt": Effect.HALT}


class RiskSection(BaseModel):
    """Limits of one plan; fractions are of total asset, prices of the last trade and close, 0 is off. What a rule of
    `hold` refuses waits for `qws approve` instead; a loss stops the buying or all trading, or scales targets; average
    volumes are of so many sessions."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    weight_max: Decimal = Field(default=Decimal(1), gt=0, le=1)
    weight_sum_max: Decimal = Field(default=Decimal(1), gt=0, le=1)
    top5_max: Decimal = Field(default=Decimal(0), ge=0, le=1)
    names_max: int = Field(default=0, ge=0)
    names_min: int = Field(default=0, ge=0)
    turnover_max: Decimal = Field(default=Decimal("2.05"), ge=0)
    orders_max: int = Field(default=10_000, ge=0)
    order_value_max: Decimal = Field(default=Decimal(0), ge=0)
    order_shares_max: int = Field(default=0, ge=0)
    cash_min: Decimal = Field(default=Decimal(0), ge=0, le=1)
    depth_max: Decimal = Field(default=Decimal(0), ge=0)
    volume_max: Decimal = Field(default=Decimal(0), ge=0)
    volume_days: int = Field(default=20, ge=1, le=250)
    last_distance_max: Decimal = Field(default=Decimal("0.2"), ge=0)
    close_distance_max: Decimal = Field(default=Decimal("0.35"), ge=0)
    day_orders_max: int = Field(default=10_000, ge=0, lt=20_000)
    second_orders_max: int = Field(default=100, ge=0, lt=300)
    drawdown_max: Decimal = Field(default=Decimal(0), ge=0, lt=1)
    day_loss_max: Decimal = Field(default=Decimal(0), ge=0, lt=1)
    loss_then: Literal["no_buys", "scale_down", "halt"] = "no_buys"
    scale_to: Decimal = Field(default=Decimal("0.5"), ge=0, lt=1)
    no_buys: frozenset[str] = frozenset()
    no_trades: frozenset[str] = frozenset()
    hold: frozenset[str] = frozenset()

    @field_validator("no_buys", "no_trades")
    @classmethod
    def _known(cls, codes: frozenset[str]) -> frozenset[str]:
        """A code that is spelt otherwise than the broker's would restrict nothing."""
        if unknown := sorted(code for code in codes if classify(code) is None):
            raise ValueError(f"{unknown[0]!r} is no code; write it like 600519.SH")
        return codes

    @field_validator("hold")
    @classmethod
    def _holdable(cls, rules: frozenset[str]) -> frozenset[str]:
        """A rule that does not exist would hold nothing."""
        if unknown := sorted(rules - set(HOLDABLE)):
            raise ValueError(f"{unknown[0]!r} is no rule that can hold a plan; these can: {', '.join(HOLDABLE)}")
        return rules

    def rules(self) -> tuple[Rule, ...]:
        """The rules that are on."""
        limits = {kind.setting: Decimal(getattr(self, kind.setting)) for kind in KINDS if kind.setting}
        return rules_of(limits, loss=LOSS_EFFECTS[self.loss_then], no_buys=self.no_buys, no_trades=self.no_trades)

    def scale_down(self) -> ScaleDown | None:
        """How a loss makes a target smaller, None when it does something else."""
        is_asked = self.loss_then == "scale_down"
        return ScaleDown(self.drawdown_max, self.day_loss_max, self.scale_to) if is_asked else None
