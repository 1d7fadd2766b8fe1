"""One connection to the exchange's process, seen from a client: calls with deadlines, and what it hears unasked."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TypeVar, cast

from pydantic import ValidationError

from qws.domain.orders import BrokerOrder, Trade
from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.wire import protocol as wire
from qws.gateways.wire.protocol import Address, Call, Frame, Hello, Role, frame, parse_frame

A = TypeVar("A")
R = TypeVar("R")
_CHUNK = 256 * 1024
_SILENCES_MAX = 3  # calls in a row without an answer, and without any other word, are a lost connection


class Channel(asyncio.BufferedProtocol):
    """Calls over one connection. It never connects again: `reason` says why it is over, "" while it lives."""

    def __init__(self, address: Address, deadline_s: float, hear: Callable[[BrokerOrder | Trade], None]) -> None:
        self.reason = ""
        self.lost: Callable[[str], None] | None = None
        self._address, self._deadline_s, self._hear = address, deadline_s, hear
        self._transport: asyncio.Transport
        self._chunk, self._rest = bytearray(_CHUNK), bytearray()
        self._answers: dict[int, asyncio.Future[Frame]] = {}
        self._serial = self._silences = 0

    async def call(self, call: Call[A, R], ask: A) -> R:
        """Ask once. Raises GatewayTimeout (the outcome is unknown), GatewayLost, or GatewayError for a refusal."""
        if self.reason:
            raise GatewayLost(self.reason)
        self._serial += 1
        number = self._serial
        line = frame(number, call.word, call.ask, ask)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        self._transport.write(line)
        try:
            async with asyncio.timeout(self._deadline_s):
                heard = await answer
        except TimeoutError:
            self._silences += 1
            if self._silences >= _SILENCES_MAX:
                self.end(f"the exchange at {self._address} left {self._silences} calls unanswered")
            text = f"{call.word}: no answer from the exchange at {self._address} within {self._deadline_s:g} s"
            raise GatewayTimeout(f"{text}: the outcome is unknown") from None
        finally:
            del self._answers[number]
        try:
            if heard.word == "error":
                raise GatewayError(f"the exchange at {self._address}: {wire.TEXT.validate_python(heard.body)}")
            return call.answer.validate_python(heard.body)
        except ValidationError as error:
            self.end(f"the exchange at {self._address} answered {call.word} with nonsense")
            raise GatewayLost(self.reason) from error

    def end(self, reason: str) -> None:
        """Let go of the connection; whoever waits for an answer learns that none will come."""
        if self.reason:
            return
        self.reason = reason
        self._transport.abort()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(GatewayLost(reason))
        if self.lost is not None:
            self.lost(reason)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End: the other side has."""
        self.end(f"the exchange at {self._address} closed the connection{f': {exc}' if exc is not None else ''}")

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next bytes go."""
        return self._chunk

    def buffer_updated(self, nbytes: int) -> None:
        """Take whole lines, keep the rest."""
        chunk = self._chunk[:nbytes]
        self._rest += chunk
        if b"\n" in chunk:
            *lines, self._rest = self._rest.split(b"\n")
            for line in lines:
                self._take(line)
        if len(self._rest) > wire.FRAME_MAX:
            self.end(f"the exchange at {self._address} sent more than {wire.FRAME_MAX} bytes in one message")

    def _take(self, line: bytearray) -> None:
        if self.reason:
            return
        try:
            heard = parse_frame(line)
            self._silences = 0
            match heard.word:
                case "order" if not heard.id:
                    self._hear(wire.ORDER.validate_python(heard.body))
                case "trade" if not heard.id:
                    self._hear(wire.TRADE.validate_python(heard.body))
                case "ping" if not heard.id:
                    self._transport.write(frame(0, "pong", wire.NOTHING, None))
                case _:
                    waiting = self._answers.get(heard.id)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(heard)
        except ValidationError:
            self.end(f"what listens at {self._address} is no exchange of this version")


async def dial(address: Address, role: Role, deadline_s: float, hear: Callable[[BrokerOrder | Trade], None]) -> Channel:
    """Connect and say hello. Raises GatewayLost, GatewayTimeout, or GatewayError when the exchange refuses us."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(deadline_s):
            _, channel = await loop.create_connection(lambda: Channel(address, deadline_s, hear), *address)
    except OSError as error:  # a TimeoutError is one
        why = "nothing listens there" if isinstance(error, ConnectionRefusedError) else error.strerror or "no answer"
        raise GatewayLost(f"the exchange at {address} cannot be reached: {why}") from error
    try:
        await channel.call(wire.HELLO, Hello(wire.VERSION, role, os.getpid()))
    except BaseException:
        channel.end("not welcome")
        raise
    return channel
