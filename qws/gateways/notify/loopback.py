"""Services on this computer for demonstrations: they take what channels send, and answer as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy

_HOST = "127.0.0.1"
_SIZE_MAX = 1_000_000
_SAID = {b"EHLO": "250 demo", b"HELO": "250 demo", b"MAIL": "250 ok", b"RCPT": "250 ok", b"RSET": "250 ok"}


@dataclass
class Loopback:
    """Two servers; `received` is what came, by where it came to: a path, or "mail". What is `refused` is said no to."""

    http_port: int = 0
    mail_port: int = 0
    received: list[tuple[str, str]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # by where: the reply that says no

    def url(self, path: str) -> str:
        """The address of a robot or a webhook."""
        return f"http://{_HOST}:{self.http_port}/{path}"

    async def web(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One POST: the reply is HTTP 200 whatever it says."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lengths = [line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
        body = await reader.readexactly(min(int(lengths[0]), _SIZE_MAX))
        path = head.split(" ")[1].partition("?")[0].strip("/")
        self.received.append((path, body.decode("utf-8")))
        reply = self.refused.get(path, '{"errcode": 0, "code": 0, "errmsg": "ok"}').encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(reply), reply))
        await writer.drain()

    async def mail(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One conversation of SMTP, as far as a mail needs it."""
        writer.write(b"220 demo\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                content = (await reader.readuntil(b"\r\n.\r\n"))[:-5]
                message = message_from_bytes(content, policy=policy.default)
                self.received.append(("mail", f"{message['Subject']}\n{message.get_content()}"))
                writer.write(f"{self.refused.get('mail', '250 taken')}\r\n".encode())
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(f"{_SAID.get(verb, '502 not here')}\r\n".encode())
            await writer.drain()
        await writer.drain()


@asynccontextmanager
async def loopback() -> AsyncIterator[Loopback]:
    """Both servers, until the block ends."""
    there = Loopback()

    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, asyncio.IncompleteReadError):
            await there.web(reader, writer)
        writer.close()

    async def mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, asyncio.IncompleteReadError):
            await there.mail(reader, writer)
        writer.close()

    async with await asyncio.start_server(web, _HOST, 0) as first, await asyncio.start_server(mail, _HOST, 0) as second:
        there.http_port, there.mail_port = (each.sockets[0].getsockname()[1] for each in (first, second))
        yield there
