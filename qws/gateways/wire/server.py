"""The side of the exchange: one account's ports for the programs of this computer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup
from pydantic import ValidationError

from qws.domain.orders import BrokerOrder, Trade
from qws.errors import GatewayError, QwsError
from qws.gateways.wire import protocol as wire
from qws.gateways.wire.protocol import Address, Call, Frame, Hello, frame, parse_frame
from qws.ports import Broker, Quotes

A = TypeVar("A")
R = TypeVar("R")
_Answer = Callable[[Frame], Awaitable[bytes]]

_CLIENTS_MAX = 32
_UNREAD_MAX = 2 * wire.FRAME_MAX  # bytes sent and not read: who is further behind has to connect and sweep anew
_PONG_S = 2.0
_LINGER_S = 1.0
_TRADING = (wire.PLACE.word, wire.CANCEL.word)


class _Leaving(Exception):
    """This connection ends here; the text says why."""


class _Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self.hello: Hello | None = None
        self.is_gone = False
        self.sign_of_life = asyncio.Event()

    async def frame(self) -> Frame:
        """The next line; raises _Leaving at the end, and for what is no line of ours."""
        try:
            return parse_frame(await self._reader.readuntil(b"\n"))
        except ValidationError as error:
            raise _Leaving(f"sent what is no message: {error.errors(include_url=False)[0]['msg']}") from error
        except asyncio.LimitOverrunError as error:
            raise _Leaving(f"sent a line of more than {wire.FRAME_MAX} bytes") from error
        except (EOFError, OSError) as error:
            raise _Leaving("left") from error

    def send(self, line: bytes) -> None:
        """Send without waiting; a client that does not read is cut off."""
        self.writer.write(line)
        if self.writer.transport.get_write_buffer_size() > _UNREAD_MAX:
            self.writer.transport.abort()

    async def lives(self) -> bool:
        """Whether it still answers."""
        self.sign_of_life.clear()
        self.send(frame(0, "ping", wire.NOTHING, None))
        with anyio.move_on_after(_PONG_S):
            await self.sign_of_life.wait()
            return not self.is_gone
        return False


class WireServer:
    """Serves `broker` and `quotes` until `stop`; one client at a time may trade, others read.

    It consumes the broker's events whether or not anybody is connected: the exchange lives on, and who comes later
    reads the lists. `tell` hears one line per arrival and departure.
    """

    def __init__(self, broker: Broker, quotes: Quotes, tell: Callable[[str], None]) -> None:
        self._broker, self._tell = broker, tell
        self._clients: set[_Client] = set()
        self._trader: _Client | None = None
        self._claiming, self._stopping = asyncio.Lock(), asyncio.Event()
        self._tasks: TaskGroup
        self._fatal: QwsError | None = None
        self._answers: dict[str, _Answer] = dict(
            (
                _served(wire.PLACE, broker.place),
                _served(wire.CANCEL, broker.cancel),
                _served(wire.ASSET, lambda _: broker.asset()),
                _served(wire.POSITIONS, lambda _: broker.positions()),
                _served(wire.ORDERS, lambda _: broker.orders()),
                _served(wire.TRADES, lambda _: broker.trades()),
                _served(wire.QUOTES, quotes.quotes),
                _served(wire.INSTRUMENTS, quotes.instruments),
                _served(wire.INDEX_CLOSE, lambda ask: quotes.index_close(*ask)),
                _served(wire.DAILY_BARS, lambda ask: quotes.daily_bars(*ask)),
            )
        )

    def stop(self) -> None:
        """Ask `serve` to return; calls that were begun are answered."""
        self._stopping.set()

    async def serve(self, address: Address, listening: Callable[[Address], None]) -> None:
        """Listen until `stop`; port 0 takes any free one, and `listening` is told which.

        Raises GatewayError when the port cannot be had, and whatever ended the exchange itself.
        """
        try:
            listener = await asyncio.start_server(
                self._accept, address.host, address.port, limit=wire.FRAME_MAX, start_serving=False
            )
        except OSError as error:
            raise GatewayError(f"cannot listen at {address}: {error.strerror}; choose another port") from error
        try:
            await self._broker.open()
            async with anyio.create_task_group() as self._tasks:
                self._tasks.start_soon(self._spread)
                await listener.start_serving()
                listening(Address(*listener.sockets[0].getsockname()[:2]))
                await self._stopping.wait()
                self._tasks.cancel_scope.cancel()
        finally:
            listener.close()
        if self._fatal is not None:
            raise self._fatal

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) < _CLIENTS_MAX and not self._stopping.is_set():
            self._tasks.start_soon(self._talk, _Client(reader, writer))
        else:
            writer.close()

    async def _spread(self) -> None:
        try:
            async for event in self._broker.events():
                if self._trader is not None and isinstance(event, BrokerOrder):
                    self._trader.send(frame(0, "order", wire.ORDER, event))
                elif self._trader is not None and isinstance(event, Trade):
                    self._trader.send(frame(0, "trade", wire.TRADE, event))
        except QwsError as error:
            self._fail(error)

    async def _talk(self, client: _Client) -> None:
        self._clients.add(client)
        try:
            name = await self._greet(client)
            self._tell(f"{name} is connected")
            try:
                while True:
                    await self._reply(client, await client.frame())
            except _Leaving as reason:
                self._tell(f"{name} {reason}")
        except (_Leaving, TimeoutError) as reason:
            self._tell(f"turned somebody away: {reason or 'said nothing'}")
        except QwsError as error:
            self._fail(error)
        finally:
            await self._dismiss(client)

    async def _greet(self, client: _Client) -> str:
        async with asyncio.timeout(wire.DEADLINE_S):
            first = await client.frame()
        if first.word != wire.HELLO.word:
            raise _Leaving("did not say hello")
        client.hello = _checked(wire.HELLO, first)
        refusal = ""
        if client.hello.version != wire.VERSION:
            refusal = f"it speaks version {wire.VERSION}, we {client.hello.version}: install the same qws on both sides"
        elif client.hello.role == "trade":
            refusal = await self._claim(client)
        if refusal:
            client.send(frame(first.id, "error", wire.TEXT, refusal))
            raise _Leaving(refusal)
        client.send(frame(first.id, wire.HELLO.word, wire.NOTHING, None))
        return f"process {client.hello.pid} ({client.hello.role})"

    async def _claim(self, client: _Client) -> str:
        """Give the client the right to trade; the reason when somebody has it who lives."""
        async with self._claiming:
            holder = self._trader
            if holder is not None and await holder.lives():
                pid = holder.hello.pid if holder.hello is not None else "?"
                return f"process {pid} already trades at this exchange; stop it first"
            if holder is not None:
                holder.writer.transport.abort()
            self._trader = client
            return ""

    async def _reply(self, client: _Client, ask: Frame) -> None:
        client.sign_of_life.set()
        if ask.word == "pong":
            return
        answer = self._answers.get(ask.word)
        if answer is None:
            raise _Leaving(f"asked for {ask.word!r}, which nobody knows")
        try:
            if ask.word in _TRADING and self._trader is not client:
                raise GatewayError("this connection may read only")
            line = await answer(ask)
        except GatewayError as error:
            line = frame(ask.id, "error", wire.TEXT, str(error))
        client.send(line)
        with suppress(OSError):  # the next read says that it is gone
            await client.writer.drain()

    async def _dismiss(self, client: _Client) -> None:
        self._clients.discard(client)
        if self._trader is client:
            self._trader = None
        client.is_gone = True
        client.sign_of_life.set()
        client.writer.close()
        with suppress(OSError), anyio.move_on_after(_LINGER_S, shield=True):
            await client.writer.wait_closed()
        client.writer.transport.abort()

    def _fail(self, error: QwsError) -> None:
        self._fatal = self._fatal or error
        self._stopping.set()


def _checked(call: Call[A, R], ask: Frame) -> A:
    try:
        return call.ask.validate_python(ask.body)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise _Leaving(f"{call.word}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error


def _served(call: Call[A, R], do: Callable[[A], Awaitable[R]]) -> tuple[str, _Answer]:
    async def answer(ask: Frame) -> bytes:
        return frame(ask.id, call.word, call.answer, await do(_checked(call, ask)))

    return call.word, answer
