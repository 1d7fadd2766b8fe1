"""Simulated days over a price file, through the real actors: what `qws replay` and its benchmark run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from qws.config import Config
from qws.domain.audit import Audit
from qws.domain.known_orders import is_turned_down
from qws.gateways.sim.bars import Bars
from qws.home import Home
from qws.messages import (
    EquityRecorded,
    FillReceived,
    OrderUpdated,
    PlaceOrder,
    RunFinished,
    SnapshotTaken,
    TargetRejected,
)
from qws.paper import Paper
from qws.runtime.clock import SHANGHAI
from qws.runtime.message import Envelope, Message
from qws.runtime.system import Tap
from qws.virtual import KeepNothing, Stage, run_virtual

# A day's weights: code and fraction of total asset.
Weights = Callable[[Bars, date], dict[str, Decimal]]


@dataclass(slots=True)
class Story:
    """What happened, told by the messages alone."""

    equity: list[EquityRecorded] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    fills: int = 0
    rejected_orders: int = 0
    messages: int = 0
    tracking_errors: list[float] = field(default_factory=list)
    refused_files: list[str] = field(default_factory=list)
    audit: Audit = field(default_factory=Audit)

    def hear(self, body: Message) -> None:
        """Take one message in."""
        self.messages += 1
        match body:
            case PlaceOrder():
                self.orders += 1
            case OrderUpdated() if is_turned_down(body.order):
                self.rejected_orders += 1
            case FillReceived():
                self.fills += 1
                self.audit.on_trade(body.trade)
            case SnapshotTaken():
                shot = body.snapshot
                self.audit.on_account(shot.at.date(), shot.asset, shot.positions)
            case RunFinished():
                self.runs[body.status] += 1
                if body.tracking_error is not None:
                    self.tracking_errors.append(float(body.tracking_error))
            case EquityRecorded(kind="close"):
                self.equity.append(body)
                self.audit.on_account(body.day, body.asset, body.positions)
            case TargetRejected():
                self.refused_files.append(f"{body.name}: {body.refusals[0].text}")
            case _:
                pass


def equal_weights(bars: Bars, day: date) -> dict[str, Decimal]:
    """Every name with a price that day or before, all with the same weight; 1 % stays cash."""
    codes = bars.codes(day)
    return {code: Decimal("0.99") / len(codes) for code in codes} if codes else {}


def replay(home: Home, config: Config, days: Sequence[date], weights: Weights) -> Story:
    """Run the days, one weight file each, dropped the evening before; nothing is kept but the story."""
    story = Story()
    pending = iter(days)

    def make(stop: Callable[[], None], paper: Paper) -> Tap:
        drop = _dropper(home.inbox, paper.bars, pending, weights)
        drop()

        def tap(batch: Sequence[Envelope]) -> None:
            for envelope in batch:
                story.hear(envelope.body)
                if isinstance(envelope.body, EquityRecorded) and envelope.body.kind == "close":
                    if envelope.body.day >= days[-1]:
                        stop()
                    else:
                        drop()

        return tap

    quick = config.model_copy(
        update={
            "intake": config.intake.model_copy(update={"scan_s": 1800.0}),
            "schedule": config.schedule.model_copy(
                update={"plan_at": config.schedule.send_at}
            ),  # nobody reads previews
        }
    )
    start = datetime.combine(days[0], time(8, 0), SHANGHAI)
    run_virtual(Stage(home, quick, start, KeepNothing(), [make], in_memory=True))
    return story


def _dropper(inbox: Path, bars: Bars, days: Iterator[date], weights: Weights) -> Callable[[], None]:
    def drop() -> None:
        day = next(days, None)
        if day is None:
            return
        rows = [f"{day},{code},{weight:.8f}" for code, weight in weights(bars, day).items()]
        (inbox / f"{day}.csv").write_text("\n".join(["date,stock_code,weight", *rows, ""]), encoding="utf-8")

    return drop
