"""Both ends of the wire for tests: an exchange on a socket, servers that misbehave, and a clock in a hurry."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qws.errors import GatewayError
from qws.gateways.wire.client import WireBroker
from qws.gateways.wire.protocol import VERSION, Address
from tests.conformance.brokers import NOWHERE, TEN, DayClock, Ear, an_account, heard_by, served

Record = dict[str, object]
Script = Callable[[list[Record], asyncio.StreamWriter], None]


class HurriedClock(DayClock):
    """Does not wait as long as it is asked to; `slept` tells how long that was."""

    def __init__(self) -> None:
        super().__init__(TEN)
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(min(seconds, 0.01))


def line(number: int, word: str, body: object = None) -> bytes:
    """What the protocol's reader should understand, written without the protocol."""
    return json.dumps({"id": number, "word": word, "body": body}).encode() + b"\n"


def hello(role: str = "read", version: int = VERSION) -> bytes:
    """A client's first line."""
    return line(1, "hello", {"version": version, "role": role, "pid": 4711})


@dataclass
class Talker:
    """A client that sends bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def read(self) -> Record:
        """The next line."""
        async with asyncio.timeout(10):
            return dict(json.loads(await self.reader.readuntil(b"\n")))

    async def ask(self, request: bytes) -> Record:
        """Send bytes, read the next line."""
        self.writer.write(request)
        return await self.read()

    async def is_cut_off(self) -> bool:
        """Whether the other side closes the connection; whatever it still says is read."""
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                await self.reader.read()
        return True


@asynccontextmanager
async def talking_to(address: Address) -> AsyncIterator[Talker]:
    """A raw connection."""
    reader, writer = await asyncio.open_connection(*address, limit=2**26)
    try:
        yield Talker(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@dataclass
class Impostor:
    """Listens, notes every line, and answers as the script says."""

    script: Script
    heard: list[Record] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self.writers.append(writer)
        with suppress(ConnectionError):
            while request := await reader.readline():
                self.heard.append(json.loads(request))
                self.script(self.heard, writer)
        writer.close()

    def words(self) -> list[object]:
        """What it was asked."""
        return [each["word"] for each in self.heard]


@asynccontextmanager
async def pretending(script: Script) -> AsyncIterator[tuple[Impostor, Address]]:
    """A server that follows a script."""
    impostor = Impostor(script)
    server = await asyncio.start_server(impostor.talk, "127.0.0.1", 0)
    try:
        yield impostor, Address(*server.sockets[0].getsockname()[:2])
    finally:
        server.close()
        for writer in impostor.writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def welcoming(heard: list[Record], writer: asyncio.StreamWriter) -> None:
    """Say hello to whoever says hello, and nothing else."""
    if heard[-1]["word"] == "hello":
        writer.write(line(int(str(heard[-1]["id"])), "hello"))


@asynccontextmanager
async def an_exchange_at(path: Path, clock: DayClock, address: Address = NOWHERE) -> AsyncIterator[Address]:
    """A served account; the same path continues it."""
    with closing(an_account(path, clock.now())) as exchange:
        async with served(exchange, clock, address) as found:
            yield found


@asynccontextmanager
async def a_trader(address: Address, clock: DayClock, ear: Ear) -> AsyncIterator[WireBroker]:
    """A connected client whose events are heard."""
    broker = WireBroker(address, clock)
    async with heard_by(broker, ear):
        yield broker


async def raised(work: Coroutine[object, object, object]) -> GatewayError:
    """What a call raised; it must."""
    with pytest.raises(GatewayError) as found:
        await work
    return found.value


async def until(what: Callable[[], bool]) -> None:
    """Wait until something is so; fails when that takes too long."""
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110 - what it looks at does not tell
            await asyncio.sleep(0.005)


def play(work: Callable[[], Awaitable[None]]) -> None:
    """Run on a real loop; whatever went wrong out of sight fails too."""
    unseen: list[object] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
        await work()

    asyncio.run(watched())
    assert unseen == []
