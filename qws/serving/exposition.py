"""The metrics in the format of Prometheus; imported only where they are served."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.metadata import version
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from qws.domain.alerts import Severity
from qws.domain.trading_state import TradingState
from qws.ports import Clock
from qws.serving.facts import Facts
from qws.serving.health import Health
from qws.serving.watched_journal import BUCKETS_S, WatchedJournal

__all__ = ["CONTENT_TYPE", "Exposition"]


class Exposition(Collector):
    """Reads the facts when somebody asks; keeps nothing of its own."""

    def __init__(self, facts: Facts, journal: WatchedJournal, health: Health, clock: Clock, mode: str) -> None:
        self._facts, self._journal, self._health, self._clock, self._mode = facts, journal, health, clock, mode
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)  # memory, CPU, files; only on Linux
        self._registry.register(self)

    def text(self) -> bytes:
        """All metrics."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """As the registry asks."""
        facts, now = self._facts, self._clock.now()
        yield InfoMetricFamily("qws_build", "The program.", value={"version": version("qws"), "mode": self._mode})
        yield _gauge("qws_start_time_seconds", "When the daemon started, Unix time.", facts.started_at.timestamp())
        yield _gauge("qws_healthy", "1 when /healthz answers 200.", not any(self._health.problems(now)))
        yield _gauge("qws_heartbeat_age_seconds", "Since the last heartbeat.", _age_s(self._health.beaten_at, now))
        yield _gauge("qws_link_up", "1 while the broker answers and its lists have been read.", facts.is_linked)
        states = {str(each): int(each is facts.trading) for each in TradingState}
        yield _gauges("qws_trading_state", "1 for the state that trading is in.", "state", states)
        phases = {facts.phase: 1} if facts.phase else {}
        yield _gauges("qws_phase", "1 for the phase of the trading day.", "phase", phases)
        yield from self._pipeline()
        yield from self._account(now)
        yield from self._actors()
        yield self._commits()

    def _pipeline(self) -> Iterable[Metric]:
        facts = self._facts
        yield _counters("qws_messages", "Messages journalled, by type.", "type", facts.messages)
        yield _counters("qws_files", "Weight files answered.", "outcome", facts.files, ("accepted", "rejected"))
        yield _gauge("qws_run_active", "1 while a run works or waits.", bool(facts.run_id))
        statuses = ("completed", "incomplete", "refused", "superseded")
        yield _counters("qws_runs", "Runs that ended, by status.", "status", facts.runs, statuses)
        yield _counters("qws_orders_placed", "Orders decided, by side.", "side", facts.placed, ("buy", "sell"))
        ends = ("succeeded", "canceled", "part_cancel", "junk")
        yield _counters("qws_orders_ended", "Orders that came to their end, by status.", "status", facts.ended, ends)
        yield CounterMetricFamily("qws_orders_rejected", "Orders that the broker refused.", value=facts.rejected)
        yield _gauge("qws_orders_working", "Orders without an end.", len(facts.working))
        yield _counters("qws_fills", "Fills, by side.", "side", facts.fills, ("buy", "sell"))
        open_alerts = {str(each): list(facts.alerts.values()).count(str(each)) for each in Severity}
        yield _gauges("qws_alerts_open", "Alerts that nobody acknowledged, by severity.", "severity", open_alerts)

    def _account(self, now: datetime) -> Iterable[Metric]:
        facts = self._facts
        if facts.asset is not None:
            yield _gauge("qws_total_asset_cny", "Total asset when last looked at.", float(facts.asset.total))
            yield _gauge("qws_cash_cny", "Cash when last looked at.", float(facts.asset.cash))
        if facts.snapshot_at is not None:
            age_s = _age_s(facts.snapshot_at, now)
            yield _gauge("qws_snapshot_age_seconds", "Since account and market were read.", age_s)

    def _actors(self) -> Iterable[Metric]:
        actors = self._health.actors()
        waiting, handled = {each.name: each.waiting for each in actors}, {each.name: each.handled for each in actors}
        yield _gauges("qws_actor_queue", "Messages that wait for an actor.", "actor", waiting)
        yield _counters("qws_actor_handled", "Messages an actor has handled.", "actor", handled)
        yield _counters("qws_actor_crashes", "Crashes of actors.", "actor", self._facts.crashes)

    def _commits(self) -> Metric:
        limits = [("+Inf" if each == float("inf") else str(each)) for each in BUCKETS_S]
        buckets = list(zip(limits, map(float, accumulate(self._journal.counts)), strict=True))
        text = "From a batch's first wait to its place on the disk."
        return HistogramMetricFamily("qws_commit_seconds", text, buckets=buckets, sum_value=self._journal.sum_s)


def _age_s(moment: datetime, now: datetime) -> float:
    return max((now - moment).total_seconds(), 0.0)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _gauges(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def _counters(name: str, text: str, label: str, values: Mapping[str, int], always: Iterable[str] = ()) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, count in (dict.fromkeys(always, 0) | dict(values)).items():
        family.add_metric([value], count)
    return family
