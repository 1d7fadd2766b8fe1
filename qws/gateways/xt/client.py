"""Is the account there, may it trade, and what to do when not? XTQUANT.md 4.2, 4.5, G2, G6, G7."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from itertools import chain, repeat

import anyio
from loguru import logger

from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.xt import rows
from qws.gateways.xt.connection import Connection
from qws.gateways.xt.pushes import Hear
from qws.gateways.xt.rows import Row
from qws.gateways.xt.session import SessionPool, first_session
from qws.gateways.xt.settings import Deadlines, Pace, Terminal
from qws.gateways.xt.vendor import VendorMissing
from qws.gateways.xt.worker import Workers
from qws.ports import Clock

_SILENCES_MAX = 2  # queries in a row without an answer are a lost connection: nothing else tells (H4)


class LinkState(StrEnum):
    """How far the connection is: orders may leave in READY only; LOCKED waits for somebody at the terminal."""

    DOWN = "down"
    CONNECTING = "connecting"
    RECONCILING = "reconciling"
    READY = "ready"
    LOCKED = "locked"


class Link:
    """Connects, gates and connects again, each time with a new vendor object and another session id.

    `reconcile` reads the account and says what does not agree yet; `lost` is told once each time READY ends.
    """

    def __init__(
        self,
        terminal: Terminal,
        clock: Clock,
        deadlines: Deadlines,
        pace: Pace,
        workers: Workers,
        *,
        hear: Hear,
        reconcile: Callable[[], Awaitable[str]],
        lost: Callable[[str], None],
    ) -> None:
        self.state, self.reason = LinkState.DOWN, "closed"
        self.stuck_threads = 0
        self._terminal, self._clock, self._deadlines, self._pace = terminal, clock, deadlines, pace
        self._workers = workers
        self._hear, self._reconcile, self._lost = hear, reconcile, lost
        self._pool = SessionPool(terminal.folder, first_session(terminal.account))
        self._connection: Connection | None = None
        self._pausing: anyio.CancelScope | None = None
        self._status: int | None = None
        self._silences = 0
        self._is_closed = True

    async def up(self, *, at_once: bool) -> None:
        """Be READY, or closed. Tries for as long as it takes; raises VendorMissing only."""
        self._is_closed = False
        pauses = self._pace.reconnect_s
        for pause_s in chain((0.0,) if at_once else (), pauses, repeat(pauses[-1])):
            await self._pause(pause_s)
            if self._is_closed:
                return await self._drop()
            try:
                await self._connect()
                await self._settle()
            except VendorMissing:
                raise
            except GatewayError as error:
                if self._is_closed:
                    return await self._drop()
                self._be(LinkState.DOWN, str(error))
                await self._drop()
            else:
                return await self._drop() if self._is_closed else self._be(LinkState.READY, "")

    async def down(self) -> None:
        """Let go; whoever waits in `up` returns."""
        self._is_closed = True
        if self._pausing is not None:
            self._pausing.cancel()
        self._be(LinkState.DOWN, "closed")
        await self._drop()

    def ready(self, what: str) -> Connection:
        """The connection, when the account may trade. Raises GatewayLost with the reason otherwise."""
        if self._connection is None or self.state is not LinkState.READY:
            raise GatewayLost(f"{what}: the link to the terminal is {self.state}: {self.reason}")
        return self._connection

    async def query(self, what: str) -> list[Row] | None:
        """Ask, in any state in which there is a connection."""
        connection = self._there(what)
        try:
            found = await connection.query(what)
        except GatewayTimeout as error:
            self._silences += 1
            if self._silences >= _SILENCES_MAX or connection.is_stuck:
                connection.over(f"{self._silences} queries without an answer: {error}")
                self._lose(LinkState.DOWN, connection.reason)
            raise
        self._silences = 0
        return found

    def _there(self, what: str) -> Connection:
        if self._connection is None:
            raise GatewayLost(f"{what}: the link to the terminal is {self.state}: {self.reason}")
        return self._connection

    async def probe(self) -> None:
        """Does the terminal still answer? A silent one is found out here."""
        if self.state is LinkState.READY:
            try:
                await self.query("asset")
            except GatewayError as error:
                logger.warning("probe: {}", error)

    def note_stuck(self) -> None:
        """After a call that timed out: a thread that hangs inside the vendor ends the connection."""
        if self._connection is not None and self._connection.is_stuck:
            self._connection.over("a call of the vendor's library hangs")
            self._lose(LinkState.DOWN, self._connection.reason)

    def overrun(self, reason: str) -> None:
        """Give this connection up: what it told can no longer be kept."""
        if self._connection is not None:
            self._connection.over(reason)
        self._lose(LinkState.DOWN, reason)

    def _told(self, kind: str, row: Row) -> None:
        match kind:
            case "disconnected":
                self._lose(LinkState.DOWN, "the terminal says that the connection is lost")
            case "status":
                self._note_status(rows.whole(row, "status"))
            case _:
                self._hear(kind, row)

    def _note_status(self, status: int) -> None:
        self._status = status
        if not rows.is_normal(status):
            self._lose(*_gate(status))

    def _lose(self, state: LinkState, reason: str) -> None:
        was_ready = self.state is LinkState.READY
        self._be(state, reason)
        if was_ready:
            self._lost(reason)

    async def _connect(self) -> None:
        if self._connection is not None and not self._connection.reason:
            return  # only the account was not ready
        await self._drop()
        if self._is_closed:
            raise GatewayLost("closed")
        self._be(LinkState.CONNECTING, "")
        self._status, self._silences = None, 0
        self._connection = Connection(self._terminal, self._deadlines, self._workers, self._told)
        await self._connection.begin(self._pool)

    async def _settle(self) -> None:
        """Wait until the account is ready and its lists agree."""
        while True:
            await self._read_status()
            if self._status is not None and not rows.is_normal(self._status):
                self._be(*_gate(self._status))
                with suppress(GatewayTimeout):  # or a terminal that went without a word would bar us for ever
                    await self.query("asset")
            else:
                self._be(LinkState.RECONCILING, self.reason if self.state is LinkState.RECONCILING else "")
                problem = await self._reconcile()
                if not problem and (self._status is None or rows.is_normal(self._status)):
                    return self._raise_if_over()
                self._be(self.state, problem or self.reason)
            await self._pause(self._pace.look_again_s)
            self._raise_if_over()

    async def _read_status(self) -> None:
        """What the terminal says of the account; some answer nothing, then the last push counts."""
        try:
            found = rows.of_account(await self._there("status").query("status") or [], self._terminal.account)
        except GatewayTimeout:
            return self.note_stuck()
        if (row := next(found, None)) is not None and isinstance(row.get("status"), int):
            self._status = rows.whole(row, "status")

    def _raise_if_over(self) -> None:
        reason = "closed" if self._is_closed else self._connection.reason if self._connection is not None else "closed"
        if reason:
            raise GatewayLost(reason)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.end()
            if connection.is_stuck:
                self.stuck_threads += 1
                logger.warning(
                    "{} threads hang inside the vendor's library; restart when convenient", self.stuck_threads
                )

    async def _pause(self, seconds: float) -> None:
        with anyio.CancelScope() as self._pausing:
            await self._clock.sleep(seconds)

    def _be(self, state: LinkState, reason: str) -> None:
        if (state, reason) != (self.state, self.reason):
            logger.info("link to the terminal: {}{}", state, f": {reason}" if reason else "")
        self.state, self.reason = state, reason


def _gate(status: int) -> tuple[LinkState, str]:
    state = LinkState.CONNECTING if rows.is_coming(status) else LinkState.LOCKED
    return state, f"account status {status} ({_STATUS_WORDS.get(status, 'unknown to this program')})"


_STATUS_WORDS = {
    -1: "invalid",
    1: "connecting",
    2: "logging in",
    3: "login failed: log in at the terminal",
    4: "initialising",
    5: "being corrected",
    7: "secondary link lost",
    8: "disabled by the system",
    9: "disabled by the user: enable it at the terminal",
}
