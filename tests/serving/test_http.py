"""The responder, over real sockets: what it answers, and what nobody can make it wait for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from qws.serve_section import Listening, ServeSection, listening_at
from qws.serving.http import Reply, serving_pages

T = TypeVar("T")
ANY = Listening("127.0.0.1", 0)
PAGES = {"/metrics": lambda: Reply(200, "text/plain", b"up 1\n"), "/healthz": lambda: Reply(503, "text/plain", b"no")}


def served(what: Callable[[Listening], Awaitable[T]]) -> T:
    """Do something while the pages are served."""

    async def work() -> T:
        async with asyncio.timeout(20), serving_pages(ANY, PAGES) as address:
            return await what(address)

    return asyncio.run(work())


async def said(address: Listening, request: bytes) -> str:
    """Everything that is answered to these bytes; "" by who hangs up."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(request)
        return (await reader.read()).decode()
    except ConnectionResetError:
        return ""
    finally:
        writer.close()


def answer(request: str) -> tuple[int, str]:
    """Status and body."""
    head, _, body = served(lambda at: said(at, request.encode())).partition("\r\n\r\n")
    assert f"Content-Length: {len(body.encode())}\r\n" in head + "\r\n"
    return int(head.split(" ")[1]), body


def test_pages_are_answered_with_their_status_whatever_follows_the_question_mark() -> None:
    assert answer("GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9110\r\n\r\n") == (200, "up 1\n")
    assert answer("GET /metrics?name=x HTTP/1.0\r\n\r\n") == (200, "up 1\n")
    assert answer("GET /healthz HTTP/1.1\r\nhost: LocalHost\r\n\r\n") == (503, "no")
    assert answer("GET /metrics HTTP/1.1\r\nHost: [::1]:9110\r\n\r\n")[0] == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("GET / HTTP/1.1\r\n\r\n", 404),
        ("POST /metrics HTTP/1.1\r\n\r\n", 405),
        ("GET /metrics HTTP/1.1\r\nHost: rebound.example.com\r\n\r\n", 403),
        ("\x16\x03\x01 TLS\r\n\r\n", 400),
    ],
)
def test_what_is_no_question_for_a_page_is_refused(request_: str, status: int) -> None:
    assert answer(request_)[0] == status


@pytest.mark.parametrize("size", [9_000, 100_000])
def test_a_request_that_never_ends_is_refused_or_hung_up_on(size: int) -> None:
    told = served(lambda at: said(at, b"GET /" + b"x" * size))

    assert told == "" or told.startswith("HTTP/1.1 400 ")


def test_who_says_nothing_is_hung_up_on_and_others_are_answered_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qws.serving.http._DEADLINE_S", 0.2)

    async def crowd(address: Listening) -> tuple[str, str]:
        async with asyncio.TaskGroup() as tasks:
            cut = tasks.create_task(said(address, b"GET /met"))
            other = tasks.create_task(said(address, b"GET /metrics HTTP/1.1\r\n\r\n"))
        return other.result(), cut.result()

    other, cut = served(crowd)
    assert other.startswith("HTTP/1.1 200 OK\r\n")
    assert cut == ""


def test_a_crowd_that_waits_is_bounded_and_forgotten_when_it_leaves() -> None:
    async def crowd(address: Listening) -> list[str]:
        writers = [(await asyncio.open_connection(*address))[1] for _ in range(16)]
        answers = [await said(address, b"GET /metrics HTTP/1.1\r\n\r\n")]
        for writer in writers:
            writer.close()
            await writer.wait_closed()
        answers += [await said(address, b"GET /metrics HTTP/1.1\r\n\r\n") for _ in range(50)]
        return answers

    first, *_, last = served(crowd)
    assert first == ""
    assert last.startswith("HTTP/1.1 200 ")


def test_a_port_that_is_taken_is_told() -> None:
    async def again(address: Listening) -> str:
        with pytest.raises(OSError, match=r"address|use"):
            async with serving_pages(address, PAGES):
                return "served"
        return "refused"

    assert served(again) == "refused"


@pytest.mark.parametrize(
    ("given", "meant"),
    [("127.0.0.1:9110", "127.0.0.1:9110"), ("localhost:0", "127.0.0.1:0"), ("[::1]:9110", "[::1]:9110"), ("", "")],
)
def test_addresses_of_this_computer_are_taken(given: str, meant: str) -> None:
    assert ServeSection(metrics=given).metrics == meant
    assert not meant or str(listening_at(meant)) == meant


@pytest.mark.parametrize(
    "given", ["0.0.0.0:9110", "192.168.1.9:9110", "[::]:9110", "9110", "127.0.0.1:", "h:1", "127.0.0.1:65536"]
)
def test_every_other_address_is_refused_with_the_remedy(given: str) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:PORT|65535"):
        ServeSection(metrics=given)


def test_sockets_are_let_go_of_when_the_block_ends() -> None:
    async def where(address: Listening) -> Listening:
        return address

    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(served(where))
