"""What the next start would do: the program itself, rehearsed on a copy of the home; nothing is sent or changed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from loguru import logger

from qws import messages as m
from qws.app import Ports, build
from qws.config import Config
from qws.domain.market import Side
from qws.errors import AlreadyRunning, GatewayError, GatewayTimeout
from qws.gateways.files import FileLimits
from qws.gateways.wire.client import WireBroker
from qws.gateways.wire.protocol import parse_address
from qws.home import Home
from qws.paper import open_paper, tables
from qws.ports import Calendar
from qws.preview import FrozenClock
from qws.runtime.clock import LoopClock, SystemClock, VirtualLoop
from qws.runtime.message import Envelope, Message
from qws.standing import ListedBroker, Lists, NoQuotes, UntouchedInbox, read_lists
from qws.store.halt_mark import follow_mark
from qws.store.journal import InlineJournal
from qws.store.lock import is_held
from qws.store.reading import Record, Views
from qws.store.views import Projector
from qws.terminal_look import TerminalLook
from qws.text import describe
from qws.virtual import KeepNothing, inline

_ANSWER_S = 3.0
_LONGEST_S = 7200.0  # virtual: over the lunch break, in which nothing is asked
_LINGER_S = 1.0
_PHASES = ("RebalanceDue", "SnapshotDue", "PlanReady", "PlaceOrder", "RunStopOrdered", "ExecutionEnded")


@dataclass(frozen=True, slots=True)
class Recovery:
    """A home as its last process left it, and what the next one tells until every run has its turn or its end.

    `lists` is None and `silence` says why when the broker does not answer; then `told` is empty. `runs` have no final
    result: what was due last, and how far it came. `left` were claimed and not filed away, `dropped` lie in the inbox.
    """

    at: datetime
    lists: Lists | None
    silence: str
    is_halted: bool
    asked: tuple[Record, ...]
    runs: tuple[tuple[m.RebalanceDue, str], ...]
    orders: tuple[Record, ...]
    left: tuple[str, ...]
    dropped: tuple[str, ...]
    told: tuple[Envelope, ...]


def look_ahead(home: Home, config: Config, now: datetime, look: TerminalLook | None = None) -> Recovery:
    """Rehearse the next start of a home in which no daemon runs, as of `now`; virtual seconds take no time.

    `look` is for a terminal's home; without it the account is the paper one. Raises AlreadyRunning while a process has
    the home or the account, StoreError and ConfigError as a start does.
    """
    _refuse_while_it_runs(home, config)
    with TemporaryDirectory(prefix="qws-recover-") as folder:
        copy = Home(Path(folder))
        copy.state.mkdir()
        for original in sorted(home.state.glob("*.sqlite*")):
            if not original.name.endswith("-shm"):
                shutil.copyfile(original, copy.state / original.name)
        if home.halt_mark.exists():
            shutil.copyfile(home.halt_mark, copy.halt_mark)
        if home.journal_archive.exists():
            shutil.copytree(home.journal_archive, copy.journal_archive)
        _refuse_while_it_runs(home, config)  # a start in between: the copy may be torn
        answered, silence = _answers(home, copy, config, now, look)
        rehearsal = _Rehearsal(home, copy, config, now, answered)
        return anyio.run(rehearsal.play, silence, backend_options={"loop_factory": VirtualLoop})


def _refuse_while_it_runs(home: Home, config: Config) -> None:
    if is_held(home.lock):
        raise AlreadyRunning(f"a daemon runs in {home.root}: there is nothing to recover; look at `qws status`")
    if config.broker.kind == "paper" and not config.paper.exchange and is_held(home.exchange_lock):
        text = "stop it, or set paper.exchange to where it listens"
        raise AlreadyRunning(f"`qws exchange` has the account of {home.root} open and no daemon could start: {text}")


def _answers(
    home: Home, copy: Home, config: Config, now: datetime, look: TerminalLook | None
) -> tuple[tuple[Lists, Calendar] | None, str]:
    """What the broker's lists and its calendar say now, or why they cannot be had."""
    logger.disable("qws.gateways")  # it tells each try
    try:
        if look is not None:
            return asyncio.run(_at_terminal(look, copy)), ""
        return (asyncio.run(_asked(home, copy, config, now)), tables(config, home.config_folder)[1]), ""
    except GatewayError as error:
        return None, str(error)
    finally:
        logger.enable("qws.gateways")


async def _at_terminal(look: TerminalLook, copy: Home) -> tuple[Lists, Calendar]:
    async with look.ports(copy.shadow) as edges:
        return await read_lists(edges.broker), edges.calendar


async def _asked(home: Home, copy: Home, config: Config, now: datetime) -> Lists:
    if not config.paper.exchange:
        paper = open_paper(config, home.root, FrozenClock(now), copy.exchange, home.config_folder)
        with closing(paper.exchange):
            return await read_lists(paper.broker)
    broker = WireBroker(parse_address(config.paper.exchange, named="paper.exchange"), SystemClock(), role="read")
    try:
        async with asyncio.timeout(_ANSWER_S):
            await broker.open()
            return await read_lists(broker)
    except TimeoutError as error:
        raise GatewayTimeout(f"the exchange at {config.paper.exchange} does not answer") from error
    finally:
        await broker.close()


class _Rehearsal:
    """One start on the copy, cut off as soon as it is known what becomes of every run and every file."""

    def __init__(
        self, home: Home, copy: Home, config: Config, now: datetime, answered: tuple[Lists, Calendar] | None
    ) -> None:
        self._home, self._copy, self._config, self._now, self._answered = home, copy, config, now, answered
        self._inbox = UntouchedInbox(home.root / config.inbox, FileLimits().bytes_max)
        self._told: list[Envelope] = []
        self._open_runs: set[str] = set()
        self._open_files: set[str] = set()
        self._cut_off: Callable[[], None] = lambda: None
        self._is_known = False

    async def play(self, silence: str) -> Recovery:
        """Read what is left, then start."""
        journal = await InlineJournal.open(self._copy.journal)
        projector = Projector(self._copy.views, describe)
        try:
            await projector.catch_up(journal)
            follow_mark(self._copy.halt_mark, self._copy.views, self._now)
            views, runs = Views(self._copy.views), await _unfinished(journal)
            left = tuple(claimed.name for claimed in self._inbox.leftovers())
            dropped = tuple(sorted(drop.name for drop in self._inbox.scan() or ()))
            lists = self._answered[0] if self._answered is not None else None
            found = Recovery(
                self._now, lists, silence, views.is_halted(), tuple(views.waiting()), runs, tuple(views.orders()),
                left, dropped, (),
            )  # fmt: skip
            if self._answered is not None:
                self._open_runs = {due.run_id for due, _ in runs}
                self._open_files = set(dropped)
                await self._start(journal, projector, *self._answered)
            return replace(found, told=tuple(self._told))
        finally:
            projector.close()
            await journal.close()

    async def _start(self, journal: InlineJournal, projector: Projector, lists: Lists, calendar: Calendar) -> None:
        rules, _ = tables(self._config, self._home.config_folder)
        broker, quotes, archive = ListedBroker(lists), NoQuotes(), KeepNothing()
        ports = Ports(broker, quotes, calendar, rules, self._inbox, archive, projector, inline, None)
        system = build(self._config, ports, LoopClock(self._now), journal, [self._hear])
        with anyio.move_on_after(_LONGEST_S) as scope:
            self._cut_off = scope.cancel
            await system.run()

    def _hear(self, batch: Sequence[Envelope]) -> None:
        self._told += batch
        for envelope in batch:
            match envelope.body:
                case m.SnapshotDue(run_id=run_id):
                    self._open_runs.discard(run_id)
                case m.RunFinished(run_id=run_id):
                    self._open_runs.discard(run_id)
                case m.TargetAccepted(name=name) | m.TargetRejected(name=name):
                    self._open_files.discard(name)
                case _:
                    pass
        is_linked = any(isinstance(each.body, m.LinkReady) for each in self._told)
        if is_linked and not self._is_known and not self._open_runs and not self._open_files:
            self._is_known = True
            asyncio.get_running_loop().call_later(_LINGER_S, self._cut_off)


async def _unfinished(journal: InlineJournal) -> tuple[tuple[m.RebalanceDue, str], ...]:
    """The runs without a final result, each with what was due of it last and how far that came."""
    dues: dict[str, tuple[int, m.RebalanceDue]] = {}
    async for envelope in journal.read(["RebalanceDue", "RunFinished"]):
        match envelope.body:
            case m.RebalanceDue() as due:
                dues[due.run_id] = envelope.id, due
            case m.RunFinished(run_id=run_id):
                dues.pop(run_id, None)
            case _:
                pass
    phases = dict.fromkeys(dues, "waiting")
    if dues:
        async for envelope in journal.read(_PHASES, min(id_ for id_, _ in dues.values())):
            run_id, phase = _phase_of(envelope.body)
            if run_id in phases:
                phases[run_id] = phase
    return tuple((due, phases[run_id]) for run_id, (_, due) in dues.items())


def _phase_of(body: Message) -> tuple[str, str]:
    match body:
        case m.PlanReady(plan=plan):
            return plan.run_id, "previewed" if plan.preview else "planned"
        case m.PlaceOrder(run_id=run_id, order=order):
            return run_id, "selling" if order.side is Side.SELL else "buying"
        case m.RunStopOrdered(due=due):
            return due.run_id, "ending"
        case m.SnapshotDue(run_id=run_id):
            return run_id, "planning"
        case m.ExecutionEnded(run_id=run_id):
            return run_id, "closing"
    assert isinstance(body, m.RebalanceDue)
    return body.run_id, "waiting"
