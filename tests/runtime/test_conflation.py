from __future__ import annotations

from collections.abc import AsyncIterator

import anyio

from qws.runtime.actor import Actor
from qws.runtime.inbox import Inbox
from qws.runtime.message import ActorCrashed, Envelope, Started, Stopping
from qws.runtime.system import Limits
from tests.runtime.stage import Quoted, Told, at, in_virtual_time, lived
from tests.support.journals import MemoryJournal


class Market(Actor):
    """A hundred quotes of two codes, ten a second."""

    on_crash = "restart"
    source_until = "idle"

    async def source(self) -> AsyncIterator[Quoted]:
        for price in range(50):
            for code in ("600000.SH", "000001.SZ"):
                yield Quoted(code, price)
            await anyio.sleep(0.2)


class SlowReader(Actor):
    on_crash = "restart"

    def __init__(self, seen: list[Quoted]) -> None:
        self.seen = seen

    async def on_quoted(self, msg: Quoted) -> None:
        self.seen.append(msg)
        await anyio.sleep(1.0)


class QuoteTeller(Actor):
    """Tells what it saw, and crashes on price 7."""

    on_crash = "restart"

    def on_quoted(self, msg: Quoted) -> Told:
        if msg.price == 7:
            raise ValueError("seven")
        return Told(msg.price)


class ToldHearer(Actor):
    on_crash = "restart"

    def on_told(self, msg: Told) -> None:
        return None


def test_a_slow_reader_sees_fewer_quotes_never_older_ones() -> None:
    seen: list[Quoted] = []

    life = lived([Market, lambda: SlowReader(seen)], stop_s=30, limits=Limits(inbox_max=1))

    for code in ("600000.SH", "000001.SZ"):
        prices = [each.price for each in seen if each.code == code]
        assert prices == sorted(set(prices))
        assert prices[-1] == 49
        assert len(prices) < 15
    assert life.exit_code == 0


def test_quotes_are_never_journalled_and_what_is_made_of_them_is_a_root() -> None:
    journal = MemoryJournal(commit_s=0.01)

    life = lived([Market, QuoteTeller, ToldHearer], journal=journal, limits=Limits(crashes_max=9))

    assert {type(body) for body in journal.bodies} == {Started, Told, ActorCrashed, Stopping}
    assert all(each.cause is None and each.corr == each.id for each in journal.envelopes)
    assert [each.body for each in journal.of(ActorCrashed)] == [
        ActorCrashed("quote_teller", "ValueError: seven", None)
    ] * 2
    assert life.exit_code == 0


def test_a_drain_counts_a_replaced_quote_once() -> None:
    seen: list[Quoted] = []

    life = lived([Market, lambda: SlowReader(seen)], stop_s=5.05)

    assert life.exit_code == 0
    assert seen[-1].price == 49


def test_the_newest_quote_of_each_code_replaces_the_unread_one() -> None:
    async def main() -> None:
        inbox = Inbox(1)
        replaced = [inbox.put(_envelope(Quoted(code, price))) for price in range(3) for code in "ab"]

        batch = [envelope.body for envelope in await inbox.take()]

        assert replaced == [False, False, True, True, True, True]
        assert batch == [Quoted("a", 2), Quoted("b", 2)]
        assert len(inbox) == 0

    in_virtual_time(main)


def _envelope(body: Quoted) -> Envelope:
    return Envelope(0, 0, None, at(0), "market", body)
