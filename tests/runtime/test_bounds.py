from __future__ import annotations

import anyio
import pytest

from qws.runtime.actor import Actor
from qws.runtime.inbox import InboxFull
from qws.runtime.message import ActorCrashed, Later, Started
from qws.runtime.system import Limits
from tests.runtime.stage import Asked, Asker, Hearer, Repeated, Told, lived
from tests.runtime.test_delivery import BreaksHalfWay, Burst
from tests.support.journals import MemoryJournal


class Slow(Actor):
    """Hears one message a second."""

    on_crash = "halt"

    def __init__(self, heard: list[int]) -> None:
        self.heard = heard

    async def on_asked(self, msg: Asked) -> None:
        await anyio.sleep(1.0)
        self.heard.append(msg.number)


@pytest.mark.parametrize("has_journal", [True, False])
def test_a_full_inbox_is_nobodys_fault_and_ends_the_run(has_journal: bool) -> None:
    journal = MemoryJournal() if has_journal else None

    with pytest.raises(InboxFull, match="9 messages wait, the newest is Told"):
        lived([Burst, lambda: Hearer([])], journal=journal, limits=Limits(inbox_max=9))

    if journal is not None:
        assert journal.of(ActorCrashed) == ()


def test_an_inbox_may_overflow_by_timers_or_by_crash_reports() -> None:
    class Alarm(Actor):
        on_crash = "restart"

        async def on_actor_crashed(self, msg: ActorCrashed) -> None:
            await anyio.sleep(1000)

        async def on_told(self, msg: Told) -> None:
            await anyio.sleep(1000)

    class Nervous(Actor):
        on_crash = "restart"

        def on_started(self, msg: Started) -> list[Later[Told]]:
            return [Later(1.0, Told(number)) for number in range(4)]

    with pytest.raises(InboxFull):
        lived([Nervous, Alarm], limits=Limits(inbox_max=2))
    with pytest.raises(InboxFull):
        lived(
            [lambda: Asker(range(9)), BreaksHalfWay, Alarm],
            limits=Limits(inbox_max=2, crashes_max=99),
        )


def test_sources_wait_for_room() -> None:
    heard, went_on = list[int](), list[int]()

    life = lived([lambda: Asker(range(50), 0.0, went_on), lambda: Slow(heard)], stop_s=60, limits=Limits(inbox_max=8))

    assert heard == list(range(50))
    assert life.exit_code == 0


def test_an_actor_with_much_to_do_lets_the_others_work() -> None:
    order: list[str] = []

    class Talkative(Actor):
        on_crash = "halt"

        def on_started(self, msg: Started) -> list[Told | Repeated]:
            return [Told(0), Repeated(0)]

        def on_told(self, msg: Told) -> Told | None:
            order.append("talks")
            return Told(msg.number + 1) if msg.number < 2000 else None

    class Modest(Actor):
        on_crash = "halt"

        def on_repeated(self, msg: Repeated) -> None:
            order.append("at last")

    lived([Talkative, Modest])

    assert order.index("at last") < 1000
