"""The system: routes by type, journals before it delivers, supervises with two words, drains."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from types import CoroutineType
from typing import Any, Protocol

import anyio

from qws.errors import QwsError, StoreError, WiringError
from qws.runtime.actor import Actor, Contract, contract_of
from qws.runtime.inbox import Inbox, InboxFull, overtake
from qws.runtime.message import ActorCrashed, Envelope, Journal, Later, Message, Started, Stopping
from qws.runtime.topology import RUNTIME_MESSAGES, check_wiring

_TURN = 256  # messages one actor handles before the others get the loop
Tap = Callable[[Sequence[Envelope]], None]
_Life = Callable[["Cell"], Awaitable[None]]


class _Clock(Protocol):
    def now(self) -> datetime: ...
    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound of the runtime."""

    inbox_max: int = 50_000
    drain_s: float = 30.0
    crashes_max: int = 3
    crash_window_s: float = 60.0


@dataclass(slots=True)
class Cell:
    """One actor, its inbox and its counters."""

    make: Callable[[], Actor]
    contract: Contract
    inbox: Inbox
    actor: Actor
    state: str = "ready"
    handled: int = 0
    current: Envelope | None = None
    taken: int = 0  # the highest number it began to handle
    listening: anyio.CancelScope | None = None
    batch: deque[Envelope] = field(default_factory=deque)
    crashes: list[float] = field(default_factory=list)


class System:
    """Actors made by `makers`, wired by their annotations; raises `WiringError` when the graph is not closed.
    `taps` see every batch in order, after it is durable and before it is delivered."""

    def __init__(
        self,
        makers: Sequence[Callable[[], Actor]],
        *,
        clock: _Clock,
        journal: Journal | None = None,
        taps: Sequence[Tap] = (),
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self._clock, self._journal, self._taps, self._limits = clock, journal, tuple(taps), limits
        self.cells = [Cell(make, contract_of(type(actor := make())), Inbox(limits.inbox_max), actor) for make in makers]
        check_wiring([cell.contract for cell in self.cells])
        self._routes: dict[type[Message], list[Cell]] = defaultdict(list)
        for cell in self.cells:
            for kind in cell.contract.handlers:
                self._routes[kind].append(cell)
        self._exit_code, self.fatal, self._pending = 0, None, []  # type: int, QwsError | None, list[Envelope]
        self._next_id, self._durable_id, self._in_flight, self._closed = 1, 0, 0, False
        self._is_direct = journal is None and not self._taps
        self._work_waits, self._committed = asyncio.Event(), asyncio.Event()
        self.stopping, self._quiet = anyio.Event(), anyio.Event()

    def stop(self) -> None:
        """Ask for an orderly stop; `run` returns when the system has drained."""
        self.stopping.set()

    async def run(self) -> int:
        """Recall, open the sources, work until `stop`, drain. Returns the exit code; raises what was fatal."""
        last_id = await self._journal.last_id() if self._journal else 0
        self._next_id, self._durable_id = last_id + 1, last_id
        for cell in self.cells:
            cell.taken = last_id
        await self._recall([(cell, cell.actor) for cell in self.cells])
        async with anyio.create_task_group() as self._tasks:
            self._tasks.start_soon(self._commit)
            for cell in self.cells:
                self._tasks.start_soon(self._guard, cell, self._work)
            self._publish(None, None, [Started()])
            async with anyio.create_task_group() as asking:
                for cell in self.cells:
                    if hasattr(cell.actor, "source"):
                        group = asking if cell.actor.source_until == "stop" else self._tasks
                        group.start_soon(self._guard, cell, self._pump)
                await self.stopping.wait()
                asking.cancel_scope.cancel()
                self._publish(None, None, [Stopping()])  # at once: a source may be at something that never answers
            await self._drain()
            self._tasks.cancel_scope.cancel()
        if self.fatal is not None:
            raise self.fatal
        return self._exit_code

    async def _drain(self) -> None:
        """Wait until nothing is in flight and nobody is busy, or the deadline; then nothing is published any more."""
        with anyio.move_on_after(self._limits.drain_s) as deadline:
            while self.fatal is None and (
                self._in_flight or any(cell.state == "ready" and cell.actor.busy() for cell in self.cells)
            ):
                self._quiet = anyio.Event()
                await self._quiet.wait()
        self._exit_code, self._closed = self._exit_code or int(deadline.cancelled_caught), True

    async def _recall(self, cells: Sequence[tuple[Cell, Actor]]) -> None:
        recalls: dict[type[Message], list[tuple[int, Callable[[Message], None]]]] = defaultdict(list)
        for cell, actor in cells:
            for kind, name in cell.contract.recalls.items():  # what it handles and has not taken waits in its inbox
                recalls[kind].append((cell.taken if kind in cell.contract.handlers else 1 << 63, getattr(actor, name)))
        if self._journal is not None:
            async for envelope in self._journal.read([kind.__name__ for kind in recalls]):
                for until, recall in recalls[type(envelope.body)]:
                    if envelope.id <= until:
                        recall(envelope.body)

    def _publish(self, cell: Cell | None, cause: Envelope | None, outputs: Iterable[Message | Later[Message]]) -> None:
        if self._closed:  # stopping is over: not journalled, not delivered; start-up will ask the broker
            return
        sender, allowed = (cell.contract.name, cell.contract.emits) if cell else ("system", RUNTIME_MESSAGES)
        corr, cause_id = (cause.corr, cause.id) if cause is not None and cause.id else (0, None)
        now, batch = self._clock.now(), []  # type: datetime, list[Envelope]
        send = self._deliver if self._is_direct else batch.append
        for out in outputs:
            later, body = (out, out.message) if isinstance(out, Later) else (None, out)
            if type(body) not in allowed:
                raise WiringError(f"{sender} emits {type(body).__name__} without declaring it")
            if later:
                self._tasks.start_soon(self._wait, cell, cause, later)
            elif body.conflated_by:
                self._deliver(Envelope(0, 0, None, now, sender, body))
            else:
                id_, self._next_id = self._next_id, self._next_id + 1
                send(Envelope(id_, corr or id_, cause_id, now, sender, body))
        if batch:
            self._pending += batch
            self._in_flight += len(batch)
            self._work_waits.set()

    async def _wait(self, cell: Cell | None, cause: Envelope | None, later: Later[Message]) -> None:
        await self._clock.sleep(later.seconds)
        self._publish(cell, cause, [later.message])

    async def _commit(self) -> None:
        """Write whatever waits in one transaction, then deliver it: the only road from a publication to an inbox."""
        while await self._work_waits.wait() and not self._closed:
            self._work_waits.clear()
            batch, self._pending = self._pending, []
            try:
                if self._journal is not None:
                    with anyio.CancelScope(shield=True):  # a cancelled writer must not leave half a publication
                        await self._journal.append(batch)
            except QwsError as error:
                return self._fail(error)
            for tap in self._taps:
                tap(batch)
            for envelope in batch:
                self._deliver(envelope)
            self._durable_id = batch[-1].id
            self._committed.set()
            self._committed.clear()
            self._retire(len(batch))

    async def _until_durable(self) -> None:
        """Wait until everything published so far is journalled and delivered."""
        published = self._next_id - 1
        while not self._is_direct and self._durable_id < published:
            await self._committed.wait()

    def _deliver(self, envelope: Envelope) -> None:
        try:
            for cell in self._routes[type(envelope.body)]:
                if cell.batch and isinstance(envelope.body, cell.actor.overtaking):
                    overtake(cell.batch, envelope, cell.actor.overtaking)
                elif cell.inbox.put(envelope, cell.actor.overtaking):
                    continue
                self._in_flight += 1
        except InboxFull as error:
            self._fail(error)

    def _retire(self, count: int) -> None:
        self._in_flight -= count
        if self._in_flight == 0 and self.stopping.is_set():
            self._quiet.set()

    def _fail(self, error: QwsError) -> None:
        self.fatal, self._closed = self.fatal or error, True
        self._quiet.set()
        self.stopping.set()

    async def _guard(self, cell: Cell, life: _Life) -> None:
        """The one place that catches `Exception`: journal the crash, then restart the actor or halt the system."""
        has_crashed = False
        while not has_crashed or self._may_restart(cell, life):
            try:
                if has_crashed:
                    await self._replace(cell)
                return await life(cell)
            except (StoreError, WiringError) as error:  # not the handler's fault: never answered with a restart
                return self._fail(error)
            except Exception as error:  # noqa: BLE001 - the supervisor
                has_crashed, poison = True, cell.current if life == self._work else None
                number = (poison.id or None) if poison else None
                crash = ActorCrashed(cell.contract.name, f"{type(error).__name__}: {error}", number)
                self._publish(None, poison, [crash])
                if poison is not None:
                    cell.current = None
                    self._retire(1)

    def _may_restart(self, cell: Cell, life: _Life) -> bool:
        now = asyncio.get_running_loop().time()
        cell.crashes = [*(at for at in cell.crashes if at >= now - self._limits.crash_window_s), now]
        if cell.actor.on_crash == "restart" and len(cell.crashes) < self._limits.crashes_max:
            return True
        self._exit_code = 3
        self.stopping.set()
        if life == self._work:  # an actor that lost only its source still handles: it may have orders to cancel
            cell.state = "halted"
            for cells in self._routes.values():  # what still waits for it stays journalled, unhandled
                cells[:] = [each for each in cells if each is not cell]
            self._retire(len(cell.batch) + len(cell.inbox))
        return False

    async def _replace(self, cell: Cell) -> None:
        """Give handlers and source a fresh actor that remembers what the old one took and said."""
        seen = -1
        while seen != cell.taken:  # after a crash of its source, an actor handles on while the journal is read
            await self._until_durable()
            seen, actor = cell.taken, cell.make()
            await self._recall([(cell, actor)])
        cell.actor = actor
        if cell.listening is not None:
            cell.listening.cancel()
        self._retire(0)  # a drain may have waited for the old one

    async def _work(self, cell: Cell) -> None:
        handlers = cell.contract.handlers
        while True:
            for _ in range(_TURN):
                if not cell.batch:
                    cell.batch = await cell.inbox.take()
                envelope = cell.current = cell.batch.popleft()
                cell.taken = envelope.id or cell.taken
                result = getattr(cell.actor, handlers[type(envelope.body)])(envelope.body)
                if type(result) is CoroutineType:
                    result = await result
                if result is not None:  # collected first: a handler that raises emits nothing
                    self._publish(cell, envelope, (result,) if isinstance(result, (Message, Later)) else tuple(result))
                cell.handled, self._in_flight = cell.handled + 1, self._in_flight - 1
                if not self._in_flight:
                    self._retire(0)
            await asyncio.sleep(0)

    async def _pump(self, cell: Cell) -> None:
        """Publish what a source yields; it is told to go on only when its message is durable."""
        while True:
            source: Any = cell.actor
            with anyio.CancelScope() as cell.listening:  # left when the actor is replaced
                async with aclosing(source.source()) as messages:
                    async for message in messages:
                        for target in self._routes[type(message)]:
                            await target.inbox.room()
                        if self._closed:
                            return
                        self._publish(cell, None, [message])
                        await self._until_durable()
                return
