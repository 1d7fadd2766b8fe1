"""A few GET requests over HTTP, from this computer: small, bounded, and on the same loop."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

import anyio

from qws.serve_section import Listening

_HEAD_MAX = 8_192
_CONNECTIONS_MAX = 16
_DEADLINE_S = 5.0
_REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}
_REASONS |= {503: "Service Unavailable"}
_PLAIN = "text/plain; charset=utf-8"


class Reply(NamedTuple):
    """An answer."""

    status: int
    content_type: str
    body: bytes


Pages = Mapping[str, Callable[[], Reply]]


@asynccontextmanager
async def serving_pages(address: Listening, pages: Pages) -> AsyncIterator[Listening]:
    """Answer until the block ends; where it has come to listen. Raises OSError when the port cannot be had."""
    talking: set[asyncio.StreamWriter] = set()
    silent = anyio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(talking) >= _CONNECTIONS_MAX:
            return writer.transport.abort()
        talking.add(writer)
        try:
            async with asyncio.timeout(_DEADLINE_S):
                writer.write(_framed(await _answer(reader, pages)))
                await writer.drain()
        except (OSError, EOFError, TimeoutError):
            writer.transport.abort()
        finally:
            talking.discard(writer)
            writer.close()
            if not talking:
                silent.set()

    listener = await asyncio.start_server(talk, address.host, address.port, limit=_HEAD_MAX)
    try:
        yield Listening(*listener.sockets[0].getsockname()[:2])
    finally:
        listener.close()
        for each in tuple(talking):
            each.transport.abort()
        silent = anyio.Event()
        with anyio.move_on_after(_DEADLINE_S, shield=True):
            while talking:  # each has been hung up on, and ends at once
                await silent.wait()


async def _answer(reader: asyncio.StreamReader, pages: Pages) -> Reply:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError:
        return _text(400, f"a request may have {_HEAD_MAX} bytes")
    first, *lines = head.split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return _text(400, "this is no request")
    names = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("host:")]
    if not all(_is_local(name) for name in names):  # a page of a browser that calls itself something else
        return _text(403, "ask by 127.0.0.1 or localhost")
    if words[0] != "GET":
        return _text(405, "only GET is answered")
    page = pages.get(words[1].partition("?")[0])
    return page() if page is not None else _text(404, f"there are {' and '.join(pages)}")


def _is_local(name: str) -> bool:
    host = name[: name.index("]") + 1].strip("[]") if name.startswith("[") and "]" in name else name.partition(":")[0]
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _text(status: int, text: str) -> Reply:
    return Reply(status, _PLAIN, f"{text}\n".encode())


def _framed(reply: Reply) -> bytes:
    head = (
        f"HTTP/1.1 {reply.status} {_REASONS[reply.status]}\r\nContent-Type: {reply.content_type}\r\n"
        f"Content-Length: {len(reply.body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("latin-1") + reply.body
