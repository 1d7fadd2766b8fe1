"""Serves /metrics and /healthz beside the system: it watches, and nothing ever waits for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from importlib.util import find_spec

import anyio
from loguru import logger

from qws.config import Config
from qws.errors import ConfigError
from qws.ports import Clock
from qws.runtime.message import Envelope
from qws.runtime.system import System
from qws.serve_section import Listening, listening_at
from qws.serving.facts import Facts
from qws.serving.health import Health, Worker
from qws.serving.http import Reply, serving_pages
from qws.serving.watched_journal import WatchedJournal
from qws.store.horizon import RunJournal
from qws.store.reading import Views

_AGAIN_S = 30.0


class Exporter:
    """What other programs may see of a daemon."""

    def __init__(self, config: Config, clock: Clock, journal: RunJournal) -> None:
        self._wanted = listening_at(config.serve.metrics)
        self._clock, self._mode, self._link_lost_s = clock, config.mode, config.notify.link_lost_s
        self.journal, self._facts = WatchedJournal(journal, clock), Facts(clock.now())
        self._listening: Listening | None = None
        self._system: System | None = None
        self._health = Health(self._facts, self.journal, self._workers, self._link_lost_s)

    @property
    def address(self) -> str:
        """Where the metrics are, "" while they are nowhere."""
        return f"http://{self._listening}/metrics" if self._listening else ""

    def tap(self, batch: Sequence[Envelope]) -> None:
        """Count a durable batch."""
        self._facts.tap(batch)

    def beat(self) -> None:
        """The heartbeat was written."""
        self._health.beat(self._clock.now())

    def watch(self, system: System, views: Views) -> None:
        """Whose actors are shown, and what earlier processes left."""
        self._system = system
        self._facts.recall(views)

    async def keep_serving(self) -> None:
        """Serve for ever; a port that cannot be had is a warning, and tried again."""
        from qws.serving.exposition import CONTENT_TYPE, Exposition

        exposition = Exposition(self._facts, self.journal, self._health, self._clock, self._mode)
        pages = {"/metrics": lambda: Reply(200, CONTENT_TYPE, exposition.text()), "/healthz": self._healthz}
        while True:
            try:
                async with serving_pages(self._wanted, pages) as self._listening:
                    logger.info("metrics at {}, health at http://{}/healthz", self.address, self._listening)
                    await anyio.sleep_forever()
            except OSError as error:
                text = "serve.metrics = {}: {}; trading goes on, and it is tried again"
                logger.warning(text, self._wanted, error.strerror or error)
            self._listening = None
            await self._clock.sleep(_AGAIN_S)

    def _workers(self) -> list[Worker]:
        cells = self._system.cells if self._system is not None else []
        return [
            Worker(cell.contract.name, cell.state, len(cell.inbox) + len(cell.batch), cell.handled) for cell in cells
        ]

    def _healthz(self) -> Reply:
        now, facts = self._clock.now(), self._facts
        problems = [each._asdict() for each in self._health.problems(now)]
        document = {
            "status": "unwell" if problems else "ok",
            "problems": problems,
            "mode": self._mode,
            "version": version("qws"),
            "started_at": _iso(facts.started_at),
            "heartbeat_at": _iso(self._health.beaten_at),
            "phase": facts.phase,
            "link": facts.is_linked,
            "trading": str(facts.trading),
            "halted": facts.trading == "halted",
            "run": facts.run_id,
            "snapshot_at": _iso(facts.snapshot_at),
        }
        body = json.dumps(document, ensure_ascii=False).encode()
        return Reply(503 if problems else 200, "application/json", body)


def open_exporter(config: Config, clock: Clock, journal: RunJournal) -> Exporter | None:
    """None when nothing is to be served."""
    return Exporter(config, clock, journal) if config.serve.metrics else None


def require_metrics(config: Config) -> None:
    """Raises ConfigError when metrics are to be served without the package that makes them."""
    if config.serve.metrics and find_spec("prometheus_client") is None:
        remedy = 'install it with `pip install "qws[metrics]"` (in a checkout: `uv sync --extra metrics`)'
        missing = "serve.metrics is set, and the package prometheus-client is missing"
        raise ConfigError(f'{missing}: {remedy}, or set it to ""')


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
