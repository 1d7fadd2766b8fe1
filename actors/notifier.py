"""Has a person been told? Alerts leave by their channels, at least once each, and nothing ever waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import anyio

from qws import messages as m
from qws.domain.alerts import Notice, Parcel, Part
from qws.domain.outbox import Outbox
from qws.errors import GatewayError
from qws.ports import Channel, Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Stopping

_LAST_S = 5.0  # what is due at a stop has so long
_PAUSE_S, _LOOK_AGAIN_S = 0.05, 30.0  # computers sleep: a long wait is never one wait
_ASIDE = "told elsewhere, and this channel does not work"
_TOO_MANY = "too many alerts wait, or none of their channels is left"
_News = m.AlertsSettled | m.ChannelFailed


class Notifier(Actor):
    """Sends from its source, so that a slow service delays no message; what happened is told to itself by messages."""

    on_crash = "restart"

    def __init__(
        self,
        channels: Mapping[str, Channel],
        outbox: Outbox,
        notice_of: Callable[[Parcel, int, datetime], Notice],
        clock: Clock,
    ) -> None:
        self._channels, self._outbox, self._notice_of, self._clock = channels, outbox, notice_of, clock
        self._stirred = anyio.Event()
        self._stop_by: float | None = None

    def recall_alert_raised(self, msg: m.AlertRaised) -> None:
        self._outbox.add(msg.alert)

    def recall_alerts_settled(self, msg: m.AlertsSettled) -> None:
        self._outbox.settle(msg.parts, msg.via, msg.at)
        if msg.outcome == "dropped":
            self._outbox.count_dropped(len(msg.alert_ids))

    def recall_alert_acknowledged(self, msg: m.AlertAcknowledged) -> None:
        self._outbox.forget(msg.alert_ids)

    on_alert_acknowledged = recall_alert_acknowledged

    async def on_alert_raised(self, msg: m.AlertRaised) -> list[_News]:
        dropped = self._outbox.add(msg.alert)
        self._stirred.set()
        return [*self._settled(dropped, "dropped", _TOO_MANY), *await self._last_words()]

    def on_alerts_settled(self, msg: m.AlertsSettled) -> Iterator[m.AlertsSettled]:
        self.recall_alerts_settled(msg)
        yield from self._given_up()

    def on_channel_failed(self, msg: m.ChannelFailed) -> Iterator[m.AlertsSettled]:
        self._outbox.fail(msg.channel, msg.error, msg.at)
        yield from self._given_up()

    async def on_stopping(self, msg: Stopping) -> list[_News]:
        self._stop_by = asyncio.get_running_loop().time() + _LAST_S
        return await self._last_words()

    async def source(self) -> AsyncIterator[_News]:
        under_way: dict[asyncio.Task[_News], str] = {}
        try:
            while self._channels:
                self._stirred = anyio.Event()
                under_way |= self._sent()
                for task in await self._first_of(under_way):
                    yield self._outcome(task, under_way.pop(task))
        finally:
            self._drop(under_way)

    def _sent(self) -> dict[asyncio.Task[_News], str]:
        """Send what is due; the tasks that wait for the replies, with the names of their channels."""
        parcels = self._outbox.take(self._clock.now())
        return {asyncio.create_task(self._send(each)): each.channel for each in parcels}

    async def _send(self, parcel: Parcel) -> _News:
        channel = self._channels[parcel.channel]
        try:
            reply = await channel.send(self._notice_of(parcel, channel.size_max, self._clock.now()))
        except GatewayError as error:
            return m.ChannelFailed(channel.name, str(error), self._clock.now())
        return m.AlertsSettled(parcel.settles, channel.name, "sent", reply, self._clock.now())

    async def _first_of(self, under_way: Iterable[asyncio.Task[_News]]) -> list[asyncio.Task[_News]]:
        """Wait for a reply, for news, or until something is due; the tasks that have ended."""
        now = self._clock.now()
        next_at = self._outbox.next_at(now)
        pause_s = None if next_at is None else min(max((next_at - now).total_seconds(), _PAUSE_S), _LOOK_AGAIN_S)
        tasks, stirred = list(under_way), asyncio.create_task(self._stirred.wait())
        try:
            await asyncio.wait([*tasks, stirred], timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stirred.cancel()
        return [each for each in tasks if each.done()]

    async def _last_words(self) -> list[_News]:
        """While the process stops: what is due has a few seconds more, all in all."""
        left_s = self._stop_by - asyncio.get_running_loop().time() if self._stop_by is not None else 0.0
        under_way = self._sent() if left_s > 0 else {}
        if not under_way:
            return []
        done, pending = await asyncio.wait(under_way, timeout=left_s)
        self._drop({each: under_way[each] for each in pending})
        return [self._outcome(task, channel) for task, channel in under_way.items() if task in done]

    def _outcome(self, task: asyncio.Task[_News], channel: str) -> _News:
        """What became of a message; whatever else a library raises is a failure too, and no reason to stop trading."""
        if (error := task.exception()) is not None:
            return m.ChannelFailed(channel, f"unexpected {type(error).__name__}", self._clock.now())
        return task.result()

    def _drop(self, under_way: Mapping[asyncio.Task[_News], str]) -> None:
        for task, channel in under_way.items():
            task.cancel()
            self._outbox.landed(channel)

    def _given_up(self) -> Iterator[m.AlertsSettled]:
        self._stirred.set()
        yield from self._settled(self._outbox.given_up(self._clock.now()), "failed", _ASIDE)

    def _settled(self, parts: Sequence[Part], outcome: str, why: str) -> Iterator[m.AlertsSettled]:
        if parts:
            yield m.AlertsSettled(tuple(parts), "", outcome, why, self._clock.now())
