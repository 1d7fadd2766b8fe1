"""Calls of the vendor have deadlines, and a thread that hangs hurts nobody. XTQUANT.md H3."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.xt.worker import ThreadWorker

LONG_S, SHORT_S = 5.0, 0.05


def with_a_worker(body: Callable[[ThreadWorker, threading.Event], Coroutine[object, object, None]]) -> None:
    async def run() -> None:
        worker, hook = ThreadWorker("test"), threading.Event()
        try:
            await body(worker, hook)
        finally:
            hook.set()
            worker.end(lambda: None)

    asyncio.run(run())


def test_every_call_runs_on_the_same_daemon_thread() -> None:
    async def body(worker: ThreadWorker, hook: threading.Event) -> None:
        first, second = [await worker.call("a", threading.current_thread, LONG_S) for _ in range(2)]

        assert first is second
        assert first is not threading.current_thread()
        assert first.daemon

    with_a_worker(body)


def test_what_a_call_raises_is_a_gateway_error_that_names_it() -> None:
    async def body(worker: ThreadWorker, hook: threading.Event) -> None:
        with pytest.raises(GatewayError, match=r"asset: ValueError: .*'x'"):
            await worker.call("asset", lambda: int("x"), LONG_S)
        with pytest.raises(GatewayLost, match="ours"):
            await worker.call("asset", lambda: fail(GatewayLost("ours")), LONG_S)
        assert await worker.call("asset", lambda: 7, LONG_S) == 7

    with_a_worker(body)


def fail(error: Exception) -> None:
    raise error


def test_a_call_that_hangs_is_unknown_and_what_waits_behind_it_never_runs() -> None:
    ran: list[str] = []

    async def body(worker: ThreadWorker, hook: threading.Event) -> None:
        hanging = asyncio.create_task(worker.call("connect", hook.wait, SHORT_S * 4))
        await asyncio.sleep(0)
        with pytest.raises(GatewayLost, match="order: not begun within"):
            await worker.call("order", lambda: ran.append("order"), SHORT_S)
        with pytest.raises(GatewayTimeout, match=r"connect did not return within 0\.2 s: the outcome is unknown"):
            await hanging
        with pytest.raises(GatewayLost, match="connect did not return"):
            await worker.call("cancel", lambda: ran.append("cancel"), LONG_S)
        last = threading.Event()
        worker.end(last.set)
        hook.set()
        assert last.wait(LONG_S)

    with_a_worker(body)
    assert ran == []


def test_a_call_that_nobody_waits_for_any_more_never_begins() -> None:
    ran: list[str] = []

    async def body(worker: ThreadWorker, hook: threading.Event) -> None:
        busy = asyncio.create_task(worker.call("busy", hook.wait, LONG_S))
        waiting = asyncio.create_task(worker.call("order", lambda: ran.append("order"), LONG_S))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        hook.set()
        await busy
        await worker.call("after", lambda: None, LONG_S)

    with_a_worker(body)
    assert ran == []


def test_a_result_for_a_loop_that_is_gone_is_dropped() -> None:
    hook, over = threading.Event(), threading.Event()

    async def body() -> None:
        begun, loop = asyncio.Event(), asyncio.get_running_loop()

        def work() -> None:
            loop.call_soon_threadsafe(begun.set)
            hook.wait()

        worker = ThreadWorker("test")
        call = asyncio.create_task(worker.call("late", work, LONG_S))
        await begun.wait()
        call.cancel()
        worker.end(over.set)

    asyncio.run(body())
    hook.set()

    assert over.wait(LONG_S)


def test_h3_a_process_ends_although_a_vendor_thread_hangs() -> None:
    script = """
import asyncio, threading
from qws.errors import GatewayTimeout
from qws.gateways.xt.worker import ThreadWorker
async def body():
    try:
        await ThreadWorker("test").call("query", threading.Event().wait, 0.05)
    except GatewayTimeout as error:
        print(error)
asyncio.run(body())
"""
    root = Path(__file__).parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", cwd=root, timeout=30, check=True
    )

    assert "query did not return" in ended.stdout
