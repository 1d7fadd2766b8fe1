"""The simulated terminal: session ids, life and death, one account at a counter, told to native clients."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from qws.gateways.sim.market import SimMarket
from qws.ports import Calendar
from qws.runtime.clock import SystemClock
from tests.xt_native.desk import Desk
from tests.xt_native.faults import Faults
from tests.xt_native.lane import Lanes, ThreadLane
from tests.xt_native.ports import Client, Counter
from tests.xt_native.structs import STOCK_ACCOUNT, Struct, XtAccountStatus, filled

R = TypeVar("R")
_LOOK = timedelta(seconds=0.05)  # the clock may be put ahead: the exchange is never left alone for longer
_CALL_S = 10.0


class ThreadClock(SystemClock):
    """Real seconds from a given moment on, for any thread; can be put ahead."""

    def __init__(self, start: datetime) -> None:
        self._start, self._began = start, time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._began)

    def put_to(self, moment: datetime) -> None:
        """Let it be that moment now."""
        self._start += moment - self.now()


class SimTerminal:
    """A terminal that is logged in to one account.

    One lane owns the counter, which `open_counter` opens on it; `ask` runs anything else there. A session id can be
    used once, with `reuses_sessions` again after a stop while the terminal lived. `lanes` makes this lane and those of
    the native clients: threads, or turns on the running loop (`one_thread.py`), where `begin` is called on each loop.
    """

    def __init__(
        self,
        open_counter: Callable[[], Counter],
        market: SimMarket,
        calendar: Calendar,
        clock: SystemClock,
        *,
        account_id: str = "1000000365",
        faults: Faults | None = None,
        latency_s: float = 0.001,
        quote_interval_s: float = 0.05,
        reuses_sessions: bool = False,
        lanes: Lanes = ThreadLane,
    ) -> None:
        self.market, self.calendar, self.clock = market, calendar, clock
        self.account_id, self.faults = account_id, faults if faults is not None else Faults()
        self.latency_s, self.quote_interval_s = latency_s, quote_interval_s
        self.errors: list[BaseException] = []  # what broke inside the fake: always a bug of the fake
        self.status = 0
        self.is_alive, self.life = True, 1  # a connection belongs to one life
        self.closed = threading.Event()
        self.clients: list[Client] = []
        self._reuses_sessions = reuses_sessions
        self._sessions: set[int] = set()
        self._lock = threading.Lock()
        self.lanes = lanes
        self._lane = lanes("sim terminal", self.errors)
        self._lane.start()
        self._desk = self.ask(lambda: Desk(self, open_counter()), needs_life=False)
        self._look_at: datetime | None = None
        if lanes is ThreadLane:
            self.begin()

    def ask(self, question: Callable[[], R], *, needs_life: bool = True) -> R:
        """Run a question on the terminal's thread. Raises ConnectionError while the terminal is dead."""
        if needs_life and not self.is_alive:
            raise ConnectionError("the terminal is not running")
        if self._lane.is_here():
            return question()
        future: Future[R] = Future()

        def work() -> None:
            try:
                future.set_result(question())
            except BaseException as error:  # noqa: BLE001 - raised where it was asked
                future.set_exception(error)

        self._lane.put(work)
        return future.result(_CALL_S)

    def request(self, client: Client, sender: str, seq: int, request: Struct) -> None:
        """Take a client's request; the answer, if any, comes through `client.deliver`."""

        def work() -> None:
            if self.is_alive and client in self.clients:
                self.take(client, sender, seq, request)

        self._lane.put(work)

    def take(self, client: Client, sender: str, seq: int, request: Struct) -> None:
        """On the terminal's own lane: do what was asked, and tell what came of it."""
        self._desk.answer(client, sender, seq, request)
        self._look()

    def connect(self, client: Client) -> int:
        """0 once for each session id; -1 while the terminal is dead."""
        if self.faults.strikes("connect_hangs"):
            self.hang()
        with self._lock:
            if not self.is_alive or self.closed.is_set() or self.faults.strikes("connect_refused"):
                return -1
            if client.session in self._sessions:
                return -1
            self._sessions.add(client.session)
            self.clients.append(client)
            return 0

    def leave(self, client: Client) -> None:
        """A client stops."""
        if self.faults.strikes("stop_hangs"):
            self.hang()
        with self._lock:
            if client in self.clients:
                self.clients.remove(client)
                if self._reuses_sessions:
                    self._sessions.discard(client.session)

    def forget(self, client: Client) -> None:
        """A client's process ended without a word."""
        with self._lock:
            if client in self.clients:
                self.clients.remove(client)

    def hang(self) -> None:
        """Let the caller hang until the terminal is closed."""
        self._lane.hang(self.closed)

    def begin(self) -> None:
        """Go on looking at the counter, on a loop that has just begun."""
        self._look_at = None
        self._lane.put(self._look)

    def forget_sessions(self) -> None:
        """Make every session id new again, as removing the queue files does."""
        with self._lock:
            self._sessions.clear()

    def die(self, *, tell: bool = True) -> None:
        """End every connection; orders live on. Without `tell` no client hears of it."""
        with self._lock:
            self.is_alive, self.life = False, self.life + 1
            lost, self.clients = self.clients, []
        for client in lost:
            client.lose(tell=tell)

    def revive(self) -> None:
        """Start again; what was connected stays lost."""
        self.is_alive = True

    def set_status(self, status: int) -> None:
        """Change the account status (XTQUANT.md 4.2) and tell the subscribers."""
        self.status = status
        told = self.account_status()
        for client in self.subscribers():
            client.deliver("UpdateAccountStatus", told, after_s=self.latency_s)

    def now(self) -> datetime:
        """The time the terminal lives in."""
        return self.clock.now()

    def quotes_now(self) -> datetime:
        """The time the quotes are of."""
        return self.faults.quotes_stuck_at or self.clock.now()

    def account_status(self) -> XtAccountStatus:
        """What is told of the account."""
        return filled(XtAccountStatus, account_type=STOCK_ACCOUNT, account_id=self.account_id, status=self.status)

    def subscribers(self) -> list[Client]:
        """The clients that hear of the account."""
        with self._lock:
            return [client for client in self.clients if client.is_subscribed]

    def close(self) -> None:
        """End the terminal, let go of what hangs and of the counter; raise what broke inside the fake."""
        if not self.closed.is_set():
            self.die(tell=False)
            self.closed.set()
            self.ask(self._desk.close, needs_life=False)
            self._lane.end()
        if self.errors:
            raise self.errors[0]

    def _look(self) -> None:
        """Tell what happened, and look again when more will have happened."""
        if self.closed.is_set():
            return
        due, now = self._desk.look(), self.now()
        if self.lanes is ThreadLane:
            due = min(due or now + _LOOK, now + _LOOK)
        if due is not None and (self._look_at is None or due < self._look_at):
            self._look_at = due
            self._lane.put(partial(self._look_again, due), max((due - now).total_seconds(), 0.001))

    def _look_again(self, due: datetime) -> None:
        if self._look_at == due:
            self._look_at = None
            self._look()
